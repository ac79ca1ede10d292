"""Which raw series a counter adds up: its metric, and what its selector asks of their labels."""

from __future__ import annotations

import re
from collections.abc import Callable

from live_dashboards.sources.prometheus.counting.growth import counted_selector
from live_dashboards.sources.prometheus.counting.samples import Labels, SeriesKey
from live_dashboards.sources.prometheus.scope import Scope
from live_dashboards.sources.queries import AbQuery

_STATUS = re.compile(r'\bstatus="([^"]*)"')
_EDGES = re.compile(r'\ble=~"((?:[^"\\]|\\.)*)"')


def metric_of(query: AbQuery, scope: Scope) -> str:
    """The metric of a counter's series."""
    return counted_selector(scope, query).partition("{")[0]


def counted_by(query: AbQuery, scope: Scope) -> Callable[[SeriesKey], bool]:
    """What tells whether a series of the scope's experiment is one that the counter adds up."""
    selector = counted_selector(scope, query)
    metric, status, named = selector.partition("{")[0], _STATUS.search(selector), _EDGES.search(selector)
    edges = None if named is None else {float(text.replace("\\", "")) for text in named[1].split("|")}

    def is_counted(key: SeriesKey) -> bool:
        if key.metric != metric or (status is not None and key.label("status") != status[1]):
            return False
        return edges is None or key.edge in edges

    return is_counted


def group_of(query: AbQuery, labels: Labels) -> Labels:
    """The labels under which a series' growth is added up; one that it does not have is left out."""
    return tuple(pair for pair in labels if pair[0] in query.labels and pair[1])
