# Everything a person or a machine does with this repository. `make` alone lists it.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.PHONY: help setup services check lint test demo bench bench-statistics chaos dashboards lock clean

PYTHON ?= python3.11
BIN := .venv/bin
ROUNDS ?= 3
STAMP := .venv/.complete
KERNELS := .venv/.kernels
PYTEST := $(BIN)/python -m pytest

help: ## this list
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  make %-16s %s\n", $$1, $$2}' Makefile

setup: $(KERNELS) ## the virtual environment .venv with the driftline command, locked with hashes

$(STAMP): requirements.lock pyproject.toml scripts/make-venv
	@PYTHON="$(PYTHON)" scripts/make-venv
	@touch $@

# Compiled once, and loaded by every worker after that.
$(KERNELS): $(STAMP) $(wildcard stream/compiled/*.py stream/ingest/compiled/*.py)
	@$(BIN)/python -m stream.ingest.warm
	@touch $@

services: ## what `make test` needs beside Python: redis-server, Java, Maven, Kafka, promtool, Chromium
	@scripts/system-packages
	@scripts/fetch-kafka

check: lint ## format, types, import directions, unit tests; starts no service
	$(PYTEST) -q -m "not bench" --ignore=tests/integration --ignore=tests/chaos --ignore=tests/bench --ignore=tests/docs --ignore=tests/browser

lint: setup ## format, lint and types
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

# Two files at a time, each process with a Kafka and a Redis of its own: alone, a test of services mostly waits for them.
test: lint services ## everything except the bench, on a real Kafka and a real Redis
	$(PYTEST) -m "not bench and not long" --numprocesses=2 --dist=loadfile --no-loadscope-reorder --durations=20

demo: setup ## the year of flights, on an embedded broker and Redis
	@$(BIN)/driftline demo

# Two files at a time here too. The table is printed after each round, and build/chaos.json holds them all.
chaos: setup services ## the chaos table and all that `make test` leaves out, three times in a row (ROUNDS=1: once)
	@for round in $$(seq $(ROUNDS)); do echo "round $$round of $(ROUNDS)"; \
	  CHAOS_ROUND=$$round $(PYTEST) -q -m "chaos or long" --numprocesses=2 --dist=loadfile \
	    --no-loadscope-reorder tests/chaos tests/integration tests/unit/ingest; done

bench: setup services ## events per CPU-second, also to build/bench.json; prints tables
	@[ -n "$${DRIFTLINE_PEERS:-}" ] || scripts/make-peers quix || echo "no Quix Streams: its row stays empty"
	$(PYTEST) -q -s -m bench tests/bench/test_throughput.py
	$(PYTEST) -q -s -m bench tests/bench --ignore=tests/bench/test_throughput.py

bench-statistics: setup ## the drift statistics of other packages beside ours; prints a table
	@[ -n "$${DRIFTLINE_PEERS:-}" ] || scripts/make-peers evidently frouros nannyml
	$(PYTEST) -q -s -m bench tests/bench/test_statistics.py

dashboards: setup ## Grafana's dashboards, from deploy/grafana/boards
	$(BIN)/python -m deploy.grafana.boards.write

lock: setup ## resolve the dependencies again into requirements.lock
	$(BIN)/uv pip compile pyproject.toml --quiet --universal --all-extras --python-version 3.11 \
	  --generate-hashes --no-emit-index-url --custom-compile-command "make lock" --upgrade -o requirements.lock

clean: ## remove what was built, downloaded or cached here
	rm -rf .venv .cache build .mypy_cache .ruff_cache .pytest_cache .hypothesis *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
