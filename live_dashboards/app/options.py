"""What one run was asked for: the options of the command line, checked and typed.

The options of each command, checked where they are read; nothing heavy is imported for `--help`.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TypeAlias, TypeVar

from live_dashboards import __version__
from live_dashboards.errors import UsageError
from live_dashboards.model.moment import parse_page_moment
from live_dashboards.model.planning import Given
from live_dashboards.settings.table import all_settings
from live_dashboards.settings.values import split

Value = TypeVar("Value")
_LARGEST_SIDE_PIXELS = 20_000
_SMALLEST_INCHES = (8.0, 5.0)


@dataclass(frozen=True, slots=True)
class Request:
    """What one run was asked for; `at` None is now, `output` None a default name in DASHBOARD_OUTPUT_DIR, a
    `summary` of `-` is stdout.
    """

    at: datetime | None = None
    output: Path | None = None
    summary: str | None = None
    compare: Path | None = None
    sidecars: bool = False
    dpi: int = 300
    size_inches: tuple[float, float] = (16.0, 10.0)
    require: str = "any"
    on_missing: str = "simulate"
    simulate_only: bool = False
    seed: int = 42
    save_snapshot: Path | None = None
    from_snapshot: Path | None = None
    latest: bool = False
    keep: int | None = None
    keep_days: float | None = None
    metrics_file: Path | None = None


def parser() -> argparse.ArgumentParser:
    """The parser of the whole command line."""
    root = argparse.ArgumentParser(
        prog="live-dashboards", description="A/B test dashboards from MLflow and Prometheus."
    )
    root.add_argument("--version", action="version", version=f"live-dashboards {__version__}")
    commands = root.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, what, description in (
        ("ab", "A/B testing", _AB),
        ("business", "business impact", _BUSINESS),
    ):
        picture = commands.add_parser(
            name,
            help=f"draw the {what} dashboard",
            description=description,
            epilog=_settings_help(),
            formatter_class=_Wide,
        )
        _add_picture_options(picture)
        _add_unattended_options(picture)
    both = commands.add_parser("all", help="draw both dashboards from one fetch", description=_ALL)
    _add_picture_options(both, is_folder=True)
    _add_unattended_options(both)
    both.add_argument(
        "--all-experiments", action="store_true", help="draw both for each A/B experiment that MLflow has"
    )
    _add_check(commands)
    _add_demo(commands)
    _add_web(commands)
    _add_explain(commands)
    _add_plan(
        commands.add_parser(
            "plan",
            help="how many requests and days a test takes, before it starts",
            description=_PLAN,
            epilog=_settings_help(),
            formatter_class=_Wide,
        )
    )
    _add_rules(commands)
    _add_verdict(commands)
    hashing = commands.add_parser(
        "hash-password", help="hash a password for the web page's login", description=_HASH
    )
    _add_voice_options(hashing)
    return root


_Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"  # noqa: SLF001 its only name


def _add_check(commands: _Commands) -> None:
    check = commands.add_parser("check", help="test the connections", description=_CHECK)
    _add_common_options(check)
    check.add_argument("--json", action="store_true", help="print the checks as JSON")
    _add_moment(check, "check as of")


def _add_demo(commands: _Commands) -> None:
    demo = commands.add_parser(
        "demo", help="bring up real sources with an A/B test and draw them", description=_DEMO
    )
    _add_picture_options(demo, is_folder=True)
    demo.add_argument(
        "--web",
        action="store_true",
        help="serve the page that refreshes itself instead of drawing, until Ctrl-C",
    )
    demo.add_argument(
        "--keep",
        action="store_true",
        help="leave the servers running until Ctrl-C and print the settings to paste",
    )


def _add_web(commands: _Commands) -> None:
    web = commands.add_parser(
        "web",
        help="serve the page that refreshes itself",
        description=_WEB,
        epilog=_settings_help(),
        formatter_class=_Wide,
    )
    _add_common_options(web)
    web.add_argument("--host", metavar="ADDRESS", help="address to listen on (default: DASHBOARD_HOST)")
    web.add_argument("--port", metavar="N", help="port to listen on (default: DASHBOARD_PORT)")
    web.add_argument(
        "--experiment",
        metavar="NAME",
        help="MLflow experiment of the first view (default: AB_EXPERIMENT, else the newest with values or "
        "requests of both variants)",
    )
    web.add_argument("--window", metavar="24h", help="window of the first view (default: AB_WINDOW)")


def _add_explain(commands: _Commands) -> None:
    explain = commands.add_parser(
        "explain", help="where a number of the last summary comes from", description=_EXPLAIN
    )
    _add_common_options(explain)
    explain.add_argument("name", metavar="NAME", help="a measurement's name, or name.variant")
    explain.add_argument(
        "--summary",
        type=Path,
        metavar="PATH",
        help="the summary to look into (default: the newest one in the output folder)",
    )


def _add_rules(commands: _Commands) -> None:
    rules = commands.add_parser(
        "rules", help="print the recording rules of a serving framework's metrics", description=_RULES
    )
    _add_common_options(rules)
    rules.add_argument(
        "--preset",
        metavar="NAME",
        help="whose metrics: a preset's name, or the path of a TOML file of your own, over AB_METRICS "
        "(default: that)",
    )


def _add_verdict(commands: _Commands) -> None:
    verdict = commands.add_parser("verdict", help="print the A/B verdict alone", description=_VERDICT)
    _add_common_options(verdict)
    verdict.add_argument("--json", action="store_true", help="print answer, verdicts and gates as JSON")
    verdict.add_argument(
        "--exit-code",
        action="store_true",
        help="end with 0 SHIP, 10 KEEP RUNNING, 11 NO MEANINGFUL DIFFERENCE, 12 NO VERDICT, 20 ROLL BACK",
    )
    _add_test_options(verdict)
    _add_moment(verdict, "evaluate at")
    _add_require_option(verdict)
    verdict.add_argument(
        "--from-snapshot", type=Path, metavar="PATH", help="of a stored moment; no source is asked"
    )


def _add_test_options(command: argparse.ArgumentParser) -> None:
    """Which test, over which window."""
    command.add_argument(
        "--experiment",
        metavar="NAME",
        help="MLflow experiment (default: AB_EXPERIMENT, else the newest with values or requests of both "
        "variants)",
    )
    command.add_argument(
        "--window",
        metavar="24h",
        help="what timelines and totals show, a Prometheus duration (default: AB_WINDOW)",
    )


def _add_require_option(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--require",
        choices=("live", "partial", "any"),
        default="any",
        help="exit 3 where the data are less (default: %(default)s)",
    )


class _Wide(argparse.RawDescriptionHelpFormatter):
    """Keeps the lines of the settings' table."""


