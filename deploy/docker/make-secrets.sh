#!/usr/bin/env bash
# Makes the secrets of compose.yaml in deploy/docker/secrets, each once; an existing one stays as it is.
set -euo pipefail
here=$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")
secrets=${1:-$here/secrets}
command=("$here/../../.venv/bin/live-dashboards")
[ -x "${command[0]}" ] || command=(docker run --rm --interactive live-dashboards:local)

mkdir -p -- "$secrets"
chmod 0700 -- "$secrets" # nobody else comes in; the files are readable because containers read them under their own user ids
for name in postgres_password mlflow_password reader_password web_password; do
  [ -s "$secrets/$name" ] || { head -c 24 /dev/urandom | base64 | tr '+/' '-_' | tr -d '\n'; } >"$secrets/$name"
done
if [ ! -s "$secrets/web_password_hash" ]; then
  line=$({ cat -- "$secrets/web_password"; echo; } | "${command[@]}" hash-password)
  line=${line#*=\'}
  printf '%s' "${line%\'}" >"$secrets/web_password_hash"
fi
chmod 0444 -- "$secrets"/*
printf '%s\n' "The login of the page: user dashboard, password in $secrets/web_password." >&2
