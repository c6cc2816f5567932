# make crawl [OUTLET=ntdtv] [ARGS="-a section=prog204"]   set everything up, then crawl
# make test                                               every check there is
# make demo                                               the same crawl against the sample outlet, without internet
# make splash [ARGS="--port 8051"]                        install Splash and run it on loopback (see docs/operations.md)
# make bench                                              cost of a crawl, of one with nothing new, of publishing, of pictures
# make container-check [ARGS=--replay]                    build the container image and try it, see docs/operations.md

PYTHON ?= python3
OUTLET ?= epochtimes
ARGS ?=
VENV := .venv
BIN := $(VENV)/bin
SPLASH := .venv-splash

.PHONY: crawl test demo splash splash-install bench container-check clean
.DELETE_ON_ERROR:

crawl: $(VENV)/ready
	$(BIN)/scrapy crawl $(OUTLET) $(ARGS)

test: $(VENV)/ready-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/pytest -n 2 --cov --cov-report=term

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

$(VENV)/ready: requirements.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or newer is needed: make PYTHON=/path/to/python3.11 $(MAKECMDGOALS)" >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV) || \
		{ echo "Python cannot make environments; on Debian: apt-get install python3-venv" >&2; exit 1; }
	$(BIN)/pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch $@

$(VENV)/ready-dev: requirements-dev.txt $(VENV)/ready
	$(BIN)/pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@

$(SPLASH)/ready: deploy/splash/requirements.txt
	deploy/splash/install $(SPLASH)
	@touch $@
