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
-- MLflow makes its tables only later. The reader gets the nine that docs/security.md names, as each is made, and none of the others: MLflow keeps secrets there too.
create function grant_to_reader() returns event_trigger language plpgsql as $grant$
declare made record;
begin
  for made in select object_identity from pg_event_trigger_ddl_commands() where object_type = 'table' loop
    if made.object_identity in ('public.experiments', 'public.runs', 'public.metrics', 'public.latest_metrics', 'public.params', 'public.tags',
                                'public.model_versions', 'public.registered_model_aliases', 'public.alembic_version') then
      execute 'grant select on ' || made.object_identity || ' to dashboard';
    end if;
  end loop;
end $grant$;
create event trigger grant_to_reader on ddl_command_end when tag in ('CREATE TABLE', 'ALTER TABLE') execute function grant_to_reader();
SQL
