# `make` lists the targets. Every target but help first makes the checkout ready (.ci/setup).

.DEFAULT_GOAL := help
.PHONY: help setup demo serve test crash fuzz bench check fix docs

# touched after a complete setup; inside .venv, so that removing .venv removes it, too
READY := .venv/.ready
# more arguments for a target: make test ARGS="-k wilson"
ARGS ?=
# test processes: each starts a PostgreSQL of its own
WORKERS ?= 2

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-6s  %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(READY) ## look for Pango and fonts, fetch uv, install what uv.lock says

$(READY): .ci/setup pyproject.toml uv.lock
	@./.ci/setup
	@touch $@

demo: $(READY) ## the main job on generated data: logs in, scores, PDF scorecards
	@.venv/bin/vendorwatch demo $(ARGS)

serve: $(READY) ## the HTTP server, with settings from the environment
	@.venv/bin/vendorwatch serve $(ARGS)

test: $(READY) ## all tests, on SQLite and PostgreSQL
	.venv/bin/pytest -q -n $(WORKERS) $(ARGS)

crash: $(READY) ## kill the server 500 times on each database: ARGS="--kills 100 --engine sqlite"
	.venv/bin/python tests/crash/main.py $(ARGS)

fuzz: $(READY) ## uploads, bytes, headers and the API, each with other input every time
	FUZZ=long .venv/bin/pytest -q -n $(WORKERS) -o faulthandler_timeout=7200 tests/fuzz $(ARGS)

bench: $(READY) ## measure, and write docs/benchmarks.md
	.venv/bin/python tests/bench/run.py $(ARGS)

check: $(READY) ## lint, format, types, who may import whom, pages written from the code
	.venv/bin/ruff check
	.venv/bin/ruff format --check
	.venv/bin/mypy
	.venv/bin/lint-imports
	.venv/bin/python docs/generate.py --check

fix: $(READY) ## format, and mend what ruff can mend
	.venv/bin/ruff format
	.venv/bin/ruff check --fix

docs: $(READY) ## write what the reference takes from the code, test the documents
	.venv/bin/python docs/generate.py
	.venv/bin/pytest -q tests/promises -k "docs or openapi" $(ARGS)
