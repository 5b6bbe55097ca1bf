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
MINUTES ?= 20
MEASURED := .benchmarks/measured.json
TABLE ?= .benchmarks/table.md

# Without compiled files every process, and the tests start a hundred, would compile the suite anew.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help setup benchmark test soak lint bench clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(STAMP) ## install everything into .venv/

$(STAMP): pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) || python3 -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[test,dev,docs]'
	@touch $@

benchmark: $(STAMP) ## prepare, train, evaluate, report: [DATA=folder of releases, else simulated ones] [NAME=run] [ARGS='--device cuda']
	$(if $(DATA),,$(BIN)/leadboard simulate --out $(SIMULATED))
	$(BIN)/leadboard run --data $(or $(DATA),$(SIMULATED)) --out $(RUN) $(ARGS)

test: $(STAMP) ## all tests, a process for every processor
	$(BIN)/python -m pytest --numprocesses auto $(ARGS)

soak: $(STAMP) ## kill, damage and fuzz everything: [MINUTES=20] [ARGS='--seed 1']
	$(BIN)/python -m pytest -m slow
	OMP_NUM_THREADS=1 $(BIN)/python -m tests.soak --minutes $(MINUTES) $(ARGS)

lint: $(STAMP) ## style, types and the direction of imports
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

bench: $(STAMP) ## measure speed, one table of it: [TABLE=file.md]; needs the sample data for some of it
	@mkdir -p $(dir $(MEASURED))
	$(BIN)/python -m pytest tests/benchmarks --override-ini addopts= --benchmark-only --import-mode=importlib --benchmark-json $(MEASURED) $(ARGS); code=$$?; \
		$(BIN)/python -m tests.benchmarks.table $(MEASURED) $(TABLE) && exit $$code  # a table also where a limit is missed

clean: ## remove everything that make made, runs included
	rm -rf $(VENV) .tox build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis .benchmarks results/runs data/simulated
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
