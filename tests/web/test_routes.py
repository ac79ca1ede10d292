"""The whole application over a real PostgreSQL and a real Prometheus: every address, what it answers, and what it never does."""

import gzip
import io
import json
import math
import re
import time
import urllib.request
from contextlib import closing
from datetime import UTC, datetime
from urllib.parse import quote

import jsonschema
import pytest
from PIL import Image
from prometheus_client.parser import text_string_to_metric_families

from live_dashboards.app import serving, writing
from live_dashboards.app.cli import main
from live_dashboards.outputs.summary import summary_schema, verdict_schema
from live_dashboards.settings import load_settings
from live_dashboards.web import refresher
from live_dashboards.web.app import make_app, make_board
from tests.conftest import MLFLOW_PASSWORD, MLFLOW_ROLE, filled_prometheus
from tests.support.mlflow_database import MlflowDatabase, drop_database
from tests.support.ports import closed_port
from tests.support.waiting import LONGEST_SECONDS, wait_until
from tests.support.worlds import Worlds, fill_mlflow, fill_prometheus

MARK = "marked-tenant"
ADDRESSES = (
    "/",
    "/_dash-layout",
    "/healthz",
    "/readyz",
    "/metrics",
    "/api/v1/page",
    "/api/v1/summary",
    "/api/v1/verdict",
    "/api/v1/business-summary",
    "/dashboard/ab.csv",
    "/dashboard/business.csv",
    "/api/v1/page?window=3h",
    "/nowhere",
)
SCHEMAS = {"/api/v1/summary": "ab", "/api/v1/business-summary": "business"}


@pytest.fixture(scope="module")
def web_worlds(postgres, mlflow_3_template, tmp_path_factory, end_moment):
    """The worlds in a database and a Prometheus of their own, so that what is asked there can be counted; samples go on into the future and stay fresh."""
    postgres.create_database("web_worlds", mlflow_3_template, owner=MLFLOW_ROLE)
    database = MlflowDatabase(postgres, "web_worlds", MLFLOW_ROLE, MLFLOW_PASSWORD, 3)
    fill_mlflow(database.truth, end_moment)
    own = {"AB_WINDOW": "2h", "AB_EXPERIMENT": "base", "PROMETHEUS_HEADERS": f"X-Scope-OrgID: {MARK}", "SOURCE_TIMEOUT_SECONDS": f"{LONGEST_SECONDS:g}"}
    end = time.time() // 60 * 60 + 1800
    with filled_prometheus(fill_prometheus(end), tmp_path_factory.mktemp("web_worlds")) as prometheus:
        yield Worlds({**database.environment, **prometheus.environment, **own}, end)
    drop_database(postgres, "web_worlds")


class Site:
    """An application and a client of it; `start` begins to ask the sources."""

    def __init__(self, environment):
        self.settings = load_settings(environment={name: value for name, value in environment.items() if value})
        given = serving.services(self.settings)
        self.board, metrics = make_board(given, self.settings)
        self._app = make_app(given, self.settings, self.board, metrics)

    def start(self):
        self.board.start()
        return self

    def get(self, path, **headers):
        written = {name.replace("_", "-"): value for name, value in headers.items()}
        return self._app.test_client().get(path, base_url="http://localhost", headers=written, buffered=True)

    def ask(self, method, path):
        return self._app.test_client().open(path, method=method.upper(), base_url="http://localhost")

    def until(self, path, status=200):
        return wait_until(lambda: (answer := self.get(path)).status_code == status and answer, f"{status} of {path}")

    def metrics(self):
        """Every sample of /metrics: (name, labels) and its value."""
        families = text_string_to_metric_families(self.get("/metrics").text)
        return {(sample.name, tuple(sorted(sample.labels.items()))): sample.value for family in families for sample in family.samples}


