# `make run` and `make test` are safe to repeat: the virtual environment is made once and reused.
PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin
RUN_OUT ?= runs/demo-$(shell date +%Y%m%d-%H%M%S)

.PHONY: run test check format clean

# A stamp for each set of extras: made anew when pyproject.toml changes.
$(VENV)/.train: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --editable ".[train]"
	@touch $@

$(VENV)/.dev: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --editable ".[train,dev]"
	@touch $@ $(VENV)/.train

# The whole flow on built-in phantoms; the last line printed is the report's path.
run: $(VENV)/.train
	$(BIN)/busight run demo --out $(RUN_OUT)

check: $(VENV)/.dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

test: check
	$(BIN)/pytest

format: $(VENV)/.dev
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

clean:
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .hypothesis
