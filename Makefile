# Everything a newcomer needs: make demo, make test. No target needs more than Python 3.11+ and make.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
DEPENDENCIES := $(VENV)/.dependencies
# The suite runs on 2 cores; a third of its time it waits for an endpoint or a process, so a third worker fits.
WORKERS ?= 3
# A folder's time changes when a module is added or removed, which the strict editable install must link.
FOLDERS := $(shell find fsm state adapters -type d -not -name __pycache__)

.PHONY: help install lock demo test wheel lint format bench engine-up engine-check soak clients clean

help:  ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/ -/'

install: $(STAMP)  ## make .venv with every extra and the test tools, pinned and hashed

PACKAGES = $(shell grep -c '^[a-z0-9]' requirements.txt)
# One line that counts, where a person looks; a line for each tenth where nobody does.
COUNT = awk -v all=$(PACKAGES) -v person="$$([ -t 2 ] && echo 1)" 'BEGIN {end = person ? "\r" : "\n"} \
    /^Collecting /{n++; if (person || n % 20 == 0) {printf "      %d of %d%s", n, all, end; fflush()}} \
    /^Installing collected/{printf "      all are here; installing them takes a minute or two\n"; fflush()} \
    /^ERROR|[Ee]rror:/{print; fflush()}'

$(DEPENDENCIES): requirements.txt
	@echo "[1/2] $(VENV): at most $(PACKAGES) packages, pinned and hashed; about 1.5 GB with the SageMaker SDK"
	@if command -v uv >/dev/null 2>&1; then \
	    uv venv --quiet --allow-existing --seed --python $(PYTHON) $(VENV) && \
	    uv pip install --python $(BIN)/python --require-hashes -r requirements.txt; \
	else \
	    $(PYTHON) -m venv $(VENV) && \
	    { $(BIN)/python -m pip install --progress-bar off --require-hashes -r requirements.txt 2>&1; \
	      echo $$? >$(VENV)/.pip; } | $(COUNT); \
	    test "$$(cat $(VENV)/.pip)" = 0; \
	fi
	@touch $@

# Editable in strict mode: a real link tree, so that mypy, pyright, IDEs and pytest agree with the runtime.
$(STAMP): $(DEPENDENCIES) pyproject.toml cli.py $(FOLDERS)
	@echo "[2/2] wpfsm itself, as links to this folder"
	@rm -rf build
	@$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation -C editable_mode=strict -e . 2>&1 \
	    | grep -v -e '^ ' -e '^$$' || true
	@$(BIN)/python -c 'import wpfsm.cli'
	@touch $@

lock:  ## pin and hash requirements.txt again from pyproject.toml (needs uv)
	uv pip compile --universal --generate-hashes --all-extras --group dev --no-emit-index-url \
	    --no-annotate --no-header --python-version 3.11 pyproject.toml -o requirements.txt

demo: install  ## run the learning-rate sweep on one warm pool, here, without an AWS account
	$(BIN)/wpfsm start examples/lr-sweep/loop.yaml

test: install  ## the whole suite
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder -rs

wheel: install  ## build the wheel and run the short suite against it
	.ci/wheel

lint: install  ## formatting, lint rules, types, import directions
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: install  ## format and apply the safe fixes
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: install  ## measure, write docs/performance.md and benchmarks/results.json
	$(BIN)/python benchmarks/run.py

engine-up: install  ## a team's engine on this machine, in the foreground
	$(BIN)/python tests/e2e/engine/engine_world.py

engine-check: install  ## the team's engine at AWS's local control plane, in full
	WPFSM_ENGINE=full $(BIN)/python -m pytest tests/e2e/engine tests/adapters/engine tests/adapters/verbs/test_deploy.py tests/adapters/verbs/test_shared.py tests/crash/test_suspend_everywhere.py tests/state/shared

soak: install  ## the long randomised runs, in full
	WPFSM_SOAK=1 $(BIN)/python -m pytest -n $(WORKERS) --dist loadfile -m soak

clients: install  ## run the emulator with every real client; WPFSM_CLIENTS=FOLDER keeps their environments
	WPFSM_CLIENTS=$${WPFSM_CLIENTS:-1} $(BIN)/python -m pytest tests/e2e/test_emulator_real_clients.py

clean:  ## remove what the targets made
	rm -rf $(VENV) build *.egg-info .mypy_cache .ruff_cache .pytest_cache
