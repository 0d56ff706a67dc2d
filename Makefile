# make help lists the targets. Every target installs what it needs into .venv first.
.DEFAULT_GOAL := help
SHELL := /bin/bash
PROFILE ?= quick
RESULTS ?= results
AUDIT ?= 2
VENV ?= .venv
PYTHON := $(VENV)/bin/python
STAMP := $(VENV)/.installed
CHECK_PYTHON := python3

# make profile=smoke would set a variable that nothing reads: refuse it
in_upper_case = $(if $(filter command,$(origin $(1))),$(error $(1)=$($(1)) is not known: write $(2)=$($(1))))
$(call in_upper_case,profile,PROFILE)
$(call in_upper_case,results,RESULTS)
$(call in_upper_case,venv,VENV)
$(call in_upper_case,audit,AUDIT)

.PHONY: help setup data reproduce figures report sweep status audit doctor bench test lint

help:  ## this list
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## */\t/' | expand -t 12

$(STAMP): pyproject.toml requirements.txt requirements-dev.txt requirements-launchers.txt
	@$(CHECK_PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	    { echo "Python 3.11 or newer is needed, and $(CHECK_PYTHON) is not: make setup CHECK_PYTHON=python3.12" >&2; exit 2; }
	$(CHECK_PYTHON) -m venv $(VENV)
	$(PYTHON) -m pip install --quiet --editable .
	$(PYTHON) -m pip install --quiet --requirement requirements-dev.txt
	@# every experiment is composed here once, so that make status is quick from then on
	for profile in quick paper; do $(PYTHON) scripts/status.py profile=$$profile > /dev/null; done
	touch $(STAMP)

setup: $(STAMP)  ## install everything into .venv

data: $(STAMP)  ## download and check whole image data sets, for profile paper (below HOMOTOPY_DATA or data/)
	$(PYTHON) scripts/data.py

reproduce: $(STAMP)  ## train, draw and report the paper; PROFILE=quick (default), paper or smoke
	$(PYTHON) scripts/reproduce.py profile=$(PROFILE) results.root=$(RESULTS)

figures: $(STAMP)  ## draw all figures from saved results, without training
	$(PYTHON) scripts/plot.py profile=$(PROFILE) results.root=$(RESULTS)

report: $(STAMP)  ## judge the paper's claims from saved results, and draw the overview
	$(PYTHON) scripts/report.py profile=$(PROFILE) results.root=$(RESULTS)

sweep: $(STAMP)  ## the grid over omega and gamma
	$(PYTHON) scripts/train.py experiment=omega_gamma profile=$(PROFILE) results.root=$(RESULTS)

status: $(STAMP)  ## done, running, failed and missing runs, and the time left
	$(PYTHON) scripts/status.py profile=$(PROFILE) results.root=$(RESULTS)

audit: $(STAMP)  ## train committed runs again and compare every digit; AUDIT=2 (default), fig1 or all
	$(PYTHON) scripts/audit.py runs=$(AUDIT) results.root=$(RESULTS)

doctor: $(STAMP)  ## what is wrong with this machine, and what mends it
	$(PYTHON) scripts/doctor.py results.root=$(RESULTS)

bench: $(STAMP)  ## speed, as ratios measured in one run
	$(PYTHON) scripts/bench.py results.root=$(RESULTS)

test: $(STAMP)  ## all tests, one process per core
	$(PYTHON) -m pytest --numprocesses=auto --dist=loadfile

lint: $(STAMP)  ## ruff and mypy
	$(PYTHON) -m ruff check .
	$(PYTHON) -m ruff format --check .
	$(PYTHON) -m mypy
