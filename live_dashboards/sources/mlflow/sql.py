"""The questions to MLflow's tables, each a named SQL text with bound parameters and a row limit.

Times are bigint milliseconds, so that they stay index conditions. Latest values come from latest_metrics; the
table metrics is only asked with a key. NaN is stored as 0 with is_nan, infinities as ±1.797e308, and one such
infinity makes an average fail: each question leaves them out.
"""

# ruff: noqa: S608 -- the texts are put together from the constants of this file; values are always bound

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from live_dashboards.model.setting_types import VariantWay

PARENT_KEY = "mlflow.parentRunId"
RUN_NAME_KEY = "mlflow.runName"
MAX_EXPERIMENTS = 5_000
MAX_EXPERIMENT_ROWS = 50_000
MAX_VARIANTS = 100
MAX_STATUS_ROWS = 1_000
MAX_RUNS = 200
MAX_VERSIONS = 50
HISTORY_POINTS = 300
MAX_POINTS = 20_000

_BLANKS = r"E' \t\r\n\f\x0b'"
# sums, products and squares of such values stay finite; no metric is larger but one that has diverged
LARGEST = 1e100
_FINITE = f"not m.is_nan and abs(m.value) < float8 '{LARGEST:g}'"
# a caller of MLflow may log any time; later ones are no sign of activity
_TOMORROW_MS = "(select (extract(epoch from now()) * 1000)::bigint + 86400000)"

# A planner without statistics takes big tables for tiny and then compares every run with every row. So what
# belongs to the runs of the chosen experiments is looked up run by run through the primary keys (key,
# run_uuid), which no plan can spoil; only all runs at once are joined. Every question about experiments takes
# several of them, answers for each with its id first, and counts its limits for each.
_TRIMMED = f"nullif(btrim(left({{value}}, 250), {_BLANKS}), '')"
_PARAM, _TAG = _TRIMMED.format(value="p.value"), _TRIMMED.format(value="t.value")
# Where variants are is a setting: `filled` puts that into the texts, as a planner knows a plain text best.
_VARIANT, _VARIANTS, _COUNTED_VARIANT, _COUNTED_WAY = "<variant>", "<variants>", "<counted>", "<way>"
_MODEL_VARIANT = "<of model>"
_RUNS_OF_EXPERIMENTS = (
    "select * from runs where experiment_id = any(%(experiment_ids)s) and lifecycle_stage = 'active'"
)
_WITH_VARIANT = f"""
active as materialized (
  select r.experiment_id, r.run_uuid, r.name, r.status, r.start_time, r.end_time,
         {_VARIANT} as variant,
         coalesce((select c.value <> '' from tags c where c.key = %(parent_key)s
           and c.run_uuid = r.run_uuid), false) as is_child
  from ({{runs}}) r
)"""
_ACTIVE_RUNS = _WITH_VARIANT.format(runs=_RUNS_OF_EXPERIMENTS)
_NEWEST_RUNS = _WITH_VARIANT.format(
    runs=f"""
  select n.* from unnest(%(experiment_ids)s) as w(wanted_id) cross join lateral (
    select * from runs where experiment_id = w.wanted_id and lifecycle_stage = 'active'
    order by coalesce(start_time, 0) > %(near_ms)s, start_time desc nulls last, run_uuid limit {MAX_RUNS}
  ) n"""
)

SCHEMA = """
select w.name, to_regclass(w.name) is not null,
       coalesce(has_table_privilege(to_regclass(w.name), 'select'), false),
       coalesce(has_table_privilege(to_regclass(w.name), 'insert, update, delete'), false),
       array(select n.nspname::text from pg_class k join pg_namespace n on n.oid = k.relnamespace
             where k.relname = w.name and k.relkind in ('r', 'v', 'm', 'p', 'f') limit 20)
from unnest(%(tables)s) as w(name)"""

# For the rest of the transaction questions are not compiled, which takes longer than answering them; a server
# that does not compile has no such setting.
SESSION = """
select current_user::text, array_to_string(current_schemas(false), ', '), current_setting('server_version'),
       extract(epoch from clock_timestamp())::float8, (select set_config(name, 'off', true) from pg_settings
         where name = 'jit')"""

