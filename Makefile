# Python 3.11 or newer and make are all a machine needs: every target makes the environment it runs in.
PYTHON ?= python3
# The libraries `make demo` trains on.
BACKENDS ?= numpy jax
# A further package index to look for torch in, for wheels without CUDA; see README.md.
TORCH_INDEX ?=
# Options of `make bench`.
BENCH ?=
# Test processes at a time.
JOBS ?= 2
PORT ?= 8000
# Which mutants `make mutate` runs, by patterns of their names; all if empty.
MUTANTS ?=

INDEX := $(if $(TORCH_INDEX),--extra-index-url $(TORCH_INDEX))
# Python compiles what is imported, which is a small part of what is installed.
PIP := -m pip --disable-pip-version-check --quiet install --no-compile $(INDEX)
TEST := .venv-test/bin
OLDEST := .venv-oldest/bin
DEMO := .venv-demo/bin
SEPARATE := tensorflow
TOGETHER := numpy,jax,torch,strict,dask
COMPILING := jax

comma := ,
empty :=
space := $(empty) $(empty)
# NumPy needs no extra, and the CPU package of TensorFlow is a third of the size of the other.
DEMO_EXTRAS := $(subst $(space),$(comma),$(strip demo $(patsubst tensorflow,tensorflow-cpu,$(filter-out numpy,$(BACKENDS)))))
DEMO_STAMP := .venv-demo/.made-for-$(subst $(space),-,$(strip $(BACKENDS)))

.PHONY: help test check lint format docs serve demo bench test-oldest mutate environment clean accuracy
.DELETE_ON_ERROR:

help:  ## list the targets
	@grep -E '^[a-z-]+:.*## ' $(firstword $(MAKEFILE_LIST)) | sed -E 's/:[^#]*## /\t/' | expand -t 14

# $(call make-environment,folder,constraints,extras): from nothing, so that no package of an earlier version stays.
define make-environment
$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("uniflogits needs Python 3.11 or newer: make PYTHON=python3.x")'
$(PYTHON) -m venv --clear $(1)
$(1)/bin/python $(PIP) --constraint $(2) hatchling editables
$(1)/bin/python $(PIP) --constraint $(2) --no-build-isolation --editable '.[$(3)]'
endef

.venv-test/.made: pyproject.toml constraints.txt
	$(call make-environment,.venv-test,constraints.txt,test$(comma)jax$(comma)torch$(comma)tensorflow-cpu$(comma)demo$(comma)examples$(comma)docs$(comma)lint$(comma)bench)
	@touch $@

.venv-oldest/.made: pyproject.toml constraints-oldest.txt
	$(call make-environment,.venv-oldest,constraints-oldest.txt,test$(comma)torch$(comma)demo)
	@touch $@

# Asking for one more library adds it to the environment that is there.
.venv-demo/.made: pyproject.toml constraints.txt
	$(call make-environment,.venv-demo,constraints.txt,demo)
	@touch $@

$(DEMO_STAMP): .venv-demo/.made
	$(DEMO)/python $(PIP) --constraint constraints.txt --no-build-isolation --editable '.[$(DEMO_EXTRAS)]'
	@touch $@

environment: .venv-test/.made  ## make the environment of test, check, lint and docs: .venv-test

# TensorFlow never shares a process with torch or JAX, so backends are compared by what each run has written. JAX's
# programs are compiled without optimizations at first: values and derivatives are then tested once more with them.
test: .venv-test/.made  ## run every test on every library
	$(TEST)/pytest --backend $(TOGETHER) -n $(JOBS) --dist loadgroup
	$(TEST)/pytest --backend $(COMPILING) --optimized -n $(JOBS) --dist loadgroup
	$(TEST)/pytest --backend $(SEPARATE) -n $(JOBS) --dist loadgroup
	$(TEST)/python tools/write_support.py
	$(TEST)/pytest tests/test_agreement.py --agreement

check: .venv-test/.made  ## run the quick tier of the tests, under 3 minutes
	$(TEST)/pytest --quick --backend $(TOGETHER) -n $(JOBS) --dist loadgroup
	$(TEST)/pytest --quick --backend $(SEPARATE) -n $(JOBS) --dist loadgroup

accuracy: .venv-test/.made  ## measure every operation on fresh adversarial numbers, other libraries beside it
	$(TEST)/python -m tests.accuracy

test-oldest: .venv-oldest/.made  ## run the NumPy and torch tests on the oldest supported versions
	$(OLDEST)/pytest --backend numpy,torch -n $(JOBS) --dist loadgroup

.venv-mutate/.made: pyproject.toml constraints.txt
	$(call make-environment,.venv-mutate,constraints.txt,test$(comma)torch$(comma)mutate)
	@touch $@

# What has been judged is kept in mutants/, so that a run that was stopped goes on. The second line asks more of those that
# survive the first.
mutate: .venv-mutate/.made  ## make mistakes in the formulas and see which go unnoticed; hours, or MUTANTS="*softmax_core*"
	.venv-mutate/bin/python tools/judge.py --jobs $(JOBS) $(foreach one,$(MUTANTS),'$(one)')
	.venv-mutate/bin/python tools/judge.py --jobs $(JOBS) --again $(foreach one,$(MUTANTS),'$(one)')
	.venv-mutate/bin/python tools/mutants.py

lint: .venv-test/.made  ## check format, style and types
	$(TEST)/ruff format --check
	$(TEST)/ruff check
	$(TEST)/pyright --pythonpath $(TEST)/python

format: .venv-test/.made  ## format the code
	$(TEST)/ruff format
	$(TEST)/ruff check --fix

docs: .venv-test/.made  ## build the site into build/site; a warning is an error
	rm -rf build/site
	$(TEST)/sphinx-build --quiet --fail-on-warning --fresh-env docs build/site
	@echo "The site is in build/site: make serve shows it."

serve: docs  ## build the site and show it on http://localhost:8000
	$(TEST)/python -m http.server --bind 127.0.0.1 --directory build/site $(PORT)

demo: $(DEMO_STAMP)  ## train on the digits images, one loop for BACKENDS="numpy jax torch tensorflow"
	@mkdir -p build
	$(DEMO)/python examples/train_digits.py --backends $(BACKENDS)

bench: .venv-test/.made  ## time peers and uniflogits alternately; BENCH="--quick" takes a minute, "--help" tells more
	$(TEST)/python -m benchmarks $(BENCH)

clean:  ## remove the environments and everything built
	rm -rf .venv-test .venv-oldest .venv-demo .venv-mutate mutants build dist .pytest_cache .ruff_cache .hypothesis
	find src tests docs tools examples benchmarks -name __pycache__ -prune -exec rm -rf {} +
