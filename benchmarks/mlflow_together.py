"""A sketch of reading many experiments at once: one row a run with its latest values beside each other, and one statement for the history.

It follows the product's rules for which runs and values count, but has not its care for tables without statistics, and reads no model versions.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from live_dashboards.settings import Settings
from live_dashboards.sources.asking import Deadline
from live_dashboards.sources.mlflow_connection import MlflowConnection
from live_dashboards.sources.mlflow_postgres import question_parameters
from live_dashboards.sources.mlflow_schema import read_schema

_FINITE = "not m.is_nan and abs(m.value) < float8 '1e300'"
_EXPERIMENTS = "select experiment_id, name from experiments where name = any(%(names)s) and lifecycle_stage = 'active'"
_RUNS = f"""
with latest as materialized (
  select m.run_uuid, max(m.timestamp) as sign_ms,
         max(m.value) filter (where m.key = 'accuracy' and {_FINITE}) as accuracy, max(m.value) filter (where m.key = 'precision' and {_FINITE}) as precision,
         max(m.value) filter (where m.key = 'recall' and {_FINITE}) as recall, max(m.value) filter (where m.key = 'f1' and {_FINITE}) as f1
  from latest_metrics m group by m.run_uuid
)
select r.experiment_id, coalesce(p.value, t.value) as variant, r.status, c.run_uuid is not null as is_child, r.run_uuid, r.name, r.start_time, r.end_time,
       l.sign_ms, n.value, l.accuracy, l.precision, l.recall, l.f1
from runs r
left join latest l on l.run_uuid = r.run_uuid
left join params p on p.run_uuid = r.run_uuid and p.key = %(variant_key)s
left join params n on n.run_uuid = r.run_uuid and n.key = %(test_count_key)s
left join tags t on t.run_uuid = r.run_uuid and t.key = %(variant_key)s
left join tags c on c.run_uuid = r.run_uuid and c.key = %(parent_key)s
where r.experiment_id = any(%(experiment_ids)s) and r.lifecycle_stage = 'active'
order by r.experiment_id, r.start_time desc nulls last, r.run_uuid"""
_HISTORY = f"""
with active as materialized (
  select r.experiment_id, r.run_uuid, coalesce(p.value, t.value) as variant
  from runs r
  left join params p on p.run_uuid = r.run_uuid and p.key = %(variant_key)s
  left join tags t on t.run_uuid = r.run_uuid and t.key = %(variant_key)s
  where r.experiment_id = any(%(experiment_ids)s) and r.lifecycle_stage = 'active' and r.status in ('FINISHED', 'RUNNING')
)
select r.experiment_id, r.variant, (m.timestamp - %(from_ms)s - 1) / %(step_ms)s, avg(m.timestamp), avg(m.value)
from metrics m join active r on r.run_uuid = m.run_uuid
where m.key = %(accuracy_key)s and m.timestamp > %(from_ms)s and m.timestamp <= %(at_ms)s and {_FINITE}
group by 1, 2, 3 order by 1, 2, 3"""
_VARIANT, _STATUS, _IS_CHILD, _ACCURACY = 1, 2, 3, 10


@dataclass(frozen=True, slots=True)
class Together:
    """What was read: rows of runs, points of history, and the accuracy of each experiment's variants."""

    runs: int
    points: int
    accuracies: Mapping[tuple[int, str], float]


def read_together(settings: Settings, names: list[str], at: datetime) -> Together:
    """All of these experiments in one transaction."""
    parameters = question_parameters(settings, at, settings.window_seconds)
    with MlflowConnection(settings, deadline=Deadline(60)) as connection:
        read_schema(connection)
        known = connection.rows("experiments", _EXPERIMENTS, {"names": names})
        own = {**parameters, "experiment_ids": [experiment_id for experiment_id, _ in known]}
        runs, points = connection.rows("runs", _RUNS, own), connection.rows("history", _HISTORY, own)
    return Together(len(runs), len(points), _accuracies(runs))


def _accuracies(runs: Iterable[tuple[Any, ...]]) -> dict[tuple[int, str], float]:
    """Of each variant's runs, which come newest first: top-level before child, FINISHED before RUNNING."""
    usable = [run for run in runs if run[_VARIANT] and run[_STATUS] in {"FINISHED", "RUNNING"} and run[_ACCURACY] is not None]
    best: dict[tuple[int, str], float] = {}
    for run in sorted(usable, key=lambda run: (run[_IS_CHILD], run[_STATUS] != "FINISHED")):
        best.setdefault((run[0], run[_VARIANT]), run[_ACCURACY])
    return best
