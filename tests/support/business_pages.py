"""Business pages that the figure has to stand: ordinary, extreme, partial, simulated, hostile."""

from live_dashboards.analysis.business.report import build_business_report
from tests.support.snapshots import live, logging, settings, stand_in, with_instant, with_values, without_mlflow, without_prometheus

OWN = {
    "BASE_TRADING_VOLUME": "10000000",
    "ACCURACY_REVENUE_MULTIPLIER": "0.005",
    "LATENCY_COST_PER_MS": "0.0001",
    "ERROR_COST_MULTIPLIER": "50",
    "INFRASTRUCTURE_ANNUAL_COST": "53000",
}
RANGES = {
    "BASE_TRADING_VOLUME": "5000000..20000000",
    "ACCURACY_REVENUE_MULTIPLIER": "0.001..0.01",
    "LATENCY_COST_PER_MS": "0.00005..0.0002",
    "ERROR_COST_MULTIPLIER": "20..80",
    "INFRASTRUCTURE_ANNUAL_COST": "30000..90000",
}
FORTY = {"baseline": "checkout-ranker-2026-q4-transformer-arm-a", "challenger": "checkout-ranker-2026-q4-transformer-arm-b"}
HOSTILE = {"baseline": "$x_1$ \n\u202eevil <b>", "challenger": "模型🤖 עברית " + "B" * 9_000}


def page(snapshot=None, *, simulate=True, **values):
    return build_business_report(live() if snapshot is None else snapshot, stand_in() if simulate else None, settings(**values))


def named(names):
    own = {"AB_BASELINE_VARIANT": names["baseline"], "AB_CHALLENGER_VARIANT": names["challenger"]}
    return build_business_report(live(**names), stand_in(**names), settings(**own))


def without_test_rows():
    return with_values(with_values(live(), "enhanced", "accuracy", test_count="0.2"), "baseline", "accuracy", test_count="0.2")


RMSE = {"baseline": [20.4, 20.5, 20.2, 20.3], "enhanced": [18.1, 18.0, 18.2, 17.9]}


def valued(key, logged, **values):
    """A page of runs that log a value in the place of the accuracy."""
    return page(logging(live(), key, **logged), AB_ACCURACY_METRIC=key, **values)


CASES = {
    "defaults": page,
    "own parameters": lambda: page(**OWN),
    "ranges": lambda: page(**RANGES),
    "a loss": lambda: page(with_values(live(), "enhanced", "accuracy", value=0.7), **OWN),
    "without test rows": lambda: page(without_test_rows()),
    "model data": lambda: page(without_prometheus(live())),
    "model data, marked": lambda: page(without_prometheus(live()), simulate=False),
    "operational data": lambda: page(without_mlflow(live())),
    "simulated": lambda: page(without_mlflow(without_prometheus(live()))),
    "nothing": lambda: page(without_mlflow(without_prometheus(live())), simulate=False),
    "a slip of the pen": lambda: page(ACCURACY_REVENUE_MULTIPLIER="0.5"),
    "free infrastructure": lambda: page(INFRASTRUCTURE_ANNUAL_COST="0"),
    "a trillion": lambda: page(BASE_TRADING_VOLUME="1000000000000000", ERROR_COST_MULTIPLIER="900000000000"),
    "next to nothing": lambda: page(BASE_TRADING_VOLUME="0.001", ERROR_COST_MULTIPLIER="0.0000001", LATENCY_COST_PER_MS="0.000000001"),
    "worth nothing": lambda: page(BASE_TRADING_VOLUME="0", ERROR_COST_MULTIPLIER="0", LATENCY_COST_PER_MS="0"),
    "no errors": lambda: page(with_instant(live(), "errors", {"baseline": 0, "enhanced": 0})),
    "a value per unit": lambda: valued("rmse", RMSE, **{**OWN, "ACCURACY_REVENUE_MULTIPLIER": "0.0001"}),
    "a value per unit, worse": lambda: valued("rmse", {"baseline": RMSE["enhanced"], "enhanced": RMSE["baseline"]}, **{**OWN, "ACCURACY_REVENUE_MULTIPLIER": "0.0001"}),
    "a value per unit, more is better": lambda: valued(
        "roc_auc", {"baseline": [0.81, 0.815, 0.808], "enhanced": [0.84, 0.846, 0.838]}, **{**RANGES, "ACCURACY_REVENUE_MULTIPLIER": "0.0002..0.0004"}
    ),
    "a value of one run, a slip": lambda: valued("a_root_mean_squared_error_of_a_long_name", {"baseline": [20.4], "enhanced": [14.1]}, **OWN),
    "a value without an amount": lambda: valued("rmse", RMSE),
    "a value of which nobody says which way is better": lambda: valued("my_cost", RMSE, **OWN),
    "names of 40 characters": lambda: named(FORTY),
    "hostile names": lambda: named(HOSTILE),
}
