"""Each fault of each source before both pictures: the right badge and exit code, in time, the last good answer kept, and all is well again in the next run."""

import gzip
import json
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from live_dashboards.app.cli import LESS_THAN_REQUIRED, WRITTEN, main
from live_dashboards.sources.connector import LiveDataConnector
from tests.support.fault_proxy import FaultProxy
from tests.support.pace import STALL_SECONDS, scaled
from tests.support.source_faults import MLFLOW_FAULTS, PROMETHEUS_FAULTS
from tests.support.waiting import LONGEST_SECONDS

ROOT = Path(__file__).resolve().parents[2]
LARGEST_BYTES = 500 * 1024 * 1024
TIMEOUT_SECONDS = 0.5  # of a source whose fault only that ends; a source that ignored it would take minutes
SETTINGS = {"AB_EXPERIMENT": "checkout", "AB_WINDOW": "1h", "SOURCE_TIMEOUT_SECONDS": f"{LONGEST_SECONDS:g}", "DASHBOARD_CACHE_DIR": "kept"}
FAULTS = {"mlflow": MLFLOW_FAULTS, "prometheus": PROMETHEUS_FAULTS}
BADGE_WITHOUT = {"mlflow": "OPERATIONAL DATA", "prometheus": "MODEL DATA"}
MEASURED = """
import sys
from live_dashboards.app.cli import main
code = main(sys.argv[1:])
print(open("/proc/self/status").read())
sys.exit(code)"""  # what wait4 tells of a child begins with its parent's memory
CASES = [(source, fault) for source, faults in FAULTS.items() for fault in faults]


class Site:
    """A folder with settings, in which both pictures are drawn from two sources; all is well with them between two tests."""

    def __init__(self, sources, folder: Path, redis: FaultProxy) -> None:
        self.sources, self.folder, self.redis = sources, folder, redis
        cache = {"DASHBOARD_CACHE_URL": f"redis://127.0.0.1:{redis.port}/0"}
        lines = [f"{name}={json.dumps(value)}" for name, value in {**sources.environment, **SETTINGS, **cache}.items()]
        (folder / ".env.live-dashboards").write_text("\n".join(lines))

    def draw(self):
        """The exit code and both summaries."""
        code = main(["all", "--output", "page.png", "--dpi", "50", "--require", "live"], base_folder=self.folder)
        return code, [json.loads((self.folder / name).read_text()) for name in ("page.json", "page-business.json")]

    def last_good(self, source):
        """The answer of the source that is kept for bad times."""
        (path,) = (self.folder / "kept").iterdir()
        return json.loads(gzip.decompress(path.read_bytes()))["kept"][source]


@pytest.fixture(scope="module")
def site(two_tests, tmp_path_factory):
    made = two_tests()
    with FaultProxy("127.0.0.1", 1) as redis:
        redis.hang()
        yield Site(replace(made, database=made.database.reader()), tmp_path_factory.mktemp("site"), redis)


@pytest.mark.parametrize(("source", "fault"), CASES)
def test_a_fault_shows_in_both_pictures_costs_no_more_than_its_deadline_and_is_over_when_it_is_over(source, fault, site, monkeypatch, capsys):
    monkeypatch.chdir(site.folder)
    trouble = FAULTS[source][fault]
    if not (site.folder / "kept").exists():
        site.draw()
    kept = site.last_good(source)
    trouble.begin(site.sources)
    try:
        with pytest.MonkeyPatch.context() as patch:
            if trouble.is_endless:
                hurry(source, patch)
            code, during = site.draw()
    finally:
        trouble.end(site.sources)
    if trouble.says is None:
        check_live(code, during, source)
        ahead_seconds = 3600 if fault == "clock an hour off" else 0
        assert during[0]["sources"][source]["clock_difference_seconds"] == pytest.approx(ahead_seconds, abs=60)
        told = re.search(rf"{source}: its clock is (\d+) s ahead of", capsys.readouterr().err)
        assert (told and int(told[1])) == (pytest.approx(3600, abs=60) if fault == "clock an hour off" else None)
    else:
        check_missing(code, during, source, trouble.says)
        assert site.last_good(source) == kept
    code, after = site.draw()
    assert site.redis.connections == 0  # whatever is wrong with it: only web pages share answers through it
    assert (code, {page["badge"] for page in after}, {page["sources"][source]["reason"] for page in after}) == (WRITTEN, {"LIVE DATA"}, {None})


def hurry(source, patch):
    """Let this source have little time, while the other one has all that it needs."""
    start = getattr(LiveDataConnector, f"_start_{source}")

    def hurried(connector, *arguments):
        values = {**connector.settings.values, "SOURCE_TIMEOUT_SECONDS": TIMEOUT_SECONDS}
        return start(LiveDataConnector(replace(connector.settings, values=values)), *arguments)

    patch.setattr(LiveDataConnector, f"_start_{source}", hurried)


def check_live(code, pages, source):
    assert (code, {page["badge"] for page in pages}) == (WRITTEN, {"LIVE DATA"})
    assert {page["sources"][source]["state"] for page in pages} == {"answered"}


def check_missing(code, pages, source, says):
    assert (code, {page["badge"] for page in pages}) == (LESS_THAN_REQUIRED, {BADGE_WITHOUT[source]})
    for page in pages:
        found = page["sources"][source]
        assert found["duration_seconds"] < TIMEOUT_SECONDS + scaled(STALL_SECONDS)
        assert re.search(says, found["reason"])
        assert found["fix"]
        other = next(name for name in FAULTS if name != source)
        assert page["sources"][other]["state"] == "answered"


@pytest.mark.parametrize("source", FAULTS)
def test_a_huge_answer_costs_a_bounded_amount_of_memory(source, site):
    trouble = FAULTS[source]["huge answer"]
    trouble.begin(site.sources)
    try:
        command = [sys.executable, "-c", MEASURED, "all", "--output", "huge.png", "--dpi", "50", "--quiet"]
        done = subprocess.run(command, cwd=site.folder, env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False)
    finally:
        trouble.end(site.sources)
    assert done.returncode == WRITTEN, done.stderr
    assert 1024 * int(re.search(r"VmHWM:\s+(\d+) kB", done.stdout)[1]) < LARGEST_BYTES
