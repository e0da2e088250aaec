# Everything from a bare clone: `make demo` runs the whole loop on this machine, `make test` runs all tests.
# Each target sets up .venv by itself with nothing but Python >= 3.11 and the package index.
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready
ARGS ?=

.PHONY: help demo test check bench judge schemas lock clean
help: ## this list
	@sed -n 's/^\([a-z]*\):.*## /  make \1	/p' Makefile

demo: $(READY) ## the whole loop on this machine; ARGS='--for 120' ends by itself
	$(BIN)/python -m meta_orchestrator demo $(ARGS)

test: $(READY) ## all tests; ARGS='tests/core -q' for some
	$(BIN)/python -m pytest $(ARGS)

check: $(READY) ## lint, format, types (strict), import rules
	$(BIN)/ruff check .
	$(BIN)/ruff format --check --quiet .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

bench: $(READY) ## throughput beside bare fetch and idiomatic Faust
	$(BIN)/python -m bench $(ARGS)

judge: $(READY) ## the product on real and made-up data beside trivial rules; ARGS=nab for some
	$(BIN)/python -m judge $(ARGS)

schemas: $(READY) ## schemas/ from the message definitions
	$(BIN)/python -m meta_orchestrator schemas --out schemas

lock: .cache/uv/bin/uv ## requirements.lock from pyproject.toml; ARGS=--upgrade takes new versions
	$< pip compile pyproject.toml --universal --generate-hashes --no-emit-index-url --no-header --all-extras \
		--quiet --output-file requirements.lock $(ARGS)

clean: ## away with everything that was made here
	rm -rf .venv .cache .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache out

$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.12 …")'
	@echo 'Setting up .venv: one to three minutes.'
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

.cache/uv/bin/uv:
	$(PYTHON) -m venv .cache/uv
	.cache/uv/bin/python -m pip install --quiet --disable-pip-version-check uv
