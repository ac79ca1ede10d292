"""Reports that pages have to stand: ordinary ones, extreme ones, and what the analysis makes of stored moments."""

from collections.abc import Callable
from dataclasses import replace

from live_dashboards.analysis.verdict.report import build_ab_report
from live_dashboards.model.measurement import Origin
from live_dashboards.model.report import (
    AbReport,
    EffectPanel,
    ErrorPanel,
    EvidencePanel,
    Head,
    HealthPanel,
    ImpactPanel,
    LatencyPanel,
    LinesPanel,
    QualityPanel,
    RunsPanel,
    SplitPanel,
)
from tests.support import reports, snapshots

FORTY = tuple(f"checkout-ranker-2026-q4-transformer-arm-{arm}" for arm in "abcde")
HOSTILE = ("$x_1$ \n\u202eevil <script>alert(1)</script> " + "A" * 10_000, "模型🤖 עברית العربية " + "B" * 9_000, "\x00\x07\ud800name")
SIX = ("baseline", "enhanced", "third", "fourth", "fifth", "sixth")
GUARDED = ("timeouts", "refused_answers", "fallbacks_to_the_model_of_last_year")
GAPS = (0, 1, 2, 30, 31, 32, 50, 52, 60, 61, 62, 63, 64)
NOTHING = Head("Nothing to show", "in this unit", Origin.LIVE)


def with_gaps() -> AbReport:
    lines = (reports.line("baseline", 0.4, "requests_per_second", gaps=GAPS), reports.line("enhanced", 0.2, "requests_per_second", gaps=tuple(range(70, 96))))
    marks = ((reports.AT.timestamp() - 40_000, "deploy v3"), (reports.AT.timestamp() - 39_000, "deploy v4"))
    return reports.report(rate=LinesPanel(reports.report().rate.head, "requests/s", lines, marks))


def empty() -> AbReport:
    panels = {
        "effect": EffectPanel,
        "evidence": EvidencePanel,
        "quality": QualityPanel,
        "split": SplitPanel,
        "latency": LatencyPanel,
        "errors": ErrorPanel,
        "impact": ImpactPanel,
        "runs": RunsPanel,
        "health": HealthPanel,
    }
    return reports.report(rate=LinesPanel(NOTHING, "requests/s"), **{name: kind(NOTHING) for name, kind in panels.items()})


def one_simulated() -> AbReport:
    made = reports.report()
    head = replace(made.runs.head, origin=Origin.SIMULATED, reason="MLflow: refuses the connection; is it running?")
    return replace(made, runs=replace(made.runs, head=head))


def long_words() -> AbReport:
    title = "enhanced-checkout-ranker-transformer: accuracy better by +3.24 pt and some more words"
    return reports.with_heads(reports.report(), title=title, note="word " * 80, subtitle="measure " * 60)


def many_notices() -> AbReport:
    made = reports.report()
    return replace(
        made,
        health=replace(made.health, notices=tuple(f"Prometheus: warning {number} of a rather long kind, which wraps over two lines of the panel" for number in range(6))),
    )


def analysed(change: Callable = lambda snapshot: snapshot, *, with_stand_in: bool = True, **settings: str) -> AbReport:
    """What the analysis makes of a moment."""
    stand_in = snapshots.stand_in() if with_stand_in else None
    return build_ab_report(change(snapshots.live()), stand_in, snapshots.settings(**{"AB_TRAFFIC_SPLIT": "baseline=70,enhanced=30", **settings}))


def without_both(snapshot):
    return snapshots.without_prometheus(snapshots.without_mlflow(snapshot))


CASES: dict[str, Callable[[], AbReport]] = {
    "two variants": reports.report,
    "three variants": lambda: reports.report(("baseline", "enhanced", "third")),
    "five variants": lambda: reports.report(("baseline", "enhanced", "third", "fourth", "fifth")),
    "three more guardrails, five challengers": lambda: reports.report(SIX, effect=reports.effect(SIX, GUARDED)),
    "nine variants": lambda: reports.report(tuple("abcdefghi")),
    "names of 40 characters": lambda: reports.report(FORTY, experiment="checkout-ranking-quarterly-experiment-2026-q4"),
    "hostile names": lambda: reports.report(HOSTILE, experiment=HOSTILE[0], experiment_note=HOSTILE[1]),
    "one run": lambda: reports.report(runs=reports.runs(reports.TWO, ("finished",))),
    "no errors": lambda: reports.report(errors=reports.no_errors()),
    "7 days": lambda: reports.report(window_seconds=7 * 86_400.0),
    "30 minutes": lambda: reports.report(window_seconds=1_800.0),
    "one variant": lambda: reports.report(("baseline",)),
    "tiny numbers": lambda: reports.report(scale=1e-9),
    "huge numbers": lambda: reports.report(scale=1e12),
    "nothing in any panel": empty,
    "gaps": with_gaps,
    "all simulated": lambda: reports.simulated(reports.report()),
    "all missing": lambda: reports.all_missing(reports.report()),
    "all cached": lambda: reports.with_heads(reports.report(), origin=Origin.CACHED),
    "a zone without a name": lambda: reports.report(timezone="America/Argentina/Buenos_Aires"),
    "long words": long_words,
    "one panel simulated": one_simulated,
    "many notices": many_notices,
    "analysed, live": analysed,
    "analysed, a value of which nobody says which way is better": lambda: analysed(
        lambda snapshot: snapshots.logging(snapshot, "my_cost", baseline=[20.4, 20.5, 20.2], enhanced=[18.1, 18.0, 18.2]), AB_ACCURACY_METRIC="my_cost"
    ),
    "analysed, a red split": lambda: analysed(AB_TRAFFIC_SPLIT="baseline=60,enhanced=40"),
    "analysed, without MLflow": lambda: analysed(snapshots.without_mlflow),
    "analysed, without Prometheus": lambda: analysed(snapshots.without_prometheus),
    "analysed, without MLflow, marked": lambda: analysed(snapshots.without_mlflow, with_stand_in=False),
    "analysed, without Prometheus, marked": lambda: analysed(snapshots.without_prometheus, with_stand_in=False),
    "analysed, simulated": lambda: analysed(without_both),
    "analysed, nothing, marked": lambda: analysed(without_both, with_stand_in=False),
}
