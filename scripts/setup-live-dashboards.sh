#!/usr/bin/env bash
# Makes .venv beside scripts/ from requirements.lock, and .env.live-dashboards once from its example.
set -euo pipefail
source "$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")/_environment.sh"
source "$root/scripts/_settings_file.sh"

case "${1-}" in
  -h | --help)
    printf '%s\n' "usage: scripts/setup-live-dashboards.sh [--if-needed]" "" \
      "Makes .venv with the packages of requirements.lock, and .env.live-dashboards (mode 0600) from its" \
      "example, with a login for the web page. Run it again at any time: it makes anew what is unfinished or" \
      "out of date, and never changes your settings file." "" \
      "  --if-needed   say nothing where everything is there already"
    exit 0
    ;;
  "" | --if-needed) ;;
  *)
    say "setup-live-dashboards.sh knows --if-needed and --help, not $1."
    exit 2
    ;;
esac

make_environment .venv requirements.lock

settings="$root/.env.live-dashboards"
[ -e "$settings" ] || [ ! -w "$root" ] || make_settings "$settings"

[ "${1-}" = --if-needed ] || say "Ready. Next: python3 scripts/test-database-connection.py, then" \
  "./scripts/run-live-ab-dashboard.sh or ./scripts/run-live-business-dashboard.sh"
