#!/usr/bin/env bash
# Sets up .venv, .venv-dev and the servers that the tests start, then runs pytest with the options given, in
# two processes (-n 0: in one); its summary is the last line of stdout. PROMETHEUS_BINARY,
# VICTORIA_METRICS_BINARY (programs) and POSTGRES_BIN (a folder) name other engines than the installed ones.
set -euo pipefail
source "$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")/_environment.sh"

# A named Prometheus brings its promtool, or the installed one serves.
has_prometheus() {
  local named="${PROMETHEUS_BINARY:-}"
  if [ -x "$named" ] && [ -x "$(dirname -- "$named")/promtool" ]; then return 0; fi
  command -v prometheus >/dev/null && command -v promtool >/dev/null
}

# Debian packages of the programs that the tests run; they start servers of their own and leave the system's
# alone.
missing_packages() {
  local PATH="$PATH:/usr/local/sbin:/usr/sbin:/sbin"
  [ -n "${POSTGRES_BIN:-}" ] || command -v pg_ctl >/dev/null ||
    compgen -G "/usr/lib/postgresql/*/bin/initdb" >/dev/null || echo postgresql
  has_prometheus || echo prometheus
  command -v pgbouncer >/dev/null || echo pgbouncer
  command -v openssl >/dev/null || echo openssl
  command -v chromium >/dev/null || echo chromium
  command -v redis-server >/dev/null || echo redis-server
  [ -n "${VICTORIA_METRICS_BINARY:-}" ] || command -v victoria-metrics >/dev/null || echo victoria-metrics
  # checks the units of deploy/systemd; nothing is started
  command -v systemd-analyze >/dev/null || echo systemd
}

for engine in PROMETHEUS_BINARY VICTORIA_METRICS_BINARY POSTGRES_BIN; do
  # as a whole path: the tests run in another folder
  [ -z "${!engine:-}" ] || export "$engine=$(realpath --canonicalize-missing --no-symlinks -- "${!engine}")"
done
make_environment .venv requirements.lock
make_environment .venv-dev requirements-dev.lock
mapfile -t missing < <(missing_packages)
if [ "${#missing[@]}" -gt 0 ] && ! install_packages "${missing[@]}"; then
  say "The tests need programs that are not installed: ${missing[*]}." \
    "As root: apt-get install ${missing[*]}; then run this again."
  exit 1
fi
cd -- "$root"
exec .venv-dev/bin/python -m pytest --numprocesses 2 --dist worksteal --durations=10 "$@"
