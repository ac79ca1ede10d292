"""Native histograms as questions and answers: what is asked in place of classic ones, and how an answer is taken apart."""

from __future__ import annotations

import math

import pytest

from live_dashboards.errors import SourceError
from live_dashboards.sources.prometheus.exchange import Question, instant
from live_dashboards.sources.prometheus.native import Native, NativeAsk, find_native
from live_dashboards.sources.prometheus.reply import Histogram, Outcome, Reply, parse_reply

NAME = "ab_test_response_time_seconds"
EDGES = (0.25, 0.5, 1.0, math.inf)
ALL, SOME = Native(("a", "b"), is_all=True, edges=EDGES), Native(("b",), is_all=False, edges=EDGES)
BY_MODEL = 'sum by (le, model_name) (last_over_time({}{{job="x"}}[5m]))'


def histogram_json(*buckets: tuple[float, float, int], total: float = 1.0) -> dict[str, object]:
    """As Prometheus 3.5 writes it."""
    return {"count": str(sum(count for *_, count in buckets)), "sum": str(total), "buckets": [[0, str(low), str(high), str(count)] for low, high, count in buckets]}


def reply(*elements: tuple[dict[str, str], dict[str, object]]) -> Reply:
    result = [{"metric": labels, "histogram": [1_700_000_000, document]} for labels, document in elements]
    return parse_reply({"status": "success", "data": {"resultType": "vector", "result": result}}, keeps_name=True)


def answers(native: Native, question: Question, *outcomes: Outcome) -> tuple[Outcome, ...]:
    """What comes back for the question, asked once for each outcome."""
    given = iter(outcomes)
    ask = NativeAsk(lambda questions: tuple(next(given) for _ in questions), native)
    return tuple(ask([question])[0] for _ in outcomes)


def by_edge(outcome: Outcome) -> dict[str, float | None]:
    assert isinstance(outcome, Reply)
    return {series.label("le"): series.last for series in outcome.series}


@pytest.mark.parametrize(
    ("native", "classic", "asked"),
    [
        (ALL, f"last_over_time({NAME}_count[5m])", f"histogram_count(last_over_time({NAME}[5m]))"),
        (ALL, f'last_over_time({NAME}_sum{{job="x"}}[5m] offset 1h30m)', f'histogram_sum(last_over_time({NAME}{{job="x"}}[5m] offset 1h30m))'),
        (ALL, f'resets({NAME}_count{{job="x"}}[1d]) > 0', f'resets({NAME}{{job="x"}}[1d]) > 0'),
        (ALL, f"max(timestamp({NAME}_count))", f"max(timestamp({NAME}))"),
        (ALL, f'sum by (le) (last_over_time({NAME}_bucket{{le=~"0\\\\.5|0.50", job="}}"}}[5m]))', f'sum by (le) (last_over_time({NAME}{{job="}}"}}[5m]))'),
        (ALL, f'{{__name__=~"up|{NAME}_count", job="x"}}[5m]', f'{{__name__=~"up|{NAME}_count|{NAME}", job="x"}}[5m]'),
        (ALL, f'{NAME}_sum{{job="x"}}[61s]', f'{{__name__=~"{NAME}_sum|{NAME}", job="x"}}[61s]'),
        (SOME, f"resets({NAME}_count[1d])", f'(resets({NAME}_count{{model_name!~"b"}}[1d]) or resets({NAME}{{model_name=~"b"}}[1d]))'),
        (ALL, f'last_over_time(up{{job="last_over_time({NAME}_count[5m])"}}[5m])', None),
        (ALL, f"last_over_time(my_{NAME}_count[5m])", None),
        (ALL, f"last_over_time({NAME}_created[5m])", None),
    ],
)
def test_a_question_is_put_to_the_native_histograms_that_count_and_to_nothing_else(native: Native, classic: str, asked: str | None):
    assert native.form(classic) == (asked or classic)


def test_an_answer_becomes_the_classic_buckets_that_it_stands_for():
    (found,) = answers(ALL, instant(BY_MODEL.format(f"{NAME}_bucket"), 0.0), reply(({"model_name": "a"}, histogram_json((0.125, 0.25, 3), (0.5, 1.0, 2)))))
    assert by_edge(found) == {"0.25": 3.0, "0.5": 3.0, "1.0": 5.0, "+Inf": 5.0}
    assert isinstance(found, Reply)
    assert found.warnings == ()


def test_an_edge_within_a_filled_bucket_is_none_from_then_on():
    wide, fine = (reply(({"model_name": "a"}, histogram_json(*buckets))) for buckets in (((0.25, 1.0, 4),), ((0.25, 0.5, 3), (0.5, 1.0, 1))))
    first, second = answers(ALL, instant(BY_MODEL.format(f"{NAME}_bucket"), 0.0), wide, fine)
    assert by_edge(first) == {"0.25": 0.0, "1.0": 4.0, "+Inf": 4.0}
    assert by_edge(second) == {"0.25": 0.0, "1.0": 4.0, "+Inf": 4.0}


