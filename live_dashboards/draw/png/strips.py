"""The full-width strips: header with badge, verdict, status, footer."""

from __future__ import annotations

from dataclasses import replace
from zoneinfo import ZoneInfo

from matplotlib.lines import Line2D
from matplotlib.patches import Circle

from live_dashboards import __version__
from live_dashboards.draw.png.frame import Frame
from live_dashboards.draw.png.text import Look, fitted_name, width_inches, wrapped
from live_dashboards.draw.png.theme import (
    BADGE_SHAPES,
    CAUTION,
    FAINT,
    INK,
    MUTED,
    TINT,
    VERDICT_STYLES,
    Sizes,
    line_inches,
    variant_style,
)
from live_dashboards.model.axis import moment_words, span_words
from live_dashboards.model.measurement import Origin
from live_dashboards.model.report import AbReport, Badge, Report
from live_dashboards.model.snapshot import PROMETHEUS, SourceStatus

_SOURCE_TITLES = {"mlflow": "MLflow", "prometheus": "Prometheus"}
_PAD = 0.12
_MOST_NAMES = 5


def draw_header(frame: Frame, report: Report) -> None:
    """The experiment, its window with the zone, its variants in their colours, and the badge."""
    sizes = frame.sizes
    badge_width, second_width = _draw_badge(frame, report.badge)
    title, small = Look(sizes.page_title, INK, is_bold=True), Look(sizes.body, MUTED)
    y, room = frame.height - line_inches(sizes.page_title, 1.0), frame.width - badge_width - 0.4
    window = f"{_window(report)}{f' · {report.experiment_note}' if report.experiment_note else ''}"
    words = fitted_name(report.page_title, title, max(room * 0.4, room - width_inches(window, small) - 0.25))
    frame.write(0.0, y, words, title, within=room)
    used = width_inches(words, title) + 0.2
    frame.write(used, y, window, small, within=room - used)
    _draw_key(frame, report, frame.width - second_width - 0.4)


def _window(report: Report) -> str:
    """`24 h to 23 Nov 2026, 10:00 CET (Europe/Berlin)`."""
    moment = moment_words(report.at, ZoneInfo(report.timezone))
    return f"{span_words(report.window_seconds)} to {moment}" + (
        "" if moment.endswith(report.timezone) else f" ({report.timezone})"
    )


def _draw_key(frame: Frame, report: Report, room: float) -> None:
    """Challenger against baseline, then the others, each with its line and marker: the legend of all
    panels.
    """
    sizes, x, y = frame.sizes, 0.0, 0.045
    names = [name for name in (report.challenger, report.baseline) if name in report.variant_names]
    names += [name for name in report.variant_names if name not in names]
    shown, plain = names[:_MOST_NAMES], Look(sizes.body, MUTED)
    name_room = (room - 0.6) / max(1, len(shown)) - 0.75 * sizes.scale
    for index, name in enumerate(shown):
        x = _sample(frame, x, y, report.variant_names.index(name))
        look = Look(sizes.body, variant_style(report.variant_names.index(name)).text_colour, is_bold=True)
        words = fitted_name(name, look, name_room)
        frame.write(x, y, words, look, within=name_room)
        x += width_inches(words, look) + 0.1
        between = "against" if index == 0 and len(shown) > 1 and name == report.challenger else ""
        if between:
            frame.write(x, y, between, plain, within=sizes.room(1.0))
            x += width_inches(between, plain) + 0.1
        else:
            x += 0.08
    if len(names) > len(shown):
        frame.write(x, y, f"+{len(names) - len(shown)} more", plain, within=max(0.0, room + 0.3 - x))


def _sample(frame: Frame, x: float, y: float, index: int) -> float:
    """A piece of the variant's line with its marker; where the name may start."""
    style, length, sizes = variant_style(index), 17.8 * frame.sizes.line / 72, frame.sizes
    page_width, page_height = frame.figure.get_size_inches()
    height = (frame.bottom + y + sizes.body * 0.36 / 72) / page_height
    xs = [(frame.left + x + share * length) / page_width for share in (0.0, 0.5, 1.0)]
    line = Line2D(
        xs,
        [height] * 3,
        color=style.colour,
        linewidth=sizes.line,
        marker=style.marker,
        markersize=sizes.marker,
        markevery=[1],
        transform=frame.figure.transFigure,
    )
    if style.dashes:
        line.set_linestyle((0, style.dashes))
    frame.figure.add_artist(line)
    return x + length + 0.07


def _draw_badge(frame: Frame, badge: Badge) -> tuple[float, float]:
    """The disc, its word and the second line, at the right; how wide both lines are, in inches."""
    sizes = frame.sizes
    word, second = Look(sizes.answer, INK, is_bold=True), Look(sizes.body, MUTED)
    radius = sizes.answer * 0.42 / 72
    width = width_inches(badge.kind.value, word) + 3 * radius
    y = frame.height - line_inches(sizes.page_title, 1.0)
    frame.write(frame.width, y, badge.kind.value, word, align="right")
    shape = BADGE_SHAPES[badge.kind]
    centre = ((frame.right - width + radius), (frame.bottom + y + sizes.answer * 0.36 / 72))
    disc = Circle(
        centre,
        radius,
        facecolor=shape.fill,
        edgecolor=shape.edge,
        linewidth=1.2,
        transform=frame.figure.dpi_scale_trans,
    )
    frame.figure.add_artist(disc)
    line = frame.write(frame.width, 0.045, badge.second_line, second, within=frame.width * 0.5, align="right")
    return width, width_inches(line.get_text(), second) if line else 0.0


def verdict_height(sizes: Sizes) -> float:
    """Inches that the answer takes with why and what would change it; a small page has room for less of
    that.
    """
    return answer_height(sizes) + line_inches(sizes.body, 1.2) * (3 if sizes.has_notes else 1)


