# One command per chore; `make help` lists them. Each sets up what it needs in $(VENV).

VENV ?= .venv
# The first Python of at least 3.11 that is found; name another with `make PYTHON=python3.13 VENV=.venv-3.13 test`.
PYTHON ?= $(shell for python in python3 python3.13 python3.12 python3.11; do \
	"$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo "$$python"; break; }; done)
BIN = $(VENV)/bin
READY = $(VENV)/.fairlead-ready
# Seconds for each engine: half a minute finds what a change broke, ten find what nobody thought of.
FUZZ_SECONDS ?= 30
ARGS ?=

# Where a user's own settings would change what is tested.
unexport PYTHONPATH PYTHONHOME PYTHONOPTIMIZE KUBECONFIG

.DEFAULT_GOAL := help
.PHONY: help test lint types contracts unit fuzz fuzz-short format testbed test-real test-lab bench clean

help: ## List the commands
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 20

test: lint types contracts unit fuzz-short ## Everything that needs neither root nor Go: what CI runs first (under 5 minutes)

lint: $(READY) ## Style and likely mistakes (ruff)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

format: $(READY) ## Put the sources in order
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

types: $(READY) ## Strict type checking (mypy)
	$(BIN)/mypy

contracts: $(READY) ## Who may import whom (import-linter)
	$(BIN)/lint-imports

unit: $(READY) ## The tests alone; `make unit ARGS='-k spdy'` for some of them
	$(BIN)/python -m pytest --numprocesses auto --maxprocesses 4 --dist worksteal $(ARGS)

fuzz-short: $(READY)
	$(BIN)/python -m fuzz --seconds $(FUZZ_SECONDS)

fuzz: FUZZ_SECONDS = 600
fuzz: fuzz-short ## Ten minutes of fuzzing for each engine

testbed: ## Build the real one-node cluster into the cache (needs Go; about 15 minutes, once)
	$(PYTHON) -m testbed build

test-real: $(READY) ## The tests on the real cluster, which is built first if need be (as root)
	$(BIN)/python -m tests.real $(ARGS)

test-lab: $(READY) ## The lab's programs in namespaces of their own (as root, or as an ordinary user alone)
	$(BIN)/python -m pytest -m lab tests/lab $(ARGS)

bench: $(READY) ## Fairlead beside kubectl port-forward on the real cluster (as root)
	$(BIN)/python -m bench $(ARGS)

clean: ## Remove what the commands above made, but for the testbed's cache
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache build dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(READY): pyproject.toml
	@test -n "$(PYTHON)" || { echo "error: Python 3.11 or later is needed (PYTHON=... names one)" >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); \
		echo "error: $(PYTHON) lacks its venv module (Debian: apt-get install python3-venv)" >&2; exit 1; }
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@
