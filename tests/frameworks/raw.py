"""What an exposition says by itself: how counters grew between two texts, by variant, and in which bucket the 95th percentile lies."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from prometheus_client.parser import text_string_to_metric_families

from tests.frameworks.known import VARIANTS, Framework, Term
from tests.frameworks.load import Sent, failed, mean_ms, reaching, slept_seconds

P95 = 0.95
ROUNDING = 1e-6


@dataclass(frozen=True, slots=True)
class Scraped:
    """One sample of an exposition."""

    name: str
    labels: dict[str, str]
    value: float


@dataclass(frozen=True, slots=True)
class Expected:
    """What the product must show of a variant: the client's counts, the mean of the raw sums (None: nobody measured one) and the p95's bucket (None: no buckets).

    `unsure` requests are those that series held when Prometheus first saw them, of a framework that does not tell when they began: with these the product can only
    say at least and at most.
    """

    requests: int
    errors: int
    mean_ms: float | None
    p95_bucket_ms: tuple[float, float] | None
    unsure: float = 0.0


@dataclass(frozen=True, slots=True)
class Run:
    """One run: /metrics before and after, and what the client sent in between, warm-up first; `first` is what a variant's series held at their first scrape."""

    framework: Framework
    before: str
    after: str
    warm: Sequence[Sent]
    sent: Sequence[Sent]
    first: Mapping[str, float] = field(default_factory=dict)

    def of(self, variant: str) -> list[Sent]:
        """Everything that was sent to a variant."""
        return [each for each in (*self.warm, *self.sent) if each.variant == variant]


def expected(run: Run) -> dict[str, Expected]:
    """What the product must show of each variant."""
    framework = run.framework
    return {
        variant: Expected(
            len(reaching(framework, run.of(variant))),
            len(failed(framework, run.of(variant))),
            raw_mean_ms(run, variant) if framework.has_mean else None,
            p95_bucket_ms(run, variant) if framework.has_buckets else None,
            0.0 if framework.tells_start else run.first.get(variant, 0.0),
        )
        for variant in VARIANTS
    }


def raw_faults(run: Run) -> list[str]:
    """Where the framework's own counters and the client disagree; empty where all is well."""
    return [fault for variant in VARIANTS for fault in _faults(run, variant)]


def _faults(run: Run, variant: str) -> Iterable[str]:
    framework, sent = run.framework, run.of(variant)
    reached, client_ms = reaching(framework, sent), mean_ms(reaching(framework, sent))
    for what, terms, counted in (("requests", framework.requests, reached), ("errors", framework.errors, failed(framework, sent))):
        found = growth(run, terms, variant)
        if found != len(counted):
            yield f"{variant}: {what} {found:g} in /metrics, {len(counted)} counted by the client"
    least_ms, mean = 1000 * slept_seconds(reached) / len(reached), raw_mean_ms(run, variant)
    if framework.has_mean and not least_ms <= mean <= client_ms:
        yield f"{variant}: the mean {mean:.1f} ms lies outside what the model slept, {least_ms:.1f}, and what the client waited, {client_ms:.1f}"
    if framework.has_buckets and not p95_bucket_ms(run, variant)[0] <= 1000 * sorted(each.seconds for each in reached)[math.ceil(P95 * len(reached)) - 1]:
        yield f"{variant}: the p95's bucket begins above the client's p95"


def growth(run: Run, terms: Iterable[Term], variant: str) -> float:
    """By how much the sum of these terms grew for a variant, over all other labels."""
    return total(run.framework, run.after, terms, variant) - total(run.framework, run.before, terms, variant)


def total(framework: Framework, text: str, terms: Iterable[Term], variant: str) -> float:
    """The sum of these terms in one text."""
    return sum(term.sign * each.value for term in terms for each in of_variant(framework, text, term, variant))


def raw_mean_ms(run: Run, variant: str) -> float:
    """The growth of the latency's sum over that of its count."""
    seconds, count = (growth(run, [Term(f"{run.framework.latency}_{part}")], variant) for part in ("sum", "count"))
    return 1000 * run.framework.unit_seconds * seconds / count


def p95_bucket_ms(run: Run, variant: str) -> tuple[float, float]:
    """Lower and upper edge of the bucket that holds the 95th percentile."""
    name = f"{run.framework.latency}_bucket"
    edges = {float(each.labels["le"]): each.labels["le"] for each in of_variant(run.framework, run.after, Term(name), variant)}
    counts = {edge: growth(run, [Term(name, {"le": re.escape(spelt)})], variant) for edge, spelt in sorted(edges.items())}
    rank, lower, factor = P95 * counts[math.inf], 0.0, 1000 * run.framework.unit_seconds
    for edge, count in counts.items():
        if count >= rank:
            return factor * lower, factor * edge
        lower = edge
    raise AssertionError("the last bucket holds everything")


def of_variant(framework: Framework, text: str, term: Term, variant: str) -> Iterable[Scraped]:
    """The samples of a term that are of this variant."""
    for each in samples(text):
        named = re.fullmatch(framework.pattern, each.labels.get(framework.label, ""))
        if each.name == term.name and named and named[1] == variant and all(re.fullmatch(value, each.labels[label]) for label, value in term.matching.items()):
            yield each


def samples(text: str) -> list[Scraped]:
    """All samples of a text."""
    return [Scraped(each.name, each.labels, each.value) for family in text_string_to_metric_families(text) for each in family.samples]


_VOLATILE = {"NodeAddress": "192.0.2.1", "SessionName": "session-1", "NodeName": "node-1"}


def recorded(framework: Framework, text: str) -> str:
    """The text as it is kept: the framework's own families, without what names a machine, a process or a library."""
    kept = [line for line in text.splitlines() if re.match(rf"(# (HELP|TYPE) )?({framework.families}|process_start_time_seconds)", line)]
    told = re.sub(r',otel_scope_\w+="[^"]*"|otel_scope_\w+="[^"]*",', "", "\n".join(kept) + "\n")
    for label, instead in _VOLATILE.items():
        told = re.sub(rf'{label}="[^"]*"', f'{label}="{instead}"', told)
    return _numbered(_numbered(told, "WorkerId", "worker"), "replica", "replica")


def _numbered(text: str, label: str, word: str) -> str:
    found = dict.fromkeys(re.findall(rf'\b{label}="([^"]*)"', text))
    for number, value in enumerate(found, 1):
        text = text.replace(f'{label}="{value}"', f'{label}="{word}-{number}"')
    return text
