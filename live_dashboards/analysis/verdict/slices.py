"""Each gate by the values of AB_SLICE_LABEL, and whether they differ: where harm comes from is told, and
changes no verdict.

A value that both arms have is compared as the gate is: challenger minus baseline within blocks of time. One
that only one arm has, as an instance mostly serves one, is compared with the rest of its own arm.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from live_dashboards.analysis.facts.arms import Arm, arm, counters_of
from live_dashboards.analysis.facts.page import PageFacts, failure
from live_dashboards.analysis.facts.period import period_of
from live_dashboards.analysis.facts.slices import Slice, slices_of
from live_dashboards.analysis.statistics.heterogeneity import (
    Heterogeneous,
    Pair,
    cochran_q,
    contrasts_q,
    is_enough,
)
from live_dashboards.analysis.statistics.sequential import normal_sequence
from live_dashboards.analysis.statistics.stratified import (
    Strata,
    harm_variance,
    long_run_of,
    sequence_of,
    strata,
    together,
)
from live_dashboards.analysis.verdict.blocks import SharedBlocks, shared_blocks
from live_dashboards.analysis.verdict.effect import margins, planned_requests
from live_dashboards.model.measurement import Interval, Measurement, Origin
from live_dashboards.model.metrics import ONLINE_ACCURACY, metric_of
from live_dashboards.model.names import escaped
from live_dashboards.model.notices import WHY
from live_dashboards.model.number import format_percent, format_signed
from live_dashboards.model.slices import ByLabel, Heterogeneity, SliceRow
from live_dashboards.model.snapshot import Accumulated, Slices

_ALPHA = 0.05
_ONE_LOOK = "chi-square, for one look, with the long-run variance"
_OF_DIFFERENCES = f"Cochran's Q of the differences, {_ONE_LOOK}"
_OF_RATES = f"Cochran's Q of the rates, by contrasts within blocks of time, {_ONE_LOOK}"


def by_label(page: PageFacts) -> ByLabel | None:
    """The gates of every challenger by the label's values; None where AB_SLICE_LABEL is not set."""
    label = page.settings["AB_SLICE_LABEL"]
    if label is None:
        return None
    found = _counted(page, page.roles.challenger, label)
    if isinstance(found, str):
        return ByLabel(label, reason=found)
    slices = found[1]
    compared = [each for name in page.roles.names[1:] for each in _of_challenger(page, name, label)]
    rows = tuple(row for each in compared for row in each.rows)
    tests = tuple(test for each in compared for test in each.heterogeneity)
    origins = [row.difference.origin for row in rows if row.difference.value is not None]
    return ByLabel(
        label,
        slices.values_count,
        len(slices.values),
        rows,
        tests,
        tuple(_standing_out(label, rows)),
        max(origins, key=lambda origin: origin.weakness, default=Origin.MISSING),
        "" if origins else _why_nothing(rows, tests),
    )


def _why_nothing(rows: Sequence[SliceRow], tests: Sequence[Heterogeneity]) -> str:
    """Why no value has a difference."""
    reasons = [*(row.difference.reason for row in rows), *(test.reason for test in tests)]
    return "; ".join(dict.fromkeys(filter(None, reasons))) or "no gate was counted by it"


def _counted(page: PageFacts, challenger: str | None, label: str) -> tuple[Accumulated, Slices] | str:
    """What was counted since the start, whole and by the label; or why that is not there."""
    if page.is_simulated:
        return "simulated requests have no labels"
    if not page.counted.prometheus.status.has_answered:
        return failure(page.prometheus_status)
    if challenger is None:
        return "there is no challenger to compare"
    period, counted = period_of(page, challenger)
    if counted is None:
        return f"nothing was counted since the start of the test: {period.reason}"
    if counted.slices is None or counted.slices.label != label:
        return f"these answers were asked without AB_SLICE_LABEL={label}: ask the sources again"
    return (counted, counted.slices) if counted.slices.values else counted.slices.reason or _no_traffic(label)