REVISION = "select version_num from alembic_version limit 1"

# Full joins, because these are never made by nested loops, and a test on run_uuid that does not let the
# planner turn them into left joins. Runs are counted by experiment and variant before experiments are joined,
# for the same reason.
_COUNTED = f"""
counted as materialized (
  select r.experiment_id, {_COUNTED_VARIANT} as variant, count(*) as runs, min({_COUNTED_WAY}) as way
  from (select run_uuid, experiment_id from runs where {{stage}}) r{_VARIANTS}
  where coalesce(r.run_uuid, '') <> ''
  group by 1, 2
)"""

EXPERIMENTS = f"""
with {_COUNTED.format(stage="lifecycle_stage = 'active'")}, ranked as (
  select c.*, row_number() over (partition by c.experiment_id order by c.variant = any(%(favoured)s) desc,
    c.runs desc, c.variant) as place
  from counted c where c.variant is not null
), known as (
  select e.experiment_id, e.name, coalesce(to_jsonb(e) ->> 'workspace', 'default') as workspace,
    coalesce(e.name = %(experiment)s, false) as is_wanted,
         e.experiment_id in (select experiment_id from ranked where place = 2) as has_variants
  from experiments e where e.lifecycle_stage = 'active'
  order by is_wanted desc, has_variants desc, e.experiment_id desc limit {MAX_EXPERIMENTS}
)
select k.experiment_id, k.name, k.workspace, v.variant, v.runs, v.way
from known k left join ranked v on v.experiment_id = k.experiment_id and v.place <= {MAX_VARIANTS}
order by k.is_wanted desc, k.experiment_id desc, v.runs desc, v.variant limit {MAX_EXPERIMENT_ROWS}"""

DELETED = f"""
with {_COUNTED.format(stage="true")}
select e.name, e.lifecycle_stage = 'deleted' as is_deleted
from experiments e join (select experiment_id from counted where variant is not null group by 1 having
  count(*) >= 2) v on v.experiment_id = e.experiment_id
order by e.experiment_id desc limit 3"""

# By the moment: a start, end or metric later than it (and its slack for clocks) was not known then. A later
# metric of a run that had started by then counts as that moment, because it has overwritten the row of the
# earlier one.
ACTIVITY = f"""
with run_times as materialized (
  select r.experiment_id,
         greatest(max(least(r.start_time, %(at_ms)s)) filter (where r.start_time <= %(near_ms)s),
                  max(least(r.end_time, %(at_ms)s)) filter (where r.end_time <= %(near_ms)s)) as known_ms,
         greatest(max(r.start_time) filter (where r.start_time <= {_TOMORROW_MS}), max(r.end_time)
           filter (where r.end_time <= {_TOMORROW_MS})) as newest_ms
  from runs r
  where r.experiment_id = any(%(experiment_ids)s) and r.lifecycle_stage = 'active'
  group by r.experiment_id
), metric_times as materialized (
  select r.experiment_id,
         max(least(m.timestamp, %(at_ms)s)) filter (where m.timestamp <= %(near_ms)s or r.start_time <=
           %(near_ms)s) as known_ms,
         max(m.timestamp) as newest_ms
  from runs r join latest_metrics m on m.run_uuid = r.run_uuid
  where r.experiment_id = any(%(experiment_ids)s) and r.lifecycle_stage = 'active'
    and m.timestamp <= {_TOMORROW_MS}
  group by r.experiment_id
)
select r.experiment_id, greatest(r.known_ms, m.known_ms), greatest(r.newest_ms, m.newest_ms)
from run_times r left join metric_times m on m.experiment_id = r.experiment_id"""

# Of a dozen keys that clients log a metric under most are in no run: one look for each spares those by run.
_WANTED = """
wanted as materialized (
  select w.metric, w.key, w.preference, w.sign
  from unnest(%(metrics)s, %(keys)s, %(preferences)s, %(signs)s) as w(metric, key, preference, sign)
  where (select l.run_uuid from latest_metrics l where l.key = w.key order by l.run_uuid limit 1) is not null
)"""
_LATEST = """wanted w cross join lateral (select * from latest_metrics l where l.key = w.key and
    l.run_uuid = r.run_uuid offset 0) m"""
