# Two targets do all: `make demo` (the main job, no network once the environment is made) and `make test`.
VENV ?= .venv
PYTHON ?= python3
BIN = $(VENV)/bin

.PHONY: demo test lint check soak bench site fit clean

$(VENV)/.run: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --upgrade pip
	$(BIN)/pip install --quiet -e .
	touch $@

$(VENV)/.dev: $(VENV)/.run
	$(BIN)/pip install --quiet -e '.[dev]'
	touch $@

demo: $(VENV)/.run
	$(BIN)/why401 demo

test: $(VENV)/.dev
	tools/install-servers || true
	$(BIN)/python tools/sound-corpus || true
	$(BIN)/python -m pytest -n 2

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

soak: $(VENV)/.dev
	$(BIN)/pip install --quiet atheris
	WHY401_KILLS=20 WHY401_AWAY=60 $(BIN)/python -m pytest tests/monitor/test_durable.py tests/monitor/test_harm.py
	$(BIN)/python tests/soak/fuzz.py

bench: $(VENV)/.dev
	$(BIN)/python bench/startup.py
	$(BIN)/python bench/har.py
	$(BIN)/python bench/config.py
	$(BIN)/python bench/log_search.py
	$(BIN)/python bench/middleware.py

fit: $(VENV)/.dev
	$(BIN)/pip install --quiet -e '.[fit]'
	$(BIN)/python tools/learn_words.py
	$(BIN)/python tools/fit.py

site: $(VENV)/.run
	$(BIN)/python tools/site.py

clean:
	rm -rf $(VENV) build dist site
