"""The command line: `live-dashboards ab | business | all | web | check | demo | explain | plan | rules |
verdict | hash-password`. stdout is the result, which may be closed, full, or a pipe whose reader has gone;
stderr the conversation.
"""

from __future__ import annotations

import argparse
import atexit
import contextlib
import gc
import getpass
import io
import json
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from live_dashboards.app import options
from live_dashboards.app.endings import deadline, ending_cleanly_on
from live_dashboards.errors import DashboardError, OutputError, SettingsError, UsageError
from live_dashboards.model.judgement import KEEP_RUNNING, NO_DIFFERENCE, NO_VERDICT, ROLL_BACK, SHIP
from live_dashboards.model.names import escaped
from live_dashboards.settings import Settings, load_settings

if TYPE_CHECKING:
    from live_dashboards.app.unattended import RunUnderWay
    from live_dashboards.app.writing import Outcome


WRITTEN, NOT_WRITTEN, USAGE, LESS_THAN_REQUIRED = 0, 1, 2, 3
_OF_VERDICTS = {SHIP: 0, KEEP_RUNNING: 10, NO_DIFFERENCE: 11, NO_VERDICT: 12, ROLL_BACK: 20}
_BOTH = ("ab", "business")
Command = Callable[[argparse.Namespace, Path | None], int]

log = logging.getLogger("live_dashboards")


def main(argv: Sequence[str] | None = None, *, base_folder: Path | None = None) -> int:
    """Runs one command; the exit code. `base_folder` is where the settings file and a relative output folder
    lie (default: the current one).
    """
    commands: Mapping[str, Command] = {
        "ab": partial(_draw, ("ab",)),
        "business": partial(_draw, ("business",)),
        "all": partial(_draw, _BOTH),
        "web": _web,
        "check": _check,
        "demo": _demo,
        "explain": _explain,
        "plan": _plan,
        "rules": _rules,
        "verdict": _verdict,
        "hash-password": _hash_password,
    }
    try:
        arguments = _parsed(argv)
        _start_logging(arguments.verbose, arguments.quiet)
        with ending_cleanly_on(signal.SIGTERM):
            return commands[arguments.command](arguments, base_folder)
    except DashboardError as error:
        log.error("%s", error, exc_info=log.isEnabledFor(logging.DEBUG))  # noqa: TRY400 the traceback is for -v only
        return error.exit_code
    except KeyboardInterrupt:
        log.error("interrupted")  # noqa: TRY400 nothing to trace
        return 130


def _parsed(argv: Sequence[str] | None) -> argparse.Namespace:
    _start_logging(verbose=False, quiet=False)
    printed = io.StringIO()
    try:
        with contextlib.redirect_stdout(printed):
            return options.parser().parse_args(argv)
    except SystemExit:  # --help and --version end so
        say(printed.getvalue())
        raise


class _OneLine(logging.Formatter):
    """A record is a line: what servers and names hold can neither begin another one nor steer a terminal.
    Only a traceback has more lines.
    """

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 the library's name
        """The line, with what would act in it written out."""
        return escaped(super().formatMessage(record))

    def formatException(self, ei: Any) -> str:  # noqa: N802 the library's name
        """The traceback, line by line as harmless."""
        return "\n".join(map(escaped, super().formatException(ei).split("\n")))


def _start_logging(verbose: bool, quiet: bool) -> None:  # noqa: FBT001 two flags of one parser
    level = logging.DEBUG if verbose else logging.ERROR if quiet else logging.WARNING
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_OneLine("%(levelname)s: %(message)s"))
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    log.setLevel(level)
    # else it tells each cron run that it found no home folder to cache in
    logging.getLogger("matplotlib").setLevel(logging.ERROR)


def _settings(arguments: argparse.Namespace, base_folder: Path | None) -> Settings:
    return load_settings(
        env_file=arguments.env_file, overrides=_overrides(arguments), base_folder=base_folder
    )


def _overrides(arguments: argparse.Namespace) -> Mapping[str, str]:
    options_of = {
        "AB_EXPERIMENT": "experiment",
        "AB_WINDOW": "window",
        "DASHBOARD_HOST": "host",
        "DASHBOARD_PORT": "port",
        "DASHBOARD_NOTIFY_URL": "notify_url",
        "AB_MINIMUM_EFFECT_POINTS": "effect",
        "AB_TRAFFIC_SPLIT": "split",
        "AB_METRICS": "preset",
    }
    return {
        name: getattr(arguments, option)
        for name, option in options_of.items()
        if getattr(arguments, option, None) is not None
    }


def _draw(dashboards: tuple[str, ...], arguments: argparse.Namespace, base_folder: Path | None) -> int:
    """Draws, and leaves a metrics file behind where one was asked for, however that ends."""
    from live_dashboards.app.unattended import recorded

    with _without_garbage_collection(arguments), recorded(arguments.metrics_file, dashboards) as run:
        return _draw_with(_settings(arguments, base_folder), dashboards, arguments, run)