_TEST_COUNT = """coalesce(
         (select left(n.value, 250) from params n where n.run_uuid = v.run_uuid
           and n.key = %(test_count_key)s),
         (select n.value::text from latest_metrics n where n.run_uuid = v.run_uuid
           and n.key = %(test_count_key)s and not n.is_nan)),
       (select n.value::text from latest_metrics n where n.run_uuid = v.run_uuid
           and n.key = %(example_count_key)s and not n.is_nan)"""
HITS_AND_MISSES = ("true_positives", "false_positives", "false_negatives")
_PREFIX = "coalesce(substring(v.key from %(hits_pattern)s), '')"
_HITS_AND_MISSES = ",\n       ".join(
    f"""case when v.metric = any(%(with_hits)s) then
         (select m.value from latest_metrics m where m.run_uuid = v.run_uuid and m.key = {_PREFIX} || '{key}'
           and {_FINITE}) end"""
    for key in HITS_AND_MISSES
)
_NAME = (
    "coalesce(nullif({run}.name, ''), (select nullif(n.value, '') from tags n where n.run_uuid = "
    "{run}.run_uuid and n.key = %(run_name_key)s), left({run}.run_uuid, 8))"
)

# For each variant, metric and key the first of: top-level before child, FINISHED before RUNNING, newest
# start; a run that started after the moment comes last. Of children, which are trials of a search, the best
# one of the newest search counts, not the last one.
VALUES = f"""
with {_ACTIVE_RUNS}, {_WANTED}, candidate as (
  select r.experiment_id, r.variant, r.run_uuid, r.name, r.status, r.is_child, r.start_time, w.sign,
    case when r.is_child then (select left(c.value, 250) from tags c where c.key = %(parent_key)s
      and c.run_uuid = r.run_uuid) end as parent,
         w.metric, w.preference, m.key, m.value, m.timestamp, m.step
  from active r cross join {_LATEST}
  where r.variant is not null and r.status in ('FINISHED', 'RUNNING') and {_FINITE}
), sibling as (
  select c.*, max(c.start_time) over same_parent as search_ms, count(*) over same_parent as siblings
  from candidate c
  window same_parent as (partition by c.experiment_id, c.variant, c.metric, c.preference, c.is_child,
    coalesce(c.parent, c.run_uuid), coalesce(c.start_time, 0) > %(near_ms)s, c.status)
), value as (
  select distinct on (s.experiment_id, s.variant, s.metric, s.preference) s.*
  from sibling s
  order by s.experiment_id, s.variant, s.metric, s.preference, coalesce(s.start_time, 0) > %(near_ms)s,
    s.is_child, s.status <> 'FINISHED', s.search_ms desc nulls last,
    case when s.is_child then s.value * s.sign end desc, s.start_time desc nulls last, s.run_uuid
), placed as (
  select v.*, row_number() over (partition by v.experiment_id order by v.variant = any(%(favoured)s) desc,
    v.variant, v.metric, v.preference) as place from value v
)
select v.experiment_id, v.variant, v.metric, v.key, v.value, v.timestamp, v.run_uuid,
  left({_NAME.format(run="v")}, 250), v.status, v.is_child, v.start_time, v.step,
       case when v.is_child then v.siblings else 1 end,
       {_TEST_COUNT},
       {_HITS_AND_MISSES}
from placed v where v.place <= %(most_values)s order by v.experiment_id, v.place"""

# Which variants of these experiments have a value at all: of each the first run that has one is enough.
MEASURED = f"""
with {_ACTIVE_RUNS}, {_WANTED}, counts as materialized (
  select * from active r where r.variant is not null and r.status in ('FINISHED', 'RUNNING')
    and coalesce(r.start_time, 0) <= %(near_ms)s
)
select v.experiment_id, v.variant
from (select distinct experiment_id, variant from counts) v cross join lateral (
  select from counts r where r.experiment_id = v.experiment_id and r.variant = v.variant
    and (exists (select from {_LATEST} where {_FINITE}) or exists (select from latest_metrics m
      cross join unnest(%(prefixes)s::text[]) p where m.run_uuid = r.run_uuid and starts_with(m.key, p)
      and {_FINITE}))
  limit 1) found
order by v.experiment_id, v.variant"""