def _no_traffic(label: str) -> str:
    return f"no value of the label {label} has had a request since the start of the test"


@dataclass(frozen=True, slots=True)
class _Compared:
    """What one gate of one challenger says by the label."""

    rows: tuple[SliceRow, ...]
    heterogeneity: tuple[Heterogeneity, ...]


def _of_challenger(page: PageFacts, challenger: str, label: str) -> Iterator[_Compared]:
    found = _counted(page, challenger, label)
    if isinstance(found, str):
        return
    counted, slices = found
    metrics = [*margins(page)]
    if page.settings["AB_ONLINE_CORRECT_METRIC"] is not None:
        metrics.append(ONLINE_ACCURACY)
    parts = slices_of(counted, slices)
    for metric in metrics:
        yield _Gate(page, challenger, metric, slices, parts).compared()


@dataclass(frozen=True, slots=True)
class _Side:
    """One value of the label in one comparison: whom it is compared with, and what else is compared with
    each other without it, None within an arm.
    """

    part: Slice
    arm: str
    compared_with: str
    own: Arm
    other: Arm
    beyond: tuple[Arm, Arm] | None
    blocks: SharedBlocks  # those in which both were counted
    found: Strata | None  # None where there is no such block

    @property
    def is_within_arm(self) -> bool:
        return self.beyond is None

    @classmethod
    def of(
        cls, part: Slice, names: tuple[str, str], arms: tuple[Arm, Arm], beyond: tuple[Arm, Arm] | None = None
    ) -> _Side:
        """The comparison of two arms, by the name of the first and what the other one is."""
        blocks = shared_blocks(arms[0].blocks, arms[1].blocks)
        found = strata(blocks.treatment, blocks.control) if blocks.ends else None
        return cls(part, *names, *arms, beyond, blocks, found)


