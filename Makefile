# Every command a person needs. `make help` lists them.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
COMPILE := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --extra grpc --custom-compile-command 'make lock'

.DEFAULT_GOAL := help
.PHONY: help setup demo kafka test test-all lint format lock bench-core bench-parts bench-backlog bench-latency bench-scaling bench-recipe bench-memory bench-transport chaos fuzz audit clean

help: ## list the commands
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-15s %s\n", $$1, $$2}'

$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "cio-connector needs Python 3.11 or later; $(PYTHON) is older. Try: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 2; }
	@echo "setting up $(VENV) ..."
	@$(PYTHON) -m venv $(VENV) || { echo "cannot make a virtual environment; on Debian and Ubuntu: apt-get install python3-venv"; exit 69; }
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $(READY)

setup: $(READY) ## install everything into .venv

demo: $(READY) ## run the whole job on embedded parts and prove that nothing is lost
	@$(BIN)/cio-connector demo $(ARGS)

kafka: $(READY) ## Apache Kafka on port 9092 with the topics of the README, until Ctrl-C (needs Java, Maven)
	@$(BIN)/python -m tests.parts.provision kafka --port 9092 --topic customer-events --topic customer-events.dead-letters $(ARGS)

test: $(READY) ## lint, types and every test that needs nothing but Python
	$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy
	$(BIN)/python -m pytest

test-all: test ## also the tests against real Kafka, Jaeger, Helm (needs Go, Java, Maven)
	$(BIN)/python -m pytest -m parts

lint: $(READY) ## lint and types
	$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy

format: $(READY) ## format the code
	$(BIN)/ruff format . && $(BIN)/ruff check --fix .

lock: $(READY) ## pin the newest versions that fit pyproject.toml
	$(BIN)/python -m pip install --quiet uv
	$(COMPILE) --upgrade --group dev pyproject.toml -o requirements.lock
	$(COMPILE) --constraints requirements.lock pyproject.toml -o requirements-runtime.lock

bench-core: $(READY) ## events/s of the pure core, against bare decoding
	@$(BIN)/python -m bench.core

bench-parts: $(READY) ## instructions that each part of an event's path takes (needs valgrind)
	@$(BIN)/python -m bench.parts $(ARGS)

bench-backlog: $(READY) ## drain a real Kafka, beside what people use today
	@$(BIN)/python -m bench.backlog $(ARGS)

bench-latency: $(READY) ## from publishing to acceptance at a fixed rate, with percentiles
	@$(BIN)/python -m bench.latency $(ARGS)

bench-scaling: $(READY) ## events/s and memory against partitions, processes, sizes, duplicates, regions
	@$(BIN)/python -m bench.scaling $(ARGS)

bench-recipe: $(READY) ## what an identify, a track and a batch of 100 take
	@$(BIN)/python -m bench.recipe_table $(ARGS)

bench-memory: $(READY) ## peak memory under 429, a hot person, a full window and a backlog, against its bound
	@$(BIN)/python -m bench.memory $(ARGS)

bench-transport: $(READY) ## what a request costs on each HTTP transport
	@$(BIN)/python -m bench.transport $(ARGS)

chaos: $(READY) ## break real brokers, members and the destination, and count what is lost
	@$(BIN)/python -m tests.chaos $(ARGS)

fuzz: $(READY) ## look for records that break a promise, for SECONDS=60; what is new goes into tests/fuzz/corpus
	@$(BIN)/python -m tests.fuzz $(SECONDS)

audit: $(READY) ## known vulnerabilities in what is installed, as far as advisories can be had
	@$(BIN)/python .ci/audit.py

clean: ## remove what was installed and built here
	rm -rf $(VENV) dist build .pytest_cache .mypy_cache .ruff_cache .hypothesis
