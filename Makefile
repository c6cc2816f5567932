# make crawl [OUTLET=ntdtv] [ARGS="-a section=prog204"]   set everything up, then crawl
# make test                                               every check there is
# make demo                                               the same crawl against the sample outlet, without internet
# make splash [ARGS="--port 8051"]                        install Splash and run it on loopback (see docs/operations.md)
# make bench                                              cost of a crawl, of one with nothing new, of publishing, of pictures
# make container-check [ARGS=--replay]                    build the container images and try them, see docs/operations.md

PYTHON ?= python3
OUTLET ?= epochtimes
ARGS ?=
VENV := .venv
BIN := $(VENV)/bin
SPLASH := .venv-splash

unexport PYTHONDONTWRITEBYTECODE  # it makes every process that a test starts compile all modules anew

.PHONY: crawl test types suite demo splash splash-install bench container-check clean
.DELETE_ON_ERROR:

crawl: $(VENV)/ready
	$(BIN)/scrapy crawl $(OUTLET) $(ARGS)

# Tests wait for servers and processes now and then, so three of them and mypy keep two cores busy.
test: $(VENV)/ready-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	@$(MAKE) --no-print-directory --jobs=2 types suite

types: $(VENV)/ready-dev
	$(BIN)/mypy

# The tests are compiled first: three processes would each do it for themselves.
suite: $(VENV)/ready-dev
	@$(BIN)/pytest --collect-only --quiet > /dev/null || true
	$(BIN)/pytest -n 3 --dist worksteal --cov --cov-report=term

demo: $(VENV)/ready
	$(BIN)/python -m tests.site.demo

splash: $(SPLASH)/ready
	exec $(SPLASH)/bin/python deploy/splash/launch.py $(ARGS)

splash-install: $(SPLASH)/ready

bench: $(VENV)/ready-dev
	$(BIN)/python -m benchmarks.crawl speed
	$(BIN)/python -m benchmarks.crawl memory
	$(BIN)/python -m benchmarks.idle
	$(BIN)/python -m benchmarks.publish
	$(BIN)/python -m benchmarks.pictures

container-check: $(VENV)/ready-dev
	$(BIN)/python -m tests.container $(ARGS)

clean:
	rm -rf $(VENV) $(SPLASH) build

define environment
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or newer is needed: make PYTHON=/path/to/python3.11 $(MAKECMDGOALS)" >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV) || \
		{ echo "Python cannot make environments; on Debian: apt-get install python3-venv" >&2; exit 1; }
endef

PIP := $(BIN)/pip install --quiet --disable-pip-version-check

$(VENV)/ready: requirements.txt
	$(environment)
	$(PIP) -r requirements.txt
	@touch $@

# uv takes a sixth of the time. It knows nothing of pip's configuration: where a machine has its packages from, or by
# which way; so pip does it where uv cannot.
$(VENV)/ready-dev: requirements-dev.txt requirements.txt
	$(environment)
	$(PIP) "$$(grep '^uv==' requirements-dev.txt)"
	$(BIN)/uv pip install --quiet --python $(BIN)/python -r requirements-dev.txt || \
		{ echo "uv cannot install them; pip does, more slowly" >&2; $(PIP) -r requirements-dev.txt; }
	@touch $(VENV)/ready $@

$(SPLASH)/ready: deploy/splash/requirements.txt
	deploy/splash/install $(SPLASH)
	@touch $@
