"""The FHIR export holds to the published structure and says neither more nor less than the ledger.

fhir.resources models R4B; for Bundle, Patient, MedicationAdministration and Observation it is R4 (hl7.org/fhir/R4B/diff.html).
"""

from __future__ import annotations

import json
from pathlib import Path

from fhir.resources.R4B.bundle import Bundle

from assistant.care import reading
from assistant.fhir import as_fhir, bundle
from assistant.report import report, run_report
from tests.test_report import weeks


def test_a_bundle_fits_the_published_structure() -> None:
    home = weeks()
    for kind, value in (("blood_glucose", 6.3), ("heart_rate", 72), ("temperature", 36.6), ("weight", 58.5)):
        reading.add(home.store, home.now, kind, value)
    made = report(home.store, home.household, home.now, 7)
    text = as_fhir(home.household, made.doses, made.readings, home.now)
    again = json.loads(Bundle.model_validate_json(text).model_dump_json())
    assert {e["resource"]["resourceType"] for e in again["entry"]} == {"Patient", "MedicationAdministration", "Observation"}


def test_each_closed_dose_is_told_once_with_its_state() -> None:
    home = weeks()
    made = report(home.store, home.household, home.now, 7)
    told = [e["resource"] for e in bundle(home.household, made.doses, (), home.now)["entry"] if e["resource"]["resourceType"] == "MedicationAdministration"]
    status = {"taken": "completed", "skipped": "not-done", "missed": "not-done", "unknown": "unknown"}
    assert [(t["medicationCodeableConcept"]["text"], t["status"]) for t in told] == [
        (d.medicine, status[d.state]) for d in made.doses if d.final
    ]


def test_two_exports_give_the_same_addresses() -> None:
    home = weeks()
    made = [report(home.store, home.household, home.now, days) for days in (7, 14)]
    first, second = (bundle(home.household, m.doses, m.readings, home.now) for m in made)
    assert [e["fullUrl"] for e in first["entry"]] == [e["fullUrl"] for e in second["entry"]]


def test_the_command_writes_a_file_only_its_owner_reads(tmp_path: Path) -> None:
    home = weeks()
    path = tmp_path / "report.json"
    run_report(home.store, home.household, home.now, 7, to_fhir=path)
    assert (json.loads(path.read_text(encoding="utf-8"))["type"], path.stat().st_mode & 0o777) == ("collection", 0o600)
