"""A Prometheus that is down, hangs, cuts, trickles or answers nonsense costs at most its deadline and says why, without a secret."""

from __future__ import annotations

import json
import logging
import re
import threading
from datetime import UTC, datetime
from urllib.parse import quote

import pytest

from live_dashboards.errors import SourceError
from live_dashboards.sources.asking import Deadline
from live_dashboards.sources.prometheus import exchange
from live_dashboards.sources.prometheus.client import THREAD_NAME, PrometheusClient
from live_dashboards.sources.prometheus.exchange import Question, instant
from live_dashboards.sources.prometheus.reply import Reply
from live_dashboards.sources.prometheus.source import PrometheusAbSource
from tests.sources.prometheus_reading import ask, hurry_at_the_first_url, settings_of, values
from tests.support.invented_server import InventedServer
from tests.support.pace import ends_within
from tests.support.waiting import LONGEST_SECONDS, wait_until

PASSWORD = "p@ss:w/o%rd #1'x"
HTML = "<html><head><title>Sign in</title></head><body>Sign in</body></html>"
SILENCE_SECONDS = 1.0


@pytest.fixture
def proxy(standard_prometheus, fault_proxy):
    return fault_proxy(standard_prometheus.host, standard_prometheus.port)


def url_with_password(proxy) -> str:
    return f"http://ops:{quote(PASSWORD, safe='')}@{proxy.host}:{proxy.port}"


def failure(url: str, seconds: float = LONGEST_SECONDS) -> SourceError:
    """The failure of asking, which says in a sentence what to do."""
    with pytest.raises(SourceError) as caught:
        ask(url, seconds=seconds)
    assert caught.value.fix
    assert "\n" not in str(caught.value)
    return caught.value


FAULTS = {
    "refused": (lambda proxy: proxy.refuse(), "refused", "refuses the connection"),
    "cut at once": (lambda proxy: proxy.cut(0), "cut", "cut the connection"),
    "cut in the head": (lambda proxy: proxy.cut(30), "cut", "cut the connection"),
    "cut in the body": (lambda proxy: proxy.cut(220), "cut", "cut the connection"),
    "garbage": (lambda proxy: proxy.garbage(), "not_http", "does not speak HTTP"),
    "html": (lambda proxy: proxy.http_reply(200, "text/html", HTML), "not_prometheus", "text/html instead of Prometheus' JSON"),
    "html called json": (lambda proxy: proxy.http_reply(200, "application/json", HTML), "not_prometheus", "instead of Prometheus' JSON"),
    "other json": (lambda proxy: proxy.http_reply(200, "application/json", '{"hello": 1}'), "not_prometheus", "no answer of Prometheus"),
    "json list": (lambda proxy: proxy.http_reply(200, "application/json", "[]"), "not_prometheus", "no object"),
    "odd result": (
        lambda proxy: proxy.http_reply(200, "application/json", '{"status":"success","data":{"resultType":"vector","result":[{"metric":3,"value":7}]}}'),
        "not_prometheus",
        "another shape",
    ),
    "unknown result": (
        lambda proxy: proxy.http_reply(200, "application/json", '{"status":"success","data":{"resultType":"tensor","result":[]}}'),
        "not_prometheus",
        "another shape",
    ),
    "not gzip": (lambda proxy: proxy.http_reply(200, "application/json", "plain", ("Content-Encoding: gzip",)), "not_prometheus", "compression"),
    "401": (lambda proxy: proxy.http_reply(401, "text/plain", "Unauthorized"), "auth", "wants a login"),
    "403": (lambda proxy: proxy.http_reply(403, "text/html", HTML), "auth", "wants a login"),
    "403 json": (lambda proxy: proxy.http_reply(403, "application/json", '{"status":"error","errorType":"forbidden","error":"no"}'), "auth", "wants a login"),
    "401 other json": (lambda proxy: proxy.http_reply(401, "application/json", '{"message":"no org id"}'), "auth", "wants a login"),
    "404": (lambda proxy: proxy.http_reply(404, "text/plain", "404 page not found"), "not_found", "the Prometheus API is not there"),
    "405": (lambda proxy: proxy.http_reply(405, "text/plain", "no"), "not_found", "the Prometheus API is not there"),
    "413": (lambda proxy: proxy.http_reply(413, "text/html", HTML), "limit", "too long"),
    "414": (lambda proxy: proxy.http_reply(414, "text/html", HTML), "limit", "too long"),
    "429": (lambda proxy: proxy.http_reply(429, "text/html", HTML), "limit", "too many requests"),
    "500": (lambda proxy: proxy.http_reply(500, "text/html", HTML), "http_error", "status 500: Sign in"),
    "502": (lambda proxy: proxy.http_reply(502, "text/html", HTML), "proxy_backend", "cannot reach Prometheus"),
    "503": (lambda proxy: proxy.http_reply(503, "text/plain", "Service Unavailable"), "not_ready", "is not ready (status 503); it may be replaying its log"),
    "504": (lambda proxy: proxy.http_reply(504, "text/html", HTML), "proxy_backend", "cannot reach Prometheus"),
    "redirect": (
        lambda proxy: proxy.http_reply(302, "text/html", "", ("Location: https://login.example/sign-in?next=secret",)),
        "redirect",
        "https://login.example/sign-in",
    ),
    "moved": (lambda proxy: proxy.http_reply(301, "text/html", "", ("Location: /prom/api/v1/query",)), "redirect", "redirects to /prom/api/v1/query"),
    "moved to nowhere": (lambda proxy: proxy.http_reply(302, "text/html", "", ("Location: http://[bad",)), "redirect", "redirects to what is no address"),
    "http to https": (lambda proxy: proxy.http_reply(400, "text/plain", "Client sent an HTTP request to an HTTPS server.\n"), "tls_scheme", "speaks https"),
    "deep json": (lambda proxy: proxy.http_reply(200, "application/json", "[" * 200_000), "not_prometheus", "instead of Prometheus' JSON"),
}


