#!/usr/bin/env bash
# Serves two variants in each named framework (default: all), lets Prometheus scrape them under load, and holds the
# product's numbers against the client's: ./tests/frameworks/run.sh [NAME ...] [--raw-only] [--record FOLDER] [--write]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
if [ ! -x .venv/bin/python ] || [ ! -x .venv-dev/bin/python ]; then
    echo "the environments are missing; run ./scripts/run-tests.sh once, which makes them" >&2
    exit 2
fi
exec .venv-dev/bin/python -m tests.frameworks "$@"
