# 小伴. Two commands are enough: `make demo` and `make test`. Each installs what is missing and starts at once the next time.

VENV ?= .venv
PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3; do command -v $$p >/dev/null 2>&1 && $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$p; break; }; done)
PY := $(VENV)/bin/python

.PHONY: help demo test coverage learn run setup setup-dev fetch check doctor lint types bench bench-understand bench-times bench-faults bench-distress simulate faults load lock clips clean docs wheel

help:  ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 18

demo: setup fetch  ## a day with 小伴 from recorded clips, no sound hardware needed; writes demo/day.wav
	$(PY) run_assistant.py demo

run: setup fetch  ## talk to it: needs a microphone and a loudspeaker
	$(PY) run_assistant.py run

test: setup-dev fetch lint types  ## everything that is checked
	$(PY) -m pytest --durations=15

coverage: setup-dev fetch  ## which lines the tests never reach
	$(PY) -m coverage run -m pytest
	@$(PY) -m coverage report --skip-covered --skip-empty --sort=cover | tail -n 25

setup: $(VENV)/.installed

setup-dev: $(VENV)/.installed-dev

$(VENV)/.installed: requirements.lock tools/system-packages
	@sh tools/system-packages
	@test -n "$(PYTHON)" || { echo "需要 Python 3.11 以上 / Python 3.11 or newer is needed"; exit 2; }
	@test -x $(PY) || { echo "==> making the virtual environment $(VENV) with $(PYTHON)"; $(PYTHON) -m venv $(VENV); }
	@echo "==> installing the Python packages (pinned, hashes checked)"
	$(PY) -m pip install --disable-pip-version-check --require-hashes -r requirements.lock
	@touch $@

$(VENV)/.installed-dev: $(VENV)/.installed requirements-dev.lock
	$(PY) -m pip install --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@touch $@

fetch: setup  ## models and voices, each from the first source that works, checked by SHA-256
	$(PY) run_assistant.py fetch

check: setup  ## checks the family's file
	$(PY) run_assistant.py check

doctor: setup  ## microphone, loudspeaker, models, clock, channels
	$(PY) run_assistant.py doctor

lint: setup-dev
	$(PY) -m ruff check .

types: setup-dev
	$(PY) -m mypy

clips: setup-dev fetch  ## makes the test clips anew from tests/clips/make_clips.py
	$(PY) tests/clips/make_clips.py

learn: setup-dev fetch  ## learns how elders talk, and what they mean, anew from tools/corpus (some minutes)
	$(PY) tools/talk.py
	$(PY) -m pip install --disable-pip-version-check -q "scikit-learn>=1.6,<2"
	$(PY) tools/learn.py

bench: setup-dev fetch  ## speed and size, beside the naive pipeline
	$(PY) tests/bench/bench.py

bench-understand: setup-dev fetch  ## how much of what elders say is understood, from text and from sound
	$(PY) tests/bench/evaluate.py --text --damaged
	$(PY) -m tests.bench.overheard

bench-times: setup-dev  ## spoken times beside the libraries for them
	$(PY) tests/bench/times_compare.py
	$(PY) tests/bench/times_homophones.py

bench-faults: setup-dev  ## ten thousand random mixes of faults in an emergency: somebody is reached in time in every one (a quarter of an hour)
	$(PY) -m tests.faults.mixes --mixes $${XIAOBAN_MIXES:-10000}

bench-distress: setup-dev fetch  ## two thousand cries and six hours of television through the ear (a day; XIAOBAN_BUDGET=20 stops each half after so many minutes, the next time goes on)
	$(PY) -m tests.bench.distress render --budget $${XIAOBAN_BUDGET:-100000}
	$(PY) -m tests.bench.distress --snr 10 --budget $${XIAOBAN_BUDGET:-100000}
	$(PY) -m tests.bench.doubts

simulate: setup-dev  ## a hundred years of care with forgetfulness, power cuts and dead networks; a failing one becomes a play
	$(PY) -m assistant.simulate --years 100

faults: setup-dev  ## power loss at every system call, a refusing disk at every write, a thousand kills (half an hour)
	XIAOBAN_LONG=1 $(PY) -m pytest -q tests/test_storage_faults.py
	$(PY) tests/bench/restart.py

load: setup-dev  ## fifty medicines and a million lines of log: how long an answer takes
	$(PY) tests/bench/load.py

wheel: setup-dev
	$(PY) -m build --wheel

docs: setup-dev  ## what is generated in README and docs/
	$(PY) tools/generate_docs.py

lock:  ## pins every dependency anew (needs uv)
	uv pip compile -q pyproject.toml --universal --python-version 3.11 --generate-hashes --no-annotate --no-header -o requirements.lock
	uv pip compile -q pyproject.toml --group dev --universal --python-version 3.11 --generate-hashes --no-annotate --no-header -o requirements-dev.lock

clean:
	rm -rf $(VENV) demo dist build .coverage .mypy_cache .ruff_cache .pytest_cache
