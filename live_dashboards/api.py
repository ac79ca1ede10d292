"""What a notebook holds: `ab_test()` and `business()` ask the sources once, and their results show themselves
in a few lines, become frames of pandas, draw themselves, and tell what the challenger is worth by other
amounts, without asking again.
"""

from __future__ import annotations

import difflib
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from numbers import Integral, Real
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from live_dashboards.app import pipeline
from live_dashboards.app.options import Request
from live_dashboards.errors import SettingsError, UsageError
from live_dashboards.model.business_case import BusinessCase, BusinessReport
from live_dashboards.model.card import Card
from live_dashboards.model.measurement import Measurement
from live_dashboards.model.moment import format_moment, format_second, format_window, parse_page_moment
from live_dashboards.model.number import NOTHING, format_estimate, format_number
from live_dashboards.model.presentation import count_words, state_words
from live_dashboards.model.report import AbReport, Report, VariantFacts
from live_dashboards.model.snapshot import Snapshot
from live_dashboards.settings import Settings, known_names, load_settings
from live_dashboards.sources.metrics import AbTestMetrics

if TYPE_CHECKING:
    import pandas as pd

    from live_dashboards.draw.png.compose import Layout
    from live_dashboards.draw.png.dashboard import HasReports, Picture

OfReport = TypeVar("OfReport", AbReport, BusinessReport)
Given = str | float | Path | datetime
"""What a setting may be given as."""

_COMMAND = Request()  # whose defaults these are
_NOTEBOOK_DPI = 150
_ON_MISSING = ("simulate", "mark")
_OPTIONS = ("experiment", "window", "at", "simulate", "on_missing", "seed", "env_file")
_SETTING_OF = {"experiment": "AB_EXPERIMENT", "window": "AB_WINDOW"}


def ab_test(
    *,
    experiment: str | None = None,
    window: str | None = None,
    at: datetime | str | float | None = None,
    simulate: bool = False,
    on_missing: str = "simulate",
    seed: int = 42,
    env_file: str | Path | None = None,
    **settings: Given,
) -> AbResult:
    """Asks the sources for the A/B test, as the command `ab` does.

    `settings` are settings by their names, over environment and settings file. `window` is a Prometheus
    duration such as "24h"; `at` the moment to look at: a datetime with its zone, RFC 3339, or unix seconds;
    `simulate` leaves the sources alone; `on_missing` says whether panels of a missing source are simulated
    ("simulate") or left empty ("mark"). Raises SettingsError and UsageError, each naming what is wrong and
    what is allowed.
    """
    named = {"experiment": experiment, "window": window}
    own = _settings(settings, named, env_file)
    request = _request(at, seed, on_missing, simulate=simulate)
    return AbResult.from_answers(pipeline.ask(own, request), own, request)


def business(
    *,
    experiment: str | None = None,
    window: str | None = None,
    at: datetime | str | float | None = None,
    simulate: bool = False,
    on_missing: str = "simulate",
    seed: int = 42,
    env_file: str | Path | None = None,
    **settings: Given,
) -> BusinessResult:
    """Asks the sources what the challenger is worth, as the command `business` does; arguments and errors as
    of `ab_test()`.
    """
    named = {"experiment": experiment, "window": window}
    own = _settings(settings, named, env_file)
    request = _request(at, seed, on_missing, simulate=simulate)
    return BusinessResult.from_answers(pipeline.ask(own, request), own, request)


