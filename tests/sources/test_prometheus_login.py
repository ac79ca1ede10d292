"""Logins, TLS, path prefixes, headers, ~/.netrc and proxies against a real Prometheus."""

from __future__ import annotations

import base64
import subprocess
import threading
from pathlib import Path
from urllib.parse import quote

import pytest

from live_dashboards.errors import SettingsError, SourceError
from live_dashboards.sources.asking import Deadline
from live_dashboards.sources.prometheus import client as module
from live_dashboards.sources.prometheus.client import PrometheusClient
from live_dashboards.sources.prometheus.exchange import exchange
from tests.conftest import RunningPrometheus, filled_prometheus
from tests.sources.prometheus_reading import ask, hurry_at_the_first_url, settings_of, short_truth, traffic, values
from tests.support.doorman import Doorman
from tests.support.waiting import LONGEST_SECONDS, wait_until

PASSWORD = "p@ss:w/o%rd #1'x"
BCRYPT = "$2b$05$abcdefghijklmnopqrstuunMIQttEGq/20eMKg2FRFZdPsuXnJd2m"
QUOTED = quote(PASSWORD, safe="")


def serve(folder: Path, flags: list[str], web_configuration: str = "") -> RunningPrometheus:
    truth = short_truth(hours=0.5)
    traffic(truth)
    if web_configuration:
        (folder / "web.yml").write_text(web_configuration, encoding="utf-8")
        flags = [*flags, f"--web.config.file={folder / 'web.yml'}"]
    return filled_prometheus(truth, folder, flags=flags)


def failure(url: str, **settings: str) -> SourceError:
    with pytest.raises(SourceError) as caught:
        ask(url, **settings)
    return caught.value


def has_answered(url: str, **settings: str) -> bool:
    return bool(values(ask(url, **settings).instant("requests")))


def has_opened(url: str, **settings: str) -> bool:
    """Whether the server has opened its data; it wants a login, or TLS, before that."""
    try:
        return has_answered(url, **settings)
    except SourceError as error:
        if error.code != "not_ready":
            raise
        return False


@pytest.fixture(scope="module")
def guarded(tmp_path_factory):
    """A Prometheus that wants a login."""
    with serve(tmp_path_factory.mktemp("guarded"), [], f'basic_auth_users:\n  ops: "{BCRYPT}"\n') as server:
        wait_until(lambda: has_opened(server.url, PROMETHEUS_USERNAME="ops", PROMETHEUS_PASSWORD=PASSWORD), "opening")
        yield server


def with_user(server: RunningPrometheus, user_info: str) -> str:
    return f"http://{user_info}@{server.host}:{server.port}"


def test_basic_authentication_works_from_the_settings(guarded):
    assert has_answered(guarded.url, PROMETHEUS_USERNAME="ops", PROMETHEUS_PASSWORD=PASSWORD)


def test_basic_authentication_works_from_the_url_and_the_address_does_not_show_it(guarded):
    answer = ask(with_user(guarded, f"ops:{QUOTED}"))
    assert values(answer.instant("requests"))
    assert answer.status.address == guarded.url


@pytest.mark.parametrize(
    "settings",
    [{}, {"PROMETHEUS_USERNAME": "ops", "PROMETHEUS_PASSWORD": "no-such-pass"}, {"PROMETHEUS_BEARER_TOKEN": "token-of-nobody"}, {"PROMETHEUS_USERNAME": "ops"}],
)
def test_a_missing_or_wrong_login_is_told_without_showing_it(guarded, settings):
    error = failure(guarded.url, **settings)
    assert (error.code, "status 401" in error.reason) == ("auth", True)
    assert "no-such-pass" not in str(error)
    assert "token-of-nobody" not in str(error)


def test_netrc_neither_replaces_a_bearer_token_nor_helps_where_no_login_is_set(guarded, tmp_path, monkeypatch):
    netrc = tmp_path / "netrc"
    netrc.write_text(f'machine {guarded.host} login ops password "{PASSWORD}"\n', encoding="utf-8")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    assert failure(guarded.url, PROMETHEUS_BEARER_TOKEN="token-of-nobody").code == "auth"
    assert failure(guarded.url).code == "auth"


