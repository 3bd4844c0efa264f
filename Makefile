# What people and CI run. Needs Python >= 3.11, pip and make; each target does its own set-up.
.DEFAULT_GOAL := help
.PHONY: help demo demo-execute demo-ui test check coverage others promises bench bench-peers nightly data docs lock clean

VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
SERVER := $(VENV)/.server
TOOLS := $(VENV)/.tools
PEERS := build/peers
SOURCE ?= skfolio
PROFILE ?= ci
comma := ,
space := $() $()
PLANNING := planning modules estimates ledger.py
PLANNING_TESTS := $(addprefix tests/,planning properties golden modules/scoring modules/opportunities modules/patterns modules/sequences modules/filters estimates test_ledger.py test_sentences.py)
EXECUTION := execution rebalance cycle.py
EXECUTION_TESTS := $(addprefix tests/,execution brokers rebalance test_cycle.py)

help:  ## list the targets
	@sed -nE 's/^([a-z-]+):.*## (.*)/  make \1\t\2/p' Makefile | expand -t 20

# To run it, and to work on it: `make demo` sets up the first alone, everything else the second as well.
$(READY): requirements.lock pyproject.toml scripts/setup scripts/install
	@scripts/setup $(VENV) requirements.lock
	@touch $@

# What the pages need besides: web server, forms, logs.
$(SERVER): $(READY) requirements-server.lock
	@echo "Installing what the pages need, once: about a minute, longer on a slow line." >&2
	@begun=$$(date +%s); scripts/install $(VENV) requirements-server.lock && echo "Installed in $$(($$(date +%s) - begun)) s; nothing of it needs a network from here on." >&2
	@touch $@

$(TOOLS): $(READY) requirements-dev.lock
	@scripts/install $(VENV) requirements-dev.lock
	@touch $@

demo: $(READY)  ## plan the bundled portfolio, offline; writes steelyard-report.html
	@$(BIN)/steelyard demo

demo-execute: $(READY)  ## trade the bundled portfolios on paper, killed half way, resumed and reconciled
	@$(BIN)/python scripts/demo_execute.py

demo-ui: $(SERVER)  ## the pages in a browser, on the bundled portfolio and paper; prints the link to open
	@$(BIN)/python scripts/demo_ui.py

test: $(TOOLS)  ## unit, property, contract and golden tests
	@$(BIN)/python -m pytest -q -n 2 --dist worksteal

check: $(TOOLS)  ## lint, format, types, import directions, lock file, generated docs
	@scripts/check

coverage: $(TOOLS)  ## branch coverage of planning, and of execution, by their own tests; under 90 % of either fails
	@$(BIN)/python -m pytest -q -n 2 --dist worksteal $(PLANNING_TESTS) $(EXECUTION_TESTS) --cov --cov-report=
	@$(BIN)/coverage report --fail-under=90 --include='$(subst $(space),$(comma),$(foreach m,$(EXECUTION),src/steelyard/$(m) src/steelyard/$(m)/*))'
	@$(BIN)/coverage report --fail-under=90 --include='$(subst $(space),$(comma),$(foreach m,$(PLANNING),src/steelyard/$(m) src/steelyard/$(m)/*))' --omit='src/steelyard/modules/plugins/*'

others: $(TOOLS)  ## the tests that `coverage` leaves out: both together are `test`, each test once
	@$(BIN)/python -m pytest -q -n 2 --dist worksteal $(foreach t,$(PLANNING_TESTS) $(EXECUTION_TESTS),--ignore=$(t))

promises: $(TOOLS)  ## try what execution and the store promise (PROFILE=ci, or PROFILE=nightly, which writes docs/promises.md)
	@$(BIN)/python -m benchmarks.promises.run --profile $(PROFILE) --jobs 2 $(if $(filter nightly,$(PROFILE)),--page)

bench: $(TOOLS)  ## measure; writes benchmarks/README.md
	@$(BIN)/python -m benchmarks.run
	@$(BIN)/python -m benchmarks.quantities
	@$(BIN)/python -m benchmarks.fleet

bench-peers: $(PEERS)/.ready  ## measure other libraries, in an environment of their own; writes benchmarks/peers.md
	@$(BIN)/python -m benchmarks.peers --python $(PEERS)/bin/python

$(PEERS)/.ready: benchmarks/peers.txt | $(TOOLS)
	@echo "Setting up $(PEERS), once: the libraries of benchmarks/peers.txt; about 800 MB." >&2
	@$(BIN)/python -m venv --clear $(PEERS)
	@scripts/install $(PEERS) benchmarks/peers.txt
	@touch $@

nightly: $(TOOLS)  ## every test but the browser's, slow ones and 500 examples a property too
	@mkdir -p build && $(BIN)/uv export --quiet --frozen --only-group oracles >build/oracles.lock
	@scripts/install $(VENV) build/oracles.lock
	@$(BIN)/python -m pytest -q -n 2 --dist worksteal -m "not browser" --hypothesis-profile=nightly

data: $(TOOLS)  ## derive the bundled prices again (SOURCE=skfolio, or SOURCE=generated)
	@test $(SOURCE) = generated || $(BIN)/uv pip install --quiet --no-deps --target build/data --group data
	@PYTHONPATH=build/data $(BIN)/python scripts/make_data.py --source $(SOURCE)
	@test $(SOURCE) = generated || PYTHONPATH=build/data $(BIN)/python scripts/make_rate_ranges.py

docs: $(TOOLS)  ## write the generated references under docs/
	@$(BIN)/python scripts/make_docs.py

lock: $(TOOLS)  ## bring uv.lock and the two locks exported from it in line with pyproject.toml
	@scripts/lock

clean:  ## remove what was built, the environment too
	rm -rf $(VENV) build dist htmlcov .coverage .coverage.* .mypy_cache .ruff_cache .import_linter_cache .hypothesis .benchmarks
	find src tests scripts benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +
