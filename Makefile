# Two commands do everything: make benchmark [DATA=folder-of-releases], make test.
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
DATA ?=
NAME ?= $(if $(DATA),local,simulated)
SIMULATED := data/simulated
RUN := results/runs/$(NAME)
STAMP := $(VENV)/.installed
ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help setup benchmark test soak lint bench clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(STAMP) ## install everything into .venv/

$(STAMP): pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) || python3 -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[test,dev]'
	@touch $@

benchmark: $(STAMP) ## prepare, train, evaluate, report: [DATA=folder of releases, else simulated ones] [NAME=run] [ARGS='--device cuda']
	$(if $(DATA),,$(BIN)/leadboard simulate --out $(SIMULATED))
	$(BIN)/leadboard run --data $(or $(DATA),$(SIMULATED)) --out $(RUN) $(ARGS)

test: $(STAMP) ## all tests
	$(BIN)/python -m pytest $(ARGS)

soak: $(STAMP) ## the tests that take minutes or gigabytes, which 'make test' leaves out
	$(BIN)/python -m pytest -m slow $(ARGS)

lint: $(STAMP) ## style, types and the direction of imports
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

bench: $(STAMP) ## measure speed; needs the sample data for some of it
	$(BIN)/python -m pytest tests/benchmarks --override-ini addopts= --benchmark-only --import-mode=importlib $(ARGS)

clean: ## remove everything that make made, runs included
	rm -rf $(VENV) .tox build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis .benchmarks results/runs data/simulated
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
