# Painel Kommo. `make` shows what there is; the README has the plain commands, for Windows too.
SHELL := /bin/bash
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
AUDIT ?= .venv-audit
PORT ?= 3000
AXE := node_modules/axe-core/axe.min.js
WORKERS ?= auto
ENGINE ?= both

.DEFAULT_GOAL := help
.PHONY: help run test soak sabotage lint audit sbom bench pictures clean

help: ## mostra este texto
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

run: $(VENV)/.run ## prepara o que falta e inicia o painel em http://127.0.0.1:3000
	@exec $(BIN)/python app.py $(ARGS)

test: $(VENV)/.dev $(AXE) ## confere o código e roda todos os testes
	@$(MAKE) --no-print-directory lint
	@$(BIN)/python -m tests.missing
	$(BIN)/python -m pytest -n $(WORKERS) -q --engine $(ENGINE)

soak: $(VENV)/.dev ## tenta quebrar cada promessa com os números inteiros (docs/reliability.md)
	@WORKERS=$(WORKERS) $(BIN)/python -m tests.promises.soak

sabotage: $(VENV)/.dev ## estraga o código em um lugar por vez: um teste tem que notar
	@$(BIN)/python -m tests.promises.sabotage

lint: $(VENV)/.dev ## ruff, mypy, bandit e o sentido das importações
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(BIN)/bandit -q -c pyproject.toml -r app.py kommo migrations

audit: $(VENV)/.dev $(AUDIT)/.ready ## procura falhas conhecidas nos pacotes instalados (precisa da rede)
	@$(BIN)/python -m tests.audit $(AUDIT)/bin/pip-audit

sbom: $(AUDIT)/.product ## grava em sbom.json do que o painel é feito (CycloneDX)
	@PYTHONWARNINGS=ignore $(AUDIT)/bin/cyclonedx-py environment $(AUDIT)/product/bin/python --pyproject pyproject.toml --output-reproducible \
	  --output-format JSON --output-file sbom.json
	@echo "sbom.json: $$($(AUDIT)/bin/python -c 'import json; print(len(json.load(open("sbom.json"))["components"]))') pacotes"

bench: $(VENV)/.dev ## mede a velocidade, em razões dentro de uma só execução
	$(BIN)/python -m bench

pictures: $(VENV)/.dev ## refaz as imagens do README com as páginas de verdade
	$(BIN)/python -m bench.pictures

clean: ## apaga o ambiente e os restos de testes; instance/ fica
	rm -rf $(VENV) $(AUDIT) sbom.json node_modules .pytest_cache .mypy_cache .ruff_cache .hypothesis

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "O Painel Kommo precisa do Python 3.11 ou mais novo."; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { echo "Falta o módulo venv do Python (no Debian e no Ubuntu: apt install python3-venv)."; exit 1; }

$(VENV)/.run: requirements.txt constraints.txt | $(BIN)/python
	@echo "Instalando o que o painel usa (só na primeira vez)…"
	@$(BIN)/python -m pip install -qq --disable-pip-version-check -r requirements.txt
	@touch $@

$(VENV)/.dev: requirements.txt requirements-dev.txt constraints.txt | $(BIN)/python
	@$(BIN)/python -m pip install -qq --disable-pip-version-check -r requirements-dev.txt
	@touch $@ $(VENV)/.run

# pip-audit and cyclonedx-bom bring forty packages: they stay out of what they look at.
$(AUDIT)/.ready: requirements-audit.txt
	@$(PYTHON) -m venv $(AUDIT)
	@$(AUDIT)/bin/python -m pip install -qq --disable-pip-version-check -r requirements-audit.txt
	@touch $@

# The product alone, as `make run` installs it: the SBOM is of what people run.
$(AUDIT)/.product: requirements.txt constraints.txt $(AUDIT)/.ready
	@$(PYTHON) -m venv --clear --without-pip $(AUDIT)/product
	@$(AUDIT)/bin/python -m pip --python $(AUDIT)/product/bin/python install -qq --disable-pip-version-check -r requirements.txt
	@touch $@

# axe-core and htmx for the browser tests: from npm where it is, never committed.
$(AXE): package.json
	@if command -v npm >/dev/null; then npm ci --silent --no-audit --no-fund --ignore-scripts; fi; \
	  if [ ! -f $@ ]; then echo "npm não está aqui: os testes de acessibilidade ficam de fora."; fi
