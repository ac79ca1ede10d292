"""Looks at lock files: whether every version is pinned with hashes, is still in the index and not yanked, and
has a known vulnerability.

`.venv-dev/bin/python scripts/_audit_locks.py LOCK...` asks the index that pip uses. Exit code 1 where
something is found. What could not be looked up is told as that, in one line, and is no failure: a build
without a network must not break, and must not look audited either.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from http import HTTPStatus
from http.client import HTTPException
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

_PINNED = re.compile(
    r"(?P<name>[A-Za-z0-9._-]+)(?:\[[^\]]*\])?==(?P<version>[^\s;]+)(?:\s*;[^\\]*?)?(?P<hashes>(?:\s+--hash=sha256:[0-9a-f]{64})+)"
)
_HASH = re.compile(r"sha256:([0-9a-f]{64})")
_DEFAULT_INDEX = re.compile(r"--index-url <url>.*?default\s+(\S+?)\)", re.DOTALL)
_SIMPLE = {"Accept": "application/vnd.pypi.simple.v1+json"}
_SECONDS, _AT_ONCE, _FIRST = 10, 8, 2
_UNREACHABLE = (OSError, HTTPException)  # of which the second is an answer that ends too early


@dataclass(frozen=True, slots=True)
class Pinned:
    """A version with the SHA-256 hashes that one of its files must have."""

    name: str
    version: str
    hashes: frozenset[str] = field(repr=False)


class AuditError(Exception):
    """A lock that is none, or an index that cannot be asked; the text says which."""


class UnknownError(AuditError):
    """The index has no such page."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Audits; 1 where something was found."""
    parser = argparse.ArgumentParser(
        description="Looks at lock files: hashes, yanked versions, known vulnerabilities."
    )
    parser.add_argument("locks", nargs="+", type=Path, metavar="LOCK")
    parser.add_argument("--index-url", help="the index to ask (default: the one that pip uses)")
    parser.add_argument(
        "--ignore",
        action="append",
        default=[],
        metavar="ID",
        help="a vulnerability that was looked at and does not concern this project",
    )
    given = parser.parse_args(arguments)
    try:
        pinned = sorted(
            {each for lock in given.locks for each in read_lock(lock)},
            key=lambda each: (each.name, each.version),
        )
        index = (given.index_url or default_index()).rstrip("/")
    except AuditError as error:
        _say(str(error))
        return 1
    _say(f"{len(given.locks)} locks pin {len(pinned)} versions, each with hashes")
    yanked = _look("yanked or removed versions", pinned, lambda each: withdrawn(each, index))
    known = _look(
        "known vulnerabilities", pinned, lambda each: vulnerabilities(each, index, frozenset(given.ignore))
    )
    return 1 if yanked or known else 0


def read_lock(path: Path) -> Iterator[Pinned]:
    """Each pinned version; AuditError where a requirement is not pinned with hashes."""
    text = re.sub(r"(?m)^\s*#.*\n?", "", path.read_text(encoding="utf-8")).replace("\\\n", " ")
    for line in filter(str.strip, text.splitlines()):
        found = _PINNED.fullmatch(line.strip())
        if found is None:
            raise AuditError(
                f"{path.name}: {line.split()[0]} is not pinned with == and hashes; make the "
                "lock anew with the command at its head"
            )
        yield Pinned(
            re.sub(r"[-_.]+", "-", found["name"]).lower(),
            found["version"],
            frozenset(_HASH.findall(found["hashes"])),
        )


def default_index() -> str:
    """The index that pip uses, by its configuration and environment, as its own help tells."""
    words = subprocess.run(
        [sys.executable, "-m", "pip", "install", "--help"], capture_output=True, text=True, check=True
    ).stdout
    found = _DEFAULT_INDEX.search(words)
    if found is None:
        raise AuditError("pip does not tell which index it uses; give --index-url")
    return found[1]


def withdrawn(each: Pinned, index: str) -> list[str]:
    """Why the index would rather not have this version installed: its files are yanked, or no file with a
    hash of the lock is there.
    """
    files = [
        file
        for file in _answer(f"{index}/{each.name}/", _SIMPLE, "files")
        if file["hashes"].get("sha256") in each.hashes
    ]
    if not files:
        return ["no file in the index has a hash of the lock"]
    reasons = {str(file["yanked"]) for file in files if file.get("yanked")}
    return [f"yanked: {reason}" for reason in sorted(reasons)]


def vulnerabilities(each: Pinned, index: str, ignored: frozenset[str]) -> list[str]:
    """The vulnerabilities that the index knows of this version."""
    found = _answer(
        f"{index.removesuffix('/simple')}/pypi/{each.name}/{each.version}/json", {}, "vulnerabilities"
    )
    standing = [
        known
        for known in found
        if not known.get("withdrawn") and ignored.isdisjoint({known["id"], *known.get("aliases", ())})
    ]
    return [
        f"{known['id']}, fixed in {', '.join(known.get('fixed_in') or ['no version yet'])}"
        for known in standing
    ]


def _look(what: str, pinned: Sequence[Pinned], ask: Callable[[Pinned], list[str]]) -> bool:
    """Whether something was found; a version that could not be looked up is told, and hides nothing that was
    found of others.

    The first ones tell whether the index answers such questions at all.
    """
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        answers = list(pool.map(lambda each: _asked(each, ask), pinned[:_FIRST]))
        failure = answers[0]
        if isinstance(failure, AuditError) and all(isinstance(answer, AuditError) for answer in answers):
            _say(f"{what} were NOT looked up: {failure}")
            return False
        answers += pool.map(lambda each: _asked(each, ask), pinned[_FIRST:])
    found = [
        f"{each.name} {each.version}: {reason}"
        for each, answer in zip(pinned, answers, strict=True)
        for reason in _reasons(answer)
    ]
    _say("\n  ".join((f"{what}: {len(found) or 'none'}{_not_looked_up(answers)}", *found)))
    return bool(found)


def _asked(each: Pinned, ask: Callable[[Pinned], list[str]]) -> list[str] | AuditError:
    """What was found of that version, or why it could not be looked up."""
    try:
        return ask(each)
    except AuditError as error:
        return error


def _reasons(answer: list[str] | AuditError) -> list[str]:
    if isinstance(answer, UnknownError):
        return ["the index does not have it"]
    return [] if isinstance(answer, AuditError) else answer


def _not_looked_up(answers: Sequence[list[str] | AuditError]) -> str:
    failures = [
        str(answer)
        for answer in answers
        if isinstance(answer, AuditError) and not isinstance(answer, UnknownError)
    ]
    return (
        f"; {len(failures)} of {len(answers)} were NOT looked up: {', '.join(sorted(set(failures)))}"
        if failures
        else ""
    )


def _answer(url: str, headers: Mapping[str, str], key: str) -> list[dict[str, Any]]:
    """The list of that name in the document at the address."""
    try:
        with urlopen(Request(url, headers=dict(headers)), timeout=_SECONDS) as answer:  # noqa: S310 the address is pip's own
            found: list[dict[str, Any]] = json.load(answer)[key]
            return found
    except HTTPError as error:
        error.close()
        raise (UnknownError if error.code == HTTPStatus.NOT_FOUND else AuditError)(
            f"the index answers {error.code}"
        ) from error
    except _UNREACHABLE as error:
        raise AuditError("the index cannot be reached") from error
    except (ValueError, KeyError, TypeError) as error:
        raise AuditError("the index answers in another format") from error


def _say(words: str) -> None:
    sys.stderr.write(f"audit: {words}\n")


if __name__ == "__main__":
    sys.exit(main())
