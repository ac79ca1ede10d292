"""The questions to MLflow's tables, each a named SQL text with bound parameters and a row limit.

Times are bigint milliseconds, so that they stay index conditions. Latest values come from latest_metrics; the
table metrics is only asked with a key. NaN is stored as 0 with is_nan, infinities as ±1.797e308, and one such
infinity makes an average fail: each question leaves them out.
"""

# ruff: noqa: S608 -- the texts are put together from the constants of this file; values are always bound

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from live_dashboards.model.class_scores import CLASS_SCORE
from live_dashboards.model.metrics import BEST
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
MAX_KEYS = 200
MAX_DATASET_KEYS = 1_000

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
_MODEL_VARIANT, _OF_ACCURACY = "<of model>", "<of accuracy>"
_RUNS_OF_EXPERIMENTS = (
    "select * from runs where experiment_id = any(%(experiment_ids)s) and lifecycle_stage = 'active'"
)
_WITH_VARIANT = f"""
active as materialized (
  select r.experiment_id, r.run_uuid, r.name, r.status, r.start_time, r.end_time,
         {_VARIANT} as variant,
         coalesce((select c.value <> '' from tags c where c.key = %(parent_key)s
           and c.run_uuid = r.run_uuid), false) as is_child{{more}}
  from ({{runs}}) r
)"""
_PARENT = """,
         (select left(c.value, 250) from tags c where c.key = %(parent_key)s and c.run_uuid = r.run_uuid
           and c.value <> '') as parent"""