def test_the_login_of_a_url_that_hangs_does_not_go_to_the_next_one(standard_prometheus, fault_proxy, monkeypatch):
    silent, is_left, late_threads = fault_proxy(standard_prometheus.host, standard_prometheus.port), threading.Event(), []
    silent.hang()
    granted = hurry_at_the_first_url(monkeypatch)

    def late(*arguments):
        late_threads.append(threading.current_thread())
        try:
            return exchange(*arguments)
        finally:
            is_left.wait(LONGEST_SECONDS)  # as a thread that gets no processor for a while

    with Doorman(standard_prometheus.host, standard_prometheus.port) as doorman:
        doorman.wanted = "Basic " + base64.b64encode(b"second:two").decode()
        client = PrometheusClient(settings_of(f"http://first:one@{silent.host}:{silent.port},http://second:two@127.0.0.1:{doorman.port}"))

        def leave_first_url():
            PrometheusClient.close(client)
            if len(granted) > 1:
                wait_until(lambda: late_threads, "the question to the first URL")
                is_left.set()
                late_threads[0].join()

        monkeypatch.setattr(module, "exchange", late)
        monkeypatch.setattr(client, "close", leave_first_url)
        client.connect(Deadline(LONGEST_SECONDS))
        assert client.address == f"http://127.0.0.1:{doorman.port}"
        PrometheusClient.close(client)


def test_a_proxy_of_the_environment_is_not_asked_for_this_machine(standard_prometheus, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    assert ask(standard_prometheus.url, at=standard_prometheus.end).status.has_answered


def test_a_proxy_of_the_environment_is_asked_for_other_machines(monkeypatch):
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    error = failure("http://prometheus.invalid:9090")
    assert (error.code, "NO_PROXY" in error.fix) == ("proxy", True)


def test_a_path_prefix_is_kept_and_a_forgotten_one_is_told(tmp_path):
    with serve(tmp_path, ["--web.external-url=http://localhost/prom/"]) as server:
        assert has_answered(f"http://{server.host}:{server.port}/prom")
        assert has_answered(f"http://{server.host}:{server.port}/prom//")
        error = failure(f"http://{server.host}:{server.port}")
    assert (error.code, "/prom" in error.fix) == ("not_found", True)


def test_headers_reach_the_server_and_a_comma_in_a_value_stays(guarded):
    basic = f"Basic {base64.b64encode(f'ops:{PASSWORD}'.encode()).decode()}"
    assert has_answered(guarded.url, PROMETHEUS_HEADERS=f"X-Scope-OrgID: a,b, Authorization: {basic}")


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"PROMETHEUS_HEADERS": "just a secret word"}, "PROMETHEUS_HEADERS is ***"),
        ({"PROMETHEUS_HEADERS": "X-One: a\nX-Two: secret"}, "PROMETHEUS_HEADERS is ***"),
        ({"PROMETHEUS_BEARER_TOKEN": "two secret words"}, "PROMETHEUS_BEARER_TOKEN is ***"),
        ({"PROMETHEUS_BEARER_TOKEN": "secret", "PROMETHEUS_USERNAME": "ops"}, "keep one login"),
        ({"PROMETHEUS_PASSWORD": "secret"}, "PROMETHEUS_USERNAME is not"),
        ({"PROMETHEUS_CLIENT_KEY": "client.key"}, "PROMETHEUS_CLIENT_CERT is not"),
    ],
)
def test_a_login_that_cannot_be_used_is_refused_before_anything_is_asked(settings, words):
    with pytest.raises(SettingsError) as caught:
        ask("http://127.0.0.1:1", **settings)
    assert words in str(caught.value)
    assert "secret" not in str(caught.value)


@pytest.fixture(scope="module")
def authority(tmp_path_factory) -> Path:
    """A folder with an authority, certificates of a server and of a client from it, and an authority that nobody trusts."""
    folder = tmp_path_factory.mktemp("authority")
    for name in ("ca", "other-ca"):
        openssl(folder, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", f"{name}.key", "-out", f"{name}.crt", "-days", "2", "-subj", f"/CN={name}")
    for name, extension in (("server", "subjectAltName=DNS:localhost"), ("client", "extendedKeyUsage=clientAuth")):
        (folder / f"{name}.ext").write_text(extension, encoding="utf-8")
        openssl(folder, "req", "-newkey", "rsa:2048", "-nodes", "-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj", f"/CN={name}")
        sign = ("-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2", "-extfile", f"{name}.ext")
        openssl(folder, "x509", "-req", "-in", f"{name}.csr", "-out", f"{name}.crt", *sign)
    return folder


def openssl(folder: Path, *arguments: str) -> None:
    subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)


def tls(authority: Path, more: str = "") -> str:
    return f"tls_server_config:\n  cert_file: {authority / 'server.crt'}\n  key_file: {authority / 'server.key'}\n{more}"


@pytest.fixture(scope="module")
def encrypted(tmp_path_factory, authority):
    """A Prometheus with a certificate of its own authority."""
    with serve(tmp_path_factory.mktemp("encrypted"), [], tls(authority)) as server:
        wait_until(lambda: has_opened(f"https://localhost:{server.port}", PROMETHEUS_CA_BUNDLE=str(authority / "ca.crt")), "opening")
        yield server