def _draw_with(
    settings: Settings, dashboards: tuple[str, ...], arguments: argparse.Namespace, run: RunUnderWay
) -> int:
    """Draws for itself alone and in its time, and prints each path or the summary as soon as it is there."""
    from live_dashboards.app.pipeline import lock, outcomes
    from live_dashboards.app.unattended import finish
    from live_dashboards.app.writing import check_outputs

    run.settings, request, every = (
        settings,
        options.request(arguments),
        getattr(arguments, "all_experiments", False),
    )
    check_outputs(dashboards, settings, request)
    with deadline(settings["RUN_TIMEOUT_SECONDS"]), lock(dashboards, settings, request):
        written = [
            _tell(outcome, run) for outcome in outcomes(dashboards, settings, request, every_experiment=every)
        ]
        finish(written, settings, request, run)
    run.is_success = all(outcome.is_enough for outcome in written)
    if run.unprinted is not None:
        raise OutputError(f"all files are written, but {run.unprinted}") from run.unprinted
    return WRITTEN if run.is_success else LESS_THAN_REQUIRED


@contextlib.contextmanager
def _without_garbage_collection(arguments: argparse.Namespace) -> Iterator[None]:
    """Nobody looks for unreachable cycles among all that drawing imports, now and as the process ends: that
    takes an eighth of the CPU time and frees 2 MB.

    Of many experiments somebody does.
    """
    was_enabled = gc.isenabled()
    if not getattr(arguments, "all_experiments", False):
        gc.disable()
        atexit.register(gc.freeze)
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _tell(outcome: Outcome, run: RunUnderWay) -> Outcome:
    """Prints what was written; where that fails, the run goes on, and the failure is told at its end."""
    try:
        say(outcome.summary_text if outcome.summary_text is not None else f"{outcome.image}\n")
    except OutputError as error:
        run.unprinted = error
    run.reports.append(outcome.report)
    return outcome


def _web(arguments: argparse.Namespace, base_folder: Path | None) -> int:
    """Serves until Ctrl-C or SIGTERM."""
    from live_dashboards.app.serving import serve

    if not arguments.quiet:
        log.setLevel(logging.DEBUG if arguments.verbose else logging.INFO)
    serve(_settings(arguments, base_folder))
    _leave_at_once()
    return WRITTEN


def _leave_at_once() -> None:
    """Ends the process without waiting for threads that still wait for a source, which may take as long as
    its deadline.
    """
    if threading.current_thread() is threading.main_thread():
        logging.shutdown()
        os._exit(WRITTEN)


def _check(arguments: argparse.Namespace, base_folder: Path | None) -> int:
    from live_dashboards.app.pipeline import connection_checks

    settings, checks = _settings(arguments, base_folder), []
    if not settings.has_mlflow and not settings.has_prometheus:
        raise SettingsError(
            "no source is configured; set MLFLOW_DB_HOST and PROMETHEUS_URL (or "
            "MLFLOW_TRACKING_URI) in .env.live-dashboards"
        )
    for check in connection_checks(settings, arguments.at):
        checks.append(check)
        if not arguments.json:
            fix = f"; {check.fix}" if check.fix else ""
            say(escaped(f"{check.ok.upper():<8}{check.name}: {check.found}{fix}") + "\n")
    if arguments.json:
        say(json.dumps({"checks": [asdict(check) for check in checks]}, indent=2) + "\n")
    return NOT_WRITTEN if any(check.has_failed for check in checks) else WRITTEN


def _demo(arguments: argparse.Namespace, base_folder: Path | None) -> int:
    from live_dashboards.app.unattended import RunUnderWay
    from live_dashboards.demo.demo import Demo

    with Demo() as demo:
        for note in demo.notes:
            log.warning("%s", note)
        own = load_settings(
            env_file=Path(os.devnull),
            environment=demo.environment,
            overrides=_overrides(arguments),
            base_folder=base_folder,
        )
        if arguments.web:
            from live_dashboards.app.serving import serve

            serve(own)
            return WRITTEN
        exit_code = _draw_with(own, _BOTH, arguments, RunUnderWay())
        if arguments.keep:
            sys.stderr.write(
                "The demo runs until Ctrl-C. Settings to paste into "
                f".env.live-dashboards:\n\n{demo.settings_text()}\n"
            )
            with contextlib.suppress(KeyboardInterrupt):
                threading.Event().wait()
    return exit_code


def _explain(arguments: argparse.Namespace, base_folder: Path | None) -> int:
    from live_dashboards.outputs.explain import explain, find_last_summary

    path = arguments.summary or find_last_summary(_settings(arguments, base_folder).output_folder)
    say(explain(arguments.name, path))
    return WRITTEN


