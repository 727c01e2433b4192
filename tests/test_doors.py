"""Ways in besides the ear: closed unless the family opens them, and what comes through does what CARE says."""

from __future__ import annotations

import io
import os
import queue
import socket
from dataclasses import replace
from pathlib import Path

import pytest
from paho.mqtt import client as mqtt_client
from paho.mqtt.enums import CallbackAPIVersion

from assistant.doors import Doors
from assistant.errors import HouseholdError
from assistant.home import Care
from assistant.household import parse
from assistant.messages import Acknowledged, Notify, Pressed
from assistant.notify.web import Unreached, fetch
from assistant.sensors import DOWN, EV_KEY, EVENT, Key, Port, Repeats, Topic, presses
from tests.faults.scene import NOON, household, lines, stage, wait
from tests.test_notify import broker  # noqa: F401

Inbox = queue.Queue[Acknowledged | Pressed]


def _free() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def _key(at: float, kind: int = EV_KEY, value: int = DOWN) -> bytes:
    return EVENT.pack(int(at), int(at % 1 * 1e6), kind, 28, value)


def test_nothing_listens_unless_the_family_says_so(tmp_path: Path) -> None:
    doors = Doors(household(), tmp_path, lambda: NOON, queue.Queue().put)
    assert (doors._open, doors.link(Notify(1, "i1-m0", "刘敏", "微信", "t", "b", True)), list(tmp_path.iterdir())) == ([], "", [])


def test_a_link_in_an_alarm_answers_once_and_a_forged_or_repeated_one_is_refused(tmp_path: Path) -> None:
    inbox: Inbox = queue.Queue()
    page = f"http://127.0.0.1:{_free()}"
    doors = Doors(household(care=Care(answers=page)), tmp_path, lambda: NOON, inbox.put)
    link = doors.link(Notify(1, "i20261122-1-m0-刘敏-微信", "刘敏", "微信", "t", "b", True)).removeprefix("回应请点：")
    forged = link[:-1] + ("A" if link[-1] != "A" else "B")
    codes = [fetch("POST", f"{one}/coming", seconds=5.0).status for one in (forged, link, link)]
    doors.close()
    assert (codes, inbox.get_nowait(), inbox.empty()) == (
        [403, 200, 403], Acknowledged("i20261122-1-m0-刘敏-微信", "刘敏", "coming"), True
    )


def test_a_door_the_family_closes_is_closed(tmp_path: Path) -> None:
    port = _free()
    doors = Doors(household(care=Care(sensors=port)), tmp_path, lambda: NOON, queue.Queue().put)
    opened = fetch("POST", f"http://127.0.0.1:{port}/fall", seconds=5.0).status
    doors.household(household())
    with pytest.raises(Unreached):
        fetch("POST", f"http://127.0.0.1:{port}/fall", seconds=2.0)
    assert opened == 204


def test_a_port_that_is_taken_is_told_and_the_house_stands(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        doors = Doors(household(care=Care(sensors=other.getsockname()[1])), tmp_path, lambda: NOON, queue.Queue().put)
    assert [trouble[:8] for trouble in doors.troubles] == ["照护里的感应器打"]


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [("fall", {}, 204), ("help", {}, 204), ("dance", {}, 404), ("", {}, 404), ("fall", {"Origin": "http://evil.example"}, 404),
     ("fall", {"Host": "evil.example:80"}, 404)],
)
def test_only_programs_of_this_machine_may_tell_known_things(path: str, headers: dict[str, str], status: int) -> None:
    inbox: Inbox = queue.Queue()
    port = Port(0, inbox.put)
    code = fetch("POST", f"http://127.0.0.1:{port.port}/{path}", seconds=5.0, headers=headers).status
    port.close()
    assert (code, inbox.qsize()) == (status, int(status == 204))


def test_a_sensor_that_repeats_itself_counts_once_and_a_button_each_time() -> None:
    inbox: Inbox = queue.Queue()
    port = Port(0, inbox.put)
    for path in ("fall", "fall", "help", "help"):
        fetch("POST", f"http://127.0.0.1:{port.port}/{path}", seconds=5.0)
    port.close()
    assert [inbox.get_nowait() for _ in range(inbox.qsize())] == [Pressed("fall"), Pressed("help"), Pressed("help")]


def test_a_sensor_that_never_stops_counts_once_a_minute() -> None:
    passed: list[float] = []
    at = [0.0]
    repeats = Repeats(lambda _event: passed.append(at[0]), lambda: at[0])
    for at[0] in range(0, 200, 30):
        repeats.tell("smoke")
    assert passed == [0, 60, 120, 180]


def test_a_key_counts_when_it_goes_down_and_bounces_do_not() -> None:
    device = io.BytesIO(
        _key(1.0) + _key(1.02, value=0) + _key(1.05) + _key(1.5, value=2) + _key(1.6, kind=4) + _key(3.0) + b"torn"
    )
    assert [round(at, 2) for at in presses(device)] == [1.0, 3.0]


