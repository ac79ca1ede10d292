"""The window in blocks: what grew in each, without gap or overlap."""

from __future__ import annotations

import pytest

from tests.sources.prometheus_reading import END, HOUR, ask, labels, short_truth, traffic


def growth(answer, name, model="baseline"):
    return [value for series in answer.block(name).series if series.label("model_name") == model for _, value in series.points]


def test_the_blocks_of_a_window_add_up_to_its_total(prometheus):
    truth = short_truth(hours=30)
    traffic(truth, rate=2.0)
    answer = ask(prometheus(truth).url, window_seconds=24 * HOUR)
    blocks = growth(answer, "requests")
    assert len(blocks) == 96
    assert sum(blocks) == pytest.approx(answer.instant("requests").series[0].last, rel=1e-3)


def test_a_block_ends_at_its_moment_and_the_last_one_at_the_end_of_the_window(prometheus):
    truth = short_truth(hours=3)
    truth.counter("ab_test_requests_total", labels(), [(END - 3 * HOUR, 1.0), (END - 900, 5.0)])
    answer = ask(prometheus(truth).url, window_seconds=HOUR)
    assert answer.block("requests").step_seconds == 300
    assert growth(answer, "requests") == pytest.approx([300] * 9 + [1500] * 3, rel=0.1)
    assert answer.block("requests").series[0].points[-1][0] == END


def test_errors_that_are_not_counted_have_no_blocks_but_a_reason(prometheus):
    truth = short_truth()
    truth.counter("ab_test_requests_total", labels(), 1.0)
    answer = ask(prometheus(truth).url)
    assert answer.block("errors").series == ()
    assert "failed requests are not counted" in str(answer.block("errors").reason)
