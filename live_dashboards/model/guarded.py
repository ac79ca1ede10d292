"""What must not get worse in a test: each guarded quantity is one entry, the error rate, the latency and what
AB_GUARDRAILS names alike; and the counters that the latter name.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_QUOTED = str.maketrans({"\\": "\\\\", '"': '\\"', "\n": "\\n"})


@dataclass(frozen=True, slots=True)
class LabelMatcher:
    """A matcher of a Prometheus selector: a label, `=`, `!=`, `=~` or `!~`, and the value or the pattern of
    the whole value. A label that a series does not have is empty.
    """

    label: str
    operator: str
    value: str

    def holds(self, value: str) -> bool:
        """Whether a label with that value is matched."""
        is_like = (
            re.fullmatch(self.value, value, re.DOTALL | re.ASCII) is not None
            if self.operator.endswith("~")
            else value == self.value
        )
        return is_like != self.operator.startswith("!")

    def __str__(self) -> str:
        return f'{self.label}{self.operator}"{self.value.translate(_QUOTED)}"'


@dataclass(frozen=True, slots=True)
class EventCounter:
    """A guardrail of one's own: a counter of events in Prometheus, of which no more than `margin_points`
    percentage points more of the requests may have one; `name` is that of its comparison.
    """

    name: str
    metric: str
    matchers: tuple[LabelMatcher, ...]
    margin_points: float

    @property
    def selector(self) -> str:
        """The series that count, as Prometheus writes them."""
        return f"{self.metric}{{{', '.join(map(str, self.matchers))}}}" if self.matchers else self.metric


@dataclass(frozen=True, slots=True)
class Guarded:
    """A quantity that must not get worse by the margin, which has the unit of differences of the metric:
    `name` is the guardrail's, `metric` that of the comparison that it is judged by, `label` says what is
    shown where it holds.
    """

    name: str
    metric: str
    label: str
    margin: float
