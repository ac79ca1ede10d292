"""Counters counted over ranges of time: the server's differences and a look for seams in one go, then what
the seams add.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from live_dashboards.sources.prometheus.counting.edges import Edges
from live_dashboards.sources.prometheus.counting.growth import Growth, GrowthQuestions
from live_dashboards.sources.prometheus.counting.recorded_unseen import with_unseen
from live_dashboards.sources.prometheus.counting.repair import Repair
from live_dashboards.sources.prometheus.counting.seams import Looking
from live_dashboards.sources.prometheus.counting.seen import Seen
from live_dashboards.sources.prometheus.exchange import Question
from live_dashboards.sources.prometheus.reply import Outcome
from live_dashboards.sources.prometheus.scope import Scope
from live_dashboards.sources.queries import AbQuery


@dataclass(frozen=True, slots=True)
class Counted:
    """What was counted in a range, by the name of each counter's query, and what was seen of it."""

    seen: Seen
    growths: dict[str, Growth]

    @property
    def edges(self) -> Edges:
        """The blocks of the range."""
        return self.seen.looking.range


@dataclass(frozen=True, slots=True)
class Count:
    """The counters of one range."""

    scope: Scope
    queries: tuple[AbQuery, ...]
    edges: Edges

    def questions(self) -> list[Question]:
        """All that is asked first."""
        return [*self._growing.questions(), *self._looking.questions()]

    def counted(self, repair: Repair, outcomes: Sequence[Outcome]) -> Counted:
        """What the first outcomes say, put right with what else has to be asked."""
        seen = self.seen(repair, outcomes)
        return Counted(seen, with_unseen(repair.ask, self.scope, repair.repaired(seen)))

    def seen(self, repair: Repair, outcomes: Sequence[Outcome]) -> Seen:
        """What the first outcomes and what else has to be asked say, not yet put right."""
        asked = len(self._growing.questions())
        growths, summed = self._growing.growths(repair.ask, outcomes[:asked])
        return repair.seen(self._looking, outcomes[asked:], growths, summed)

    @property
    def _growing(self) -> GrowthQuestions:
        return GrowthQuestions(self.scope, self.queries, self.edges)

    @property
    def _looking(self) -> Looking:
        return Looking.at(self.scope, self.queries, self.edges)
