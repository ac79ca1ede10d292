"""Which engine answers, from what it tells of its build; the real ones are asked in test_prometheus_engines."""

from __future__ import annotations

import pytest

from live_dashboards.errors import SourceError
from live_dashboards.sources.prometheus.client import engine_of
from live_dashboards.sources.prometheus.reply import Reply

BUILD = {"version": "2.24.0", "revision": "02e92236a8bad3503ff5eec3e04ac205a3b8e4fe", "branch": "HEAD", "goVersion": "go1.15.6"}


@pytest.mark.parametrize(
    ("facts", "names_its_host", "title"),
    [
        ({}, True, "VictoriaMetrics"),
        ({"version": "2.24.0"}, True, "VictoriaMetrics"),
        ({"version": "2.24.0"}, False, "VictoriaMetrics"),  # behind a proxy that takes its header away
        ({"version": "2.26.0"}, True, "VictoriaMetrics"),  # should it pretend another one
        (BUILD, False, "2.24.0"),  # the real one of that version
        (BUILD, True, "2.24.0"),  # behind a proxy that adds such a header
        ({**BUILD, "version": "3.5.3"}, False, "3.5.3"),
        ({**BUILD, "version": "2.17.0", "application": "Grafana Mimir"}, False, "Grafana Mimir 2.17.0"),
        ({"version": "3.5.3"}, False, "3.5.3"),
        ({}, False, None),
    ],
)
def test_another_engine_is_named_and_prometheus_by_its_version(*, facts: dict[str, str], names_its_host: bool, title: str | None) -> None:
    assert engine_of(Reply(facts=facts, names_its_host=names_its_host)).title == title


def test_who_does_not_tell_its_build_is_not_named() -> None:
    assert engine_of(SourceError("status 404", "ask the right address")).title is None
