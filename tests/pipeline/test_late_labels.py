"""Labels that come late, counted by a real Prometheus as they arrive: what cannot be compared decides nothing, through the whole page."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tests.pipeline.command import log_two_models, page_at
from tests.sources.prometheus_reading import END, HOUR, labels
from tests.sources.test_prometheus_counts import ERRORS, REQUESTS
from tests.support.prometheus_truth import PrometheusTruth

AT = datetime.fromtimestamp(END, UTC)
START = END - 8 * 24 * HOUR
ONLINE = {"AB_ONLINE_LABELLED_METRIC": "labelled_total", "AB_ONLINE_CORRECT_METRIC": "correct_total"}


def truth(waits_hours):
    """Two arms of a request every two seconds; 80 % of the baseline's answers are right and 84 % of the challenger's; labels come after so many hours."""
    made = PrometheusTruth(start=START - HOUR, end=END, scrape_seconds=300.0)
    for model, wait, right in zip(("baseline", "enhanced"), waits_hours, (0.8, 0.84), strict=True):
        made.counter(REQUESTS, labels(model), [(START - HOUR, 0.0), (START, 0.5)])
        made.counter(ERRORS, labels(model), [(START - HOUR, 0.0), (START, 0.005)])
        made.histogram("ab_test_response_time_seconds", labels(model), {0.1: 0.4, 0.25: 0.1}, starts_at=START)
        made.counter("labelled_total", labels(model), [(START - HOUR, 0.0), (START + wait * HOUR, 0.5)])
        made.counter("correct_total", labels(model), [(START - HOUR, 0.0), (START + wait * HOUR, 0.5 * right)])
    return made


@pytest.mark.parametrize(
    ("waits_hours", "verdict", "told"),
    [((0, 0), "SHIP", ""), ((6, 6), "SHIP", ""), ((1, 18), "KEEP RUNNING", "so one arm's come later or not at all")],
    ids=["at once", "after one wait", "the challenger's later"],
)
def test_labels_are_compared_only_where_they_come_alike(mlflow_database, prometheus, waits_hours, verdict, told):
    log_two_models(mlflow_database, AT, hours_before=9 * 24, accuracies=(0.78, 0.82))
    page = page_at(AT, mlflow_database, prometheus(truth(waits_hours)), **ONLINE)
    row = next(each for each in page.comparisons if each.metric == "online_accuracy")
    assert row.estimate == pytest.approx(4.0, abs=0.2)
    assert row.low > 0
    assert told in row.descriptive
    assert bool(row.descriptive) is bool(told)
    assert (page.verdict.verdict, page.answer.verdict) == (verdict, verdict)
