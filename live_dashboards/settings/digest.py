"""Tells apart what different settings ask the sources, without showing a setting: the name under which an
answer is kept.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from live_dashboards.model.setting_types import Secret
from live_dashboards.settings import Settings


def question_digest(settings: Settings, secrets_part: str) -> str:
    """The same for all processes that ask the same sources the same question with the same rights;
    `secrets_part` is what `secrets_digest` gave.
    """
    rows = [f"{name}={value!r}" for name, value in _asked_with(settings) if not isinstance(value, Secret)]
    if _names_file_below_folder(settings):
        rows.append(f"folder={Path.cwd()}")
    return hashlib.sha256("\n".join((secrets_part, *rows)).encode("utf-8", "surrogatepass")).hexdigest()[:32]


def secrets_digest(settings: Settings) -> str:
    """Tells databases, tenants and rights apart that only a secret names; slow to compute, so that nobody who
    sees it can try passwords.
    """
    rows = [
        f"{name}={value.reveal()!r}" for name, value in _asked_with(settings) if isinstance(value, Secret)
    ]
    if not rows:
        return ""
    return hashlib.scrypt(
        "\n".join(rows).encode("utf-8", "surrogatepass"), salt=b"live-dashboards", n=2**14, r=8, p=1
    ).hex()


def _names_file_below_folder(settings: Settings) -> bool:
    """Whether the same words name another SQLite file in another folder."""
    uri = settings["MLFLOW_TRACKING_URI"]
    return (
        uri is not None
        and uri.reveal().startswith("sqlite:///")
        and not uri.reveal().startswith("sqlite:////")
    )


def _asked_with(settings: Settings) -> list[tuple[str, Any]]:
    return sorted(
        (name, value)
        for name, value in settings.values.items()
        if not name.startswith(("DASHBOARD_", "RUN_TIMEOUT_"))
    )
