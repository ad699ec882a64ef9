# Every target sets up what it needs: a machine with Python 3.11+, git, make and a package registry
# is enough. `make help` lists what there is.

VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
PAGE := static/dist/index.html
NODE_MODULES := static/node_modules/.installed
NPM_SERVERS := tests/npm/node_modules/.installed
ARGS ?=

# The first Python on the PATH that is new enough, unless PYTHON names one.
SUITABLE := import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 15))
PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11 python; do \
	$$p -c '$(SUITABLE)' 2>/dev/null && echo $$p && break; done)

.DEFAULT_GOAL := help
.PHONY: help run test check wall format lint types floors purity quick page screens browsers bench faults autobahn audit lock system clean

help:  ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: $(INSTALLED) $(PAGE)  ## start the server and open its page (ARGS="--port 9000" passes flags on)
	@exec $(BIN)/mooring serve $(ARGS)

test: $(INSTALLED) $(PAGE) $(NPM_SERVERS) system  ## all tests (ARGS="tests/agent -k undo" narrows them)
	$(BIN)/python -m pytest -n 2 --dist loadfile $(ARGS)

check: wall test  ## everything a change must pass: the wall, then all tests

wall: format lint types floors purity page  ## format, lint, types, floors, coverage of the pure rooms, and the page's own tests

format: $(INSTALLED)
	$(BIN)/ruff format --check .

lint: $(INSTALLED)
	$(BIN)/ruff check .

types: $(INSTALLED) $(NODE_MODULES)
	$(BIN)/mypy
	$(BIN)/python static/build_page.py run types

floors: $(INSTALLED)
	$(BIN)/lint-imports --no-logo

purity: $(INSTALLED)
	$(BIN)/python -m tests.pure_rooms

quick: format lint floors $(NPM_SERVERS)  ## under a minute: lint, floors, and the tests of single rooms
	$(BIN)/python -m pytest -q -x -m "not slow" \
		--ignore=tests/stories --ignore=tests/browser --ignore=tests/faults $(ARGS)

page: $(PAGE)  ## build the page and run its unit tests
	$(BIN)/python static/build_page.py run test

screens: $(INSTALLED) $(PAGE) system  ## take the pictures of the README (ARGS=FOLDER takes all into a folder)
	$(BIN)/python -m tests.browser.screens $(ARGS)

browsers: $(INSTALLED) $(PAGE)  ## visit the page with Firefox and with WebKit, the engine of Safari, where they are at hand
	$(BIN)/python -m tests.other_browsers

bench: $(INSTALLED) $(PAGE) $(NPM_SERVERS) system  ## measure speed and memory
	$(BIN)/python -m tests.benchmarks $(ARGS)

faults: $(INSTALLED) $(PAGE) system  ## cut, stall and kill at random for a while, then half an hour of mixed load (ARGS="--seed 7 --minutes 30")
	$(BIN)/python -m tests.faults $(ARGS)

autobahn: $(INSTALLED)  ## Autobahn's fuzzing client against our sockets, where Python 2.7 is at hand
	$(BIN)/python -m tests.autobahn

# Not part of the wall: it needs a database of vulnerabilities, and so a network.
audit: $(INSTALLED)  ## compare what is locked with what is known to be vulnerable, where a network is at hand
	@test -x .audit-venv/bin/pip-audit || { $(PYTHON) -m venv .audit-venv && .audit-venv/bin/pip install -q pip-audit; } || true
	@$(BIN)/python -m tests.audit .audit-venv/bin/pip-audit

# With their extras: to an older pip `name[extra]` is unpinned where only `name` is.
lock: $(INSTALLED)  ## write constraints.txt anew within pyproject.toml, and the locks of what comes from npm (ARGS=--upgrade takes newer releases)
	@test -x .lock-venv/bin/uv || { $(PYTHON) -m venv .lock-venv && .lock-venv/bin/pip install -q uv; }
	.lock-venv/bin/uv pip compile pyproject.toml --group dev --universal --python-version 3.11 \
		--generate-hashes --no-emit-index-url --no-annotate --no-strip-extras --quiet \
		--custom-compile-command "make lock" --output-file constraints.txt $(ARGS)
	$(BIN)/python static/build_page.py lock

clean:  ## remove everything that was made here
	rm -rf $(VENV) .lock-venv .audit-venv build dist static/dist static/node_modules tests/npm/node_modules .coverage* .mypy_cache .ruff_cache .pytest_cache

$(INSTALLED): constraints.txt pyproject.toml
	@test -n "$(PYTHON)" || { echo "Mooring needs Python 3.11 to 3.14; none is on the PATH." >&2; exit 1; }
	@echo "Setting up $(VENV) with $(PYTHON); this takes a minute the first time."
	@$(PYTHON) -m venv $(VENV) || { echo "Python's venv is incomplete (Debian: apt install python3-venv)." >&2; exit 1; }
	@$(BIN)/python -m pip install --quiet --require-hashes -r constraints.txt
	@$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation -e .
	@touch $@

$(NODE_MODULES): static/package.json static/package-lock.json $(INSTALLED)
	@$(BIN)/python static/build_page.py ci --silent
	@touch $@

$(NPM_SERVERS): tests/npm/package.json tests/npm/package-lock.json $(INSTALLED)
	@$(BIN)/python static/build_page.py --prefix "$(CURDIR)/tests/npm" ci --silent
	@touch $@

# Named one by one by find, so that a file that was added or changed builds anew.
$(PAGE): $(NODE_MODULES) $(shell find static/src static/public static/*.html static/*.ts -type f)
	@$(BIN)/python static/build_page.py run build -- --logLevel warn

# What tests need beside Python: installed where that is allowed, named where it is not.
system:
	@missing=; \
	command -v bwrap >/dev/null || missing="$$missing bubblewrap"; \
	command -v chromium >/dev/null || missing="$$missing chromium"; \
	ls /usr/lib/*/faketime/libfaketimeMT.so.1 >/dev/null 2>&1 || missing="$$missing libfaketime"; \
	test -n "$$missing" || exit 0; \
	if test "$$(id -u)" = 0 && command -v apt-get >/dev/null; then \
		echo "Installing$$missing"; \
		apt-get update -qq && DEBIAN_FRONTEND=noninteractive \
			apt-get install -y -qq --no-install-recommends $$missing >/dev/null; \
	else \
		echo "Not installed, so the tests that need it are skipped:$$missing" >&2; \
	fi
