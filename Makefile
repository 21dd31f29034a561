# `make demo` and `make test` do everything on a fresh machine, set-up included.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
ENGINES := tests/site/engines tests/site/install tests/site/parts tests/site/rehearse tests/end_to_end/test_site.py

.PHONY: setup lint test demo bench pipeline-tests package-docs ecs clean

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

# Half of the time is spent waiting for container engines: these tests run beside the others, and speak at the end.
# Two folders, for pytest's own are not made for two runs; in lower case, for Podman takes their paths for names.
test: setup
	@sh tests/counterparts/install.sh
	@mkdir -p build
	@beside=$${TMPDIR:-/tmp}/llm-bundle-tests-$$$$.e; here=$${TMPDIR:-/tmp}/llm-bundle-tests-$$$$.o; \
	mkdir -m 700 $$beside $$here || exit 1; \
	$(BIN)/pytest --basetemp=$$beside/t $(ENGINES) > build/engines.log 2>&1 & engines=$$!; \
	$(BIN)/pytest --basetemp=$$here/t $(addprefix --ignore=,$(ENGINES)); others=$$?; \
	wait $$engines; code=$$?; cat build/engines.log; rm -rf $$beside $$here; \
	test $$others -eq 0 && test $$code -eq 0

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

bench: setup
	@sh tests/counterparts/install.sh
	$(BIN)/python -m bench

clean:
	rm -rf build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
