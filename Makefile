# Twinbench: the habits, spelled out once. `make` lists them.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
.DEFAULT_GOAL := help
unexport PYTHONDONTWRITEBYTECODE # what is compiled is kept, or each of the lab's many processes does it anew

help: ## list what can be made
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

install: $(VENV)/installed ## the environment in .venv, from the lock

$(VENV)/installed: requirements.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))' || \
	  { echo "Twinbench needs Python 3.11 to 3.13; say PYTHON=/path/to/python3.11 make …"; exit 1; }
	@test -x $(BIN)/uv || { $(PYTHON) -m venv $(VENV) && $(BIN)/python -m pip install --quiet 'uv==0.13.8'; }
	@echo "installing the locked packages (a few minutes with a cold cache) …"
	@$(BIN)/uv pip install --quiet --compile-bytecode --python $(BIN)/python --require-hashes -r requirements.txt
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps -e .
	@echo "compiling the numerical kernels (once, a minute or two) …"
	@printf '%s\n' 'planning.insertion.improvers import compile_all' 'cosim.system import compiled as compile_all' \
	  'doe.kinds.optimal import compile_all' 'doe.kinds.space_filling import compile_all' \
	  | xargs -P 2 -I {} $(BIN)/python -c 'from twinbench.core.{}; compile_all()'
	@touch $@

demo: install ## start the local lab, carry out one request, show where to look (DEMO_EXIT=1: then stop)
	@$(BIN)/twinbench demo

up: install ## start the local lab
	@$(BIN)/twinbench up

down: install ## end it; nothing stays behind
	@$(BIN)/twinbench down

STYLE := $(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy && $(BIN)/lint-imports
FAST  := $(BIN)/pytest -q -m "not stack and not thorough" --hypothesis-profile=quick
PAGES := tests/web tests/workflow

check: install ## style, types, import rules and the fast tests (a minute)
	@$(MAKE) --no-print-directory --output-sync -j3 check-style check-pages check-others

check-style:
	$(STYLE)
check-pages: # half of the time: two plain processes take a quarter less than xdist's two workers and their master
	$(FAST) $(PAGES)
check-others:
	$(FAST) $(PAGES:%=--ignore=%)

test: install ## everything, whole local labs included
	$(STYLE)
	$(BIN)/pytest -q -m "not stack" -n 2 --dist worksteal
	$(BIN)/pytest -q -m stack -n 2 --ignore=tests/stack
	$(BIN)/pytest -q -m stack -n 2 --dist loadfile tests/stack # two labs side by side, 1.5 GB each

bench: install ## measure what README and docs say of speed and memory (some minutes; installs peers to compare with)
	$(BIN)/uv pip install --quiet --python $(BIN)/python '.[bench]'
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps -e .
	$(BIN)/python benchmarks/cosim.py
	$(BIN)/python benchmarks/battery_fidelity.py
	$(BIN)/python benchmarks/doe.py
	$(BIN)/python benchmarks/planning.py
	$(BIN)/python benchmarks/planning_kernels.py
	$(BIN)/python benchmarks/lims_store.py
	$(BIN)/python benchmarks/lims.py
	$(BIN)/python benchmarks/dag_parse.py
	$(BIN)/python benchmarks/local_lab.py

fmus: install ## build the FMUs of models/ with gcc into include/fmus
	$(BIN)/python models/build_fmus.py

lock: install ## renew requirements.txt from pyproject.toml
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes pyproject.toml -o requirements.txt
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes deploy/requirements-servers.in \
	  -c requirements.txt -o deploy/requirements-servers.txt

.PHONY: help install demo up down check check-style check-pages check-others test bench fmus lock
