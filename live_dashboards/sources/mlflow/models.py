"""What runs measured of models that other runs trained: MLflow 3 keeps metrics by model (LoggedModels), so
that one run may hold values of several variants, or of a variant that it does not name itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from live_dashboards.model.snapshot import VariantValue
from live_dashboards.sources.mlflow import sql
from live_dashboards.sources.mlflow.experiments import hit_keys
from live_dashboards.sources.mlflow.questions import Parameters, Questions, Row, moment_or_none
from live_dashboards.sources.mlflow.rows.records import WantedKeys
from live_dashboards.sources.mlflow.variants import MODEL, MODEL_TABLES, without_rights

MODEL_POINTS = "model points"
_COUNTS = ("FINISHED", "RUNNING")


class _Point(NamedTuple):
    """The last value of one key that a run measured of a model of this variant, and what is known of it."""

    variant: str
    model_id: str
    run_id: str
    run_name: str
    run_status: str
    is_child: bool
    start_ms: int | None
    test_count: str | None
    key: str
    value: float
    at_ms: int
    step: int


@dataclass(frozen=True, slots=True)
class Measured:
    """Of runs without a variant: `runs` are the variants of those that measured models of one alone, `values`
    by experiment what others measured, `variants` by experiment whose. `grant` is what the role lacks.
    """

    runs: Mapping[str, str] = field(default_factory=dict)
    values: Mapping[int, tuple[VariantValue, ...]] = field(default_factory=dict)
    variants: Mapping[int, Mapping[str, int]] = field(default_factory=dict)
    grant: str = ""

    def of_experiment(self, experiment_id: int) -> bool:
        """Whether anything was measured there."""
        return bool(self.variants.get(experiment_id))


def read_measured(connection: Questions, parameters: Parameters) -> Measured:
    """What runs of these experiments measured of models; nothing where MLflow keeps no such tables, or they
    may not be read.
    """
    grant = without_rights(connection, parameters, MODEL_TABLES)
    if grant != "":  # there are no such tables, or they may not be read
        return Measured(grant=grant or "")
    rows = connection.optional_rows(MODEL_POINTS, sql.MODEL_POINTS, model_parameters(parameters)) or []
    runs: dict[str, str] = {}
    values: dict[int, tuple[VariantValue, ...]] = {}
    variants: dict[int, dict[str, int]] = {}
    for (experiment_id, run_id), points in _by_run(rows).items():
        of_run = sorted({point.variant for point in points})
        counted = variants.setdefault(experiment_id, {})
        for variant in of_run:
            counted[variant] = counted.get(variant, 0) + 1
        if len(of_run) == 1:
            runs[run_id] = of_run[0]
        elif points[0].run_status in _COUNTS:
            found = (value for variant in of_run for value in _values(points, variant, parameters))
            values[experiment_id] = (*values.get(experiment_id, ()), *found)
    return Measured(runs, values, variants)


def model_parameters(parameters: Parameters) -> dict[str, Any]:
    """What that question is bound to: the wanted keys, and of runs only what they themselves say."""
    wanted = WantedKeys.of(parameters)
    return {
        **parameters,
        "known": {kind: runs for kind, runs in parameters["known"].items() if kind != MODEL},
        "model_keys": sorted(wanted.metrics),
        "dataset_prefixes": list(wanted.prefixes),
    }


def _by_run(rows: Iterable[Row]) -> dict[tuple[int, str], list[_Point]]:
    found: dict[tuple[int, str], list[_Point]] = {}
    for experiment_id, *row in rows:
        point = _Point(*row)
        found.setdefault((experiment_id, point.run_id), []).append(point)
    return found


def _values(points: Sequence[_Point], variant: str, parameters: Parameters) -> Iterable[VariantValue]:
    """A value for each metric and key that the run measured of the variant; of several models of it, that of
    the newest point.
    """
    mine = sorted((point for point in points if point.variant == variant), key=lambda each: each.at_ms)
    by_key = {point.key: point for point in mine}
    for metric, key in zip(parameters["metrics"], parameters["keys"], strict=True):
        if key not in by_key:
            continue
        point = by_key[key]
        own = {each.key: each for each in mine if each.model_id == point.model_id}
        has_hits = metric in parameters["with_hits"]
        found = VariantValue(
            variant,
            metric,
            key,
            point.value,
            moment_or_none(point.at_ms),
            point.run_id,
            point.run_name,
            point.run_status,
            point.is_child,
            moment_or_none(point.start_ms),
            point.test_count or _count(own.get(parameters["test_count_key"])),
            _count(own.get(parameters["example_count_key"])),
        )
        true_positives, false_positives, false_negatives = (
            own[name].value if has_hits and name in own else None for name in hit_keys(key)
        )
        yield replace(
            found,
            true_positives=true_positives,
            false_positives=false_positives,
            false_negatives=false_negatives,
            step=point.step,
            model_id=point.model_id,
        )


def _count(point: _Point | None) -> str | None:
    return None if point is None else f"{point.value:.15g}"
