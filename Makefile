# `make run` on a fresh machine is all that is needed to see the panel. The rest is for who works on it.
PYTHON ?= python3
HOST ?= 127.0.0.1
PORT ?= 8000
PY := .venv/bin/python

.PHONY: run test check prove lab lock messages screenshots clean dev

run: # set up what is missing, then serve on http://HOST:PORT/ (the demo PBX, if no other is named)
	@exec $(PYTHON) tools/setup.py run --host $(HOST) --port $(PORT)

dev: # .venv with what checks and tests need
	@$(PYTHON) tools/setup.py dev

test: dev # everything, with a real Asterisk, a real browser and a real PostgreSQL
	@$(PY) -m tools.testbed
	$(PY) -m pytest

check: dev # style, types, settings, migrations, translations
	$(PY) -m ruff check
	$(PY) -m ruff format --check
	$(PY) -m mypy
	$(PY) manage.py check --fail-level WARNING
	$(PY) manage.py makemigrations --check --dry-run
	$(PY) -m tools.messages --check

prove: dev # the long proofs: storms, soaks, thousands of seeds, a minute of fuzz
	@$(PY) -m tools.testbed
	-$(PY) -m pip install --quiet --disable-pip-version-check "atheris>=3,<4" # no wheel for all: then that proof is skipped
	$(PY) -m pytest -m prove

lab: dev # a real Asterisk with phones that call each other, to try the panel on
	@$(PY) -m tests.lab.play

lock: dev # requirements*.txt from the ranges in pyproject.toml
	$(PY) -m tools.lock

messages: dev # the words of the program into locale/, and compiled
	$(PY) -m tools.messages

screenshots: dev # docs/img/ from the running demo PBX
	$(PY) -m tools.screenshots

clean: # all that can be made again; the database and the secret key in var/ stay
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage var/static var/stamp-*
	find . -name __pycache__ -type d -not -path './frontend/*' -prune -exec rm -rf {} +
