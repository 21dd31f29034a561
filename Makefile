# `make demo` and `make test` do everything on a fresh machine, set-up included.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.PHONY: setup lint test demo bench pipeline-tests package-docs ecs outlines clean

setup: $(STAMP)

$(STAMP): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 10) else "llm-bundle needs Python 3.10 or newer; name one: make PYTHON=python3.12")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

test: setup
	@sh tests/counterparts/install.sh
	@sh tests/run.sh $(BIN)/pytest

demo: setup
	$(BIN)/python -m examples.demo

# UPDATE=1 writes what is expected anew; DS=name limits either to one data stream.
pipeline-tests: setup
	$(if $(UPDATE),$(BIN)/python -m tests.package.update $(DS),$(BIN)/pytest tests/package $(if $(DS),-k $(DS)-))

package-docs: setup
	$(BIN)/python -m kibana_assets.package.docs

# The extract of ECS that stands in the repository, anew (needs npm).
ecs: setup
	$(BIN)/python -m kibana_assets.package.refresh_ecs

# The outlines of the world's land for the map, anew (needs npm).
outlines: setup
	$(BIN)/python -m kibana_assets.dashboards.refresh_outlines

bench: setup
	@sh tests/counterparts/install.sh
	$(BIN)/python -m bench

clean:
	rm -rf build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