def client_files(authority: Path) -> dict[str, str]:
    return {"PROMETHEUS_CLIENT_CERT": str(authority / "client.crt"), "PROMETHEUS_CLIENT_KEY": str(authority / "client.key")}


@pytest.fixture(scope="module")
def mutual(tmp_path_factory, authority):
    """A Prometheus that wants a certificate of its clients."""
    more = f"  client_auth_type: RequireAndVerifyClientCert\n  client_ca_file: {authority / 'ca.crt'}\n"
    with serve(tmp_path_factory.mktemp("mutual"), [], tls(authority, more)) as server:
        wait_until(lambda: has_opened(f"https://localhost:{server.port}", PROMETHEUS_CA_BUNDLE=str(authority / "ca.crt"), **client_files(authority)), "opening")
        yield server


def test_an_own_authority_is_trusted_where_it_is_named(encrypted, authority):
    assert has_answered(f"https://localhost:{encrypted.port}", PROMETHEUS_CA_BUNDLE=str(authority / "ca.crt"))


def test_the_environments_authorities_do_not_replace_the_configured_one(encrypted, authority, monkeypatch):
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(authority / "other-ca.crt"))
    assert has_answered(f"https://localhost:{encrypted.port}", PROMETHEUS_CA_BUNDLE=str(authority / "ca.crt"))


@pytest.mark.parametrize("bundle", [None, "other-ca.crt"])
def test_an_unknown_authority_is_told(encrypted, authority, bundle):
    settings = {"PROMETHEUS_CA_BUNDLE": str(authority / bundle)} if bundle else {}
    error = failure(f"https://localhost:{encrypted.port}", **settings)
    assert (error.code, "PROMETHEUS_CA_BUNDLE" in error.fix) == ("tls_untrusted", True)


def test_a_certificate_for_another_name_is_told(encrypted, authority):
    error = failure(f"https://127.0.0.1:{encrypted.port}", PROMETHEUS_CA_BUNDLE=str(authority / "ca.crt"))
    assert error.code == "tls_name"


def test_http_to_a_tls_port_and_https_to_a_plain_port_name_the_other_scheme(encrypted, standard_prometheus):
    to_tls = failure(f"http://localhost:{encrypted.port}")
    to_plain = failure(f"https://localhost:{standard_prometheus.port}")
    assert to_tls.code in {"tls_scheme", "cut"}  # the server's words may get lost in its closing of the connection
    assert to_tls.fix.endswith(f"use https://localhost:{encrypted.port}")
    assert (to_plain.code, to_plain.fix) == ("tls_scheme", f"use http://localhost:{standard_prometheus.port}")


def test_a_client_certificate_opens_a_server_that_wants_one(mutual, authority):
    assert has_answered(f"https://localhost:{mutual.port}", PROMETHEUS_CA_BUNDLE=str(authority / "ca.crt"), **client_files(authority))


def test_a_missing_client_certificate_is_told(mutual, authority):
    error = failure(f"https://localhost:{mutual.port}", PROMETHEUS_CA_BUNDLE=str(authority / "ca.crt"))
    assert error.code in {"tls_client", "cut"}  # the server's alert may get lost in its closing of the connection
    assert "PROMETHEUS_CLIENT_CERT" in error.fix


@pytest.mark.parametrize("name", ["PROMETHEUS_CA_BUNDLE", "PROMETHEUS_CLIENT_CERT"])
def test_a_certificate_file_that_is_not_there_is_named(encrypted, name):
    error = failure(f"https://localhost:{encrypted.port}", **{name: "/nowhere/file.pem"})
    assert (error.code, error.reason) == ("tls_files", f"{name} names /nowhere/file.pem: there is no such file")


@pytest.mark.parametrize("name", ["PROMETHEUS_CA_BUNDLE", "PROMETHEUS_CLIENT_CERT"])
def test_a_certificate_file_that_is_none_is_told(encrypted, authority, tmp_path, name):
    odd = tmp_path / "odd.pem"
    odd.write_text("no certificate", encoding="utf-8")
    error = failure(f"https://localhost:{encrypted.port}", **{"PROMETHEUS_CA_BUNDLE": str(authority / "ca.crt"), name: str(odd)})
    assert error.code.startswith("tls")
    assert name in str(error)


def test_no_secret_shows_in_the_representation_of_an_endpoint(guarded):
    from live_dashboards.sources.prometheus.client import endpoints

    settings = settings_of(with_user(guarded, f"ops:{QUOTED}"), PROMETHEUS_HEADERS="X-Key: hidden-key")
    shown = repr(endpoints(settings))
    assert guarded.url in shown
    for secret in (PASSWORD, QUOTED, "hidden-key", "Basic"):
        assert secret not in shown
