"""What the process tells of itself stays bounded and forgets who has left."""

from types import SimpleNamespace

from live_dashboards.web import metrics as module
from live_dashboards.web.metrics import Metrics


def value(metrics, name, **labels):
    return metrics.registry.get_sample_value(f"live_dashboards_{name}", labels)


def test_a_viewer_who_asks_no_more_is_forgotten(monkeypatch):
    now = [0.0]
    monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: now[0]))
    metrics, found = Metrics(60.0), []
    metrics.viewed("one")
    for now[0] in (59.0, 61.0):
        found.append(value(metrics, "viewers"))
    assert found == [1.0, 0.0]


def test_viewers_are_remembered_by_a_short_name_and_no_more_of_them_than_a_process_can_hold(monkeypatch):
    monkeypatch.setattr(module, "_MOST_VIEWERS", 5)
    metrics = Metrics(60.0)
    for number in range(10):
        metrics.viewed(f"{number}" * 1000)
    assert (value(metrics, "viewers"), max(map(len, metrics._viewers))) == (5.0, 64)


def test_an_answer_is_counted_by_route_and_status():
    metrics = Metrics(60.0)
    for status in (200, 200, 304):
        metrics.answered("/api/v1/page", status, 0.01)
    counts = [value(metrics, "http_request_duration_seconds_count", route="/api/v1/page", status=f"{status}") for status in (200, 304)]
    assert counts == [2.0, 1.0]


def test_two_pages_in_one_process_keep_their_numbers_apart():
    one, two = Metrics(60.0), Metrics(60.0)
    one.viewed("somebody")
    assert (value(one, "viewers"), value(two, "viewers")) == (1.0, 0.0)
