"""A URL or its parts become the driver's keywords; what cannot be one is refused without showing the password."""

from __future__ import annotations

from urllib.parse import quote

import pytest

from live_dashboards.errors import SettingsError
from live_dashboards.settings import load_settings
from live_dashboards.sources.mlflow.address import MlflowAddress, mlflow_address

PASSWORD = "p@ss:w/o%rd #1'x"


def address(**settings: str) -> MlflowAddress:
    return mlflow_address(load_settings(environment=settings))


def of_url(url: str, **settings: str) -> MlflowAddress:
    return address(MLFLOW_DB_URL=url, **settings)


def test_the_parts_are_taken_as_they_are():
    found = address(MLFLOW_DB_HOST="db", MLFLOW_DB_PORT="5433", MLFLOW_DB_NAME="d", MLFLOW_DB_USER="u", MLFLOW_DB_PASSWORD=PASSWORD)
    assert dict(found.keywords) == {"host": "db", "port": "5433", "dbname": "d", "user": "u", "password": PASSWORD, "sslmode": "prefer"}


@pytest.mark.parametrize("scheme", ["postgresql", "postgres", "postgresql+psycopg2", "postgresql+psycopg"])
@pytest.mark.parametrize("password", [PASSWORD, quote(PASSWORD, safe="")], ids=["unquoted", "quoted"])
def test_a_url_gives_the_same_keywords_be_its_password_quoted_or_not(scheme, password):
    found = of_url(f"{scheme}://u:{password}@db:5433/d")
    assert dict(found.keywords) == {"host": "db", "port": "5433", "dbname": "d", "user": "u", "password": PASSWORD, "sslmode": "prefer"}


@pytest.mark.parametrize("password", ["a@b", "a/b", "a#b", "a?b", "a b", "a:b", "12?x", "a%b", "a@b?c=1", "a#b@c/d", "h:1/d?ssl=1@x", "%", "ü"])
def test_each_awkward_password_is_read_unquoted_too(password):
    found = of_url(f"postgresql://u:{password}@db/d?sslmode=require")
    assert (found.keywords["password"], found.keywords["host"], found.keywords["sslmode"]) == (password, "db", "require")


@pytest.mark.parametrize(
    ("url", "hosts"),
    [
        ("postgresql://h", (("h", 5432),)),
        ("postgresql://u:p@[::1]:5433/d", (("::1", 5433),)),
        ("postgresql://u:p@a:1,b,[fe80::1]:3/d", (("a", 1), ("b", 5432), ("fe80::1", 3))),
        ("postgresql:///d?host=/var/run/postgresql&port=5434", (("/var/run/postgresql", 5434),)),
        ("postgresql://u@%2Fvar%2Frun/d", (("/var/run", 5432),)),
    ],
)
def test_hosts_and_ports_of_every_form_are_read(url, hosts):
    assert of_url(url).hosts == hosts


def test_several_hosts_may_share_a_port_or_have_their_own():
    assert address(MLFLOW_DB_HOST="a, b", MLFLOW_DB_PORT="5433").hosts == (("a", 5433), ("b", 5433))
    assert address(MLFLOW_DB_HOST="a,[::1]", MLFLOW_DB_PORT="1,2").where == "a:1, [::1]:2"


def test_options_of_the_driver_are_kept_and_others_refused():
    keywords = of_url("postgresql://u:p@h/d?application_name=a@b&options=-csearch_path%3Dml&target_session_attrs=read-only").keywords
    assert (keywords["application_name"], keywords["options"], keywords["target_session_attrs"]) == ("a@b", "-csearch_path=ml", "read-only")
    with pytest.raises(SettingsError, match="'charset'"):
        of_url("postgresql://u:p@h/d?charset=utf8")


def test_encryption_settings_beat_the_urls_and_the_urls_beat_the_default():
    url = "postgresql://u:p@h/d?sslmode=require&sslrootcert=/a"
    assert of_url(url).keywords["sslmode"] == "require"
    assert of_url(url, MLFLOW_DB_SSLMODE="verify-full").keywords["sslmode"] == "verify-full"
    given = address(MLFLOW_DB_HOST="h", MLFLOW_DB_SSLROOTCERT="ca", MLFLOW_DB_SSLCERT="c", MLFLOW_DB_SSLKEY="k").keywords
    assert (given["sslrootcert"], given["sslcert"], given["sslkey"]) == ("ca", "c", "k")


@pytest.mark.parametrize(
    "url",
    [
        f"mysql://u:{PASSWORD}@h/d",
        f"u:{PASSWORD}@h/d",
        f"postgresql+asyncpg://u:{PASSWORD}@h/d",
        f"postgresql://u:{PASSWORD}@h:port/d",
        f"postgresql://u:{PASSWORD}@h:99999/d",
        f"postgresql://u:{PASSWORD}@h:5432:1/d",
        f"postgresql://u:{PASSWORD}@h/d?nonsense=1",
        f"postgresql://u:{PASSWORD}@h/d?password=%00",
        f"postgresql://u:{PASSWORD}",
    ],
)
def test_an_unusable_url_is_refused_without_a_piece_of_the_password(url):
    with pytest.raises(SettingsError) as refused:
        of_url(url)
    message = str(refused.value)
    assert "MLFLOW_DB_URL" in message or "MLflow's database" in message
    assert not any(piece in message for piece in (PASSWORD, "p@ss", "ss:w", "o%rd", "#1'x", "rd #1"))


def test_a_url_or_a_login_in_the_host_is_refused_without_showing_it():
    for host in ("postgresql://u:hidden@h/d", "u:hidden@h"):
        with pytest.raises(SettingsError, match="MLFLOW_DB_URL") as refused:
            address(MLFLOW_DB_HOST=host)
        assert "hidden" not in str(refused.value)


def test_ports_must_be_one_or_as_many_as_hosts():
    with pytest.raises(SettingsError, match="3 hosts but 2 ports"):
        address(MLFLOW_DB_HOST="a,b,c", MLFLOW_DB_PORT="1,2")


def test_bytes_that_are_no_text_are_refused():
    with pytest.raises(SettingsError, match="UTF-8"):
        address(MLFLOW_DB_HOST="h", MLFLOW_DB_USER="caf\udce9")


def test_nothing_secret_is_shown_by_the_address_itself():
    found = of_url("postgresql://u:hidden1@h/d?sslpassword=hidden2")
    assert "hidden" not in repr(found)
    assert {"hidden1", "hidden2"} <= set(found.secrets)
