"""The window in blocks: what grew in each, without gap or overlap."""

from __future__ import annotations

from tests.sources.prometheus_reading import END, HOUR, ask, labels, short_truth, traffic


def growth(answer, name, model="baseline"):
    return [value for series in answer.block(name).series if series.label("model_name") == model for _, value in series.points]


def test_the_blocks_of_a_window_add_up_to_its_total(prometheus):
    truth = short_truth(hours=30)
    traffic(truth, rate=2.0)
    answer = ask(prometheus(truth).url, window_seconds=24 * HOUR)
    blocks = growth(answer, "requests")
    assert len(blocks) in {96, 97}  # of the absolute grid; the two at the ends may be shorter
    assert sum(blocks) == answer.instant("requests").series[0].last == 24 * HOUR * 2


def test_a_block_ends_on_the_absolute_grid_and_the_last_one_at_the_end_of_the_window(prometheus):
    truth = short_truth(hours=3)
    truth.counter("ab_test_requests_total", labels(), [(END - 3 * HOUR, 1.0), (END - 900, 5.0)])
    answer = ask(prometheus(truth).url, window_seconds=HOUR)
    assert answer.block("requests").step_seconds == 300
    ends = [seconds for seconds, _ in answer.block("requests").series[0].points]
    assert sum(growth(answer, "requests")) == 45 * 60 + 15 * 60 * 5
    assert {end % 300 for end in ends[:-1]} == {0.0}
    assert ends[-1] == END
    whole = dict(zip(ends[1:-1], growth(answer, "requests")[1:-1], strict=True))
    assert {value for end, value in whole.items() if end <= END - 900} == {300}
    assert {value for end, value in whole.items() if end > END - 600} == {1500}


def test_errors_that_are_not_counted_have_no_blocks_but_a_reason(prometheus):
    truth = short_truth()
    truth.counter("ab_test_requests_total", labels(), 1.0)
    answer = ask(prometheus(truth).url)
    assert answer.block("errors").series == ()
    assert "failed requests are not counted" in str(answer.block("errors").reason)
