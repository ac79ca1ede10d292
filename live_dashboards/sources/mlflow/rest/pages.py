"""Answers of MLflow's REST API page by page, and what was left out of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeVar

from live_dashboards.sources.mlflow.rest.exchange import RestClient
from live_dashboards.sources.mlflow.rest.failures import not_mlflow
from live_dashboards.sources.mlflow.rest.parsing import SHAPE_ERRORS, Document

_Read = TypeVar("_Read")


class Pages:
    """Reads records through one client; `warnings` are said on the page."""

    def __init__(self, client: RestClient) -> None:
        self.client = client
        self.warnings: list[str] = []

    def all(
        self, path: str, search: Document, name: str, read: Callable[[Document], _Read]
    ) -> Iterator[tuple[list[_Read], bool]]:
        """Each page's records, and whether there is another one."""
        token = ""
        while True:
            page, token = self.one(path, search, name, read, token)
            yield page, bool(token)
            if not token:
                return

    def one(
        self, path: str, search: Document, name: str, read: Callable[[Document], _Read], token: str
    ) -> tuple[list[_Read], str]:
        """The records of the page with this token (none: the first), and the token of the next, empty where
        there is none.
        """
        document = self.client.post(path, {**search, **({"page_token": token} if token else {})})
        return self.read(document, name, read), str(document.get("next_page_token") or "")

    def read(self, document: Document, name: str, read: Callable[[Document], _Read]) -> list[_Read]:
        """The records in a list of the answer; SourceError where they are of another shape."""
        return self.checked(lambda: [read(each) for each in document.get(name, ())])

    def checked(self, read: Callable[[], list[_Read]]) -> list[_Read]:
        """What `read` gives; SourceError where it meets another shape."""
        try:
            return read()
        except SHAPE_ERRORS as error:
            raise not_mlflow(self.client.address, "JSON of another shape") from error

    def odd(self, *, when: bool, what: str) -> None:
        """Notes what should not have come."""
        if when:
            self.warnings.append(
                f"MLflow's server {self.client.address} gave {what}; look at what answers there"
            )

    def cut(self, *, when: bool, what: str) -> None:
        """Notes what alone could be read, where more was there."""
        if when:
            self.warnings.append(
                f"by its REST API only {what} could be read; MLFLOW_DB_HOST (access to "
                "the database) reads all"
            )
