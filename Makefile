# Two commands do all the set-up on a fresh Debian machine: `make run` and `make test`.
VENV ?= .venv
BIN := $(VENV)/bin
READY := $(VENV)/.habena-ready
# lint and type checkers see the package as it is installed: one tree over the five folders
TREE := build/tree

.PHONY: run test lint bench docs format clean

run: $(READY)
	@$(BIN)/habena demo

test: $(READY)
	@QT_QPA_PLATFORM=offscreen $(BIN)/python -m pytest -q $(ARGS)

lint: $(READY)
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/basedpyright
	@rm -rf $(TREE) && mkdir -p $(TREE) && cp -rL app/api $(TREE)/habena \
	  && cp -rL app widgets render stats resources $(TREE)/habena/ && rm -rf $(TREE)/habena/app/api
	@$(BIN)/basedpyright $(TREE)/habena/*.py
	@PYTHONPATH=$(TREE) $(BIN)/lint-imports --no-cache

bench: $(READY)
	@$(BIN)/python -m tests.bench $(ARGS)

# the pictures of README and tutorial; RUN is the run that the tutorial names
docs: $(READY)
	@$(BIN)/python docs/make_pictures.py $(RUN)

format: $(READY)
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

$(READY): pyproject.toml constraints.txt .ci/setup
	@.ci/setup $(VENV)

clean:
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .ruff_cache