@pytest.fixture(scope="module")
def site(web_worlds):
    """A page that asked its sources once, and asks no more while the tests look, not even what was refused."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(refresher, "_LONGEST_WAIT_SECONDS", 3600.0)
        made = Site({**web_worlds.environment, "DASHBOARD_REFRESH_INTERVAL": "3600"}).start()
        made.until("/readyz")
        yield made
        made.board.stop()


@pytest.fixture
def open_site(web_worlds):
    """`open_site(AB_X=...)`: another one, not yet started."""
    made = []

    def opened(**changes):
        made.append(Site({**web_worlds.environment, **changes}))
        return made[-1]

    yield opened
    for each in made:
        each.board.stop()
        each.board._refresher._pool.shutdown()  # what is under way is asked to its end, and counted in no later test


def test_the_process_is_healthy_whatever_the_sources_do(open_site):
    answer = open_site().get("/healthz")
    assert (answer.status_code, answer.json) == (200, {"status": "ok"})


def test_before_the_first_page_it_is_not_ready_and_everything_says_try_again(open_site):
    site = open_site()
    assert (site.get("/readyz").status_code, site.get("/readyz").json["status"]) == (503, "no page yet")
    page, summary, table = (site.get(path) for path in ("/api/v1/page", "/api/v1/summary", "/dashboard/ab.csv"))
    assert (page.status_code, page.json, page.headers["X-Next-Seconds"]) == (202, {"pending": "the sources are being asked"}, "1.0")
    assert [(answer.status_code, answer.headers["Retry-After"]) for answer in (summary, table)] == [(503, "2"), (503, "2")]


def test_with_a_page_it_is_ready(site):
    found = site.get("/readyz").json
    assert (found["status"], found["limit_seconds"]) == ("ready", 4 * 3600.0)
    assert 0 <= found["age_seconds"] < 3600


def test_a_page_older_than_its_limit_is_not_ready(open_site):
    site = open_site(DASHBOARD_REFRESH_INTERVAL="3600", DASHBOARD_STALE_AFTER_SECONDS="0.5").start()
    site.until("/api/v1/page")
    answer = site.until("/readyz", 503)
    assert answer.json["status"] == "the page is too old"


def test_the_page_shows_what_both_sources_hold(site, web_worlds):
    document = json.loads(site.get("/api/v1/page").data)
    assert document["title"].startswith("LIVE DATA · base · ")
    assert set(document["controls"]["experiment"]["options"]) == set(web_worlds.truths)
    assert document["controls"]["window"] == {"options": ["1h", "2h", "6h", "24h", "7d"], "value": "2h"}


def test_a_browser_that_takes_gzip_gets_the_same_document_smaller(site):
    plain, packed = site.get("/api/v1/page"), site.get("/api/v1/page", Accept_Encoding="gzip, deflate, br")
    assert ("Content-Encoding" in plain.headers, packed.headers["Content-Encoding"]) == (False, "gzip")
    assert gzip.decompress(packed.data) == plain.data
    assert {answer.headers["Vary"] for answer in (plain, packed)} == {"Accept-Encoding"}
    assert plain.content_type == packed.content_type == "application/json"


@pytest.mark.parametrize("path", ["/api/v1/page", "/assets/page.js", "/_dash-layout"])
@pytest.mark.parametrize("taken", ["identity", "gzip;q=0", "br"])
def test_who_does_not_take_gzip_gets_none(site, path, taken):
    answer = site.get(path, Accept_Encoding=taken)
    assert (answer.status_code, "Content-Encoding" in answer.headers) == (200, False)


def test_scripts_are_sent_compressed_and_whole(site):
    plain, packed = site.get("/assets/page.js"), site.get("/assets/page.js", Accept_Encoding="gzip")
    assert packed.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed.data) == plain.data
    assert "Accept-Encoding" in packed.headers["Vary"]


def test_a_browser_that_has_the_page_already_is_told_so_without_it(site):
    etag = site.get("/api/v1/page").headers["ETag"]
    for known in (etag, f'"another", {etag}', f"W/{etag}"):
        answer = site.get("/api/v1/page", If_None_Match=known)
        assert (answer.status_code, answer.data, answer.headers["ETag"]) == (304, b"", etag)
    assert site.get("/api/v1/page", If_None_Match='"another"').status_code == 200


def test_no_cache_keeps_a_page_without_asking(site):
    assert site.get("/api/v1/page").headers["Cache-Control"] == "private, no-cache"
    assert site.get("/api/v1/summary").headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("path", ["/api/v1/page", "/api/v1/summary", "/api/v1/business-summary", "/dashboard/ab.png", "/dashboard/ab.csv"])
@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("window=3h", "there is no window '3h'; choose one of 1h, 2h, 6h, 24h, 7d"),
        ("experiment=a%00b", "experiment must be a name of at most 500 characters without control characters"),
        ("baseline=a&challenger=a", "baseline and challenger are the same variant; choose two"),
    ],
)
def test_what_no_view_can_be_is_refused(site, path, query, words):
    answer = site.get(f"{path}?{query}")
    assert (answer.status_code, answer.json) == (400, {"error": words})


def test_an_unknown_experiment_is_not_found_and_the_nearest_names_are_told(site):
    answer = site.until("/api/v1/page?experiment=other+gaug", 404)
    assert "'other gaug'" in answer.json["error"]
    assert "other gauge" in answer.json["error"]
    assert site.get("/api/v1/summary?experiment=other+gaug").status_code == 404


def test_an_unknown_variant_is_not_found_and_the_known_names_are_told(site):
    answer = site.until("/api/v1/page?challenger=nobody", 404)
    assert answer.json == {"error": "there is no variant 'nobody' in this experiment; its variants are baseline, enhanced"}


@pytest.mark.parametrize("name", ["base' OR '1'='1", 'base"} or vector(1) or x{a="', "base; DROP TABLE runs"])
def test_a_name_in_the_address_is_never_part_of_a_query(site, name):
    site.until(f"/api/v1/page?experiment={quote(name)}", 404)
    assert site.until("/api/v1/page?experiment=slower").status_code == 200


@pytest.mark.parametrize("path", SCHEMAS)
def test_a_summary_fits_its_published_schema(site, path):
    found = site.get(path)
    jsonschema.validate(found.json, summary_schema(SCHEMAS[path]))
    assert (found.json["dashboard"], found.json["badge"], found.content_type) == (SCHEMAS[path], "LIVE DATA", "application/json")


def test_the_verdict_is_a_part_of_the_summary_and_codes_alone_tell_it(site):
    whole, found = site.get("/api/v1/summary").json, site.get("/api/v1/verdict")
    jsonschema.validate(found.json, verdict_schema())
    assert same_everywhere(found.json) == {name: value for name, value in same_everywhere(whole).items() if name in found.json}
    verdict = found.json["answer"]["verdict"]
    expected = {"ship": verdict == "SHIP", "not-rollback": verdict != "ROLL BACK", "rollback": verdict == "ROLL BACK"}
    for method in ("get", "post"):
        answers = {name: site.ask(method, f"/api/v1/verdict?pass={name}") for name in expected}
        assert {name: each.status_code for name, each in answers.items()} == {name: 200 if holds else 409 for name, holds in expected.items()}
        assert all(each.json["answer"] == whole["answer"] for each in answers.values())
    assert "nobody" in site.until("/api/v1/verdict?experiment=nobody&pass=ship", 404).json["error"]
    refused = site.get("/api/v1/verdict?pass=perhaps")
    assert (refused.status_code, refused.json["error"]) == (400, "pass='perhaps' is not known; write pass=ship or pass=not-rollback or pass=rollback")


@pytest.fixture
def printed(web_worlds, tmp_path, capsys, monkeypatch):
    """`printed(dashboard, at)`: the summary that the command prints for that moment."""
    monkeypatch.chdir(tmp_path)
    for name, value in web_worlds.environment.items():
        monkeypatch.setenv(name, value)

    def call(dashboard, at):
        assert main([dashboard, "--at", at, "--summary", "-", "--output", "one.png", "--dpi", "50"]) == 0
        return json.loads(capsys.readouterr().out)

    return call


@pytest.mark.parametrize("path", SCHEMAS)
def test_a_summary_is_what_the_command_prints_for_the_same_moment(site, printed, path):
    found = site.get(path).json
    assert same_everywhere(found) == same_everywhere(printed(SCHEMAS[path], found["at"]))


def same_everywhere(summary):
    """Without what depends on when and how fast it was asked."""
    sources = {name: {**source, "duration_seconds": None, "clock_difference_seconds": None} for name, source in summary["sources"].items()}
    return {**summary, "generated_at": None, "sources": sources}


def test_a_summary_takes_the_view_of_its_address(site):
    found = site.until("/api/v1/summary?experiment=other+accuracy&window=1h&baseline=enhanced&challenger=baseline").json
    assert (found["experiment"], found["window"], found["baseline"], found["challenger"]) == ("other accuracy", "1h", "enhanced", "baseline")
    assert found["baseline_accuracy"] == pytest.approx(90.0)


@pytest.mark.parametrize(("path", "stem"), [("/dashboard/ab.png", "live_ab_dashboard"), ("/dashboard/business.png", "business_impact_dashboard")])
def test_a_picture_is_the_publication_s_with_its_provenance(site, monkeypatch, path, stem):
    monkeypatch.setattr(writing, "_LONGEST_SECONDS", LONGEST_SECONDS)
    answer = site.get(path)
    assert (answer.status_code, answer.content_type) == (200, "image/png")
    with Image.open(io.BytesIO(answer.data)) as picture:
        assert (picture.size, picture.format) == ((4800, 3000), "PNG")
        assert "prometheus" in picture.text["Provenance"]
        assert "LIVE DATA" in picture.text["Title"]
    assert re.fullmatch(rf'inline; filename="{stem}_\d{{8}}_\d{{6}}\.png"', answer.headers["Content-Disposition"])


@pytest.mark.parametrize(("path", "stem"), [("/dashboard/ab.csv", "live_ab_dashboard"), ("/dashboard/business.csv", "business_impact_dashboard")])
def test_a_table_holds_what_is_drawn(site, path, stem):
    answer = site.get(path)
    assert (answer.status_code, answer.content_type) == (200, "text/csv; charset=utf-8")
    head, *rows = answer.text.splitlines()
    assert head.startswith("panel,series,variant,x,value")
    assert len(rows) > 20
    assert re.fullmatch(rf'inline; filename="{stem}_\d{{8}}_\d{{6}}\.csv"', answer.headers["Content-Disposition"])


def dead():
    return {"PROMETHEUS_URL": f"http://127.0.0.1:{closed_port()}", "MLFLOW_DB_PORT": str(closed_port())}


def test_a_download_of_simulated_values_says_so_in_its_name(open_site):
    answer = open_site(**dead()).start().until("/dashboard/ab.csv")
    assert re.search(r'_\d{6}-SIMULATED\.csv"$', answer.headers["Content-Disposition"])


@pytest.mark.parametrize(
    "path", ["/nowhere", "/api/v1/", "/api/v1/pages", "/dashboard/ab.gif", "/assets/../app.py", "/assets/nothing.js", "/_dash-component-suites/dash/nothing.js"]
)
def test_there_is_nothing_at_any_other_address(site, path):
    answer = site.get(path)
    assert answer.status_code == 404
    assert "Traceback" not in answer.text


@pytest.mark.parametrize("path", ["/_dash-update-component", "/_reload-hash"])
def test_dash_answers_nothing_that_the_page_does_not_need(site, path):
    client = site._app.test_client()
    assert [client.open(path, method=method, base_url="http://localhost", json={}).status_code for method in ("GET", "POST")] == [404, 404 if "update" in path else 405]


@pytest.mark.parametrize("path", [*SCHEMAS, "/api/v1/page", "/metrics", "/dashboard/ab.png"])
def test_what_is_only_read_cannot_be_posted_to(site, path):
    assert site._app.test_client().post(path, base_url="http://localhost").status_code in {403, 405}


@pytest.mark.parametrize("path", ADDRESSES)
def test_no_answer_holds_a_secret(site, path):
    answer = site.get(path)
    shown = answer.text + str(answer.headers)
    assert [secret for secret in (MLFLOW_PASSWORD, MLFLOW_PASSWORD[:8], MARK, json.dumps(MLFLOW_PASSWORD)[1:-1]) if secret in shown] == []


def asked_of(web_worlds, postgres):
    """How many HTTP requests Prometheus has answered on its API, and how many sessions the database has had, once all of them have ended and are counted."""
    wait_until(lambda: sessions_now(postgres) == 0, "the end of the sessions")
    with urllib.request.urlopen(web_worlds.environment["PROMETHEUS_URL"] + "/metrics") as answer:  # noqa: S310 our own server
        rows = [line for line in answer.read().decode().splitlines() if line.startswith("prometheus_http_requests_total") and "/api/v1/" in line]
    with closing(postgres.connect("postgres")) as connection, connection, connection.cursor() as cursor:
        cursor.execute("SELECT sessions FROM pg_stat_database WHERE datname = 'web_worlds'")
        return sum(float(row.rpartition(" ")[2]) for row in rows), cursor.fetchone()[0]


def sessions_now(postgres):
    with closing(postgres.connect("postgres")) as connection, connection, connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE datname = 'web_worlds' AND backend_type = 'client backend'")
        return cursor.fetchone()[0]


def test_however_many_look_the_sources_are_asked_once(site, web_worlds, postgres, open_site):
    before = asked_of(web_worlds, postgres)
    for number in range(50):
        for path in ("/api/v1/page", "/api/v1/summary", "/dashboard/ab.csv", "/readyz", "/metrics", "/"):
            assert site.get(path, X_Viewer=f"{number}").status_code == 200
    assert asked_of(web_worlds, postgres) == before
    open_site().start().until("/api/v1/page")
    wait_until(lambda: all(after > earlier for after, earlier in zip(asked_of(web_worlds, postgres), before, strict=True)), "the counting of a fetch")


def test_a_view_of_other_variants_asks_nothing(site, web_worlds, postgres):
    before = asked_of(web_worlds, postgres)
    site.until("/api/v1/page?baseline=enhanced&challenger=baseline")
    assert asked_of(web_worlds, postgres) == before


def test_metrics_tell_badge_values_and_age(site):
    found = site.metrics()
    badges = {dict(labels)["badge"]: value for (name, labels), value in found.items() if name == "live_dashboards_badge"}
    assert {badge for badge, value in badges.items() if value == 1.0} == {"LIVE DATA"}
    assert (len(badges), sum(badges.values())) == (5, 1.0)
    summary = site.get("/api/v1/summary").json
    assert found["live_dashboards_values_live", ()] == summary["values_live"]
    assert found["live_dashboards_values_total", ()] == summary["values_total"]
    age = (datetime.now(UTC) - datetime.fromisoformat(summary["at"])).total_seconds()
    assert found["live_dashboards_report_age_seconds", ()] == pytest.approx(age, abs=30)


def test_metrics_tell_how_long_each_source_took_and_that_none_failed(open_site):
    site = open_site(DASHBOARD_REFRESH_INTERVAL="3600").start()
    site.until("/api/v1/page")
    found = site.metrics()
    assert found["live_dashboards_refresh_duration_seconds_count", ()] == 1.0
    for source in ("mlflow", "prometheus"):
        assert found["live_dashboards_source_duration_seconds_count", (("source", source),)] == 1.0
        assert found["live_dashboards_source_failures_total", (("source", source),)] == 0.0


def test_metrics_count_the_failures_of_the_source_that_failed(open_site, web_worlds, fault_proxy):
    host, _, port = web_worlds.environment["PROMETHEUS_URL"].removeprefix("http://").partition(":")
    proxy = fault_proxy(host, int(port))
    site = open_site(PROMETHEUS_URL=proxy.url, DASHBOARD_REFRESH_INTERVAL="0.2", DASHBOARD_STALE_AFTER_SECONDS="600").start()
    site.until("/api/v1/page")
    proxy.refuse()
    failed = "live_dashboards_source_failures_total"
    wait_until(lambda: site.metrics()[failed, (("source", "prometheus"),)] >= 2)
    assert site.metrics()[failed, (("source", "mlflow"),)] == 0.0
    wait_until(lambda: site.metrics()["live_dashboards_badge", (("badge", "MODEL DATA"),)] == 1.0, "the badge's drop")
    proxy.pass_through()
    wait_until(lambda: site.metrics()["live_dashboards_badge", (("badge", "LIVE DATA"),)] == 1.0, "the recovery")


def test_metrics_count_who_looks_once_however_often(open_site):
    site = open_site()
    for viewer in ("one", "two", "one", "one"):
        site.get("/api/v1/page", X_Viewer=viewer)
    site.get("/api/v1/page")
    assert site.metrics()["live_dashboards_viewers", ()] == 2.0


def test_metrics_know_routes_by_their_rule_so_that_their_number_is_bounded(open_site):
    site = open_site()
    for number in range(20):
        site.get(f"/nowhere/{number}")
        site.get(f"/assets/{number}.js")
        site.get(f"/api/v1/page?experiment=e{number % 3}")
    routes = {dict(labels)["route"] for (name, labels) in site.metrics() if name == "live_dashboards_http_request_duration_seconds_count"}
    assert {"/api/v1/page", "/<path:path>"} <= routes
    assert [route for route in routes if re.search(r"\d", route.replace("/api/v1/", ""))] == []


def test_before_the_first_page_its_age_is_no_number(open_site):
    age = open_site().metrics()["live_dashboards_report_age_seconds", ()]
    assert math.isnan(age)


def test_more_views_than_this_process_takes_on_are_told_to_come_later(open_site):
    site = open_site(**dead())
    codes = [site.get(f"/api/v1/page?experiment=e{number}").status_code for number in range(20)]
    assert codes[:15] == [202] * 15
    busy = site.get("/api/v1/page?experiment=one-more")
    assert (busy.status_code, busy.headers["Retry-After"]) == (503, "60")
    assert "close some pages or try again" in busy.json["error"]