def draw_verdict(frame: Frame, report: AbReport) -> None:
    """The answer, and below it why, and what would change it."""
    below = _write_answer(frame, report)
    verdict, look, label = report.verdict, Look(frame.sizes.body, MUTED), Look(frame.sizes.note, FAINT)
    # what the sentence says already is not said again
    because = "; ".join(each for each in verdict.reasons if each not in report.answer.sentence)
    whose = f" {report.challenger}" if len(report.variant_names) > 2 else ""
    rows = ((f"because{whose}", because, 2), ("would change it", "; ".join(verdict.would_change), 1))
    indent = max(width_inches(f"{name}   ", label) for name, words, _ in rows if words or name == rows[1][0])
    step = line_inches(frame.sizes.body, 1.2)
    y = below.height
    for name, words, most in rows:
        room = int(y / step + 0.2)
        lines = wrapped(words, look, below.width - indent, min(most, room)) if words and room else []
        for number, line in enumerate(lines):
            y -= step
            if number == 0:
                below.write(0.0, y, name, label)
            below.write(indent, y, line, look, within=below.width - indent)


def draw_answer(frame: Frame, report: Report) -> None:
    """The answer alone."""
    _write_answer(frame, report)


def answer_height(sizes: Sizes) -> float:
    """Inches that the answer takes: a sentence of two lines and one on what to do."""
    return 1.2 * _PAD + line_inches(sizes.answer, 1.2) * 2 + line_inches(sizes.answer, 1.35)


def _write_answer(frame: Frame, report: Report) -> Frame:
    """The verdict's word and sign in a filled band, beside it one sentence and what to do now; the place
    below these.
    """
    frame.fill(TINT)
    sizes, answer = frame.sizes, report.answer
    beside = frame.inner(left=_draw_word(frame, answer.verdict) + 2 * _PAD, right=_PAD, top=0.6 * _PAD)
    sentence, plain = Look(sizes.answer, INK, is_bold=True), Look(sizes.answer, INK)
    y = beside.height
    for line in wrapped(answer.sentence, sentence, beside.width, 2):
        y -= line_inches(sizes.answer, 1.2)
        beside.write(0.0, y, line, sentence, within=beside.width)
    label = Look(sizes.note, FAINT)
    indent = width_inches("do now   ", label)
    y -= line_inches(sizes.answer, 1.35)
    beside.write(0.0, y, "do now", label)
    beside.write(indent, y, answer.do_now, plain, within=beside.width - indent)
    return beside.inner(top=beside.height - y + line_inches(sizes.body, 0.4))


def _draw_word(frame: Frame, verdict: str) -> float:
    """The verdict in its colour with its sign; how wide that is, in inches."""
    sizes, style = frame.sizes, VERDICT_STYLES[verdict]
    look = Look(sizes.verdict, style.ink, is_bold=True)
    words = f"{style.sign} {verdict}"
    width = width_inches(words, look) + 2 * _PAD
    band = frame.inner(right=frame.width - width)
    band.fill(style.fill, edge=style.edge, zorder=0.1)
    band.write(_PAD, (frame.height - line_inches(sizes.verdict, 0.72)) / 2, words, look, within=width - _PAD)
    return width


def draw_status(frame: Frame, report: AbReport) -> None:
    """Short words over their values, evenly spaced."""
    sizes, status = frame.sizes, report.status
    if status.origin is Origin.MISSING or not status.items:
        frame.write(
            0.0,
            frame.height / 2,
            f"no experiment status: {status.reason or 'nothing known'}",
            Look(sizes.body, MUTED),
            stand="center_baseline",
        )
        return
    items = status.items
    if status.origin is Origin.SIMULATED:
        items = (("status", "SIMULATED"), *items)
    elif status.origin is Origin.CACHED:
        items = (("status", "CACHED"), *items)
    small, large, gap = Look(sizes.note, FAINT), Look(sizes.points(10), INK, is_bold=True), 0.2
    widths = [max(width_inches(label, small), width_inches(value, large)) + 0.02 for label, value in items]
    spare = (frame.width - gap * (len(items) - 1) - sum(widths)) / len(items)
    x = 0.0
    for (label, value), width in zip(items, widths, strict=True):
        room = width + spare if spare >= 0 else width * (frame.width - gap * (len(items) - 1)) / sum(widths)
        frame.write(x, frame.height - line_inches(sizes.note), label, small, within=room)
        frame.write(
            x, 0.04, value, replace(large, colour=CAUTION if value == "SIMULATED" else INK), within=room
        )
        x += room + gap


def draw_footer(frame: Frame, report: Report) -> None:
    """Where it comes from, what the intervals mean, and which version drew it."""
    look = Look(frame.sizes.note, FAINT)
    version = f"live-dashboards {__version__}"
    frame.rule(frame.height)
    frame.write(frame.width, 0.0, version, look, align="right")
    frame.write(
        0.0,
        0.0,
        f"{_sources(report)}.  {report.interval_words}",
        look,
        within=frame.width - width_inches(version, look) - 0.3,
    )


def _sources(report: Report) -> str:
    return "Sources: " + ("; ".join(_source(status) for status in report.sources) or "none")


def _source(status: SourceStatus) -> str:
    title = _source_title(status)
    return title if status.has_answered else f"{title} ({status.state.value.replace('_', ' ')})"


def _source_title(status: SourceStatus) -> str:
    """Who answered: `Prometheus 2.42`, or the other engine that speaks its API by its own name."""
    version = status.version or ""
    if status.source == PROMETHEUS and version and not version[0].isdigit():
        return version
    return " ".join(filter(None, (_SOURCE_TITLES.get(status.source, status.source), version)))