def _plan(arguments: argparse.Namespace, base_folder: Path | None) -> int:
    from live_dashboards.app.planning import plan_and_write

    settings = _settings(arguments, base_folder)
    with deadline(settings["RUN_TIMEOUT_SECONDS"]):
        say(plan_and_write(settings, options.given(arguments), options.plan_request(arguments)))
    return WRITTEN


def _verdict(arguments: argparse.Namespace, base_folder: Path | None) -> int:
    """Prints the answer; nothing is drawn, and what is missing is not simulated."""
    from live_dashboards.app.pipeline import ab_report, ask, tell_naming
    from live_dashboards.app.writing import is_enough

    settings = _settings(arguments, base_folder)
    request = options.Request(
        at=arguments.at, on_missing="mark", require=arguments.require, from_snapshot=arguments.from_snapshot
    )
    with deadline(settings["RUN_TIMEOUT_SECONDS"]):
        snapshot = ask(settings, request)
        tell_naming(snapshot, settings)
        report = ab_report(snapshot, settings, request)
    if arguments.json:
        from live_dashboards.outputs.summary import verdict_text

        say(verdict_text(report))
    else:
        where = f"{report.experiment or 'no experiment'}, {report.badge.kind.value}"
        answer = report.answer
        words = answer.sentence.removeprefix("no verdict: ")  # which the word says already
        say(escaped(f"{answer.verdict}: {words}. {answer.do_now} ({where})") + "\n")
    if not is_enough(report, request.require):
        return LESS_THAN_REQUIRED
    if not arguments.exit_code:
        return WRITTEN
    # of several challengers one may be worth waiting for, and another one be harmed
    is_harmed = bool(report.harmed) and report.answer.verdict != SHIP
    return _OF_VERDICTS[ROLL_BACK if is_harmed else report.answer.verdict]


def _rules(arguments: argparse.Namespace, base_folder: Path | None) -> int:
    from live_dashboards.sources.prometheus.rules import rules_text

    serving = _settings(arguments, base_folder).serving
    if serving.needs_pattern and serving.model_pattern is None:
        log.warning(
            "without AB_MODEL_PATTERN every value of the label %s of %s is recorded as a variant of its own; "
            "set it to a pattern whose first group is the variant, such as %s",
            serving.model_label,
            serving.title,
            r"/models/(\w+)/predict",
        )
    say(rules_text(serving))
    return WRITTEN


def _hash_password(_: argparse.Namespace, __: Path | None) -> int:
    try:
        from live_dashboards.web.access.passwords import LEAST_CHARACTERS, hash_password
    except ModuleNotFoundError as error:
        raise UsageError(
            "hash-password needs the web page's packages; run "
            "scripts/setup-live-dashboards.sh "
            "or install live-dashboards[web]"
        ) from error

    password = _new_password()
    if len(password) < LEAST_CHARACTERS:
        raise UsageError(
            f"the password has fewer than {LEAST_CHARACTERS} characters; choose a longer one, "
            "such as four random words"
        )
    # single quotes, so that nothing expands its dollar signs
    say(f"DASHBOARD_PASSWORD_HASH='{hash_password(password)}'\n")
    return WRITTEN


def _new_password() -> str:
    """A password that was typed twice alike, or one line of a pipe; never an argument, which every user of
    the machine could read.
    """
    try:
        password = _typed_password() if sys.stdin.isatty() else sys.stdin.readline().rstrip("\r\n")
        password.encode()
    except (EOFError, UnicodeError) as error:
        raise UsageError(
            "no password could be read; type it, or give it as one line of UTF-8 text"
        ) from error
    return password


def _typed_password() -> str:
    password = getpass.getpass("Password: ")
    if getpass.getpass("Again: ") != password:
        raise UsageError("the two passwords differ; run hash-password again")
    return password


def say(text: str) -> None:
    """Prints the text at once. A reader that has gone has seen enough, so that is quiet; OutputError where it
    cannot be printed for any other reason.
    """
    if not text:
        return
    if sys.stdout is None:  # as Python has it where stdout is closed
        raise OutputError(_told("it is closed"))
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        _drop_the_rest()
    except OSError as error:
        _drop_the_rest()
        raise OutputError(_told(error.strerror or str(error))) from error


def _told(cause: str) -> str:
    return (
        f"the result cannot be printed on stdout: {cause}; let it lead to a terminal, a pipe or a file "
        "that has room"
    )


def _drop_the_rest() -> None:
    """What is held back, and all that follows, goes nowhere: Python would try again as it ends, and complain
    in words and exit code of its own.
    """
    # an stdout that is no file of the system holds nothing back
    with contextlib.suppress(OSError, ValueError):
        stdout, nowhere = sys.stdout.fileno(), os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stdout)
        os.close(nowhere)


if __name__ == "__main__":
    sys.exit(main())
