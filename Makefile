# Everything a person runs here: `make help`.
# A virtual environment of its own is made in .venv, from the lock, on the first run of any target.

VENV   := .venv
PYTHON := $(VENV)/bin/python
STAMP  := $(VENV)/.installed
LOCKS  := requirements.lock requirements-dev.lock

.DEFAULT_GOAL := help
.PHONY: help setup test lint format demo lock clean

help: ## what there is
	@awk -F ':.*## ' '/^[a-z]+:.*## /{printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(STAMP) ## make .venv from the lock (done once)

$(STAMP): requirements-dev.lock requirements-tpm.lock pyproject.toml packaging/setup.sh
	@sh packaging/setup.sh $(VENV)
	@touch $@

test: $(STAMP) ## run all tests
	$(PYTHON) -m pytest

lint: $(STAMP) ## style, types and floors
	$(PYTHON) -m ruff check .
	$(PYTHON) -m ruff format --check .
	$(PYTHON) -m mypy
	$(VENV)/bin/lint-imports --no-logo

format: $(STAMP) ## lay the source out as `make lint` wants it
	$(PYTHON) -m ruff check --fix .
	$(PYTHON) -m ruff format .

demo: $(STAMP) ## a whole fleet on this machine: publish, deploy, break, go back (JSON=path writes the figures)
	$(PYTHON) -m demo $(if $(JSON),--json "$(JSON)")

lock: $(STAMP) ## resolve the dependencies anew
	$(VENV)/bin/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-header \
	    pyproject.toml --output-file requirements.lock
	$(VENV)/bin/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-header \
	    --constraint requirements.lock --extra dev --extra fuzz --extra publish --extra sim --extra webrtc --extra bench pyproject.toml --output-file requirements-dev.lock
	echo "tpm2-pytss>=3" | $(VENV)/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header \
	    --no-deps - --output-file requirements-tpm.lock

clean: ## remove what the targets above made
	rm -rf $(VENV) .demo build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
