# The pipeline on a CPU: docker build -t srmodels . && docker run -it srmodels
# Results leave the container with: docker run -v "$PWD/out:/out" srmodels sh -c \
#   'make repro && cp -r metrics samples weights /out'
FROM python:3.11-slim-bookworm

# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install -y --no-install-recommends git make \
    && rm -rf /var/lib/apt/lists/*

RUN useradd --create-home --uid 1000 srmodels
USER 1000
WORKDIR /home/srmodels/srmodels

# The environment first, so that a changed source file does not install it again.
COPY --chown=1000 requirements.lock pyproject.toml README.md LICENSE Makefile ./
COPY --chown=1000 srmodels/__init__.py srmodels/
RUN make .venv/ready PYTHON=python3.11

COPY --chown=1000 . .
# DVC needs a repository with one commit.
RUN git config --global user.name srmodels \
    && git config --global user.email srmodels@localhost \
    && if [ ! -d .git ]; then rm -f .git && git init --quiet && git add --all && git commit --quiet -m start; fi \
    && .venv/bin/python -m pip install --quiet --no-deps --editable . \
    && touch .venv/ready

CMD ["make", "repro"]
