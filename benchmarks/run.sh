#!/usr/bin/env bash
# Measures what the README of this folder records: ./benchmarks/run.sh [command] [prometheus] [mlflow] [ways] [web] [scale] [engines] [counts] [--rounds N] [--quick]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
if [ ! -x .venv/bin/python ] || [ ! -x .venv-dev/bin/python ]; then
    echo "the environments are missing; run ./scripts/run-tests.sh once, which makes them" >&2
    exit 2
fi
exec .venv-dev/bin/python -m benchmarks "$@"