def test_a_key_of_a_device_is_the_help_button(tmp_path: Path) -> None:
    inbox: Inbox = queue.Queue()
    os.mkfifo(tmp_path / "event")
    key = Key(tmp_path / "event", inbox.put)
    with (tmp_path / "event").open("wb", buffering=0) as device:
        device.write(_key(1.0))
        told = inbox.get(timeout=5)
    key.close()
    assert told == Pressed("help")


def test_a_fall_sensor_asks_and_silence_sends_for_help() -> None:
    scene = stage()
    scene.tell(Pressed("fall"))
    asked = lines(scene, "asked")
    wait(scene, 150)
    assert (asked, "求助：感应器报警" in lines(scene, "sent")[0]) == (["王奶奶，您还好吗？要不要我叫人来？"], True)


def test_a_sensor_that_insists_does_not_send_before_anybody_could_answer() -> None:
    scene = stage()
    for _ in range(3):
        scene.tell(Pressed("fall"))
    assert (scene.dialogue.store.find("incident")[0]["state"], lines(scene, "sent")) == ("prealarm", [])


def test_smoke_is_an_alarm() -> None:
    scene = stage()
    scene.tell(Pressed("smoke"))
    wait(scene, 60)
    assert "求助：着火了" in lines(scene, "sent")[0]


SMALL = "老人: {名字: 王秀珍}\n家人: [{名字: 刘敏, 关系: 女儿, 通知: [甲]}]\n通知: {甲: console://a}\n"


def test_the_family_opens_doors_in_its_file() -> None:
    care = parse(SMALL + "照护: {回应网页: 'http://192.168.1.20:8420', 感应器: 8421, 求助键: /dev/input/by-path/platform-button@11-event}\n").household.care
    assert (care.answers, care.sensors, care.help_key) == ("http://192.168.1.20:8420", 8421, "/dev/input/by-path/platform-button@11-event")
    assert replace(care, answers="", sensors=0, help_key="") == parse(SMALL).household.care


@pytest.mark.parametrize("line", ["回应网页: 192.168.1.20", "回应网页: 'http://h:80'", "感应器: 80", "求助键: /etc/passwd"])
def test_a_door_that_makes_no_sense_is_a_mistake(line: str) -> None:
    with pytest.raises(HouseholdError, match=line.split(":")[0]):
        parse(SMALL + f"照护: {{{line}}}\n")


# --- MQTT ---------------------------------------------------------------------------------------------------------


def _published(port: int, topic: str, payload: str, *, retain: bool = False) -> None:
    client = mqtt_client.Client(CallbackAPIVersion.VERSION2)
    client.connect("127.0.0.1", port)
    client.loop_start()
    client.publish(topic, payload, 1, retain).wait_for_publish(5)
    client.disconnect()
    client.loop_stop()


def test_a_topic_tells_falls_beds_and_smoke_and_nothing_else(broker: int, tmp_path: Path) -> None:  # noqa: F811
    inbox: Inbox = queue.Queue()
    _published(broker, "home/xiaoban/smoke", "", retain=True)
    doors = Doors(household(care=Care(sensor_topic=f"mqtt://127.0.0.1:{broker}/home/xiaoban")), tmp_path, lambda: NOON, inbox.put)
    topic = next(one for one in doors._open if isinstance(one, Topic))
    joined = topic.subscriber.joined.wait(5)
    for place, payload in (
        ("home/xiaoban/fall", "ON"), ("home/xiaoban/fall", "ON"), ("home/xiaoban/fall", "OFF"), ("home/xiaoban", "bed"),
        ("home/xiaoban/dance", "ON"), ("home/xiaoban", '{"event": "smoke"}'), ("home/other/help", ""), ("home/xiaoban/smoke", "OFF"),
    ):
        _published(broker, place, payload)
    told = [inbox.get(timeout=5) for _ in range(3)]
    doors.close()
    assert (joined, doors.troubles, told, inbox.empty()) == (True, [], [Pressed("fall"), Pressed("bed"), Pressed("smoke")], True)


def test_a_broker_that_is_away_is_no_reason_not_to_live_and_is_joined_when_it_comes(tmp_path: Path) -> None:
    doors = Doors(household(care=Care(sensor_topic=f"mqtt://127.0.0.1:{_free()}/home/xiaoban")), tmp_path, lambda: NOON, queue.Queue().put)
    topic = next(one for one in doors._open if isinstance(one, Topic))
    doors.close()
    assert (doors.troubles, topic.subscriber.joined.is_set()) == ([], False)


def test_a_fall_told_by_a_topic_asks_how_she_is(broker: int, tmp_path: Path) -> None:  # noqa: F811
    scene = stage()
    inbox: Inbox = queue.Queue()
    topic = Topic(f"mqtt://127.0.0.1:{broker}/home/xiaoban", inbox.put)
    topic.subscriber.joined.wait(5)
    _published(broker, "home/xiaoban/fall", "")
    scene.tell(inbox.get(timeout=5))
    topic.close()
    assert lines(scene, "asked") == ["王奶奶，您还好吗？要不要我叫人来？"]
