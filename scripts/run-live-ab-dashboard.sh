#!/usr/bin/env bash
# Draws the A/B testing dashboard, for cron: sets itself up on first use, asks nothing, passes its options on;
# stdout is the path written.
set -euo pipefail
scripts=$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")
"$scripts/setup-live-dashboards.sh" --if-needed
exec "$scripts/../.venv/bin/python" "$scripts/live-dashboard-generator.py" "$@"
