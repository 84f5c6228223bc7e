# make help lists the targets. PYTHON is the interpreter that makes .venv; another one makes it anew.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
# A .venv that is broken, or of another Python than the one that is asked for by name, is made anew.
ASKED := $(if $(filter file,$(origin PYTHON)),,$(PYTHON))
STALE := $(shell .ci/environment stale $(VENV) $(ASKED))

.DEFAULT_GOAL := help

.PHONY: help
help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(STAMP): pyproject.toml constraints.txt $(STALE)
	@.ci/environment make $(VENV) $(if $(ASKED),$(ASKED),$(PYTHON))

.PHONY: stale
stale:

.PHONY: install
install: $(STAMP) ## Make .venv with everything in it

.PHONY: run
run: $(STAMP) ## The main job: E8 on a Gaussian source, against R(D)
	@$(BIN)/python run.py

.PHONY: test
test: $(STAMP) lint ## Lint, types and the whole test suite but its slow part
	@$(BIN)/python -m pytest -q -n auto --dist worksteal

.PHONY: test-slow
test-slow: $(STAMP) ## The slow part of the suite
	@$(BIN)/python -m pytest -q -m slow

.PHONY: lint
lint: $(STAMP) ## ruff (lint and format) and mypy
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --quiet --check .
	@$(BIN)/mypy --no-error-summary

.PHONY: format
format: $(STAMP) ## Format the code
	@$(BIN)/ruff check --quiet --fix .
	@$(BIN)/ruff format --quiet .

.PHONY: benchmarks
benchmarks: $(STAMP) ## The figures of the README, measured on this machine (half an hour)
	@$(BIN)/python -m benchmarks.speed
	@$(BIN)/python -m benchmarks.codec
	@$(BIN)/python -m benchmarks.pack
	@$(BIN)/python -m benchmarks.limit
	@$(BIN)/python -m benchmarks.main_job

.PHONY: paper
paper: $(STAMP) ## All experiments of the paper, to docs/results.md (two to three hours; goes on where it was stopped)
	@$(BIN)/python -m benchmarks.paper

.PHONY: docs
docs: $(STAMP) ## The documentation, built strictly into site/ (open site/index.html)
	@NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --quiet --strict
	@echo "site/index.html"

.PHONY: serve-docs
serve-docs: $(STAMP) ## The documentation at http://127.0.0.1:8000, built again at each change
	@NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs serve

.PHONY: pictures
pictures: $(STAMP) ## The pictures of the documentation's ideas (a minute)
	@$(BIN)/python -m docs.pictures

.PHONY: notebooks
notebooks: $(STAMP) ## The tutorials as Jupyter notebooks, in notebooks/
	@mkdir -p notebooks
	@for tutorial in docs/tutorials/*.py; do \
		$(BIN)/python -m jupytext --quiet --to ipynb --output notebooks/$$(basename $$tutorial .py).ipynb $$tutorial; done

.PHONY: wheel
wheel: ## The wheel of the library, in dist/
	@$(PYTHON) -m pip wheel --quiet --no-deps --wheel-dir dist .
	@ls dist/*.whl

.PHONY: clean
clean: ## Remove caches and results, not .venv
	@rm -rf outputs multirun dist site notebooks .pytest_cache .ruff_cache .mypy_cache .hypothesis build *.egg-info
