"""Whether the traffic that counts is that of one test, and of the one whose runs are shown."""

from __future__ import annotations

from live_dashboards.analysis.facts.page import Page
from live_dashboards.model.names import listed

_NAMES_SHOWN = 4


def not_one_test(page: Page) -> str:
    """Why the counted traffic allows no verdict on the chosen experiment; empty where it is one test's, as
    far as names tell.

    Where no series has the experiment's name in its label `experiment`, all of them count. Under one other
    name they may still be this test, if its runs are of the variants that are compared; under several names
    they are several tests.
    """
    names = page.counted.prometheus.added_experiments
    if len(names) > 1:
        return (
            f"the traffic of {listed(names, _NAMES_SHOWN)} is added together; choose one with "
            "--experiment or AB_EXPERIMENT"
        )
    mlflow = page.counted.mlflow
    runs = {
        name for each in mlflow.experiments if each.name == mlflow.experiment for name, _ in each.variants
    }
    strange = [name for name in page.roles.pair if name not in runs]
    if not names or names[0] == mlflow.experiment or not runs or not strange:
        return ""
    return f"the traffic is that of {names[0]}, and {mlflow.experiment} has no run of {' and '.join(strange)}"
