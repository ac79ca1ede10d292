"""Questions that count each request once where several copies of one scrape are stored: the greatest growth
of the copies, their mean of a gauge.
"""

from __future__ import annotations

import re
from functools import lru_cache

from live_dashboards.sources.queries import FINITE

_QUOTED = r'"(?:[^"\\]|\\.)*"'
_MATCHERS = rf"(?:\{{(?:[^\"}}]|{_QUOTED})*\}})?"
_SELECTOR = rf"(?:\$errors|[a-zA-Z_:][\w:]*){_MATCHERS}"
_STEPS = rf"(?:\$errors|[a-zA-Z_:][\w:]*:increase5m){_MATCHERS}"
_GROWTH = rf"\b(?:(?:increase|rate|irate)\(\s*{_SELECTOR}|sum_over_time\(\s*{_STEPS})\s*\[[^\]]*\]\s*\)"
_PER_SERIES = re.compile(rf"{_QUOTED}|(?P<growth>{_GROWTH})|(?P<gauge>{_SELECTOR} {re.escape(FINITE)})")


@lru_cache(maxsize=256)
def once(promql: str, copy_labels: tuple[str, ...]) -> str:
    """The PromQL with the series that differ in these labels alone taken for one; the same text where there
    are none.

    Of the copies of a counter the one that grew most counts, as a gap can only hide growth; of a gauge their
    mean, so that an instance has one voice.
    """
    if not copy_labels:
        return promql
    labels = ", ".join(copy_labels)

    def merged(found: re.Match[str]) -> str:
        if found["growth"]:
            return f"max without ({labels}) ({found['growth']})"
        return f"avg without ({labels}) ({found['gauge']})" if found["gauge"] else found[0]

    return _PER_SERIES.sub(merged, promql)