@dataclass(frozen=True, slots=True, repr=False)
class Result(ABC, Generic[OfReport]):
    """The sources' answers of one moment, the settings and options with which they were asked for, and the
    report that they make.
    """

    snapshot: Snapshot
    settings: Settings
    request: Request
    report: OfReport

    def __repr__(self) -> str:
        return self._card.text()

    def _repr_html_(self) -> str:
        return self._card.html()

    @property
    def badge(self) -> str:
        """What the numbers are: `LIVE DATA`, `OPERATIONAL DATA`, `MODEL DATA`, `CACHED DATA` or `SIMULATED
        DATA`.
        """
        return self.report.badge.kind.value

    @property
    def verdict(self) -> str:
        """The A/B test's verdict, such as `SHIP`; `report.answer` says it in a sentence, `report.verdicts`
        the rule and the reasons by challenger.
        """
        return self.report.answer.verdict

    @property
    def metrics(self) -> AbTestMetrics:
        """The queries to Prometheus by name, as `get_ab_test_metrics()` gives them; simulated ones only where
        that was asked for with `simulate=True`.
        """
        stand_in = None
        if self.request.simulate_only:
            stand_in = pipeline.simulated(self.snapshot, self.settings, self.request).prometheus
        return AbTestMetrics.of(self.snapshot, self.settings, stand_in)

    def to_pandas(self) -> pd.DataFrame:
        """Every number of the page, a row each: name, variant, value, unit, low and high of its 95 %
        interval, n, origin, source, query, observed_at (UTC), reason, stale.
        """
        from live_dashboards.outputs.summary_parts import frame

        return frame(self.report.measurements)

    def summary(self) -> dict[str, Any]:
        """The document that the command writes as JSON."""
        from live_dashboards.outputs.summary import summary

        return summary(self.report)

    def to_json(self) -> dict[str, Any]:
        """The same as `summary()`: plain values, as JSON has them."""
        return self.summary()

    def figure(
        self,
        *,
        size_inches: tuple[float, float] = _COMMAND.size_inches,
        dpi: float = _NOTEBOOK_DPI,
        layout: Layout[Any] | str | None = None,
    ) -> Picture:
        """The dashboard as matplotlib's figure, which a notebook shows; by another layout, or that of the
        other dashboard ("ab", "business"), where one is given.
        """
        return _create_dashboard_panels(self, size_inches=size_inches, dpi=dpi, layout=layout)

    def save(
        self,
        path: str | Path,
        *,
        size_inches: tuple[float, float] = _COMMAND.size_inches,
        dpi: int = _COMMAND.dpi,
    ) -> Path:
        """Writes the picture that the command would write, as PNG, PDF or SVG by the path's suffix; the path.

        UsageError for another suffix, OutputError where it cannot be written.
        """
        from live_dashboards.outputs.files import check_output_path

        check_output_path(Path(path))
        figure = self.figure(size_inches=size_inches, dpi=dpi)
        from live_dashboards.outputs.image import write_image

        write_image(figure, Path(path), dpi=dpi, report=self.report)
        return Path(path)

    def business(self, **amounts: Given) -> BusinessResult:
        """What the challenger is worth by the settings' amounts, but for those that are given; the sources
        are not asked again. UsageError for another setting, SettingsError for a wrong name or value.
        """
        from live_dashboards.analysis.business.terms import PARAMETERS

        _refuse_unknown(amounts)
        known = [name for name, *_ in PARAMETERS]
        others = [name for name in amounts if name not in known]
        if others:
            raise UsageError(
                f"of the same answers business() takes the amounts {', '.join(known)}; with {others[0]} ask "
                "again: live_dashboards.business()"
            )
        own = self.settings.changed(_texts(amounts))
        return BusinessResult.from_answers(self.snapshot, own, self.request)

    def report_for(self, dashboard: str | None) -> Report:
        """The report of the dashboard of that name, `ab` or `business`; None: its own."""
        if dashboard in {None, self.report.dashboard}:
            return self.report
        return pipeline.report(str(dashboard), self.snapshot, self.settings, self.request)

    @property
    @abstractmethod
    def _card(self) -> Card:
        """What a notebook shows."""


@dataclass(frozen=True, slots=True, repr=False)
class AbResult(Result[AbReport]):
    """An A/B test: verdict, numbers of each variant, and what they come from."""

    @classmethod
    def from_answers(cls, snapshot: Snapshot, settings: Settings, request: Request) -> AbResult:
        """The result of answers that are already there."""
        return cls(snapshot, settings, request, pipeline.ab_report(snapshot, settings, request))

    @property
    def _card(self) -> Card:
        return ab_card(self.report)


