# Two commands do everything on a fresh machine (Python 3.11 or newer): make run, make test.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
HOST ?= 127.0.0.1
PORT ?= 8501
WORKERS ?= 1
FAST := tests/test_layers.py tests/test_no_clocks.py tests/test_docs.py tests/test_words.py \
	$(addprefix tests/core/,test_theory.py test_schedules.py test_config.py test_parsing.py test_registry.py) \
	$(addprefix tests/app/,test_proxies.py live/test_frames.py live/test_messages.py training/test_narrate.py views/test_film_page.py)

.PHONY: run test check lint assets words clean

run: $(VENV)/.run
	@$(BIN)/python -m app --host $(HOST) --port $(PORT) --workers $(WORKERS)

test: export PYTHONDONTWRITEBYTECODE =  # what one process has compiled serves the hundreds after it
test: $(VENV)/.test  # side by side, for pages wait more than they work; all parts run, also when one fails
	@status=0; told=$$(mktemp -d); \
	$(MAKE) --no-print-directory lint > $$told/lint 2>&1 & lint=$$!; \
	$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder tests/browser > $$told/pages 2>&1 & pages=$$!; \
	$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder --ignore tests/browser || status=1; \
	wait $$pages || status=1; cat $$told/pages; \
	wait $$lint || { status=1; echo "make lint failed:"; }; cat $$told/lint; rm -r $$told; exit $$status

check: lint  # the inner loop: lint, types, and the tests that need no server, no browser and no long training
	$(BIN)/python -m pytest -n 2 --dist loadfile $(FAST)

lint: $(VENV)/.test
	$(BIN)/ruff check .
	$(BIN)/oxlint
	$(BIN)/mypy

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip

$(VENV)/.run: requirements.txt | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet -r requirements.txt
	@touch $@

$(VENV)/.test: requirements.txt requirements-dev.txt | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet -r requirements-dev.txt
	@touch $@ $(VENV)/.run

assets: $(VENV)/.run
	$(BIN)/python -m assets.make_samples
	$(BIN)/python -m assets.make_films

words: $(VENV)/.test  # what is said on pages, gathered for translation; names what has none yet
	$(BIN)/python -m assets.make_words

clean:
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .ruff_cache