def _settings_help() -> str:
    """The table of settings, a line each."""
    rows = (
        f"  {setting.name}={setting.default or ''}\n      {setting.meaning}" for setting in all_settings()
    )
    return "settings, from the environment or .env.live-dashboards:\n" + "\n".join(rows)


def request(arguments: argparse.Namespace) -> Request:
    """What the picture options ask for; UsageError where size and dpi together are more than any picture
    needs.
    """
    largest_pixels = max(arguments.size) * arguments.dpi
    if largest_pixels > _LARGEST_SIDE_PIXELS:
        raise UsageError(
            f"--size and --dpi ask for {largest_pixels:,.0f} pixels a side; choose at most "
            f"{_LARGEST_SIDE_PIXELS:,}"
        )
    _refuse_retention_of_a_named_file(arguments)
    return Request(
        at=arguments.at,
        output=arguments.output,
        summary=getattr(arguments, "summary", None),
        compare=getattr(arguments, "compare", None),
        sidecars=arguments.sidecars,
        dpi=arguments.dpi,
        size_inches=arguments.size,
        require=arguments.require,
        on_missing=arguments.on_missing,
        simulate_only=arguments.simulate,
        seed=arguments.seed,
        save_snapshot=arguments.save_snapshot,
        from_snapshot=arguments.from_snapshot,
        latest=getattr(arguments, "latest", False),
        keep=getattr(arguments, "keep_count", None),
        keep_days=getattr(arguments, "keep_days", None),
        metrics_file=getattr(arguments, "metrics_file", None),
    )


def _refuse_retention_of_a_named_file(arguments: argparse.Namespace) -> None:
    names_a_file = arguments.output is not None and (arguments.output.suffix or not arguments.takes_folder)
    given = (
        ("--latest", "latest", False),
        ("--keep", "keep_count", None),
        ("--keep-days", "keep_days", None),
    )
    for option, name, unset in given:
        if names_a_file and getattr(arguments, name, unset) != unset:
            raise UsageError(
                f"{option} is for stamped names, but --output names a file, which each run "
                "replaces anyway; leave one of the two out"
            )