def shown(error: SourceError, caplog: pytest.LogCaptureFixture) -> set[str]:
    """The parts of the password that can be seen."""
    return {secret for secret in (PASSWORD, quote(PASSWORD, safe=""), "ops:", "o%rd") if secret in str(error) + repr(error) + repr(error.__cause__) + caplog.text}


@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_is_told_at_once_in_one_sentence_without_the_password(proxy, fault, caplog):
    caplog.set_level(logging.DEBUG)
    cause, code, words = FAULTS[fault]
    cause(proxy)
    error = failure(url_with_password(proxy))
    assert (error.code, words in error.reason) == (code, True), error
    assert shown(error, caplog) == set()


@pytest.mark.parametrize("silence", [lambda proxy: proxy.hang(), lambda proxy: proxy.slow(5)], ids=["hang", "slow trickle"])
def test_a_silence_costs_its_deadline_and_is_one_sentence_without_the_password(proxy, silence, caplog):
    caplog.set_level(logging.DEBUG)
    silence(proxy)
    with ends_within(SILENCE_SECONDS):
        error = failure(url_with_password(proxy), SILENCE_SECONDS)
    told = re.search(r"gave no complete answer in (\S+) s$", error.reason)
    assert (error.code, float(told[1]) <= SILENCE_SECONDS) == ("timeout", True)
    assert shown(error, caplog) == set()


@pytest.mark.parametrize(("after_bytes", "is_hinted"), [(0, True), (220, False)])
def test_a_cut_before_any_answer_may_be_a_server_that_speaks_tls(proxy, after_bytes, is_hinted):
    proxy.cut(after_bytes)
    assert failure(proxy.url).fix.endswith(f"use https{proxy.url.removeprefix('http')}") == is_hinted


@pytest.mark.parametrize("content_type", ["text/plain", "application/json"])
def test_a_server_that_repeats_the_password_does_not_make_us_show_it(proxy, content_type):
    said = f"user ops with {PASSWORD} or {quote(PASSWORD, safe='')} is unknown"
    body = said if content_type == "text/plain" else json.dumps({"status": "error", "errorType": "internal", "error": said})
    proxy.http_reply(500, content_type, body)
    assert failure(url_with_password(proxy)).reason.endswith("user ops with *** or *** is unknown")


def test_an_error_document_names_the_servers_words_and_the_query(proxy):
    proxy.http_reply(400, "application/json", '{"status":"error","errorType":"bad_data","error":"1:27: parse error: unexpected"}')
    error = failure(proxy.url)
    assert (error.code, error.reason) == ("bad_query", f"{proxy.url} refused a query: 1:27: parse error: unexpected")
    assert "vector(1)" in error.fix


@pytest.mark.parametrize(
    ("status", "kind", "text", "code"),
    [
        (503, "timeout", "query timed out in expression evaluation", "query_timeout"),
        (422, "execution", "expanding series: context deadline exceeded", "query_timeout"),
        (422, "execution", "query processing would load too many samples into memory in query execution", "too_many_samples"),
        (400, "bad_data", "exceeded maximum resolution of 11,000 points per timeseries", "too_many_samples"),
        (500, "internal", "mmap failed", "server_error"),
    ],
)
def test_each_error_of_the_server_has_its_own_advice(proxy, status, kind, text, code):
    proxy.http_reply(status, "application/json", json.dumps({"status": "error", "errorType": kind, "error": text}))
    error = failure(proxy.url)
    assert error.code == code
    assert text in error.reason


def test_a_host_that_no_one_knows_is_named():
    error = failure("http://prometheus.invalid:9090")
    assert (error.code, error.reason) == ("unknown_host", "the host name 'prometheus.invalid' of http://prometheus.invalid:9090 was not found")