_ACTIVE_RUNS = _WITH_VARIANT.format(runs=_RUNS_OF_EXPERIMENTS, more="")
_ACTIVE_WITH_PARENTS = _WITH_VARIANT.format(runs=_RUNS_OF_EXPERIMENTS, more=_PARENT)
_NEWEST_RUNS = _WITH_VARIANT.format(
    more="",
    runs=f"""
  select n.* from unnest(%(experiment_ids)s) as w(wanted_id) cross join lateral (
    select * from runs where experiment_id = w.wanted_id and lifecycle_stage = 'active'
    order by coalesce(start_time, 0) > %(near_ms)s, start_time desc nulls last, run_uuid limit {MAX_RUNS}
  ) n""",
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
# What a search found best stands in its parent's run under a key of its own.
_IN_ANY_RUN = (
    "(select l.run_uuid from latest_metrics l where l.key = {key} order by l.run_uuid limit 1) is not null"
)
_WANTED_KEYS = (
    "unnest(%(metrics)s, %(keys)s, %(preferences)s, %(signs)s, %(scored)s) as w(metric, key, preference, "
    "sign, scored)"
)
_WANTED = f"""
wanted as materialized (
  select w.* from {_WANTED_KEYS}
  where {_IN_ANY_RUN.format(key="w.key")}
)"""
_WANTED_OR_BEST = f"""
wanted as materialized (
  select w.*, bool_or(w.scored > 0) over (partition by w.metric, w.preference) as is_shared
  from (select w.*, {_IN_ANY_RUN.format(key="w.key")} as is_there, case when w.scored = 0
      and {_IN_ANY_RUN.format(key=f"'{BEST}' || w.key")} then '{BEST}' || w.key end as best
    from {_WANTED_KEYS} offset 0) w
  where w.is_there or w.best is not null
)"""
_LATEST = """wanted w cross join lateral (select * from latest_metrics l where l.key = w.key and
    l.run_uuid = r.run_uuid offset 0) m"""
# Of keys that say the same, such as the scores of several classes, the one that a run counts under: the plain
# one first; none where two scores differ, as it is not told which of the models is meant. A score that may be
# none of a classifier is none where the run logs what autolog does of regressors, or another scorer.
_SURE = """m.value between 0 and 1 and (k.scored < 2 or (
      (select l.key from latest_metrics l where l.key = %(r2_key)s and l.run_uuid = {run}.run_uuid) is null
      and coalesce((select p.value from params p where p.key = %(scorer_key)s and p.run_uuid =
        {run}.run_uuid), 'None') = any(%(accuracy_scorers)s)))"""
_COUNTED_KEY = f"""(select case when min(k.scored) = 0 then min(k.key collate "C") filter (where k.scored = 0)
      when min(m.value) = max(m.value) then min(k.key collate "C") end
    from {{keys}} cross join lateral (select * from latest_metrics l where l.key = k.key
      and l.run_uuid = {{run}}.run_uuid offset 0) m
    where {_FINITE} and (k.scored = 0 or ({_SURE})))"""
_KEY_OF_GROUP = _COUNTED_KEY.format(
    keys="(select * from wanted o where o.metric = w.metric and o.preference = w.preference) k", run="r"
)
_KEY_OF_ACCURACY = _COUNTED_KEY.format(
    keys="unnest(%(accuracy_keys)s, %(accuracy_scored)s) as k(key, scored)", run="r"
)
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
# start; a run that started after the moment comes last. Of children, which are trials of a search, one of the
# newest search counts: the one whose value its parent logs as the best, else the best one, not the last one.
# A parent that has a variant, which its children have not, counts by the best that it logs, with the rows of
# the trial that has it: what is tested for truth is no join, which a planner without statistics would make by
# comparing all.
_COUNTS = "r.variant is not null and r.status in ('FINISHED', 'RUNNING')"
_IS_BEST = "abs({value} - {best}) <= float8 '1e-9' * greatest(abs({value}), abs({best}))"
_OF_PARENT = f"""(select m.value from latest_metrics m where m.key = w.best and m.run_uuid = r.parent
           and {_FINITE} and exists (select from runs p where p.run_uuid = r.parent
             and p.experiment_id = r.experiment_id and p.lifecycle_stage = 'active'
             and p.status in ('FINISHED', 'RUNNING')))"""
_TRIALS = f"""from active c where v.is_search and not v.is_child and c.experiment_id = v.experiment_id
      and c.parent = v.run_uuid and c.status in ('FINISHED', 'RUNNING')
      and exists (select from latest_metrics m where m.key = v.key and m.run_uuid = c.run_uuid
        and {_FINITE}"""
VALUES = f"""
with {_ACTIVE_WITH_PARENTS}, {_WANTED_OR_BEST}, candidate as (
  select r.experiment_id, r.variant, r.run_uuid, r.name, r.status, r.is_child, r.is_child as is_search,
    r.start_time, r.parent, w.sign, w.metric, w.preference, m.key, m.value, m.timestamp, m.step,
         case when r.is_child and w.best is not null then {_OF_PARENT} end as best
  from active r cross join {_LATEST}
  where {_COUNTS} and {_FINITE} and (not w.is_shared or w.key = {_KEY_OF_GROUP})
  union all
  select r.experiment_id, r.variant, r.run_uuid, r.name, r.status, false, true,
    r.start_time, r.run_uuid, w.sign, w.metric, w.preference, w.key, m.value, m.timestamp, m.step, m.value
  from active r cross join wanted w cross join lateral (select * from latest_metrics l where l.key = w.best
    and l.run_uuid = r.run_uuid offset 0) m
  where {_COUNTS} and {_FINITE} and w.best is not null
    and ((r.experiment_id, r.run_uuid) in (select c.experiment_id, c.parent from active c where c.is_child))
      is true
    and (r.experiment_id, r.run_uuid) not in (select c.experiment_id, c.parent from active c where c.is_child
      and c.variant is not null)
    and not exists (select from latest_metrics m where m.key = w.key and m.run_uuid = r.run_uuid
      and {_FINITE})
), sibling as (
  select c.*, coalesce({_IS_BEST.format(value="c.value", best="c.best")}, false) as is_best,
    max(c.start_time) over same_search as search_ms, count(*) over same_search as siblings
  from candidate c
  window same_search as (partition by c.experiment_id, c.variant, c.metric, c.preference, c.is_search,
    coalesce(c.parent, c.run_uuid), coalesce(c.start_time, 0) > %(near_ms)s, c.status)
), value as (
  select distinct on (s.experiment_id, s.variant, s.metric, s.preference) s.*
  from sibling s
  order by s.experiment_id, s.variant, s.metric, s.preference, coalesce(s.start_time, 0) > %(near_ms)s,
    s.is_search, s.status <> 'FINISHED', s.search_ms desc nulls last, s.is_best desc,
    case when s.is_search then s.value * s.sign end desc, s.start_time desc nulls last, s.run_uuid
), placed as (
  select v.*, row_number() over (partition by v.experiment_id order by v.variant = any(%(favoured)s) desc,
    v.variant, v.metric, v.preference) as place from value v
), shown as (
  select v.experiment_id, v.place, v.variant, v.metric, v.key, v.timestamp, v.step,
    case when v.is_best then v.best else v.value end as value,
    coalesce(t.run_uuid, v.run_uuid) as run_uuid, coalesce(t.name, v.name) as name,
    coalesce(t.status, v.status) as status, coalesce(t.is_child, v.is_child) as is_child,
    case when t.run_uuid is null then v.start_time else t.start_time end as start_time,
    case when not v.is_search then 1 when v.is_child then v.siblings else (select count(*) {_TRIALS})) end
      as siblings,
    case when v.is_best then (select left({_NAME.format(run="p")}, 250) from runs p
      where p.run_uuid = v.parent) end as search
  from placed v left join lateral (
    select c.run_uuid, c.name, c.status, c.is_child, c.start_time {_TRIALS}
      and {_IS_BEST.format(value="m.value", best="v.best")})
    order by c.status <> 'FINISHED', c.start_time desc nulls last, c.run_uuid limit 1) t on true
  where v.place <= %(most_values)s
)
select v.experiment_id, v.variant, v.metric, v.key, v.value, v.timestamp, v.run_uuid,
  left({_NAME.format(run="v")}, 250), v.status, v.is_child, v.start_time, v.step, v.siblings, v.search,
       {_TEST_COUNT},
       {_HITS_AND_MISSES}
from shown v order by v.experiment_id, v.place"""

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

# What autolog logs of a data set after a run.
_OF_A_DATASET = f"""(exists (select from unnest(%(dataset_prefixes)s::text[]) p where starts_with({{key}}, p))
    or (%(with_scores)s and {{key}} ~ '{CLASS_SCORE}'))"""

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
    or {_OF_A_DATASET.format(key="m.metric_name")})
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
where {_FINITE} and (w.scored = 0 or m.value between 0 and 1)
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
         max(m.value) filter (where {_OF_ACCURACY} and {_FINITE}) as accuracy
  from latest_metrics m where m.run_uuid = any(array(select run_uuid from active)) group by m.run_uuid
)
select r.experiment_id, r.run_uuid, left({_NAME.format(run="r")}, 250), r.variant, r.status, r.start_time,
  r.end_time, r.is_child,
       s.sign_ms, case when %(is_accuracy_scored)s then (select m.value from latest_metrics m
         where m.run_uuid = r.run_uuid and m.key = {_KEY_OF_ACCURACY}) else s.accuracy end
