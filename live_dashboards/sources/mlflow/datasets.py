"""How many test rows stand behind an accuracy of which no run logs the number: those of the data set that the
run was evaluated on, as autolog and mlflow.genai.evaluate keep it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import NamedTuple

from live_dashboards.model.metrics import ACCURACY
from live_dashboards.model.quality import is_of_training
from live_dashboards.model.snapshot import VariantValue
from live_dashboards.sources.mlflow import sql
from live_dashboards.sources.mlflow.questions import Parameters, Questions
from live_dashboards.sources.mlflow.variants import without_rights

NUM_ROWS = "num_rows of its evaluation dataset"
_EVALUATION = "eval"
_NOT_READ = "not every run logs how many test rows it had, and the data sets that may tell may not be read"


class _Dataset(NamedTuple):
    """A data set of a run, and how many rows it has, None where that is not told."""

    context: str
    name: str
    rows: int | None


def with_test_rows(
    connection: Questions, values: Sequence[VariantValue], parameters: Parameters
) -> tuple[tuple[VariantValue, ...], tuple[str, ...]]:
    """The values, an accuracy without a number of test rows with that of its data set, and what is told where
    the role may not read that; as they are where AB_TEST_COUNT_PARAM names what to go by.
    """
    lacking = [
        each
        for each in values
        if each.metric == ACCURACY and each.test_count is None and not is_of_training(each.key)
    ]
    if not lacking or not parameters["example_count_key"]:
        return tuple(values), ()
    grant = without_rights(connection, parameters, sql.DATASET_TABLES)
    if grant is None:
        return tuple(values), ()
    if grant:
        return tuple(values), (f"{_NOT_READ}: {grant}",)
    found = connection.optional_rows(
        "datasets", sql.DATASETS, {**parameters, "run_ids": [each.run_id for each in lacking]}
    )
    by_run: dict[str, list[_Dataset]] = {}
    for run_id, context, name, profile in found or ():
        by_run.setdefault(run_id, []).append(_Dataset(context or "", name or "", _rows(profile)))
    return tuple(
        _counted(each, by_run.get(each.run_id, ())) if each in lacking else each for each in values
    ), ()


def _counted(value: VariantValue, datasets: Sequence[_Dataset]) -> VariantValue:
    """With the rows of the data set whose name the key ends with, else of those for evaluation, else of those
    that say nothing of what they are for, and of no others; as it is where these differ in their number.
    """
    tested = [each for each in datasets if each.context in {_EVALUATION, ""}]
    groups = (
        [each for each in tested if each.name and value.key.endswith(f"_{each.name}")],
        [each for each in tested if each.context == _EVALUATION],
        tested,
    )
    numbers = _numbers(next(filter(None, groups), ()))
    if len(numbers) != 1:
        return value
    return replace(value, test_count=str(numbers.pop()), test_count_key=NUM_ROWS)


def _numbers(datasets: Iterable[_Dataset]) -> set[int]:
    return {each.rows for each in datasets if each.rows is not None}


def _rows(profile: str | None) -> int | None:
    """The number in a profile: `{"num_rows": 500, "num_elements": 4000}` of tables, `{"features_shape": [500,
    8], …}` of arrays; other kinds of data have none.
    """
    try:
        found = json.loads(profile or "")
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, dict):
        return None
    shape = found.get("features_shape")
    number = found.get("num_rows", shape[0] if isinstance(shape, list) and shape else None)
    return number if isinstance(number, int) and not isinstance(number, bool) and number > 0 else None
