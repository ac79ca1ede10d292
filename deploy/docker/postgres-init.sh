#!/usr/bin/env bash
# Runs once, in an empty database cluster: the role that owns MLflow's tables, and the one that may only read them.
set -euo pipefail
MLFLOW_PASSWORD=$(cat "${SECRETS:-/run/secrets}/mlflow_password")
READER_PASSWORD=$(cat "${SECRETS:-/run/secrets}/reader_password")
export MLFLOW_PASSWORD READER_PASSWORD # not as arguments, which every process can read

psql --no-psqlrc --quiet --set ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" <<'SQL'
\getenv database POSTGRES_DB
\getenv mlflow_password MLFLOW_PASSWORD
\getenv reader_password READER_PASSWORD
create role mlflow login password :'mlflow_password';
alter database :"database" owner to mlflow;
create role dashboard login password :'reader_password' connection limit 10;
alter role dashboard set default_transaction_read_only = on;
alter role dashboard set statement_timeout = '30s';
grant connect on database :"database" to dashboard;
grant usage on schema public to dashboard;
-- MLflow makes its tables only later, and more of them with each upgrade; the README's grants name ten of them one by one.
alter default privileges for role mlflow in schema public grant select on tables to dashboard;
SQL
