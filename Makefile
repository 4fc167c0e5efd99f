# Everything runs from .venv, which is made from uv.lock; everything else that is made lies below .bedplate/.
.DEFAULT_GOAL := help
.PHONY: help up native down preview check test control-plane monitoring-servers browser quick bench

ENV ?= dev
TOOLS := .bedplate/tools
VENV := .venv
STAMP := $(VENV)/.synced
UV := $(shell command -v uv || echo $(TOOLS)/bin/uv)
RUN := $(UV) run --no-sync
# More than there are cores, since many tests wait; what goes by the clock has room made for it (tests/seats.py).
PYTEST := $(RUN) pytest -n 3 --dist worksteal
BEDPLATE := $(VENV)/bin/bedplate

# Bytecode is kept, also where the environment says not to: compiling the SDKs anew costs each command seconds.
unexport PYTHONDONTWRITEBYTECODE
export PYTHONPYCACHEPREFIX := $(CURDIR)/.bedplate/cache/python

# uv would download a Python where there is none that is new enough; we only use what is there.
export UV_PYTHON_DOWNLOADS := never

OLD_PYTHON = python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	echo "bedplate needs Python 3.11 or newer; python3 is $$(python3 --version 2>&1)." >&2; \
	echo "Install one, or put it first in PATH, and run make again." >&2; exit 2; }

help: ## what there is
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

up: $(STAMP) ## start the sandbox and bring the platform up in it
	@$(BEDPLATE) sandbox up sandbox
	@printf '\n  what to try next\n'
	@printf '    %s\n        %s\n' \
		'$(BEDPLATE) outputs sandbox' 'the outputs again, or with --output json' \
		'$(BEDPLATE) state list sandbox' 'what was made' \
		'$(BEDPLATE) preview prod --diff' 'another environment; needs no cloud' \
		'make down' 'take everything down'

native: $(STAMP) ## the same with a real Kubernetes control plane, built once (needs Go)
	@$(BEDPLATE) sandbox build
	@$(BEDPLATE) sandbox up sandbox --kubernetes native
	@printf '\n  what to try next\n'
	@printf '    %s\n        %s\n' \
		'export KUBECONFIG=$(CURDIR)/.bedplate/sandbox/default/kubeconfig' 'then kubectl and k9s work' \
		'$(BEDPLATE) sandbox status' 'how each half is' \
		'make down' 'take everything down'

down: ## destroy the sandbox's stack and end the sandbox
	@if [ ! -x $(BEDPLATE) ]; then echo 'nothing is up: there is no $(VENV)'; \
	elif $(BEDPLATE) sandbox status >/dev/null 2>&1; then \
		$(BEDPLATE) destroy sandbox --yes || { code=$$?; \
			echo 'the emulator still runs; `$(BEDPLATE) sandbox down` ends it with all that it holds' >&2; \
			exit $$code; }; \
		$(BEDPLATE) sandbox down; \
	else $(BEDPLATE) sandbox down; fi

preview: $(STAMP) ## preview an environment: make preview ENV=prod
	@$(BEDPLATE) preview $(ENV)

check: $(STAMP) ## format, lint, types, layers
	$(RUN) ruff format --check
	$(RUN) ruff check
	$(RUN) basedpyright
	$(RUN) lint-imports

test: check control-plane monitoring-servers ## everything that CI runs
	$(PYTEST)

# Without Go the tests that need the real control plane are skipped, each by name. CI has Go, and must build.
control-plane: $(STAMP)
	@if command -v go >/dev/null; then $(BEDPLATE) sandbox build || [ -z "$$CI" ]; \
	else echo 'Go is not installed: what needs the real Kubernetes control plane is left out'; fi

# Without apt the tests that need Prometheus and Alertmanager are skipped, each by name. CI has apt, and must have them.
monitoring-servers: browser
	@python3 tools/debian.py || [ -z "$$CI" ]

# Only CI's machine gets one: .ci/run says so.
browser:
	@$(or $(GET_BROWSER),:)

quick: $(STAMP) ## the tests that take seconds
	$(PYTEST) -m 'not slow'

bench: $(STAMP) ## measure; takes minutes
	$(RUN) python -m tests.bench

$(STAMP): pyproject.toml uv.lock | $(UV)
	$(UV) sync --frozen
	@touch $@

# uv by pip, in a virtual environment of its own: a system's Python may refuse to install anything.
$(TOOLS)/bin/uv:
	@$(OLD_PYTHON)
	@echo 'uv is not installed: getting it into $(TOOLS)'
	@python3 -m venv $(TOOLS) || { \
		echo "python3 -m venv failed; on Debian and Ubuntu, install python3-venv." >&2; exit 2; }
	@$(TOOLS)/bin/pip install --quiet 'uv>=0.9'