def test_a_real_query_that_takes_too_long_is_ended_by_the_server_before_the_deadline_and_says_so(standard_prometheus, monkeypatch):
    monkeypatch.setattr(exchange, "_SERVER_SHARE", 0.001)
    heavy = " + ".join(["sum(sum_over_time(sum(rate(ab_test_response_time_seconds_bucket[2h]))[5m:1s]))"] * 500)  # many seconds of work
    with PrometheusClient(settings_of(standard_prometheus.url)) as client, pytest.raises(SourceError) as caught:
        client.ask(instant(heavy, standard_prometheus.end), Deadline(LONGEST_SECONDS))
    assert caught.value.code == "query_timeout"
    assert any(words in caught.value.reason for words in ("query timed out", "context deadline exceeded"))  # the server's words depend on what it was doing


def test_the_server_has_less_time_for_a_query_than_is_left_for_its_answer():
    asked: list[str] = []
    with InventedServer() as server:
        server.answer = lambda question: (asked.append(question), reply().encode())[1]
        with PrometheusClient(settings_of(server.url)) as client:
            client.ask(instant("vector(1)", 1), Deadline(LONGEST_SECONDS))
    (limit,) = (float(found) for found in re.findall(r"&timeout=([\d.]+)", asked[0]))
    assert 0 < limit <= 0.95 * LONGEST_SECONDS


def test_too_many_points_are_refused_by_a_real_server_in_one_sentence(standard_prometheus):
    question = Question("query_range", {"query": "vector(1)", "start": "0", "end": "48000", "step": "1"})
    with PrometheusClient(settings_of(standard_prometheus.url)) as client, pytest.raises(SourceError, match="exceeded maximum resolution"):
        client.ask(question, Deadline(LONGEST_SECONDS))


def test_a_query_of_a_hundred_kilobytes_is_posted_and_answered(standard_prometheus):
    long = " or ".join(f'vector(1) * on () absent(nothing{{name="{number:01000}"}})' for number in range(100))
    with PrometheusClient(settings_of(standard_prometheus.url)) as client:
        assert client.ask(instant(long, standard_prometheus.end), Deadline(LONGEST_SECONDS)).series[0].last == 1


@pytest.mark.parametrize("bytes_count", [1, 6, 10, 40, 90])
def test_an_answer_that_is_cut_in_its_head_is_told_as_cut(proxy, bytes_count):
    proxy.cut(bytes_count)
    assert failure(proxy.url).code == "cut"


def test_an_answer_without_end_is_refused_by_its_size(proxy, monkeypatch):
    monkeypatch.setattr("live_dashboards.sources.prometheus.client.LARGEST_ANSWERS_BYTES", 100_000)
    proxy.http_reply(200, "application/json", '"' + "x" * 200_000 + '"')
    assert failure(proxy.url).code == "too_large"


def test_the_answers_of_a_reading_have_one_limit_together(proxy, monkeypatch):
    monkeypatch.setattr("live_dashboards.sources.prometheus.client.LARGEST_ANSWERS_BYTES", 100_000)
    proxy.http_reply(200, "application/json", '{"status":"success","data":["' + "x" * 40_000 + '"]}')
    names = Question("label/__name__/values", {})
    with PrometheusClient(settings_of(proxy.url)) as client:
        outcomes = client.ask_all([names] * 8, Deadline(LONGEST_SECONDS))
    assert sum(isinstance(outcome, Reply) for outcome in outcomes) <= 2
    assert {outcome.code for outcome in outcomes if isinstance(outcome, SourceError)} == {"too_large"}


def test_no_thread_goes_on_reading_after_the_deadline(proxy):
    proxy.slow(5)
    takes_long = f'label_replace(vector(1), "long", "{"".join(map(str, range(2000)))}", "", "")'  # minutes
    with PrometheusClient(settings_of(proxy.url)) as client:
        with pytest.raises(SourceError):
            client.ask(instant(takes_long, 1), Deadline(SILENCE_SECONDS))
        wait_until(lambda: all(thread.name != THREAD_NAME for thread in threading.enumerate()), "the end of the reading threads")


def test_a_blocked_call_ends_soon_after_abort(proxy, standard_prometheus):
    proxy.hang()
    source, ended = PrometheusAbSource(settings_of(proxy.url)), threading.Event()

    def read() -> None:
        with pytest.raises(SourceError):
            source.read(at=datetime.fromtimestamp(standard_prometheus.end, UTC), window_seconds=3600, experiment=None, deadline=Deadline(600))
        ended.set()

    threading.Thread(target=read, daemon=True).start()
    wait_until(lambda: proxy.connections, "the call")
    source.abort()
    assert ended.wait(LONGEST_SECONDS)


