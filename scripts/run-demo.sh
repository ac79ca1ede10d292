#!/usr/bin/env bash
# Draws the dashboard of an A/B test that runs in a PostgreSQL and a Prometheus of its own; sets itself up on
# first use; options: --help.
set -euo pipefail
scripts=$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")
"$scripts/setup-live-dashboards.sh" --if-needed
exec "$scripts/../.venv/bin/python" "$scripts/_venv.py" demo "$@"
