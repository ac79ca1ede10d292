"""What serving frameworks have really exposed, as the series of a Prometheus that would have scraped it while it grew from nothing."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.prometheus_truth import PrometheusTruth

FOLDER = Path(__file__).parent.parent / "expositions"
_SAMPLE = re.compile(r"(?P<name>[a-zA-Z_:][\w:]*)(?:\{(?P<labels>.*)\})?\s+(?P<value>\S+)$")
_LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')


@dataclass(frozen=True)
class Exposition:
    """The text of a framework's metrics after a run, and what the client of that run counted."""

    text: str
    client: dict[str, Any]

    @classmethod
    def of(cls, name: str) -> Exposition:
        """The recorded one of that name and version."""
        return cls((FOLDER / f"{name}.txt").read_text(encoding="utf-8"), json.loads((FOLDER / f"{name}.client.json").read_text(encoding="utf-8")))

    def samples(self) -> Iterator[tuple[str, dict[str, str], float]]:
        """The name, labels and value of each."""
        for line in self.text.splitlines():
            found = None if line.startswith("#") else _SAMPLE.fullmatch(line.strip())
            if found is not None:
                yield found["name"], dict(_LABEL.findall(found["labels"] or "")), float(found["value"])

    def total(self, name: str, **labels: str) -> float:
        """The sum of the samples of that name with these labels."""
        return sum(value for found, own, value in self.samples() if found == name and labels.items() <= own.items())

    def grown(self, *, start: float, end: float, scrape_seconds: float = 15.0, times: int = 1) -> PrometheusTruth:
        """The series of a target that had counted nothing at the start, and so many times all this at the end; evenly, in whole events."""
        truth = PrometheusTruth(start=start, end=end, scrape_seconds=scrape_seconds)
        target = {"job": "models", "instance": "10.0.0.7:8080"}
        for name, labels, value in self.samples():
            if name.endswith("_created") or math.isnan(value):
                continue
            whole = value.is_integer() and not name.endswith("_sum")

            def grown(at: float, value: float = value, whole: bool = whole) -> float:  # noqa: FBT001 bound per series
                share = times * value * (at - start) / (end - start)
                return math.floor(share + 1e-6) if whole else share

            truth.gauge(name, {**labels, **target}, grown)
        return truth