def _add_common_options(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--env-file", type=Path, metavar="PATH", help="settings file (default: .env.live-dashboards)"
    )
    _add_voice_options(command)


def _add_voice_options(command: argparse.ArgumentParser) -> None:
    voice = command.add_mutually_exclusive_group()
    voice.add_argument("-v", "--verbose", action="store_true", help="say more, with tracebacks")
    voice.add_argument("-q", "--quiet", action="store_true", help="say only errors")


def _add_picture_options(command: argparse.ArgumentParser, *, is_folder: bool = False) -> None:
    _add_common_options(command)
    add = command.add_argument
    if is_folder:
        add(
            "--output",
            type=Path,
            metavar="PATH",
            help="folder, or the A/B image's file name; the other "
            "image's ends in -business "
            "(default: DASHBOARD_OUTPUT_DIR)",
        )
    else:
        add(
            "--output",
            type=Path,
            metavar="PATH",
            help="image file; the suffix picks png, pdf or svg "
            "(default: a stamped name in "
            "DASHBOARD_OUTPUT_DIR)",
        )
        add(
            "--summary",
            metavar="PATH",
            help="JSON summary (default: beside the image, same stem; - is stdout)",
        )
        add(
            "--compare",
            type=Path,
            metavar="PATH",
            help="an earlier summary: tell what changed since, in the log and the JSON",
        )
    command.set_defaults(takes_folder=is_folder)
    add(
        "--sidecars",
        action="store_true",
        help="add .csv of the drawn values and .md alt text beside the image",
    )
    _add_test_options(command)
    _add_moment_and_size(command, "evaluate at", (16.0, 10.0))
    _add_require_option(command)
    add(
        "--on-missing",
        choices=("simulate", "mark"),
        default="simulate",
        help="panels of a missing source (default: %(default)s)",
    )
    add("--simulate", action="store_true", help="do not even try the sources")
    add("--seed", type=int, default=42, metavar="N", help="seed of the simulation (default: %(default)s)")
    add("--save-snapshot", type=Path, metavar="PATH", help="store what the sources answered")
    add(
        "--from-snapshot",
        type=Path,
        metavar="PATH",
        help="draw again from a stored moment; no source is asked",
    )


def _add_moment(command: argparse.ArgumentParser, what: str) -> None:
    """The moment that an answer is of; `what` says how."""
    command.add_argument(
        "--at",
        type=_read(parse_page_moment),
        metavar="TIME",
        help=f"{what} that moment, RFC 3339 or unix seconds (default: now)",
    )


def _add_moment_and_size(
    command: argparse.ArgumentParser, what: str, size_inches: tuple[float, float]
) -> None:
    """Of a picture: the moment that it is of, `what` says how, its resolution and its size."""
    add, (width, height) = command.add_argument, size_inches
    _add_moment(command, what)
    add("--dpi", type=_read(_dpi), default=300, metavar="N", help="dots per inch (default: %(default)s)")
    add(
        "--size",
        type=_read(_size),
        default=size_inches,
        metavar="WxH",
        help=f"size in inches (default: {width:g}x{height:g})",
    )


def _add_plan(command: argparse.ArgumentParser) -> None:
    """What is planned, what is given instead of being asked of the sources, and where the plan goes."""
    _add_common_options(command)
    given = command.add_argument_group("given numbers, instead of what the sources say of the baseline")
    given.add_argument(
        "--baseline-accuracy", type=_read(_rate), metavar="PERCENT", help="accuracy (default: MLflow's)"
    )
    given.add_argument(
        "--baseline-error-rate",
        type=_read(_rate),
        metavar="PERCENT",
        help="error rate (default: Prometheus' last 7 days)",
    )
    given.add_argument(
        "--baseline-too-slow",
        type=_read(_rate),
        metavar="PERCENT",
        help="share of requests over AB_LATENCY_OBJECTIVE_MS (default: Prometheus' last 7 days)",
    )
    given.add_argument(
        "--requests-a-day",
        type=_read(_requests),
        metavar="N",
        help="requests of all variants a day (default: Prometheus' last 7 days, the least and the most too)",
    )
    given.add_argument(
        "--overdispersion",
        type=_read(_overdispersion),
        metavar="X",
        help="variance of requests that go together over that of independent ones (default: from the "
        "baseline's own blocks; 2 at least where they tell it, as the page's limits are)",
    )
    what = command.add_argument_group("what is planned; margins are those of the settings")
    what.add_argument(
        "--effect",
        type=_read(_effect),
        metavar="POINTS",
        help="effect of the success metric to find (default: AB_MINIMUM_EFFECT_POINTS)",
    )
    what.add_argument(
        "--split",
        type=_read(_split),
        metavar="SPLIT",
        help="split as in AB_TRAFFIC_SPLIT, dated ones too (default: that, else half and half)",
    )
    what.add_argument(
        "--power", type=_read(_power), default=80.0, metavar="PERCENT", help="power (default: %(default)g)"
    )
    _add_plan_outputs(command)


