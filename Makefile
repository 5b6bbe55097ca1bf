# Two commands do everything: make benchmark [DATA=folder-of-releases], make test.
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
DATA ?=
NAME ?= $(if $(DATA),local,simulated)
SIMULATED := data/simulated
SCALE ?= 0.5
RUN := results/runs/$(NAME)
STAMP := $(VENV)/.installed
ARGS ?=
MINUTES ?= 20
TABLE ?= .benchmarks/table.md

# Compiled on all processors at setup; of all else that is installed, nothing before it is imported.
LARGE := matplotlib numba numpy pandas scipy sklearn sympy torch torchmetrics transformers/utils

# Without compiled files every process, and the tests start a hundred, would compile the suite anew.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help setup benchmark test soak lint bench docs release audit clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(STAMP) ## install everything into .venv/

$(STAMP): pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) || python3 -m venv $(VENV)
	@# an older pip compares each file of an index with a thousand platforms
	-$(BIN)/python -m pip install --quiet --no-compile 'pip>=26'
	@# what is known by its version needs no resolving and is unpacked by two at once; pip then sees to the rest
	-grep == constraints.txt | sort -r | xargs -P 2 -n 25 $(BIN)/python -m pip install --quiet --no-compile --no-deps
	$(BIN)/python -m pip install --quiet --no-compile --constraint constraints.txt --editable '.[test,dev,docs]'
	-$(BIN)/python -m compileall -q -j 0 -x '/(test(s|ing)?|_inductor)/' $(foreach name,$(LARGE),$(VENV)/lib/python*/site-packages/$(name))
	@touch $@

benchmark: $(STAMP) ## prepare, train, evaluate, report: [DATA=folder of releases, else simulated ones of SCALE=0.5] [NAME=run] [ARGS='--device cuda']
	$(if $(DATA),,$(BIN)/leadboard simulate --out $(SIMULATED) --scale $(SCALE))
	$(BIN)/leadboard run --data $(or $(DATA),$(SIMULATED)) --out $(RUN) $(ARGS)

test: $(STAMP) ## all tests, a process for every processor and one more: some wait for others
	$(BIN)/python -m pytest --numprocesses $(shell expr $$(getconf _NPROCESSORS_ONLN) + 1) $(ARGS)

soak: $(STAMP) ## kill, damage and fuzz everything: [MINUTES=20] [ARGS='--seed 1']
	$(BIN)/python -m pytest -m slow
	OMP_NUM_THREADS=1 $(BIN)/python -m tests.soak --minutes $(MINUTES) $(ARGS)

lint: $(STAMP) ## style, types and the direction of imports
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/mypy tests/typed_script.py
	$(BIN)/lint-imports --no-cache

bench: $(STAMP) ## measure speed and memory, one table: [TABLE=file.md] [ARGS='-k resampling --benchmark-compare']; needs the sample data for some of it
	OMP_NUM_THREADS=$(shell getconf _NPROCESSORS_ONLN) $(BIN)/python -m pytest tests/benchmarks --override-ini addopts= --import-mode=importlib -m 'not slow' \
	  -W default::pytest_benchmark.logger.PytestBenchmarkWarning --benchmark-autosave --table $(TABLE) $(ARGS)

release: $(STAMP) ## wheel, source archive and bill of materials in dist/
	rm -rf dist
	$(BIN)/python -m build --no-isolation
	$(BIN)/cyclonedx-py environment --pyproject pyproject.toml --output-reproducible --output-file dist/leadboard.cdx.json $(BIN)/python

audit: $(STAMP) ## known vulnerabilities of what is installed; asks the network
	$(BIN)/pip-audit --skip-editable --strict

docs: $(STAMP) ## the documentation as a site, site/index.html; fails on a link or an anchor that is not there
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict --clean --quiet

clean: ## remove everything that make made, runs included
	rm -rf $(VENV) .tox build dist site *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis .benchmarks results/runs data/simulated
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
