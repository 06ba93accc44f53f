# Two commands are all that a newcomer needs: `make demo` and `make test`. Both set up .venv and the engine on their first run.
PYTHON ?= python3
BIN := .venv/bin
PYTEST_ARGS ?=
# The tests start hundreds of processes, and without bytecode each would compile all of gpufleet again.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help setup engine demo test browser control-plane promtool soak check format bench clean

help:
	@echo "make demo    set up, then create the dev environment in the sandbox with the real Pulumi engine"
	@echo "make test    set up, then run the tests (PYTEST_ARGS=... for pytest)"
	@echo "make browser set up, find Chromium or install Debian's, then test the HTML report in it"
	@echo "make control-plane  set up, build a Kubernetes API server (once), then put every manifest to it"
	@echo "make promtool  set up, find promtool or unpack Debian's, then test the alert rules with it"
	@echo "make soak    set up, then the long tests: 100 kills (GPUFLEET_SOAK_SEEDS=17,42 repeats some of them)"
	@echo "make check   linters, types, layers"
	@echo "make bench   measure speed into bench/results"
	@echo "make format  let ruff format and fix"
	@echo "make clean   remove .venv, .sandbox and caches (the engine's cache stays)"

setup:
	@$(PYTHON) tools/set_up.py

engine: setup
	@$(BIN)/gpufleet engine install

# A hundred times as fast as Azure: a cluster takes 3 seconds, Lustre 7, and what waits for what can be seen.
demo: engine
	@GPUFLEET_SANDBOX_TIME_SCALE=0.01 $(BIN)/gpufleet up dev --sandbox --yes
	@$(BIN)/gpufleet up dev --sandbox --yes --expect-no-changes
	@echo
	@echo "The dev environment stands in the sandbox, and a second run found nothing to change. What to try next:"
	@echo "  . .venv/bin/activate                           # gpufleet on PATH"
	@echo "  gpufleet sandbox list                          # what the sandbox's Azure and Kubernetes hold"
	@echo "  gpufleet preview prod --sandbox                # three regions of inference, a training fabric"
	@echo '  eval "$$(gpufleet env dev --sandbox)"           # then plain Pulumi: pulumi preview --stack dev'
	@echo "  gpufleet destroy dev --sandbox --yes           # take it down again"

test: engine
	@$(BIN)/python -m pytest -n 2 $(PYTEST_ARGS)

browser: setup
	@$(BIN)/python -m tools.browser
	@$(BIN)/python -m pytest -n 2 -m browser tests/report/browser $(PYTEST_ARGS)

control-plane: setup
	@$(BIN)/python -m tools.control_plane
	@$(BIN)/python -m pytest -n 2 --dist loadfile -m control_plane tests/control_plane $(PYTEST_ARGS)

promtool: setup
	@$(BIN)/python -m tools.promtool
	@$(BIN)/python -m pytest -m promtool tests/monitoring $(PYTEST_ARGS)

soak: engine
	@$(BIN)/python -m pytest -n 2 -m soak $(PYTEST_ARGS)

check: setup
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python tools/check_collected.py

format: setup
	$(BIN)/ruff check --fix-only .
	$(BIN)/ruff format .

bench: engine
	@$(BIN)/python -m bench

clean:
	rm -rf .venv .sandbox .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis
