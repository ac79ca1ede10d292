"""Our questions to MLflow's tables against mlflow.search_runs() and the naive join, at sizes a factor of ten apart."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime

from benchmarks.measuring import MLFLOW_PYTHON, PRODUCT_PYTHON, Command, Cost, in_turns, median, megabytes, module, ratio, seconds, table
from benchmarks.mlflow_rows import EXPERIMENTS, RUNS, SERVER, fill
from live_dashboards.demo.servers import PostgresServer

SIZES = (10_000, 100_000, 1_000_000, 10_000_000)
QUICK_SIZES = SIZES[:3]
_WAYS = {
    "source": "our source, one by one",
    "together": "our source, all at once",
    "search_runs": "mlflow.search_runs",
    "join": "naive join",
}
_HEAD = ["way", "metric rows", "query, wall", "of it the chosen experiment", "client CPU in it", "process CPU", "process wall", "peak memory", "rows"]


class DifferentAnswersError(Exception):
    """Two ways that must find the same do not."""


def measure(rounds: int, sizes: Sequence[int]) -> str:
    """The section of the report."""
    database_of = {rows: f"mlflow_{rows}" for rows in sizes}
    now = datetime.now(UTC)
    with PostgresServer(settings=SERVER) as server:
        fill(server, database_of, round(now.timestamp() * 1000))
        settings = {rows: _settings(server, database) for rows, database in database_of.items()}
        ends = {rows: settings[rows] for rows in (sizes[0], sizes[-1])}
        one = in_turns([*_commands("source", 1, now, settings), *_commands("search_runs", 1, now, ends), *_commands("join", 1, now, ends)], rounds)
        many = in_turns(
            [
                *_commands("source", EXPERIMENTS, now, ends),
                *_commands("together", EXPERIMENTS, now, settings),
                *_commands("search_runs", EXPERIMENTS, now, ends),
            ],
            rounds,
            warm_up=False,
        )
    _check_same(many, ends)
    return "\n".join(
        [
            f"## MLflow's tables: {EXPERIMENTS} experiments of {RUNS} runs, {sizes[0]:,} to {sizes[-1]:,} metric rows\n",
            f"### One experiment\n\n{_costs(one)}",
            _ratios(one, sizes, 1, {"search_runs": ("source",), "join": ("source",)}),
            f"### {EXPERIMENTS} experiments\n\n{_costs(many)}",
            _ratios(many, sizes, EXPERIMENTS, {"search_runs": ("source", "together")}),
        ]
    )


def measure_growth(rounds: int, sizes: Sequence[int]) -> str:
    """Our read of one experiment alone, at every size."""
    database_of = {rows: f"mlflow_{rows}" for rows in sizes}
    now = datetime.now(UTC)
    with PostgresServer(settings=SERVER) as server:
        fill(server, database_of, round(now.timestamp() * 1000))
        costs = in_turns([*_commands("source", 1, now, {rows: _settings(server, database) for rows, database in database_of.items()})], rounds)
    first = costs[_name("source", sizes[0])]
    rows = [
        [f"{size:,}", *(seconds(median(own, figure)) for figure in _GROWING), *(str(ratio(own, first, figure)) for figure in _GROWING)]
        for size, own in ((size, costs[_name("source", size)]) for size in sizes)
    ]
    head = ["metric rows", "query, wall", "of it the chosen experiment", "ratio to the first", "of the chosen experiment"]
    return f"### MLflow's metric rows; one experiment of {EXPERIMENTS}\n\n" + table(head, rows)


def _commands(way: str, count: int, now: datetime, settings: Mapping[int, Mapping[str, str]]) -> Iterable[Command]:
    python = MLFLOW_PYTHON if way == "search_runs" else PRODUCT_PYTHON
    return [module(_name(way, rows), "mlflow_reading", way, str(count), now.isoformat(), python=python, environment=own) for rows, own in settings.items()]


def _name(way: str, rows: int) -> str:
    return f"{way}@{rows}"


def _settings(server: PostgresServer, database: str) -> dict[str, str]:
    facts = {"HOST": server.host, "PORT": str(server.port), "NAME": database, "USER": server.user, "PASSWORD": server.password}
    return {f"MLFLOW_DB_{name}": value for name, value in facts.items()}


def _check_same(costs: Mapping[str, Sequence[Cost]], sizes: Iterable[int]) -> None:
    """Reading all experiments at once must find the accuracies that reading one by one finds."""
    for rows in sizes:
        one_by_one, together = (costs[_name(way, rows)][0].told for way in ("source", "together"))
        if any(one_by_one[name] != together[name] for name in ("rows", "points", "accuracy_sum")):
            raise DifferentAnswersError(f"at {rows} rows: {dict(one_by_one)} and {dict(together)}")


def _costs(costs: Mapping[str, Sequence[Cost]]) -> str:
    rows = []
    for name, own in costs.items():
        way, size = name.split("@")
        query, *times = (seconds(median(own, figure)) for figure in ("query_seconds", "query_cpu_seconds", "cpu_seconds", "wall_seconds"))
        chosen = seconds(median(own, "own_seconds")) if "own_seconds" in own[0].told else ""
        rows.append([_WAYS[way], f"{int(size):,}", query, chosen, *times, megabytes(median(own, "peak_bytes")), f"{own[0].told['rows']:,}"])
    return table(_HEAD, rows)


def _ratios(costs: Mapping[str, Sequence[Cost]], sizes: Sequence[int], count: int, against: Mapping[str, Sequence[str]]) -> str:
    aim = f"aim ≥ {20 if count > 1 else 8} at 10,000,000 rows"
    rows = [
        [f"{_WAYS[slow]} / {_WAYS[fast]}", f"{size:,}", *(str(ratio(costs[_name(slow, size)], costs[_name(fast, size)], figure)) for figure in _COMPARED)]
        for slow, ways in against.items()
        for fast in ways
        for size in (sizes[0], sizes[-1])
    ]
    ours = dict.fromkeys(fast for ways in against.values() for fast in ways)
    flat = [
        [f"{_WAYS[way]}, {sizes[-1]:,} rows / {sizes[0]:,}", "", *(str(ratio(costs[_name(way, sizes[-1])], costs[_name(way, sizes[0])], figure)) for figure in _COMPARED)]
        for way in ours
    ]
    return table(["ratio", "metric rows", f"query, wall ({aim} for search_runs)", "process CPU", "process wall", "peak memory"], [*rows, *flat])


_GROWING = ("query_seconds", "own_seconds")
_COMPARED = ("query_seconds", "cpu_seconds", "wall_seconds", "peak_bytes")