def _add_plan_outputs(command: argparse.ArgumentParser) -> None:
    add = command.add_argument
    add("--experiment", metavar="NAME", help="MLflow experiment (default: AB_EXPERIMENT, else the newest)")
    add("--output", type=Path, metavar="PATH", help="image file; the suffix picks png, pdf or svg")
    add(
        "--summary",
        metavar="PATH",
        help="JSON of the plan (default: beside the image, same stem; - is stdout, instead of words)",
    )
    _add_moment_and_size(command, "plan as of", (12.0, 6.75))


def given(arguments: argparse.Namespace) -> Given:
    """The numbers that a plan was given."""
    return Given(
        arguments.baseline_accuracy,
        arguments.baseline_error_rate,
        arguments.baseline_too_slow,
        arguments.requests_a_day,
        arguments.overdispersion,
        arguments.power,
    )


def plan_request(arguments: argparse.Namespace) -> Request:
    """Where the plan goes, and its moment."""
    return Request(
        at=arguments.at,
        output=arguments.output,
        summary=arguments.summary,
        dpi=arguments.dpi,
        size_inches=arguments.size,
    )


def _add_unattended_options(command: argparse.ArgumentParser) -> None:
    """For runs that nobody watches."""
    add = command.add_argument
    add(
        "--latest",
        action="store_true",
        help="also write a stable name, ..._latest.png, beside the "
        "stamped one; a simulated "
        "picture becomes ..._latest-SIMULATED.png",
    )
    add(
        "--keep",
        dest="keep_count",
        type=_read(_count),
        metavar="N",
        help="after a successful run keep the N newest stamped pictures",
    )
    add(
        "--keep-days",
        type=_read(_days),
        metavar="N",
        help="after a successful run remove stamped pictures that are older than N days",
    )
    add(
        "--metrics-file",
        type=Path,
        metavar="PATH",
        help="write how the run ended for node_exporter's textfile collector, which reads what ends in .prom",
    )
    add(
        "--notify-url",
        metavar="URL",
        help="post badge, verdict and numbers there, Slack-compatible; "
        "others can read it in the "
        "process list, unlike DASHBOARD_NOTIFY_URL",
    )


def _read(parse: Callable[[str], Value]) -> Callable[[str], Value]:
    """The parser with its ValueError as argparse's own sentence."""

    def read(text: str) -> Value:
        try:
            return parse(text)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from None

    return read


def _between(text: str, low: float, high: float) -> float:
    """The number, NaN where it is none or not between these."""
    try:
        value = float(text.replace("_", ""))
    except ValueError:
        return math.nan
    return value if low < value < high else math.nan


def _rate(text: str) -> float:
    value = _between(text.removesuffix("%"), 0.0, 100.0)
    if math.isnan(value):
        raise ValueError(f"{text!r} is not a rate in percent, above 0 and below 100, such as 5 for 5 %")
    return value


def _requests(text: str) -> float:
    value = _between(text, 0.0, 1e13)
    if math.isnan(value):
        raise ValueError(f"{text!r} is not a number of requests a day above 0, such as 31000")
    return value


def _overdispersion(text: str) -> float:
    value = _between(text, 1 - 1e-12, 1e6)
    if math.isnan(value):
        raise ValueError(f"{text!r} is not a number from 1 (independent requests) on, such as 2.5")
    return value


def _effect(text: str) -> str:
    if math.isnan(_between(text, 0.0, 100.0)):
        raise ValueError(f"{text!r} is not an effect in points above 0 and below 100; no test finds a 0")
    return text