from active r full join signs s on s.run_uuid = r.run_uuid
where coalesce(r.run_uuid, '') <> '' order by r.experiment_id, r.start_time desc nulls last, r.run_uuid"""

# By key and time through the primary key, over all experiments, and a full join for the reason given above:
# with it no plan compares every run with every point. Each point is the mean of the values of one time step,
# at the mean of their times. Child runs only where no top-level run of the variant has any.
HISTORY = f"""
with {_ACTIVE_RUNS}, point as (
  select r.experiment_id, r.variant, r.is_child, (m.timestamp - %(from_ms)s - 1) / %(step_ms)s as step,
    avg(m.timestamp) as time_ms, avg(m.value) as value
  from (select m.run_uuid, m.key, m.timestamp, m.value from metrics m
        where {_OF_ACCURACY} and m.timestamp > %(from_ms)s and m.timestamp <= %(at_ms)s
          and {_FINITE}) m
  full join (select r.*, case when %(is_accuracy_scored)s then {_KEY_OF_ACCURACY} end as key
        from active r where {_COUNTS}) r
    on r.run_uuid = m.run_uuid
  where coalesce(m.run_uuid, '') <> '' and coalesce(r.run_uuid, '') <> ''
    and (not %(is_accuracy_scored)s or r.key = m.key)
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

# The keys that most runs log, and all that autolog logs of a data set.
METRIC_KEYS = f"""
select k.key, k.runs
from (
  select m.key, count(*) as runs, row_number() over (order by count(*) desc, m.key) as place
  from runs r join latest_metrics m on m.run_uuid = r.run_uuid
  where r.experiment_id = any(%(experiment_ids)s) and r.lifecycle_stage = 'active' and not starts_with(m.key,
    'system/')
  group by m.key
) k
where k.place <= {MAX_KEYS} or {_OF_A_DATASET.format(key="k.key")}
order by k.place limit {MAX_DATASET_KEYS}"""

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
        (_OF_ACCURACY, _among(parameters.get("accuracy_keys", ()))),
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


def _among(keys: Sequence[str]) -> str:
    """A test that an index on the key alone answers, be it one."""
    return "m.key = %(accuracy_key)s" if len(keys) == 1 else "m.key = any(%(accuracy_keys)s)"


def _first(texts: Sequence[str]) -> str:
    return f"coalesce({', '.join(texts)})" if texts else "null::text"