def test_a_question_after_one_edge_is_refused_where_it_lies_within_a_bucket():
    question = instant(f'sum by (le, model_name) (last_over_time({NAME}_bucket{{le=~"0\\\\.5|0.50"}}[5m]))', 0.0)
    wide, fine = (reply(({"model_name": "a"}, histogram_json(*buckets))) for buckets in (((0.25, 1.0, 4),), ((0.25, 0.5, 3), (0.5, 1.0, 1))))
    refused, told = answers(ALL, question, wide, fine)
    assert isinstance(refused, SourceError)
    assert refused.reason == "the buckets were wider at times, so what lies below 0.5 s is not known"
    assert by_edge(told) == {"0.5": 3.0}


def test_raw_samples_carry_the_classic_names_and_only_those_that_count_are_kept():
    question = instant(f'{{__name__=~"ab_test_requests_total|{NAME}_bucket|{NAME}_count|{NAME}_sum"}}[5m]', 0.0, keeps_name=True)
    both = [({"__name__": NAME, "model_name": model}, histogram_json((0.25, 0.5, 3), total=1.25)) for model in ("a", "b")]
    found = reply(*both)
    names = [(name, model) for name in (f"{NAME}_count", "ab_test_requests_total") for model in ("a", "b")]
    floats = [{"metric": {"__name__": name, "model_name": model}, "value": [1_700_000_000, "7"]} for name, model in names]
    plain = parse_reply({"status": "success", "data": {"resultType": "vector", "result": floats}}, keeps_name=True)
    (kept,) = answers(SOME, question, Reply(series=plain.series, histograms=found.histograms))
    assert isinstance(kept, Reply)
    assert sorted((series.label("__name__").removeprefix(f"{NAME}_"), series.label("model_name"), series.label("le"), series.last) for series in kept.series) == [
        ("ab_test_requests_total", "a", "", 7.0),
        ("ab_test_requests_total", "b", "", 7.0),
        ("bucket", "b", "+Inf", 3.0),
        ("bucket", "b", "0.25", 0.0),
        ("bucket", "b", "0.5", 3.0),
        ("bucket", "b", "1.0", 3.0),
        ("count", "a", "", 7.0),
        ("count", "b", "", 3.0),
        ("sum", "b", "", 1.25),
    ]


def found_native(newest: Reply, *, objective_seconds: float = 0.3, refused: bool = False) -> object:
    """The choice where one model has native histograms alone."""
    series = parse_reply({"status": "success", "data": {"resultType": "vector", "result": [{"metric": {"model_name": "a"}, "value": [1_700_000_000, "9"]}]}})
    failure = SourceError("no", "do", "bad_query")

    def ask(questions: list[Question]) -> tuple[Outcome, ...]:
        return (newest, series, failure if refused else series, *(Reply() for _ in questions[3:]))

    return find_native(ask, "", at_seconds=0.0, span_seconds=86400.0, objective_seconds=objective_seconds).native


@pytest.mark.parametrize(
    ("buckets", "edges", "objective_bucket"),
    [
        (((0.25, 0.5, 3), (0.5, 1.0, 1)), (0.25, 0.5, 1.0, math.inf), (0.25, 0.5)),  # exponential, of schema 0
        (((0.25, 0.28, 3), (0.5, 1.0, 1)), (0.25, 0.28, 0.3, 0.5, 1.0, math.inf), None),  # nothing lies near 0.3, so that how much is below it is known
        (((-math.inf, 0.25, 2), (0.25, 0.5, 3)), (0.25, 0.5, math.inf), None),  # bounds that somebody has chosen
        (((0.2, 0.5, 3),), (0.2, 0.5, math.inf), None),
    ],
)
def test_which_edges_are_read_and_which_bucket_holds_the_objective(buckets: tuple[tuple[float, float, int], ...], edges: tuple[float, ...], objective_bucket: object):
    assert found_native(reply(({"model_name": "a"}, histogram_json(*buckets)))) == Native(("a",), is_all=True, edges=edges, objective_bucket=objective_bucket)  # type: ignore[arg-type]


def test_native_histograms_are_not_read_where_what_there_is_cannot_be_asked():
    assert found_native(reply(({"model_name": "a"}, histogram_json((0.25, 0.5, 3)))), refused=True) is None


@pytest.mark.parametrize(
    "document",
    [
        {"count": "x", "sum": "1"},
        {"sum": "1"},
        {"count": "1", "sum": "1", "buckets": [[0, "0.1", "1"]]},
        {"count": "1", "sum": "1", "buckets": [[0, "NaN", "1", "1"]]},
        {"count": "Inf", "sum": "1"},
        [1],
    ],
)
def test_what_is_no_histogram_is_refused_at_the_door(document: object):
    with pytest.raises(ValueError, match="JSON with a result of another shape"):
        reply(({"model_name": "a"}, document))  # type: ignore[arg-type]


def test_observations_that_are_no_number_are_in_the_last_bucket_alone():
    assert Histogram(5, math.nan, ((0.25, 0.5, 3),)).cumulative(EDGES) == (0.0, 3.0, 3.0, 5)
