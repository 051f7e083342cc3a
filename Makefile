# Everything runs from .venv/bin; only make and Python 3.11 or newer have to be present.
PYTHON ?= python3
BIN := .venv/bin
# Files of tests are spread over so many processes; one file stays in one of them, with the servers it has started.
TEST_WORKERS ?= 2
.DEFAULT_GOAL := help
.PHONY: help setup web up down test check static lint types imports page fix bench acceptance docs lock
# Python keeps what it compiles, also where it is told not to: the tests start hundreds of processes.
unexport PYTHONDONTWRITEBYTECODE

help: ## list the targets
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

setup: .venv/.ready ## make .venv with the pinned packages and the `ares` command

.venv/.ready: requirements-dev.txt pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements-dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

web: setup ## build the page into web/dist, where it is not newer than its sources
	scripts/web build

up: setup web ## start the simulated exchange; Ctrl-C or `make down` ends it
	$(BIN)/ares up

down: setup ## end what `make up` started
	$(BIN)/ares down

test: setup ## run every test, on TEST_WORKERS processes
	$(BIN)/python -m pytest -n $(TEST_WORKERS) --dist loadfile --no-loadscope-reorder

check: static ## lint, types, imports, packages, the page, and the laws of the house
	$(BIN)/python -m pytest -q tests/architecture

static: lint types imports page ## what `make check` does without the laws, which `make test` has too

lint: setup ## style, by ruff
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: setup ## types, by mypy --strict
	$(BIN)/mypy

imports: setup ## who imports whom, by import-linter, and which packages are declared, by deptry
	$(BIN)/lint-imports --no-logo
	$(BIN)/deptry --no-ansi .

page: setup ## lint and types of the page
	scripts/web check

fix: setup ## let ruff mend what it can
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# Other engines are installed, and what was found of them is kept, in BENCH_FOLDER.
BENCH_FOLDER ?= .bench
bench: setup ## run every benchmark; results say their command and machine
	@set -e; for file in benchmarks/bench_*.py; do \
	  case "$$file" in *bench_backtest.py) folder="$(BENCH_FOLDER)";; *) folder=;; esac; \
	  echo "== $$file"; $(BIN)/python -m "benchmarks.$$(basename "$$file" .py)" $$folder; done

acceptance: setup ## the exhaustive run: all tests, recorded months, many more random examples
	ARES_HYPOTHESIS_PROFILE=exhaustive $(BIN)/python -m pytest -m '' --timeout=7200

docs: setup ## run every block of code in the documentation
	$(BIN)/python -m pytest -q tests/docs

lock: setup ## pin the packages of pyproject.toml again, with hashes
	scripts/lock