# latest_metrics keeps the greatest step, which is not always the newest point: by the primary key from the
# newest point down, so that no more than one is read.
NEWEST_POINTS = f"""
select w.run_id, w.key, m.value, m.timestamp
from unnest(%(point_runs)s, %(point_keys)s, %(point_starts)s) as w(run_id, key, start_ms)
  cross join lateral (
    select m.value, m.timestamp from metrics m
    where m.key = w.key and m.run_uuid = w.run_id and m.timestamp >= w.start_ms
      and m.timestamp <= %(near_ms)s and {_FINITE}
    order by m.timestamp desc, m.step desc limit 1
  ) m"""

# What is optional is asked for only where all its tables are there and may be read.
RIGHTS = """
select coalesce(bool_and(to_regclass(w.name) is not null), false),
       coalesce(bool_and(has_table_privilege(to_regclass(w.name), 'select')), false), current_user::text
from unnest(%(asked_tables)s) as w(name)"""

# Data sets that runs were evaluated on stand in tables that the role of the docs need not read.
DATASET_TABLES = ("inputs", "datasets", "input_tags")
DATASETS = """
select i.destination_id, coalesce(t.value, ''), d.name, left(d.dataset_profile, 1000)
from inputs i join datasets d on d.dataset_uuid = i.source_id
  left join input_tags t on t.input_uuid = i.input_uuid and t.name = 'mlflow.data.context'
where i.destination_type = 'RUN' and i.source_type = 'DATASET' and i.destination_id = any(%(run_ids)s)
order by i.destination_id, i.input_uuid limit 1000"""

# MLflow 3 keeps what a run measured by the model that it measured: of runs without a variant, the last point
# of each model whose own params and tags, or those of the run that trained it, tell one. NaN stands there as
# 0.
MODEL_POINTS = f"""
with {_ACTIVE_RUNS}, model as materialized (
  select g.model_id, g.experiment_id, {_MODEL_VARIANT} as variant
  from logged_models g left join runs s on s.run_uuid = g.source_run_id and s.lifecycle_stage = 'active'
    and s.experiment_id = g.experiment_id
  where g.experiment_id = any(%(experiment_ids)s) and g.lifecycle_stage = 'active'
), point as (
  select distinct on (m.model_id, m.run_id, m.metric_name) g.experiment_id, g.variant, m.model_id, m.run_id,
    m.metric_name, m.metric_value, m.metric_timestamp_ms, m.metric_step
  from model g join logged_model_metrics m on m.model_id = g.model_id
  where g.variant is not null and m.metric_value is not null and (m.metric_name = any(%(model_keys)s)
    or exists (select from unnest(%(model_prefixes)s) p where starts_with(m.metric_name, p)))
  order by m.model_id, m.run_id, m.metric_name, case when %(metric_point)s = 'time' then m.metric_timestamp_ms
    else m.metric_step end desc, m.metric_step desc, m.metric_timestamp_ms desc, m.metric_value desc
)
select r.experiment_id, p.variant, p.model_id, r.run_uuid, left({_NAME.format(run="r")}, 250), r.status,
  r.is_child, r.start_time, (select left(n.value, 250) from params n where n.run_uuid = r.run_uuid
    and n.key = %(test_count_key)s), p.metric_name, p.metric_value, p.metric_timestamp_ms, p.metric_step
from point p join active r on r.run_uuid = p.run_id and r.experiment_id = p.experiment_id
where r.variant is null and abs(p.metric_value) < float8 '{LARGEST:g}'
  and not (p.metric_value = 0 and exists (select from metrics n where n.key = p.metric_name
    and n.timestamp = p.metric_timestamp_ms and n.step = p.metric_step and n.run_uuid = p.run_id
    and n.is_nan))
order by r.experiment_id, r.run_uuid, p.model_id, p.metric_name limit {MAX_POINTS}"""

VALUE_RANGES = f"""
with {_WANTED}, active as materialized (
  select r.experiment_id, r.run_uuid from runs r where r.experiment_id = any(%(experiment_ids)s)
    and r.lifecycle_stage = 'active'
)
select r.experiment_id, w.metric, m.key, min(m.value), max(m.value)
from active r cross join {_LATEST}
where {_FINITE}
group by r.experiment_id, w.metric, m.key order by r.experiment_id, w.metric, m.key"""

