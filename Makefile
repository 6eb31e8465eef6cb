# `make rehearse` and `make test` do all the set-up themselves; `make help` lists the rest.
SHELL := /bin/sh
PYTHON := .venv/bin/python
INVENTORY ?= inventories/lab/hosts.yml
# As many workers as cores, but four at least: the tests mostly wait for devices.
WORKERS ?= $(shell n=$$(nproc 2>/dev/null || echo 2); if [ $$n -lt 4 ]; then echo 4; else echo $$n; fi)

.PHONY: help environment rehearse lab lab-down test lint sanity bench build clean

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' Makefile | expand -t 14

environment: ## create .venv and the links that make the checkout a collection
	@tools/system_programs.sh python3-venv git
	@python3 tools/environment.py lab

rehearse: environment ## the whole school in the lab: site.yml twice, the stories of rehearsals/, a summary
	@tools/system_programs.sh rsync
	@$(PYTHON) tools/rehearse.py

lab: environment ## bring the lab up
	@tools/system_programs.sh rsync
	@$(PYTHON) -m lab up -i $(INVENTORY)

lab-down: environment ## bring the lab down
	@$(PYTHON) -m lab down -i $(INVENTORY)

test: ## run every test
	@tools/system_programs.sh python3-venv git ssh rsync cron systemd-analyze ip unshare
	@python3 tools/environment.py lab test
	@$(PYTHON) -m pytest -n $(WORKERS) $(PYTEST_ARGS)

lint: ## ansible-lint, yamllint, ruff, mypy, changelog
	@tools/system_programs.sh python3-venv git
	@python3 tools/environment.py lab test lint
	@tools/lint.sh

sanity: ## ansible-test sanity, without its download
	@tools/system_programs.sh python3-venv git
	@python3 tools/environment.py lab test lint
	@$(PYTHON) tools/sanity.py

bench: ## measure, against a plain Netmiko pool and cisco.ios (docs/performance.md)
	@tools/system_programs.sh python3-venv git rsync
	@python3 tools/environment.py lab test bench
	@$(PYTHON) -m bench
	@$(PYTHON) -m bench.windows
	@$(PYTHON) -m bench.databases

build: environment ## the collection's tarball
	@.venv/bin/ansible-galaxy collection build --force

clean: ## remove what the targets made (the archive in var/ stays)
	@if [ -x $(PYTHON) ]; then $(PYTHON) -m lab down -i $(INVENTORY) || true; fi
	rm -rf .venv collections .mypy_cache .pytest_cache .ruff_cache lycee-openerp-*.tar.gz
