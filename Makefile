# Everything runs in a virtual environment of its own, made from the lock files.
VENV ?= .venv
PYTHON ?= python3
BIN := $(VENV)/bin
WORKERS ?= 2
MARKS ?=
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-virtualenv

.DEFAULT_GOAL := help
.PHONY: help demo bench test test-all test-thorough lint types protos protos-check dashboards rules words lock clean

help: ## Show what can be made
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sort | awk -F':.*## ' '{printf "  %-14s %s\n", $$1, $$2}'

$(BIN)/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Sluice needs Python 3.11 or later")'
	$(PYTHON) -m venv $(VENV)

$(VENV)/.runtime: requirements.lock pyproject.toml | $(BIN)/python
	@echo "Installing the runtime (once) ..."
	$(PIP) --require-hashes -r requirements.lock
	$(PIP) --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.dev: requirements-dev.lock $(VENV)/.runtime
	@echo "Installing the development tools (once) ..."
	$(PIP) --require-hashes -r requirements-dev.lock
	@touch $@

demo: $(VENV)/.runtime ## Tell the story of Sluice on this machine, from nothing, in about a minute
	$(BIN)/sluice demo

bench: $(VENV)/.dev ## Measure everything that docs have figures of, comparisons beside it (some 40 minutes)
	$(BIN)/python -m bench.consent
	$(BIN)/python -m bench.metering
	$(BIN)/python -m bench.limits
	$(BIN)/python -m bench.gateway
	$(BIN)/python -m bench.damages
	$(BIN)/python -m bench.stream
	$(BIN)/python -m bench.billing
	$(BIN)/python -m bench.ledger
	$(BIN)/python -m bench.disclosures
	$(BIN)/python -m bench.workers
	$(BIN)/python -m bench.telemetry
	$(BIN)/python -m bench.sizing
	$(BIN)/python -m bench.confirming

test: $(VENV)/.dev ## Run the quick tests (some 6 minutes on 2 cores)
	$(BIN)/pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder --max-worker-restart 0 -m "not slow"

test-all: $(VENV)/.dev ## Run every test, the slow ones too, and say which took longest (MARKS="not long" leaves out those of which a shorter one runs, and takes 35 minutes)
	$(BIN)/pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder --max-worker-restart 0 --durations=40 --durations-min=5 -m "$(MARKS)"

test-thorough: $(VENV)/.dev ## Run every test, and search random inputs for long (hours)
	$(BIN)/pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder --max-worker-restart 0 --hypothesis-profile=thorough

lint: $(VENV)/.dev ## Check style, and the contracts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/python protos/generate.py --image build/contracts.binpb
	$(BIN)/buf lint build/contracts.binpb --config buf.yaml

types: $(VENV)/.dev ## Check the annotations
	$(BIN)/mypy

protos: $(VENV)/.dev ## Make what is made from the contracts: protos/python, the table of docs/identity.md, OpenAPI and its page
	PATH="$(abspath $(BIN)):$$PATH" $(BIN)/python protos/generate.py
	PYTHONPATH=. $(BIN)/python protos/admission_table.py
	$(BIN)/python protos/generate.py --image build/contracts.binpb
	$(BIN)/python -m services.console.gateway.openapi build/contracts.binpb deploy/envoy

protos-check: $(VENV)/.dev ## Fail if what `make protos` makes is not what is there
	PATH="$(abspath $(BIN)):$$PATH" $(BIN)/python protos/generate.py --out build/generated
	diff -r -x __pycache__ build/generated protos/python
	$(BIN)/python protos/generate.py --image build/contracts.binpb
	$(BIN)/python -m services.console.gateway.openapi build/contracts.binpb build/openapi
	cmp build/openapi/openapi.json deploy/envoy/openapi.json
	cmp build/openapi/docs.html deploy/envoy/docs.html

dashboards: $(VENV)/.dev ## Make the dashboards for Grafana from their Python (deploy/dashboards)
	PYTHONPATH=. $(BIN)/python -m deploy.dashboards deploy/dashboards

rules: $(VENV)/.dev ## Wrap the rules of Prometheus for its operator (deploy/kubernetes/components/monitoring/rules)
	PYTHONPATH=. $(BIN)/python -m deploy.prometheus deploy/kubernetes/components/monitoring/rules

words: $(VENV)/.dev ## Bring the catalogues of the pages' translations to what the sources say; translate what is empty then
	$(BIN)/python -m services.console.web.catalogues

lock: $(VENV)/.dev ## Resolve the dependencies anew and write the lock files (hashes, no addresses)
	$(BIN)/uv pip compile -U --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
	  -q --extra console -o requirements.lock pyproject.toml build-requirements.in
	$(BIN)/uv pip compile -U --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
	  -q --extra dev -c requirements.lock -o requirements-dev.lock pyproject.toml build-requirements.in

clean: ## Remove what was built (not the virtual environment, not .sluice)
	rm -rf build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