STATUS_COUNTS = f"""
with {_ACTIVE_RUNS}, counted as (
  select r.experiment_id, r.variant, r.status, r.is_child, count(*) as runs,
         row_number() over (partition by r.experiment_id order by count(*) desc, r.variant, r.status,
           r.is_child) as place
  from active r group by 1, 2, 3, 4
)
select c.experiment_id, c.variant, c.status, c.is_child, c.runs from counted c
  where c.place <= {MAX_STATUS_ROWS} order by c.experiment_id, c.place"""

RUNS = f"""
with {_NEWEST_RUNS}, signs as materialized (
  select m.run_uuid, max(m.timestamp) filter (where m.timestamp <= {_TOMORROW_MS}) as sign_ms,
         max(m.value) filter (where m.key = %(accuracy_key)s and {_FINITE}) as accuracy
  from latest_metrics m where m.run_uuid = any(array(select run_uuid from active)) group by m.run_uuid
)
select r.experiment_id, r.run_uuid, left({_NAME.format(run="r")}, 250), r.variant, r.status, r.start_time,
  r.end_time, r.is_child,
       s.sign_ms, s.accuracy
from active r full join signs s on s.run_uuid = r.run_uuid
where coalesce(r.run_uuid, '') <> '' order by r.experiment_id, r.start_time desc nulls last, r.run_uuid"""

# By key and time through the primary key, over all experiments, and a full join for the reason given above:
# with it no plan compares every run with every point. Each point is the mean of the values of one time step,
# at the mean of their times. Child runs only where no top-level run of the variant has any.
HISTORY = f"""
with {_ACTIVE_RUNS}, point as (
  select r.experiment_id, r.variant, r.is_child, (m.timestamp - %(from_ms)s - 1) / %(step_ms)s as step,
    avg(m.timestamp) as time_ms, avg(m.value) as value
  from (select m.run_uuid, m.timestamp, m.value from metrics m
        where m.key = %(accuracy_key)s and m.timestamp > %(from_ms)s and m.timestamp <= %(at_ms)s
          and {_FINITE}) m
  full join (select * from active where variant is not null and status in ('FINISHED', 'RUNNING')) r
    on r.run_uuid = m.run_uuid
  where coalesce(m.run_uuid, '') <> '' and coalesce(r.run_uuid, '') <> ''
  group by 1, 2, 3, 4
), best as (
  select experiment_id, variant, bool_and(is_child) as is_child from point group by 1, 2
), placed as (
  select p.*, row_number() over (partition by p.experiment_id order by p.variant, p.step) as place
  from point p where (p.experiment_id, p.variant, p.is_child) in (select b.experiment_id, b.variant,
    b.is_child from best b)
)
select p.experiment_id, p.variant, (p.time_ms / 1000)::float8, p.value
from placed p where p.place <= {MAX_VARIANTS * HISTORY_POINTS} order by p.experiment_id, p.place"""

VERSIONS = f"""
with placed as (
  select r.experiment_id, v.*, row_number() over (partition by r.experiment_id order by v.creation_time desc,
    v.name, v.version desc) as place
  from model_versions v join runs r on r.run_uuid = v.run_id
  where r.experiment_id = any(%(experiment_ids)s) and r.lifecycle_stage = 'active'
    and v.creation_time is not null
    and coalesce(v.current_stage, '') <> 'Deleted_Internal'
)
select v.experiment_id, v.name, v.version, v.creation_time, v.run_id, {{aliases}}
from placed v where v.place <= {MAX_VERSIONS} order by v.experiment_id, v.place"""
ALIASES = """array(select a.alias from registered_model_aliases a
             where a.name = v.name and a.version = v.version and to_jsonb(a) ->> 'workspace' is not distinct
               from to_jsonb(v) ->> 'workspace'
             order by a.alias limit 10)"""

METRIC_KEYS = """
select m.key, count(*) from runs r join latest_metrics m on m.run_uuid = r.run_uuid
where r.experiment_id = any(%(experiment_ids)s) and r.lifecycle_stage = 'active' and not starts_with(m.key,
  'system/')
group by m.key order by 2 desc, 1 limit 20"""

