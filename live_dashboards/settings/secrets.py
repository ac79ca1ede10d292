"""Warns where secrets are kept carelessly: in a file that others can read, or as the placeholder of an
example.
"""

from __future__ import annotations

import logging
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from live_dashboards.model.setting_types import Secret

_PLACEHOLDERS = frozenset(
    {"your_secure_password", "your_password", "password", "changeme", "change-me", "replace-me", "secret"}
)
_ROOT = 0
_CONTAINER_SECRETS = Path("/run/secrets")
_KUBERNETES_LINK = "..data"

log = logging.getLogger(__name__)


def placeholders(values: Mapping[str, Any]) -> tuple[str, ...]:
    """The settings whose secret, or password in a URL, is one that a document shows."""
    return tuple(
        name
        for name, value in values.items()
        if any(text.lower() in _PLACEHOLDERS for text in _secrets_of(value))
    )


def url_password(url: str) -> tuple[str, ...]:
    """The password of a URL as written and as meant; also of a URL whose password was not quoted."""
    userinfo, at, _ = url.partition("://")[2].rpartition("@")
    password = userinfo.partition(":")[2]
    return (password, unquote(password)) if at and password else ()


def warn_of_placeholders(values: Mapping[str, Any]) -> None:
    """One line for all of them: a password that everybody can look up protects nothing."""
    found = placeholders(values)
    if found:
        log.warning("%s is a placeholder of the documentation; set the real one", ", ".join(found))


def warn_of_exposed_file(path: Path, names: tuple[str, ...]) -> None:
    """One line where somebody else can read the file that holds these secrets."""
    if names and is_exposed(path):
        log.warning(
            "%s holds %s and can be read by other users of this machine; run chmod 600 on it",
            path,
            ", ".join(names),
        )


def is_exposed(path: Path) -> bool:
    """Whether users other than this one and root can read the file: by its own mode, and through every folder
    above it.

    As for libpq's key files, a file of root's may be readable for its group: a service that is not its owner
    is given it so.
    """
    try:
        place, found = path.resolve(), path.stat()
    except OSError:  # gone in between, or a name that no file can have: whoever reads it says so
        return False
    if not stat.S_ISREG(found.st_mode) or _is_of_a_container(path, place):
        return False
    readers = (
        [(stat.S_IROTH, stat.S_IXOTH)]
        if found.st_uid == _ROOT
        else [(stat.S_IROTH, stat.S_IXOTH), (stat.S_IRGRP, stat.S_IXGRP)]
    )
    return any(_lets_in(place, found.st_mode, read, enter) for read, enter in readers)


def _is_of_a_container(path: Path, place: Path) -> bool:
    """Whether a container engine mounted it as a secret.

    Kubernetes gives such files mode 0644, Docker and Podman 0444, all owned by root, so that whichever user
    the image runs as can read them. No other container and no user of the machine sees the mount, nobody
    inside can change its mode, and a warning in each log line of every pod would only teach to read over it.
    Kubernetes mounts anywhere, but always behind the link `..data`; the others below /run/secrets.
    """
    return place.is_relative_to(_CONTAINER_SECRETS) or (
        path.is_symlink() and (path.parent / _KUBERNETES_LINK).is_symlink()
    )


def _lets_in(place: Path, mode: int, read: int, enter: int) -> bool:
    return bool(mode & read) and all(folder.stat().st_mode & enter for folder in place.parents)


def _secrets_of(value: object) -> tuple[str, ...]:
    texts = (value.reveal(),) if isinstance(value, Secret) else value if isinstance(value, tuple) else ()
    return tuple(secret for text in texts if isinstance(text, str) for secret in (text, *url_password(text)))