def test_a_server_that_dies_after_it_was_found_is_a_failure_and_not_an_empty_answer(proxy, standard_prometheus):
    source = PrometheusAbSource(settings_of(proxy.url))
    source.discover(Deadline(LONGEST_SECONDS))
    proxy.refuse()
    with pytest.raises(SourceError, match=r"refuses|cut"):
        source.read(at=datetime.fromtimestamp(standard_prometheus.end, UTC), window_seconds=3600, experiment=None, deadline=Deadline(LONGEST_SECONDS))


def test_the_second_url_serves_where_the_first_one_is_down(proxy, standard_prometheus):
    proxy.refuse()
    answer = ask(f"{proxy.url},{standard_prometheus.url}", at=standard_prometheus.end)
    assert answer.status.address == standard_prometheus.url
    assert values(answer.instant("requests"))


def test_a_first_url_that_hangs_leaves_the_second_one_its_time(proxy, standard_prometheus, monkeypatch):
    proxy.hang()
    granted = hurry_at_the_first_url(monkeypatch)
    assert ask(f"{proxy.url},{standard_prometheus.url}", at=standard_prometheus.end).status.address == standard_prometheus.url
    assert 0 < granted[0] <= LONGEST_SECONDS / 2


def test_where_no_url_answers_each_ones_reason_is_told(proxy):
    proxy.refuse()
    error = failure(f"{proxy.url},http://prometheus.invalid:9090")
    assert error.reason.startswith("none of the 2 URLs in PROMETHEUS_URL answers")
    assert "refuses the connection" in error.reason
    assert "was not found" in error.reason


def reply(**more: object) -> str:
    return json.dumps({"status": "success", "data": {"resultType": "vector", "result": []}, **more})


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"warnings": ["store-1 is unavailable"]}, "store-1 is unavailable"),
        ({"infos": ["input to histogram_quantile needed to be fixed"]}, "input to histogram_quantile needed to be fixed"),
        ({"isPartial": True}, "its answer is partial"),
    ],
)
def test_a_partial_answer_is_told(proxy, more, words):
    proxy.http_reply(200, "application/json", reply(**more))
    assert words in " ".join(ask(proxy.url).status.warnings)


def test_a_remark_on_the_name_of_a_counter_is_not_told(proxy):
    """As Prometheus 3.5 words it; what else it has to say is told."""
    remark = 'PromQL info: metric might not be a counter, name does not end in _total/_sum/_count/_bucket: "predictions_right" (1:31)'
    proxy.http_reply(200, "application/json", reply(infos=[remark, "PromQL info: the rest"]))
    assert ask(proxy.url).status.warnings == ("PromQL info: the rest",)


def test_native_histograms_are_left_out_with_a_warning_and_the_rest_is_read(proxy):
    native = {"metric": {"model_name": "n"}, "histogram": [1.0, {"count": "630", "sum": "31.5", "buckets": [[0, "0.03", "0.06", "210"]]}]}
    classic = {"metric": {"model_name": "c"}, "value": [1.0, "4"]}
    proxy.http_reply(200, "application/json", json.dumps({"status": "success", "data": {"resultType": "vector", "result": [native, classic]}}))
    with PrometheusClient(settings_of(proxy.url)) as client:
        found = client.ask(instant("x", 1), Deadline(LONGEST_SECONDS))
    assert [series.label("model_name") for series in found.series] == ["c"]
    assert found.warnings == ("1 series hold native histograms, which are not read; expose classic buckets too",)


@pytest.mark.parametrize("text", ["NaN", "+Inf", "-Inf"])
def test_a_value_that_is_no_finite_number_is_absent(standard_prometheus, text):
    with PrometheusClient(settings_of(standard_prometheus.url)) as client:
        assert client.ask(instant(f"vector({text.replace('NaN', '0/0')})", 1), Deadline(LONGEST_SECONDS)).series[0].last is None


@pytest.mark.parametrize(("promql", "value"), [("1e300", 1e300), ("scalar(vector(3))", 3.0), ('"text"', None)])
def test_a_scalar_and_a_string_are_read_like_a_series_without_labels(standard_prometheus, promql, value):
    with PrometheusClient(settings_of(standard_prometheus.url)) as client:
        series = client.ask(instant(promql, 1), Deadline(LONGEST_SECONDS)).series[0]
    assert (series.labels, series.last) == ((), value)


def test_a_clock_that_differs_is_measured(proxy):
    proxy.http_reply(200, "application/json", reply(), ("Date: Thu, 01 Jan 2026 00:00:00 GMT",))
    told = datetime(2026, 1, 1, tzinfo=UTC)
    before = (told - datetime.now(UTC)).total_seconds()
    difference = ask(proxy.url).status.clock_difference_seconds
    after = (told - datetime.now(UTC)).total_seconds()
    assert after - 1 <= difference <= before + 1