@dataclass(frozen=True, slots=True)
class _Gate:
    """One metric of one challenger against the baseline, by the values of the label."""

    page: PageFacts
    challenger: str
    metric: str
    slices: Slices
    parts: tuple[Slice, ...]

    @property
    def label(self) -> str:
        return self.slices.label

    def compared(self) -> _Compared:
        """Its rows, and whether the values differ."""
        sides = self._sides()
        rows = tuple(self._row(side, len(sides)) for side in sides)
        if not sides:
            return _Compared((), (self._untold(),))
        return _Compared(rows, tuple(self._tests(sides)))

    def _sides(self) -> list[_Side]:
        """Of values that both arms have one comparison, else one of each arm that has it; the others are
        compared as those that are named.
        """
        named = [side for part in self.parts if part.value is not None for side in self._of(part)]
        is_by_arm = bool(named) and all(side.is_within_arm for side in named)
        others = (part for part in self.parts if part.value is None)
        return [*named, *(side for part in others for side in self._of(part, is_by_arm=is_by_arm))]

    def _of(self, part: Slice, *, is_by_arm: bool = False) -> Iterator[_Side]:
        page, names = self.page, (self.challenger, self.page.roles.baseline)
        own = [arm(page, part.own, name, self.metric) for name in names]
        rest = [arm(page, part.rest, name, self.metric) for name in names]
        if all(each.counts is not None for each in own) and not is_by_arm:
            yield _Side.of(part, names, (own[0], own[1]), (rest[0], rest[1]))
            return
        for name, ours, theirs in zip(names, own, rest, strict=True):
            is_told = name == self.challenger or self._tells_baseline(part, is_by_arm=is_by_arm)
            if ours.counts is not None and is_told:
                yield _Side.of(part, (name, f"the rest of {name}"), (ours, theirs))

    def _tells_baseline(self, part: Slice, *, is_by_arm: bool) -> bool:
        """Whether the baseline's share of a value is told here: once, beside the challenger that the page is
        about, and not where another challenger has the value, too.
        """
        if self.challenger != self.page.roles.challenger:
            return False
        others = (name for name in self.page.roles.names[1:] if name != self.challenger)
        return is_by_arm or all(arm(self.page, part.own, name, self.metric).counts is None for name in others)

    def _untold(self) -> Heterogeneity:
        reason = next(
            filter(
                None,
                (arm(self.page, part.own, self.challenger, self.metric).rate.reason for part in self.parts),
            ),
            "not counted",
        )
        return Heterogeneity(
            self.metric, self.challenger, None, 0, None, _OF_DIFFERENCES, Origin.MISSING, reason
        )

    def _row(self, side: _Side, family: int) -> SliceRow:
        inputs = (self._rate(side, side.own, ""), self._rate(side, side.other, "_compared"))
        row = SliceRow(
            side.part.value,
            side.part.name,
            self.metric,
            side.arm,
            side.compared_with,
            side.is_within_arm,
            self._missing(side, inputs),
            "",
            side.own.counts.n if side.own.counts else None,
            side.other.counts.n if side.other.counts else None,
        )
        found = side.found
        if found is None:
            return row
        variance = self._variance(found, side.blocks)
        limits = sequence_of(found, self._planned(family), _ALPHA, variance)
        is_open = self._is_open(side)
        interval = None if is_open else Interval(100 * limits.low, 100 * limits.high)
        method = f"{limits.method}, the variance by which harm is judged"
        difference = replace(
            row.difference,
            value=100 * found.estimate,
            origin=inputs[0].origin,
            interval=interval,
            n=found.arms[0].n,
            reason=f"no interval, {WHY}" if is_open else method,
        )
        return replace(
            row,
            difference=difference,
            method=method,
            n=found.arms[0].n,
            n_compared=found.arms[1].n,
            stands_out=not is_open and self._stands_out(side, found, variance, family),
        )

    def _is_open(self, side: _Side) -> bool:
        """Whether what was counted of either side is only known to be at least so much."""
        variants = {side.arm, *(() if side.is_within_arm else (side.compared_with,))}
        answers = map(self.slices.block, counters_of(self.metric))
        return any(
            self.page.roles.by_model.get(series.label("model_name")) in variants
            for answer in answers
            for series in answer.most
        )

    def _missing(self, side: _Side, inputs: tuple[Measurement, Measurement]) -> Measurement:
        """The difference without a value, and why there is none."""
        if side.other.counts is not None:
            reason = "none was counted of both in the same block of time"
        else:
            reason = f"{self.label} {side.part.name} is the only one of {side.arm}"
        kind = "within" if side.is_within_arm else "difference"
        return Measurement(
            f"{self.metric}_{kind}{self._suffix(side.part)}",
            None,
            "points",
            Origin.MISSING,
            side.arm,
            source=inputs[0].source,
            query=", ".join(dict.fromkeys(each.query for each in inputs if each.query)),
            observed_at=inputs[0].observed_at,
            reason=reason,
            inputs=inputs,
            stale=any(each.stale for each in inputs),
        )

    def _rate(self, side: _Side, of: Arm, ending: str) -> Measurement:
        return replace(of.rate, name=f"{self.metric}_by_label{ending}{self._suffix(side.part)}")

    def _suffix(self, part: Slice) -> str:
        value = "others" if part.value is None else '"' + escaped(part.value).replace('"', '\\"') + '"'
        return f"{{{self.label}={value}}}"

    def _planned(self, family: int) -> int:
        pair = (self.challenger, self.page.roles.baseline)
        return max(1, planned_requests(self.page.settings, self.page.roles.names, pair) // family)

    def _variance(self, found: Strata, blocks: SharedBlocks) -> float:
        at_seconds = self.page.at.timestamp()
        return harm_variance(found, blocks.last_ends, at_seconds)

    def _stands_out(self, side: _Side, found: Strata, variance: float, family: int) -> bool:
        """Whether the value is worse than all others, at 95 % over all values (Bonferroni)."""
        alpha, sign = _ALPHA / family, -1 if metric_of(self.metric).is_higher_better else 1
        if side.beyond is None:
            limits = sequence_of(found, self._planned(family), alpha, variance)
            return (limits.low if sign > 0 else -limits.high) > 0
        beyond = shared_blocks(side.beyond[0].blocks, side.beyond[1].blocks)
        if not beyond.ends:
            return False
        rest = strata(beyond.treatment, beyond.control)
        if found.has_few_events or rest.has_few_events:
            return False
        spread = math.sqrt(variance + self._variance(rest, beyond))
        apart, n = found.estimate - rest.estimate, sum(each.n for each in (*found.arms, *rest.arms))
        half, _ = normal_sequence(apart, spread, n, self._planned(1), alpha)
        return sign * apart - half > 0

    def _tests(self, sides: Sequence[_Side]) -> Iterator[Heterogeneity]:
        """One of the values that both arms have, and one of each arm's own."""
        both = [side for side in sides if not side.is_within_arm]
        if len(both) > 1:
            of = f"{self.challenger} − {self.page.roles.baseline}"
            yield self._test(of, _differences_q(both), _OF_DIFFERENCES, both)
        for name in (self.challenger, self.page.roles.baseline):
            own = [side for side in sides if side.is_within_arm and side.arm == name]
            if len(own) > 1:
                yield self._test(name, contrasts_q([*_contrasts(own)]), _OF_RATES, own)

    def _test(
        self, of: str, found: Heterogeneous | None, method: str, sides: Sequence[_Side]
    ) -> Heterogeneity:
        origin = max((side.own.rate.origin for side in sides), key=lambda each: each.weakness)
        is_open = any(map(self._is_open, sides))
        if found is None or is_open:
            reason = f"not judged, {WHY}" if is_open else "too few events to tell the values apart"
            return Heterogeneity(self.metric, of, None, 0, None, method, origin, reason)
        return Heterogeneity(self.metric, of, found.q, found.degrees, found.p_value, method, origin)


def _differences_q(sides: Iterable[_Side]) -> Heterogeneous | None:
    """Of differences that have a variance: values with too few events are left out."""
    estimates, variances = [], []
    for side in sides:
        found, blocks = side.found, side.blocks
        if found is not None and is_enough((blocks.treatment, blocks.control)):
            estimates.append(found.estimate)
            variances.append(long_run_of(found))
    if len(estimates) < 2 or min(variances) <= 0:
        return None
    return cochran_q(estimates, variances)


def _contrasts(sides: Sequence[_Side]) -> Iterator[Pair]:
    """Each value beside all before it."""
    before = dict(sides[0].own.blocks)
    for side in sides[1:]:
        blocks = shared_blocks(side.own.blocks, before)
        yield blocks.treatment, blocks.control
        before |= {
            end: together([counts, before[end]]) if end in before else counts
            for end, counts in side.own.blocks.items()
        }


def _standing_out(label: str, rows: Sequence[SliceRow]) -> Iterator[str]:
    """Of each gate and arm the value that is worst, of those that stand out."""
    for metric, name in dict.fromkeys((row.metric, row.arm) for row in rows):
        found = [row for row in rows if row.stands_out and (row.metric, row.arm) == (metric, name)]
        if found:
            worst = max(found, key=lambda row: abs(row.difference.value or 0.0))
            more = f", and from {len(found) - 1} more" if len(found) > 1 else ""
            where = f"{label} {worst.name}{_numbers(worst)}{more}"
            yield f"{_events(metric)} of {name} come from {where}: {_moral(label, worst)}"


def _events(metric: str) -> str:
    """What a value has too much of."""
    return "wrong answers" if metric == ONLINE_ACCURACY else metric_of(metric).amount


def _numbers(row: SliceRow) -> str:
    own, other = row.difference.inputs
    if row.is_within_arm:
        return f" ({format_percent(own.value, 2)}, the rest {format_percent(other.value, 2)})"
    return f" ({format_signed(row.difference.value, 'points', 2)} against {row.compared_with})"


def _moral(label: str, row: SliceRow) -> str:
    article = "an" if label[:1].lower() in "aeiou" else "a"
    if row.is_within_arm:
        return f"{article} {label} fault is no model fault"
    return "look at what is different there before the model is blamed"
