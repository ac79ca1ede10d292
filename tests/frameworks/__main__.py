"""`python -m tests.frameworks`: runs the named frameworks one after the other and prints a table; exit code 1 where a number is wrong."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import requests

from live_dashboards.demo.server_process import termination_unwinds
from live_dashboards.demo.servers import PrometheusServer, ScrapeTarget
from live_dashboards.errors import DashboardError
from tests.frameworks import product
from tests.frameworks.known import ALL, BY_NAME, VARIANTS, WORD, Framework, Term
from tests.frameworks.load import client_counts, reaching, send_all, session, warm_up
from tests.frameworks.raw import Run, expected, growth, raw_faults, recorded, total
from tests.frameworks.serve import Served, served, wait_until
from tests.frameworks.table import Row, row_of, table, write_into_document

SCRAPE_SECONDS = 1
_QUIET_SECONDS = 5 * SCRAPE_SECONDS
_SETTLE_SECONDS = 60.0


def main() -> int:
    """Each framework in turn; what is said goes to stderr, the table to stdout."""
    arguments = _arguments()
    rows, faults = [], []
    with termination_unwinds(), ExitStack() as stack:
        mlflow = {} if arguments.raw_only else stack.enter_context(product.mlflow())
        for framework in map(BY_NAME.__getitem__, arguments.names or BY_NAME):
            try:
                row, found = measure(framework, mlflow, arguments)
            except (DashboardError, requests.RequestException, subprocess.CalledProcessError, AssertionError) as error:
                faults.append(f"{framework.name}: not measured: {error}")
                continue
            rows.append(row)
            faults += [f"{framework.name}: {fault}" for fault in found]
    sys.stdout.write(table(rows))
    if arguments.write:
        write_into_document(rows)
    sys.stderr.writelines(f"{fault}\n" for fault in faults)
    return 1 if faults else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="tests/frameworks/run.sh", description="Holds what the product shows of real serving frameworks against what a client counted.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(BY_NAME)} (default: all)")
    parser.add_argument("--raw-only", action="store_true", help="compare the client with the frameworks' counters only, not with the product")
    parser.add_argument("--record", type=Path, metavar="FOLDER", help="also write each exposition and the client's counts there")
    parser.add_argument("--write", action="store_true", help="also write the rows into the table of docs/serving.md, where other frameworks keep theirs")
    arguments = parser.parse_args()
    unknown = sorted(set(arguments.names) - set(BY_NAME))
    if unknown:
        parser.error(f"{unknown[0]!r} is none of {', '.join(each.name for each in ALL)}")
    return arguments


def measure(framework: Framework, mlflow: Mapping[str, str], arguments: argparse.Namespace) -> tuple[Row, list[str]]:
    """One framework's row, and what is wrong with it."""
    sys.stderr.write(f"{framework.name} {framework.version}\n")
    with served(framework) as place, prometheus_of(framework, place) as prometheus:
        run = loaded(framework, place)
        faults = raw_faults(run)
        if not wait_until(lambda: has_scraped(prometheus, run), _SETTLE_SECONDS):
            faults.append("Prometheus never held the counters of the last text")
        run = replace(run, first={variant: first_held(prometheus, framework, variant) for variant in VARIANTS})
        if arguments.record:
            record(run, arguments.record)
        summary = None if arguments.raw_only else product.summary_of(framework, {"PROMETHEUS_URL": prometheus.url, **mlflow})
    if summary is not None:
        faults += product.product_faults(summary, expected(run))
    return row_of(run, summary, is_right=not faults), faults


def prometheus_of(framework: Framework, place: Served) -> PrometheusServer:
    """A Prometheus that scrapes it as it is: no relabelling, no rules."""
    target = ScrapeTarget(place.metrics_address, place.metrics_address)
    return PrometheusServer(scrape={framework.name: [target]}, scrape_interval_seconds=SCRAPE_SECONDS)


def loaded(framework: Framework, place: Served) -> Run:
    """The whole load: some scrapes without traffic, the warm-up, the requests, and the text once the counters stand still."""
    time.sleep(_QUIET_SECONDS)
    before = place.metrics()
    warm = warm_up(framework, place.url)
    wait_until(lambda: is_complete(Run(framework, before, place.metrics(), warm, ())), _SETTLE_SECONDS)
    time.sleep(_QUIET_SECONDS)
    sent = send_all(framework, place.url)
    time.sleep(_QUIET_SECONDS)
    wait_until(lambda: is_complete(Run(framework, before, place.metrics(), warm, sent)), _SETTLE_SECONDS)
    return Run(framework, before, place.metrics(), warm, sent)


def is_complete(run: Run) -> bool:
    """Whether the counters hold every request; some frameworks export them only every few seconds."""
    return all(growth(run, run.framework.requests, variant) >= len(reaching(run.framework, run.of(variant))) for variant in VARIANTS)


def has_scraped(prometheus: PrometheusServer, run: Run) -> bool:
    """Whether Prometheus holds what the last text says, of every counter and variant."""
    plain = {term.name: Term(term.name) for term in (*run.framework.requests, *run.framework.errors)}.values()
    return all(_stored(prometheus, run.framework, term.name, variant) == total(run.framework, run.after, [term], variant) for term in plain for variant in VARIANTS)


def first_held(prometheus: PrometheusServer, framework: Framework, variant: str) -> float:
    """What the variant's series of requests held, all together, when Prometheus first saw each of them."""
    ranges = (_asked(prometheus, f"{_selector(framework, term.name, variant)}[1h]") for term in framework.requests)
    return sum(float(series["values"][0][1]) for found in ranges for series in found)


def _stored(prometheus: PrometheusServer, framework: Framework, name: str, variant: str) -> float:
    found = _asked(prometheus, f"sum({_selector(framework, name, variant)})")
    return float(found[0]["value"][1]) if found else 0.0


def _selector(framework: Framework, name: str, variant: str) -> str:
    return f'{name}{{{framework.label}="{framework.pattern.replace(WORD, variant)}"}}'


def _asked(prometheus: PrometheusServer, promql: str) -> list[dict[str, Any]]:
    answer = session().get(f"{prometheus.url}/api/v1/query?{urlencode({'query': promql})}", timeout=10)
    found: list[dict[str, Any]] = answer.json()["data"]["result"]
    return found


def record(run: Run, folder: Path) -> None:
    """The text after the run and the client's counts, for the suite to replay."""
    framework = run.framework
    stem = folder / f"{framework.name}-{framework.version}"
    folder.mkdir(parents=True, exist_ok=True)
    Path(f"{stem}.txt").write_text(recorded(framework, run.after), encoding="utf-8")
    counts = json.dumps(client_counts(framework, run.warm, run.sent), indent=1)
    Path(f"{stem}.client.json").write_text(counts + "\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
