# make run    the portal on http://127.0.0.1:8000 (PORT=…), with what it needs
# make test   the tests: SQLite, no network; browser tests where a Chromium is found
# make chaos  seeded runs in which everything goes wrong, and an audit of each (ARGS="--runs 100 --seed 1")
# make bench  measurements, as ratios
# make check  style and types
# make lock   writes the lock files anew from pyproject.toml

PYTHON ?= python3
PORT ?= 8000
VENV := .venv
PY := $(VENV)/bin/python
UV := uv==0.13.9

# Compiled modules are kept, also where the environment says otherwise: every process here would compile them anew.
export PYTHONDONTWRITEBYTECODE :=

.DEFAULT_GOAL := run
.PHONY: run test chaos bench check lock clean

run: $(VENV)/.run-ready
	@$(PY) manage.py serve --port $(PORT)

test: $(VENV)/.test-ready
	@$(PY) -m pytest -n 2 $(ARGS)

chaos: $(VENV)/.test-ready
	@$(PY) -m tests.chaos $(ARGS)

bench: $(VENV)/.test-ready
	@$(PY) -m tests.benchmarks $(ARGS)

check: $(VENV)/.test-ready
	@$(PY) -m ruff check .
	@$(PY) -m ruff format --check .
	@$(PY) -m mypy accounts generations rhweb
	@$(PY) manage.py makemigrations --check --dry-run

$(VENV)/.run-ready: requirements-sandbox.lock | $(VENV)/bin/python
	@$(MAKE) --no-print-directory install LOCK=requirements-sandbox.lock
	@touch $@

$(VENV)/.test-ready: requirements-dev.lock | $(VENV)/bin/python
	@$(MAKE) --no-print-directory install LOCK=requirements-dev.lock
	@touch $@ $(VENV)/.run-ready

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || \
		{ echo "rhweb needs Python 3.11 or later; name one with: make PYTHON=/path/to/python3.11"; exit 1; }
	@$(PYTHON) -m venv $(VENV) || \
		{ rm -rf $(VENV); echo "Python cannot make a virtual environment; on Debian and Ubuntu install python3-venv."; exit 1; }

# A fast installer where it can be had, else pip; only ready-made packages, so no compiler is needed.
.PHONY: install
install:
	@echo "Installing what $(LOCK) names ..."
	@$(PY) -m pip install --quiet --disable-pip-version-check $(UV) >$(VENV)/install.log 2>&1; \
	{ [ -x $(VENV)/bin/uv ] && \
		$(VENV)/bin/uv pip install --quiet --python $(PY) --require-hashes --only-binary :all: -r $(LOCK) >>$(VENV)/install.log 2>&1; } || \
	$(PY) -m pip install --quiet --disable-pip-version-check --require-hashes --only-binary :all: -r $(LOCK) >>$(VENV)/install.log 2>&1 \
	|| { tail -n 5 $(VENV)/install.log; \
		echo "The packages could not be installed. Is the network there? The whole story is in $(VENV)/install.log."; exit 1; }

lock: | $(VENV)/bin/python
	@$(PY) -m pip install --quiet --disable-pip-version-check $(UV)
	@for part in ":requirements.lock" "--group sandbox:requirements-sandbox.lock" "--group dev:requirements-dev.lock"; do \
		$(VENV)/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate --no-header \
			pyproject.toml $${part%%:*} -o $${part##*:} || exit 1; \
	done

clean:
	rm -rf $(VENV) var .pytest_cache .mypy_cache .ruff_cache .hypothesis
