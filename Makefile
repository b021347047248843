# `make run` and `make test` are safe to repeat: the virtual environment is made once and reused.
PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin
RUN_OUT ?= runs/demo-$(shell date +%Y%m%d-%H%M%S)
BENCH_OUT ?= runs/bench-$(shell date +%Y%m%d-%H%M%S).json

.PHONY: run bench model test test-serve check packages docs format clean

# A stamp for each set of extras: made anew when pyproject.toml changes.
$(VENV)/.train: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --editable ".[train]"
	@touch $@

$(VENV)/.dev: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --editable ".[dev]"
	@touch $@ $(VENV)/.train

$(VENV)/.docs: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --editable ".[docs]"
	@touch $@

# Mermaid lies beside the pages, so that none loads a script from elsewhere. Without npm, diagrams are shown as text.
MERMAID = @mermaid-js/tiny@11.17.2
docs/assets/mermaid.js:
	-file=$$(npm pack --silent $(MERMAID)) && tar -xzOf $$file package/dist/mermaid.tiny.js > $@.part \
	  && mv $@.part $@; rm -f $$file $@.part

# The whole flow on built-in phantoms; the last line printed is the report's path.
run: $(VENV)/.train
	$(BIN)/busight run demo --out $(RUN_OUT)

# Speed of prediction on this machine; needs no data. `make bench BENCH=--quick` takes under three minutes.
bench: $(VENV)/.dev
	$(BIN)/busight bench $(BENCH) --json $(BENCH_OUT)

# The ready model, trained again by the recipe `default` from the data sets below MODEL_DATA, and its evidence: two
# hours on two cores. An interrupted call goes on. Copy the result to src/busight/model/ready/ to ship it.
MODEL_DATA ?= data
MODEL_OUT ?= runs/model
MODEL_SPEC = busi=busi:$(MODEL_DATA)/busi + busbra=busbra:$(MODEL_DATA)/busbra \
  + busbra=folder:$(MODEL_DATA)/busbra_rest + bus_uc=folder:$(MODEL_DATA)/bus_uc
going_on = $(if $(wildcard $(MODEL_OUT)/$(1)/$(2)),--resume)
model: $(VENV)/.dev
	test -f $(MODEL_OUT)/run/metrics.json || $(BIN)/busight run default --data "$(strip $(MODEL_SPEC))" \
	  --set split.val=0.1 --set split.test=0.05 --out $(MODEL_OUT)/run $(call going_on,run,recipe.toml)
	test -f $(MODEL_OUT)/sources/crossval.json || $(BIN)/busight crossval default --by source \
	  --data "$(strip $(MODEL_SPEC))" --out $(MODEL_OUT)/sources $(call going_on,sources,plan.json)
	rm -rf $(MODEL_OUT)/busight-base
	$(BIN)/busight pack $(MODEL_OUT)/run --name busight-base --evidence $(MODEL_OUT)/sources --out $(MODEL_OUT)/busight-base

check: $(VENV)/.dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/bandit --quiet --configfile pyproject.toml --recursive src/busight/serve src/busight/client.py

# Known vulnerabilities of what is installed (asks PyPI), and a bill of materials in CycloneDX.
packages: $(VENV)/.dev
	$(BIN)/pip-audit --skip-editable
	$(BIN)/cyclonedx-py environment $(VENV) --output-reproducible --of JSON -o sbom.json

test: check
	$(BIN)/pytest -n 2 --dist loadfile --max-worker-restart 0 --ignore tests/serve

# The web application: a running site, Chromium, PostgreSQL.
test-serve: $(VENV)/.dev
	$(BIN)/pytest -n 2 --dist loadfile --max-worker-restart 0 tests/serve

# The documentation as a site in site/; a warning is an error (never with --quiet, which hides warnings from --strict).
# The variable silences an advertisement of the theme.
docs: $(VENV)/.docs docs/assets/mermaid.js
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

format: $(VENV)/.dev
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

clean:
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .hypothesis site docs/assets/mermaid.js