def _power(text: str) -> float:
    value = _between(text.removesuffix("%"), 50 - 1e-9, 99.9 + 1e-9)
    if math.isnan(value):
        raise ValueError(f"{text!r} is not a power in percent from 50 to 99.9, such as 80")
    return value


def _split(text: str) -> str:
    try:
        split(text)
    except ValueError as error:
        raise ValueError(f"{text!r} {error}") from None
    return text


def _dpi(text: str) -> int:
    if not text.isdecimal() or not 50 <= int(text) <= 1200:
        raise ValueError(f"{text!r} is not a whole number from 50 to 1200")
    return int(text)


def _count(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) < 10**9:
        raise ValueError(f"{text!r} is not a whole number from 1")
    return int(text)


def _days(text: str) -> float:
    try:
        days = float(text)
    except ValueError:
        days = math.nan
    if not 0 < days <= 36_500:
        raise ValueError(f"{text!r} is not a number of days above 0, at most 36500")
    return days


def _size(text: str) -> tuple[float, float]:
    sides = text.lower().split("x")
    try:
        width, height = (float(side) for side in sides)
    except ValueError:
        raise ValueError(f"{text!r} is not WIDTHxHEIGHT in inches, such as 16x10") from None
    if (
        not (math.isfinite(width) and math.isfinite(height))
        or width < _SMALLEST_INCHES[0]
        or height < _SMALLEST_INCHES[1]
        or max(width, height) > 100
    ):
        raise ValueError(f"{text!r} is not between 8x5 and 100x100 inches")
    return width, height


_AB = (
    "Draws the A/B testing dashboard and prints the path that was written. Exit codes: 0 written, 1 not "
    "written, 2 usage or settings, 3 less than --require asks."
)
_BUSINESS = (
    "Draws the business impact dashboard (revenue, cost, risk, net value, ROI, payback, "
    "recommendation) and prints the path. Exit codes as for `ab`."
)
_ALL = "Asks the sources once and draws both dashboards; prints a path a line. Exit codes as for `ab`."
_CHECK = (
    "Tests settings, both connections and the A/B data in them, a line a check with the fix. Exit "
    "codes: 0 all right, 1 something is wrong, 2 settings."
)
_WEB = (
    "Serves both dashboards as one page that refreshes itself, for everybody who may see it. Exit "
    "codes: 0 told to stop, 2 settings."
)
_DEMO = (
    "Brings up a PostgreSQL and a Prometheus of its own on loopback, fills them with an A/B test, "
    "draws both dashboards and takes everything down again."
)
_EXPLAIN = "Prints value, origin, query and inputs of a number of the last summary."
_PLAN = """\
Tells, before a test starts, how many requests and days (and test rows) it takes until the effect is found
and each guardrail shown, at one look and however often one looks, and the AB_PLANNED_REQUESTS to set: from
Prometheus' last 7 days and MLflow's accuracy of the baseline, or from given numbers. Nothing is simulated.
Prints the words, then the path of the picture; with --summary - the JSON instead of both. Exit codes:
0 written, 1 not written, 2 usage, settings, or a number that is not known (the sentence names the option
that gives it)."""
_RULES = (
    "Prints the recording rules behind PROMETHEUS_RECORDED=on as one file, for the metrics that AB_METRICS "
    "and what overrides it (AB_MODEL_PATTERN, AB_MATCHERS, ...) name; no source is asked. Let Prometheus or "
    "vmalert load it instead of ab_test.rules.yml and ab_test_recorded.rules.yml. Exit codes: 0 printed, "
    "1 not printed, 2 usage or settings."
)
_VERDICT = (
    "Prints the A/B verdict in one line, or with its gates as JSON, for a step of a pipeline; nothing is "
    "drawn or simulated. Exit codes: 0 printed (with --exit-code: SHIP), 1 not printed, 2 usage or settings, "
    "3 less than --require asks; with --exit-code also 10 KEEP RUNNING, 11 NO MEANINGFUL DIFFERENCE, "
    "12 NO VERDICT, 20 ROLL BACK."
)
_HASH = (
    "Asks for a password twice without showing it, or reads one line where there is no terminal, "
    "and prints the line for .env.live-dashboards that lets its user into the web page. A password has at "
    "least 12 characters."
)
