"""What makes numbers wrong stands before what makes them doubtful, and how they were counted stands last."""

from live_dashboards.model.notices import by_weight, is_how_counted

WRONG = "Prometheus: requests are counted more than once: the rules have recorded each of the copies"
REFUSED = "Prometheus: 1 of 49 questions failed, what they ask for is missing (about x): not now"
DOUBTFUL = "Prometheus: requests may be counted twice: there are series that differ in the label pod alone"
OPEN = "Prometheus: requests of enhanced: at least 8,960, at most 12,800, as what series had counted when they began cannot be told"
ASSUMED = "Prometheus: errors of enhanced: no error series in job new, so that 0 is assumed"
LEFT_OUT = "Prometheus: which series count: none of stranger, as they are no variants of 'mine'"
OTHER = "MLflow: the accuracy's history of 3 runs was not read"
RULES = "Prometheus: counts come from recording rules, in whole steps of 5m until now"
UNLABELLED = "Prometheus: which series count: of baseline those without the label experiment"
ONCE = "Prometheus: copies of one scrape are counted once: those that differ in the label pod alone"


def test_the_weightiest_come_first_and_equal_ones_as_they_came():
    found = by_weight((RULES, UNLABELLED, OTHER, ONCE, LEFT_OUT, ASSUMED, OPEN, DOUBTFUL, REFUSED, WRONG, RULES))
    assert found == (REFUSED, WRONG, OPEN, DOUBTFUL, LEFT_OUT, ASSUMED, OTHER, RULES, UNLABELLED, ONCE)


def test_only_what_tells_how_something_was_counted_is_light():
    assert [is_how_counted(each) for each in (RULES, UNLABELLED, ONCE, LEFT_OUT, OTHER, OPEN)] == [True, True, True, False, False, False]
