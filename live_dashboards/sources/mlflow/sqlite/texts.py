"""The statements that read MLflow's rows from SQLite; times are milliseconds since 1970."""

# ruff: noqa: S608 -- the texts are put together from the constants of this file; values are always bound

from __future__ import annotations

from live_dashboards.sources.mlflow import sql
from live_dashboards.sources.mlflow.rows.records import LONGEST_TEXT

MAX_RUNS = 20_000
MAX_MARKED_RUNS = 100_000
MAX_POINTS = 200_000
MAX_KEYS = 1_000
EXPERIMENTS = (
    "select experiment_id, name, {workspace}, lifecycle_stage = 'active' from experiments where "
    "lifecycle_stage = 'active' or :deleted_too"
)

_RUN_COLUMNS = "r.experiment_id, r.run_uuid, coalesce(r.name, ''), r.status, r.start_time, r.end_time"
_TOMORROW_MS = "(cast(strftime('%s', 'now') as integer) * 1000 + 86400000)"
_SHORT = f"substr({{}}.value, 1, {LONGEST_TEXT})"

_WANTED = "(select value from json_each(:{}))"
_PARAM_KEYS, _TAG_KEYS = _WANTED.format("param_keys"), _WANTED.format("tag_keys")
MARKED_RUNS = f"""
select {_RUN_COLUMNS},
  (select json_group_object(p.key, {_SHORT.format("p")}) from params p where p.run_uuid = r.run_uuid
    and p.key in {_PARAM_KEYS}),
  (select json_group_object(t.key, {_SHORT.format("t")}) from tags t where t.run_uuid = r.run_uuid
    and t.key in {_TAG_KEYS})
from runs r
where (r.lifecycle_stage = 'active' or :deleted_too) and (
  r.run_uuid in (select p.run_uuid from params p where p.key in {_PARAM_KEYS})
  or r.run_uuid in (select t.run_uuid from tags t where t.key in {_TAG_KEYS})
  or r.run_uuid in {_WANTED.format("known_runs")})
order by r.start_time desc, r.run_uuid limit {MAX_MARKED_RUNS}"""

_CHOSEN = f"""
with chosen as (
  select * from runs where lifecycle_stage = 'active' and experiment_id in (select value
    from json_each(:experiment_ids))
  order by start_time desc, run_uuid limit {MAX_RUNS}
)"""
RUNS = f"{_CHOSEN} select {_RUN_COLUMNS} from chosen r"
PARAMS = f"""{_CHOSEN}
select p.run_uuid, p.key, {_SHORT.format("p")} from chosen r join params p on p.run_uuid = r.run_uuid
  where p.key in {_WANTED.format("kept_params")}"""
TAGS = (
    f"{_CHOSEN} select t.run_uuid, t.key, {_SHORT.format('t')} from chosen r join tags t on t.run_uuid "
    f"= r.run_uuid where t.key in {_TAG_KEYS} or t.key in ('{sql.PARENT_KEY}', '{sql.RUN_NAME_KEY}')"
)
# Of a score's key more than is kept: SQLite has no regular expressions.
_OF_A_DATASET = """(exists (select 1 from json_each(:prefixes) p
      where substr(m.key, 1, length(p.value)) = p.value)
    or (:has_scores and m.key glob '[A-Z]*_score_?*'))"""
METRICS = f"""{_CHOSEN}
select m.run_uuid, m.key, m.value, m.timestamp, m.is_nan, m.step from chosen r join latest_metrics m
  on m.run_uuid = r.run_uuid
where m.key in (select value from json_each(:keys))
  or {_OF_A_DATASET}"""
SIGNS = f"""{_CHOSEN}
select m.run_uuid, max(case when m.timestamp <= {_TOMORROW_MS} then m.timestamp end),
  max(case when m.timestamp <= :near_ms then m.timestamp end)
from chosen r join latest_metrics m on m.run_uuid = r.run_uuid group by m.run_uuid"""
DATASETS = f"""{_CHOSEN}
select i.destination_id, coalesce(t.value, ''), d.name, substr(d.dataset_profile, 1, 1000)
from chosen r join inputs i on i.destination_type = 'RUN' and i.destination_id = r.run_uuid
  and i.source_type = 'DATASET'
join datasets d on d.dataset_uuid = i.source_id
left join input_tags t on t.input_uuid = i.input_uuid and t.name = 'mlflow.data.context'
order by i.destination_id, i.input_uuid limit {MAX_RUNS}"""
METRIC_KEYS = f"""{_CHOSEN}
select m.key, count(*) from chosen r join latest_metrics m on m.run_uuid = r.run_uuid
where substr(m.key, 1, 7) <> 'system/' group by m.key
order by {_OF_A_DATASET} desc, 2 desc, 1 limit {MAX_KEYS}"""

# A cross join keeps the order of its tables: the window's values by the index on key and time, then the run
# of each; never each value with each run.
HISTORY = f"""{_CHOSEN}
select m.run_uuid, m.timestamp, m.value from metrics m cross join chosen r on r.run_uuid = m.run_uuid
where m.key = :key and m.timestamp > :from_ms and m.timestamp <= :at_ms and not m.is_nan
order by m.timestamp desc limit {MAX_POINTS}"""

VERSIONS = f"""{_CHOSEN}
select v.name, v.version, v.creation_time, v.run_id, {{aliases}}
from model_versions v join chosen r on r.run_uuid = v.run_id
where v.creation_time is not null and coalesce(v.current_stage, '') <> 'Deleted_Internal'"""
ALIASES = (
    "(select json_group_array(a.alias) from registered_model_aliases a where a.name = v.name and "
    "a.version = v.version{workspace})"
)

ALIASED = """
select v.run_id, a.alias from registered_model_aliases a join model_versions v on v.name = a.name
  and v.version = a.version{workspace}
where coalesce(v.run_id, '') <> '' and coalesce(v.current_stage, '') <> 'Deleted_Internal'
order by v.creation_time is null, v.creation_time desc, v.run_id, a.alias limit 1000"""
MODEL_NAMES = """
select v.run_id, v.name from model_versions v
where coalesce(v.run_id, '') <> '' and coalesce(v.current_stage, '') <> 'Deleted_Internal'
order by v.creation_time is null, v.creation_time desc, v.name, v.version desc limit 1000"""

_MODELS = """
where g.lifecycle_stage = 'active' and g.experiment_id in (select value from json_each(:experiment_ids))"""
_OF_MODELS = f"""
from logged_models g join {{table}} m on m.model_id = g.model_id{_MODELS}"""
MODELS = (
    f"select g.experiment_id, g.model_id, g.source_run_id from logged_models g{_MODELS} order by g.model_id"
)
MODEL_PARAMS = f"""
select m.model_id, m.param_key, substr(m.param_value, 1, {LONGEST_TEXT})
{_OF_MODELS.format(table="logged_model_params")} and m.param_key in {_PARAM_KEYS}"""
MODEL_TAGS = f"""
select m.model_id, m.tag_key, substr(m.tag_value, 1, {LONGEST_TEXT})
{_OF_MODELS.format(table="logged_model_tags")} and m.tag_key in {_TAG_KEYS}"""
MODEL_POINTS = f"""
select m.model_id, m.run_id, m.metric_name, m.metric_value, m.metric_timestamp_ms, m.metric_step
{_OF_MODELS.format(table="logged_model_metrics")} and m.metric_value is not null
order by m.metric_timestamp_ms desc limit {MAX_POINTS}"""
NAN_POINTS = "select m.timestamp, m.step from metrics m where m.key = ? and m.run_uuid = ? and m.is_nan"
