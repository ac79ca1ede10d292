"""Challenger minus baseline, metric by metric, in percentage points."""

from __future__ import annotations

from live_dashboards.analysis.page import Page, failure
from live_dashboards.analysis.proportions import Counts, difference
from live_dashboards.model.measurement import Interval, Measurement, Origin
from live_dashboards.model.number import format_interval, format_signed
from live_dashboards.model.report import Comparison, EffectPanel, Head, VariantFacts

_METRICS = (("accuracy", True), ("precision", True), ("recall", True), ("f1", True), ("error_rate", False))
METRIC_TITLES = {"accuracy": "Accuracy", "precision": "Precision", "recall": "Recall", "f1": "F1", "error_rate": "Error rate"}
_JSON_CONFIDENCE = 0.95


def comparisons(page: Page, confidence: float = _JSON_CONFIDENCE) -> tuple[Comparison, ...]:
    """Every variant against the baseline: the challenger in all metrics, the others in accuracy and error rate."""
    control = page.counted.of(page.roles.baseline)
    rows: list[Comparison] = []
    for facts in page.counted.variants:
        if facts.variant != control.variant:
            is_challenger = facts.variant == page.roles.challenger
            rows.extend(
                _compare(metric, facts, control, confidence, is_higher_better=better)
                for metric, better in _METRICS
                if is_challenger or metric in {"accuracy", "error_rate"}
            )
    return tuple(rows)


def _compare(metric: str, treatment: VariantFacts, control: VariantFacts, confidence: float, *, is_higher_better: bool) -> Comparison:
    ours, theirs = getattr(treatment, metric), getattr(control, metric)
    low = high = p_value = None
    method = "difference of the logged values"
    if ours.n and theirs.n and ours.value is not None and theirs.value is not None:
        found = difference(_counts(ours), _counts(theirs), confidence)
        low, high, p_value, method = 100 * found.low, 100 * found.high, found.p_value, found.method
    return Comparison(
        metric=metric,
        treatment=treatment.variant,
        control=control.variant,
        estimate=None if ours.value is None or theirs.value is None else ours.value - theirs.value,
        low=low,
        high=high,
        unit="points",
        confidence=confidence,
        p_value=p_value,
        method=method,
        n_treatment=ours.n,
        n_control=theirs.n,
        sequential=False,
        is_higher_better=is_higher_better,
        origin=max(ours.origin, theirs.origin, key=lambda origin: origin.weakness),
        reason=_reason(ours, theirs, has_interval=low is not None),
    )


def _counts(measurement: Measurement) -> Counts:
    """The counts behind a proportion in percent; the rounding only undoes the division."""
    n = measurement.n or 0
    return Counts(round((measurement.value or 0.0) / 100 * n), n)


def _reason(ours: Measurement, theirs: Measurement, *, has_interval: bool) -> str | None:
    gaps = [str(side.reason) if ours.reason == theirs.reason else f"{side.variant}: {side.reason}" for side in (ours, theirs) if side.value is None]
    if not gaps and not has_interval:
        gaps = [str(side.reason) for side in (ours, theirs) if side.n is None and side.reason]
    return "; ".join(dict.fromkeys(gaps)) or None


def effect_measurements(page: Page, rows: tuple[Comparison, ...]) -> tuple[Measurement, ...]:
    """The drawn differences as measurements, `accuracy_difference` and so on, with the 95 % interval."""
    return tuple(_measurement(page, row) for row in rows)


def _measurement(page: Page, row: Comparison) -> Measurement:
    inputs = tuple(getattr(page.counted.of(name), row.metric) for name in (row.treatment, row.control))
    moments = [side.observed_at for side in inputs if side.observed_at]
    missing_reason = row.reason or "not measured" if row.estimate is None else row.reason
    return Measurement(
        f"{row.metric}_difference",
        row.estimate,
        "points",
        row.origin if row.estimate is not None else Origin.MISSING,
        row.treatment,
        Interval(row.low, row.high) if row.low is not None else None,
        source=", ".join(dict.fromkeys(side.source for side in inputs if side.source)),
        query=", ".join(dict.fromkeys(side.query for side in inputs if side.query)),
        observed_at=min(moments, default=None),
        reason=missing_reason,
        inputs=inputs,
        stale=any(side.stale for side in inputs),
    )


def effect_panel(page: Page) -> EffectPanel:
    """The forest, its title the answer on the success metric."""
    confidence = float(page.settings["AB_CONFIDENCE"])
    rows = comparisons(page, confidence)
    shown = [row for row in rows if row.estimate is not None]
    subtitle = f"{page.roles.challenger or 'challenger'} − {page.roles.baseline}, percentage points"
    asked = "latest accuracy, precision, recall, F1 in MLflow; errors and requests in Prometheus"
    if not shown:
        failures = [failure(status) for status in (page.mlflow_status, page.prometheus_status) if not status.has_answered]
        reason = "; ".join(failures) or next((row.reason for row in rows if row.reason), "there is no challenger")
        return EffectPanel(Head("No difference to show", subtitle, Origin.MISSING, asked=asked, reason=str(reason)))
    weakest = max((row.origin for row in shown), key=lambda origin: origin.weakness)
    head = Head(_title(page, rows), subtitle, weakest, _note(page, rows, confidence), asked)
    return EffectPanel(head, rows, float(page.settings["AB_MINIMUM_EFFECT_POINTS"]))


def _title(page: Page, rows: tuple[Comparison, ...]) -> str:
    success = str(page.settings["AB_SUCCESS_METRIC"])
    order = sorted(rows, key=lambda row: (row.treatment != page.roles.challenger, row.metric != success, row.estimate is None))
    row = next((row for row in order if row.estimate is not None), order[0])
    estimate = row.estimate or 0.0
    if row.low is None or row.high is None:
        return f"{METRIC_TITLES[row.metric]} {format_signed(estimate, 'points')}, of unknown certainty"
    if row.low <= 0 <= row.high:
        return f"{METRIC_TITLES[row.metric]}: no clear difference ({format_interval(row.low, row.high, 'points', signed=True)})"
    word = "better" if (estimate > 0) is row.is_higher_better else "worse"
    return f"{row.treatment}: {METRIC_TITLES[row.metric].lower()} {word} by {format_signed(estimate, 'points')}"


def _note(page: Page, rows: tuple[Comparison, ...], confidence: float) -> str:
    parts = []
    if any(row.low is not None for row in rows):
        parts.append(f"{confidence * 100:g} % Newcombe intervals for one look")
    if any(row.estimate is not None and row.low is None for row in rows):
        parts.append("hollow: no interval, n unknown")
    if len(page.roles.names) > 2:
        parts.append("not adjusted for several challengers")
    return "; ".join(parts)