@dataclass(frozen=True, slots=True, repr=False)
class BusinessResult(Result[BusinessReport]):
    """What the challenger is worth: net value, ROI, payback, and a recommendation."""

    @classmethod
    def from_answers(cls, snapshot: Snapshot, settings: Settings, request: Request) -> BusinessResult:
        """The result of answers that are already there."""
        report = pipeline.report(pipeline.BUSINESS, snapshot, settings, request)
        assert isinstance(report, BusinessReport)  # noqa: S101 for the type checker
        return cls(snapshot, settings, request, report)

    @property
    def recommendation(self) -> str:
        """Such as `deploy` or `keep testing`; `report.recommendation` says why."""
        return self.report.recommendation.verdict

    @property
    def case(self) -> BusinessCase:
        """Every term, net value, ROI, payback and break-even, with intervals and inputs."""
        return self.report.case

    @property
    def _card(self) -> Card:
        return business_card(self.report)


@dataclass(frozen=True, slots=True)
class _Reports:
    """The reports of what the connector gave."""

    metrics: AbTestMetrics

    def report_for(self, dashboard: str | None) -> Report:
        """The report of that dashboard; None: the A/B page."""
        return pipeline.report(
            dashboard or pipeline.AB, self.metrics.snapshot, self.metrics.settings, Request()
        )


def _create_dashboard_panels(
    report: Report | HasReports | AbTestMetrics,
    *,
    size_inches: tuple[float, float] = _COMMAND.size_inches,
    dpi: float = _COMMAND.dpi,
    layout: Layout[Any] | str | None = None,
) -> Picture:
    """The dashboard of a report, of the result of `ab_test()` or `business()`, or of what
    `get_ab_test_metrics()` gives, as matplotlib's figure.

    `layout` is a Layout, or the name of a dashboard's own: "ab" or "business". UsageError for a layout that
    there is none of, for one that draws another report, and for a page too small for legible text.
    """
    from live_dashboards.draw.png.dashboard import _create_dashboard_panels as drawn

    shown = _Reports(report) if isinstance(report, AbTestMetrics) else report
    return drawn(shown, size_inches=size_inches, dpi=dpi, layout=layout)


def _settings(
    given: Mapping[str, Given], named: Mapping[str, str | None], env_file: str | Path | None
) -> Settings:
    """The settings of the environment and the settings file, under the given ones."""
    _refuse_unknown(given, _OPTIONS)
    texts = _texts(given)
    for option, value in named.items():
        name = _SETTING_OF[option]
        if value is not None and name in texts:
            raise UsageError(f"{option} and {name} are one setting; give one of them")
        if value is not None:
            texts |= _texts({name: value})
    if not isinstance(env_file, str | Path | None):
        raise UsageError(f"env_file is {env_file!r}; give the settings file's path")
    return load_settings(env_file=None if env_file is None else Path(env_file), overrides=texts)


def _refuse_unknown(names: Iterable[str], options: Iterable[str] = ()) -> None:
    known = known_names()
    for name in names:
        if name not in known:
            raise SettingsError(
                f"there is no setting {name}, did you mean {_nearest(name, (*options, *known))}? "
                "`live-dashboards ab --help` lists the settings"
            )


def _nearest(name: str, known: Iterable[str]) -> str:
    """The known name that looks most like it, whatever its case: of those that hold the whole of it, if any
    does.
    """
    spelled = {each.lower(): each for each in known}
    longer = [each for each in spelled if name and name.lower() in each]
    return spelled[difflib.get_close_matches(name.lower(), longer or spelled, n=1, cutoff=0.0)[0]]


def _texts(given: Mapping[str, object]) -> dict[str, str]:
    """Settings as the environment would hold them; SettingsError for what is neither text nor a number nor a
    moment. Values may be secrets, so no message tells them.
    """
    return {name: _text(name, value) for name, value in given.items()}