ODD_VALUES = f"""
with {_WANTED}
select left(m.key, 250), r.run_uuid, m.is_nan, count(*) over ()
from runs r cross join {_LATEST}
where r.experiment_id = any(%(experiment_ids)s) and r.lifecycle_stage = 'active' and not ({_FINITE})
order by r.start_time desc nulls last, r.run_uuid, m.key limit 1"""

# Aliases are few; of the versions, the newest.
ALIASED = """
select v.run_id, a.alias from registered_model_aliases a
  join model_versions v on v.name = a.name and v.version = a.version
    and to_jsonb(a) ->> 'workspace' is not distinct from to_jsonb(v) ->> 'workspace'
where coalesce(v.run_id, '') <> '' and coalesce(v.current_stage, '') <> 'Deleted_Internal'
order by v.creation_time desc nulls last, v.run_id, a.alias limit 1000"""
MODEL_NAMES = """
select v.run_id, v.name from model_versions v
where coalesce(v.run_id, '') <> '' and coalesce(v.current_stage, '') <> 'Deleted_Internal'
order by v.creation_time desc nulls last, v.name, v.version desc limit 1000"""


def filled(text: str, parameters: Mapping[str, Any]) -> str:
    """The text with where variants are read, as the parameters say it."""
    ways = [
        (place, way)
        for place, way in enumerate(parameters.get("variant_ways", ()))
        if way.kind in _LOGGED or way.kind in parameters["known"]
    ]
    counted = [(place, _COUNTED_BY.get(way.kind, _KNOWN).format(**_names(place, way))) for place, way in ways]
    whens = " ".join(f"when {each} is not null then {place}" for place, each in counted)
    of_run = [_OF_RUN.get(way.kind, _KNOWN).format(**_names(place, way)) for place, way in ways]
    of_model = [_OF_MODEL.get(way.kind, _KNOWN_MODEL).format(**_names(place, way)) for place, way in ways]
    joins = "".join(_JOIN.format(**_names(place, way)) for place, way in ways if way.kind in _LOGGED)
    for mark, written in (
        (_VARIANT, _first(of_run)),
        (_VARIANTS, joins),
        (_MODEL_VARIANT, _first(of_model)),
        (_COUNTED_VARIANT, _first([each for _, each in counted])),
        (_COUNTED_WAY, f"case {whens} end" if whens else "0"),
    ):
        text = text.replace(mark, written)
    return text


_LOGGED = {"param": "params", "tag": "tags"}
_OF_RUN = {
    "param": f"(select {_PARAM} from params p where p.key = %({{key}})s and p.run_uuid = r.run_uuid)",
    "tag": f"(select {_TAG} from tags t where t.key = %({{key}})s and t.run_uuid = r.run_uuid)",
}
_OF_MODEL = {
    "param": f"(select {_TRIMMED.format(value='p.param_value')} from logged_model_params p "
    f"where p.model_id = g.model_id and p.param_key = %({{key}})s), (select {_PARAM} from params p "
    "where p.key = %({key})s and p.run_uuid = s.run_uuid)",
    "tag": f"(select {_TRIMMED.format(value='t.tag_value')} from logged_model_tags t "
    f"where t.model_id = g.model_id and t.tag_key = %({{key}})s), (select {_TAG} from tags t "
    "where t.key = %({key})s and t.run_uuid = s.run_uuid)",
}
_KNOWN_MODEL = "(%(known_{kind})s::jsonb ->> s.run_uuid)"
_KNOWN = "(%(known_{kind})s::jsonb ->> r.run_uuid)"
_COUNTED_BY = dict.fromkeys(_LOGGED, _TRIMMED.format(value="{alias}.value"))
_JOIN = """
  full join (select run_uuid, value from {table} where key = %({key})s) {alias} on {alias}.run_uuid =
    r.run_uuid"""


def _names(place: int, way: VariantWay) -> dict[str, str]:
    table = _LOGGED.get(way.kind, "")
    return {"key": f"variant_key_{place}", "alias": f"v{place}", "table": table, "kind": way.kind}


def _first(texts: Sequence[str]) -> str:
    return f"coalesce({', '.join(texts)})" if texts else "null::text"
