"""The audit of the locks: what it finds ends a build, what it could not look up is said and never taken for looked up."""

import json
import re
import runpy
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import MappingProxyType, SimpleNamespace

import pytest

from tests.support.ports import closed_port
from tests.support.waiting import LONGEST_SECONDS

ROOT = Path(__file__).parents[2]
GOOD, OTHER = "a" * 64, "b" * 64
audit = SimpleNamespace(**runpy.run_path(str(ROOT / "scripts/_audit_locks.py")))


@pytest.fixture
def index():
    """An index on loopback, as PyPI answers: `pages` by path; what is not there is 404, and the answer to `broken` ends too early."""

    class Handler(BaseHTTPRequestHandler):
        pages, broken = MappingProxyType({}), None

        def do_GET(self):
            content = self.pages.get(self.path)
            self.send_response(404 if content is None else 200)
            if self.path == self.broken:
                self.send_header("Content-Length", "9999")
            self.end_headers()
            self.wfile.write(json.dumps(content).encode())

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    Handler.url = f"http://127.0.0.1:{server.server_port}/simple"
    yield Handler
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def looked(index, tmp_path, capsys, monkeypatch):
    """`looked(files, known)`: exit code and words for a lock of two packages, whose second one is as told."""
    monkeypatch.setitem(audit.main.__globals__, "_SECONDS", LONGEST_SECONDS)

    def look(*, yanked=False, known=None, hashes=GOOD, url=None, ignore=()):
        lock = tmp_path / "some.lock"
        lock.write_text(f"# made by hand\none==1.0 \\\n    --hash=sha256:{GOOD}\n    # via x\ntwo==2.0 ; python_version < '3.12' \\\n    --hash=sha256:{GOOD}\n")
        files = {name: [{"filename": f"{name}.whl", "hashes": {"sha256": GOOD}, "yanked": False}] for name in ("one", "two")}
        files["two"][0] |= {"yanked": yanked, "hashes": {"sha256": hashes}}
        index.pages = {f"/simple/{name}/": {"files": found} for name, found in files.items()}
        if known is not None:
            index.pages |= {"/pypi/one/1.0/json": {"vulnerabilities": []}, "/pypi/two/2.0/json": {"vulnerabilities": known}}
        code = audit.main([str(lock), "--index-url", url or index.url, *(f"--ignore={each}" for each in ignore)])
        return code, capsys.readouterr().err.removeprefix("audit: 1 locks pin 2 versions, each with hashes\n")

    return look


def test_nothing_found_is_said_in_two_lines(looked):
    assert looked(known=[]) == (0, "audit: yanked or removed versions: none\naudit: known vulnerabilities: none\n")


def test_a_known_vulnerability_fails_until_it_was_looked_at(looked):
    known = [{"id": "GHSA-1", "aliases": ["CVE-2026-1"], "fixed_in": ["2.1"]}, {"id": "GHSA-2", "withdrawn": "2026-01-01T00:00:00Z", "fixed_in": []}]
    assert looked(known=known) == (1, "audit: yanked or removed versions: none\naudit: known vulnerabilities: 1\n  two 2.0: GHSA-1, fixed in 2.1\n")
    assert looked(known=known, ignore=["CVE-2026-1"])[0] == 0


@pytest.mark.parametrize(
    ("changes", "words"), [({"yanked": "broken wheel"}, "two 2.0: yanked: broken wheel"), ({"hashes": OTHER}, "two 2.0: no file in the index has a hash")]
)
def test_a_yanked_or_exchanged_version_fails(looked, changes, words):
    code, said = looked(known=[], **changes)
    assert (code, words in said) == (1, True)


def test_what_could_not_be_looked_up_is_said_and_no_failure(looked):
    code, said = looked(known=None)
    assert (code, said.splitlines()[1]) == (0, "audit: known vulnerabilities were NOT looked up: the index answers 404")
    code, said = looked(url=f"http://127.0.0.1:{closed_port()}/simple")
    assert (code, said.count("were NOT looked up: the index cannot be reached")) == (0, 2)


@pytest.mark.parametrize("broken", ["/pypi/one/1.0/json", "/pypi/two/2.0/json"])
def test_one_look_up_that_fails_hides_nothing_that_another_found(looked, index, broken):
    index.broken = broken
    known = [{"id": "GHSA-1", "fixed_in": ["2.1"]}]
    code, said = looked(known=known)
    found = broken != "/pypi/two/2.0/json"
    counted = "1" if found else "none"
    assert code == found
    assert f"known vulnerabilities: {counted}; 1 of 2 were NOT looked up: the index cannot be reached\n" in said
    assert ("two 2.0: GHSA-1, fixed in 2.1" in said) is found


@pytest.mark.parametrize("line", ["one>=1.0", "one==1.0", f"one @ https://x.example/one.whl --hash=sha256:{GOOD}", "--extra-index-url https://x.example", "-e ."])
def test_what_is_not_pinned_with_hashes_fails_before_anything_is_asked(tmp_path, capsys, line):
    (tmp_path / "some.lock").write_text(f"{line}\n")
    assert audit.main([str(tmp_path / "some.lock"), "--index-url", "http://127.0.0.1:1"]) == 1
    assert "is not pinned with == and hashes" in capsys.readouterr().err


def test_the_locks_of_this_project_are_read_whole_and_ci_audits_each(monkeypatch):
    run = (ROOT / ".ci/run").read_text()
    locks = [path.relative_to(ROOT).as_posix() for path in (*ROOT.glob("*.lock"), *ROOT.glob("deploy/**/*.lock")) if path.name[0] != "."]
    assert len(locks) == 3
    assert all(lock in next(line for line in run.splitlines() if "_audit_locks.py" in line) for lock in locks)
    for lock in locks:
        text = (ROOT / lock).read_text()
        found = list(audit.read_lock(ROOT / lock))
        assert len(found) == len(re.findall(r"(?m)^\S+==", text))
        assert sum(len(each.hashes) for each in found) == text.count("--hash=sha256:")
    monkeypatch.setenv("PIP_INDEX_URL", "https://index.example/simple")
    assert audit.default_index() == "https://index.example/simple"
