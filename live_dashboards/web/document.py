"""What a browser is sent: which property of which component of the page has which value, the choices of its
controls, and the colours of the dark theme.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from live_dashboards.draw.web.base import DARK
from live_dashboards.draw.web.panels import figures, places
from live_dashboards.model.business_case import BusinessReport
from live_dashboards.model.chart import Panel
from live_dashboards.model.moment import format_moment, parse_duration_seconds
from live_dashboards.model.report import AbReport, Head, Report
from live_dashboards.model.snapshot import Snapshot
from live_dashboards.panels.ab import AB_PANELS
from live_dashboards.panels.business import BUSINESS_PANELS
from live_dashboards.settings import Settings
from live_dashboards.web import trees
from live_dashboards.web.refresher import pace_of
from live_dashboards.web.trees import PanelList, short
from live_dashboards.web.view import WINDOWS, own_window, windows

Figure = dict[str, Any]
Summary = Callable[[Report], dict[str, Any]]
Prop = tuple[str, str, Any]

_MOST_CHOICES = 200


class DocumentMaker:
    """Makes the document of both reports; the same reports give the same document."""

    def __init__(self, settings: Settings, summary: Summary) -> None:
        self._settings, self._summary = settings, summary
        self._limit_seconds = pace_of(settings).limit_seconds

    def __call__(
        self, snapshot: Snapshot, ab: AbReport, business: BusinessReport, names: Sequence[str]
    ) -> dict[str, Any]:
        """JSON but for the components in it."""
        props: dict[str, dict[str, Any]] = {}
        drawn = (
            _figures(AB_PANELS, ab),
            _figures(BUSINESS_PANELS, business),
        )
        for component, name, value in (
            *_top(ab, business),
            *_panels(AB_PANELS, drawn[0], ab),
            *_panels(BUSINESS_PANELS, drawn[1], business),
        ):
            props.setdefault(component, {})[name] = value
        props["provenance"] = {"children": trees.provenance(self._rows(ab, business))}
        return {
            "at": format_moment(ab.at),
            "limit_seconds": self._limit_seconds,
            "badge": ab.badge.kind.value,
            "title": f"{ab.badge.kind.value} · {trees.title(ab)} · {ab.verdict.verdict}",
            "controls": self._controls(snapshot, ab, names),
            "dark": DARK,
            "props": props,
        }

    def _rows(self, ab: AbReport, business: BusinessReport) -> list[dict[str, Any]]:
        """The measurements of both pages as the summaries list them; what both hold alike stands once, what
        one simulates and the other misses twice.
        """
        rows = [row for report in (ab, business) for row in self._summary(report)["measurements"]]
        return list(
            {
                (row["name"], row["variant"], row["value"], row["origin"]): row for row in reversed(rows)
            }.values()
        )[::-1]

    def _controls(self, snapshot: Snapshot, ab: AbReport, names: Sequence[str]) -> dict[str, Any]:
        """What can be chosen, and what is."""
        experiments = dict.fromkeys(each.name for each in snapshot.mlflow.experiments if each.is_ab_test)
        known = list(experiments or dict.fromkeys(snapshot.prometheus.experiments))[:_MOST_CHOICES]
        chosen = [ab.experiment] if ab.experiment is not None else []
        window = next(
            (
                window
                for window in (own_window(self._settings), *WINDOWS)
                if parse_duration_seconds(window) == ab.window_seconds
            ),
            "",
        )
        variants = list(dict.fromkeys((*names, *ab.variant_names)))[:_MOST_CHOICES]
        return {
            "experiment": {"options": list(dict.fromkeys((*chosen, *known))), "value": ab.experiment},
            "window": {"options": list(windows(self._settings)), "value": window},
            "baseline": {"options": variants, "value": ab.baseline},
            "challenger": {
                "options": [name for name in variants if name != ab.baseline],
                "value": ab.challenger,
            },
        }


def _top(ab: AbReport, business: BusinessReport) -> Iterator[Prop]:
    yield "experiment-title", "children", trees.title(ab)
    yield "subtitle", "children", trees.subtitle(ab)
    yield "badge", "children", trees.badge(ab.badge)
    yield "verdict", "children", trees.verdict(ab)
    yield "recommendation", "children", trees.recommendation(business)
    yield "status", "children", trees.status(ab, business)
    yield "page", "className", f"page {'is-simulated' if ab.is_simulated else ''}".strip()


def _figures(page: PanelList, report: Any) -> dict[str, Figure]:
    """The figures of the panels that have something to draw, by their place on the page."""
    shown = (panel for panel in page if panel.is_shown(report))
    return {place: figure for panel in shown for place, figure in figures(panel, report).items()}


def _panels(page: PanelList, drawn: Mapping[str, Figure], report: Any) -> Iterator[Prop]:
    for panel in page:
        if not panel.is_shown(report):
            yield f"{panel.name}-panel", "className", "panel is-absent"
            continue
        head, name = panel.head(report), panel.name
        yield f"{name}-head", "children", trees.head(head, name)
        yield f"{name}-reason", "children", trees.reason(head)
        yield f"{name}-note", "children", f"{trees.note(head)}{_more(panel, report)}"
        yield f"{name}-panel", "className", _classes(panel, head)
        yield f"{name}-words", "children", trees.words(panel, report) if head.is_drawn else None
        for place in places(panel):
            yield f"{place}-figure", "aria-label", _described(head)
            yield f"{place}-figure", "className", "figure" if place in drawn else "figure is-empty"
            if place in drawn:
                yield f"{place}-chart", "figure", drawn[place]
                yield f"{place}-figure", "style", _size(drawn[place])


def _classes(panel: Panel[Any], head: Head) -> str:
    kinds = {"is-wide": panel.is_wide, "is-alarm": head.is_alarm}
    return " ".join(("panel", f"is-{head.origin.value}", *(name for name, is_so in kinds.items() if is_so)))


def _more(panel: Panel[Any], report: Any) -> str:
    """How many of the reported quantities have no place on the page."""
    hidden = len(panel.charts(report)) - panel.most_charts if panel.most_charts > 2 else 0
    return f"; {hidden} more quantities are in the list of numbers" if hidden > 0 else ""


def _described(head: Head) -> str:
    """A chart in words; its values stand in a table, for those who cannot point at its marks too."""
    note = f" {short(head.note)}." if head.note else ""
    return (
        f"Chart: {short(head.title)}. {short(head.subtitle)}.{note} Every value is in the list: Where "
        "numbers come from."
    )


def _size(figure: Figure) -> dict[str, str]:
    """The height that a chart of so many rows asks for; the others have the style sheet's."""
    height = figure["layout"].get("height")
    return {} if height is None else {"flexBasis": f"{height}px", "height": f"{height}px"}