def _text(name: str, value: object) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, str | Path):
        return str(value)
    if isinstance(value, Integral):
        return str(int(value))
    if isinstance(value, Real):
        return format(Decimal(repr(float(value))), "f")
    if isinstance(value, datetime) and value.tzinfo is not None:
        return format_moment(value)
    raise SettingsError(
        f"{name} is a {type(value).__name__}, but must be text, a number, or a datetime with its zone; leave "
        "it out for its default"
    )


def _request(at: object, seed: object, on_missing: str, *, simulate: bool) -> Request:
    """The options of the command line that a notebook has, checked."""
    if on_missing not in _ON_MISSING:
        raise UsageError(
            f"on_missing is {on_missing!r}, did you mean {_nearest(str(on_missing), _ON_MISSING)!r}? It is "
            f"one of {', '.join(map(repr, _ON_MISSING))}"
        )
    if not isinstance(seed, Integral) or isinstance(seed, bool):
        raise UsageError(f"seed is {seed!r}, but must be a whole number")
    if not isinstance(simulate, bool):
        raise UsageError(f"simulate is {simulate!r}, but must be True or False")
    return Request(at=_moment(at), seed=int(seed), on_missing=on_missing, simulate_only=simulate)


def _moment(at: object) -> datetime | None:
    """The moment to look at; None is now."""
    if at is None:
        return None
    try:
        if isinstance(at, datetime):
            if at.tzinfo is None:
                raise ValueError(f"{at.isoformat()} has no zone; give it one, such as tzinfo=UTC")
            return parse_page_moment(format_moment(at))
        if isinstance(at, str | Real) and not isinstance(at, bool):
            return parse_page_moment(str(at))
    except ValueError as error:
        raise UsageError(f"at: {error}") from None
    raise UsageError(
        f"at is a {type(at).__name__}, but must be a datetime with its zone, RFC 3339 "
        "(2026-11-23T10:00:00Z) or unix seconds"
    )


def ab_card(report: AbReport) -> Card:
    """Verdict and what to do, and requests, accuracy, error rate and p95 of each variant."""
    answer = report.answer
    columns = "requests", report.logged_quality.metric().words, "error rate", "p95"
    return Card(
        (_badge(report), f"{answer.verdict}: {answer.sentence}", answer.do_now, _about(report)),
        ("variant", *columns),
        tuple(map(_variant, report.variants)),
        columns,
        "95 % intervals in parentheses, of p95 the bucket that holds it; to_pandas() has all numbers",
    )


def business_card(report: BusinessReport) -> Card:
    """The recommendation, and net value, ROI, payback and chance."""
    advice = report.recommendation
    said = f"{advice.verdict}: {'; '.join(advice.reasons)}" if advice.reasons else advice.verdict
    return Card(
        (_badge(report), f"recommendation: {said}", _about(report)),
        ("challenger against baseline", "value", ""),
        report.headline_words,
        ("value",),
        "the amounts and what was measured: case.assumptions, case.inputs; to_pandas() has all numbers",
    )


def _badge(report: Report) -> str:
    return f"{report.badge.kind.value}: {report.badge.second_line}"


def _about(report: Report) -> str:
    """Which test, over which time."""
    whom = f"{report.challenger} against {report.baseline}" if report.challenger else f"{report.baseline}"
    where = f", experiment {report.experiment}" if report.experiment else ""
    return f"{format_window(report.window_seconds)} up to {format_second(report.at)}: {whom}{where}"


def _variant(facts: VariantFacts) -> tuple[str, ...]:
    counted = f"{count_words(facts.requests)}{state_words(facts.requests)}"
    return (facts.variant, counted, *map(_estimate, (facts.accuracy, facts.error_rate, facts.p95_latency_ms)))


def _estimate(found: Measurement) -> str:
    """The value with its interval where it has one."""
    if found.value is None:
        return NOTHING
    limits = found.interval
    words = (
        format_number(found.value, found.unit)
        if limits is None
        else format_estimate(found.value, limits.low, limits.high, found.unit)
    )
    return f"{words}{state_words(found)}"
