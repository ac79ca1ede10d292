"""Errors: one sentence, as a page or as JSON, and nothing of the program in it."""

from __future__ import annotations

from pathlib import Path

import flask
import pytest
from dash import Dash, html
from werkzeug.exceptions import BadRequest, InternalServerError

from live_dashboards.web.access.responses import install_error_pages
from tests.web.access.listening import ask, listening
from tests.web.access.sites import PASSWORD, site


@pytest.mark.parametrize(("method", "path", "status"), [("GET", "/no-such-page", 404), ("POST", "/who", 405), ("GET", "/broken", 500)])
def test_a_page_s_error_is_one_sentence_in_html(method: str, path: str, status: int) -> None:
    answer = site().test_client().open(path, method=method)
    assert (answer.status_code, answer.mimetype) == (status, "text/html")
    assert answer.text.count("<p>") == 1


@pytest.mark.parametrize(("path", "accepted"), [("/api/v1/no-such-data", "text/html"), ("/_dash-no-such-thing", "*/*"), ("/no-such-page", "application/json")])
def test_a_program_s_error_is_one_sentence_in_json(path: str, accepted: str) -> None:
    answer = site().test_client().get(path, headers={"Accept": accepted})
    assert (answer.status_code, answer.json) == (404, {"error": "There is no such page here."})


def test_a_failure_tells_nothing_of_the_machine_and_is_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    with listening(site()) as port:
        answer, text = ask(port, "/broken")
    assert answer.status == 500
    assert [told for told in ("Traceback", "RuntimeError", str(Path(__file__).parent), PASSWORD) if told in text] == []
    assert "RuntimeError" in caplog.text


def test_a_body_of_more_than_256_kb_is_refused() -> None:
    client = site().test_client()
    assert client.post("/_dash-update-component", data=b"x" * 256_000).json == {"body": 256_000}
    answer = client.post("/_dash-update-component", data=b"x" * 256_001)
    assert (answer.status_code, answer.json) == (413, {"error": "This request is larger than the 256 kB that are taken."})


def test_the_allowed_methods_are_still_named() -> None:
    assert "GET" in site().test_client().post("/who").headers["Allow"]


def test_who_refuses_a_request_may_say_why_and_it_is_escaped() -> None:
    server = flask.Flask(__name__, static_folder=None)
    install_error_pages(server)

    def refuse() -> str:
        raise BadRequest("There is no window <b>9z</b>.")

    def fail() -> str:
        raise InternalServerError("secret detail")

    server.add_url_rule("/", "refuse", refuse)
    server.add_url_rule("/fail", "fail", fail)
    assert "There is no window &lt;b&gt;9z&lt;/b&gt;." in server.test_client().get("/").text
    assert "secret detail" not in server.test_client().get("/fail").text


def test_a_missing_field_of_a_form_names_no_field() -> None:
    server = flask.Flask(__name__, static_folder=None)
    install_error_pages(server)
    server.add_url_rule("/", "form", lambda: flask.request.form["needed"])
    assert "This request cannot be understood." in server.test_client().get("/").text


@pytest.mark.parametrize("path", ["/_dash-component-suites/no_such_package/x.js", "/_dash-component-suites/dash/no-such-file.js"])
def test_an_asset_that_dash_does_not_have_is_not_found_rather_than_a_failure(path: str) -> None:
    app = Dash(__name__)
    app.layout = html.Div()
    install_error_pages(app.server)
    answer = app.server.test_client().get(path)
    assert (answer.status_code, answer.json) == (404, {"error": "There is no such page here."})
