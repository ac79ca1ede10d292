"""Which engine answers: Prometheus itself, or another one that speaks its API and must not be shown as
one.
"""

from __future__ import annotations

from dataclasses import dataclass

from live_dashboards.sources.prometheus.reply import Outcome, Reply

PROMETHEUS_ITSELF = "Prometheus"
VICTORIA_METRICS = "VictoriaMetrics"
# Prometheus tells its revision, branch and Go version, too
_FACTS_OF_VICTORIA_METRICS = frozenset({"version"})
_VERSION_IT_PRETENDS = "2.24.0"  # of Prometheus, for programs that switch features on by it


@dataclass(frozen=True, slots=True)
class Engine:
    """Its name, and its own version where it tells one."""

    name: str
    version: str | None = None

    @property
    def title(self) -> str | None:
        """What stands on the page behind the source's name: a bare version is Prometheus' own; None where
        nothing is known.
        """
        return (
            self.version
            if self.name == PROMETHEUS_ITSELF
            else " ".join(filter(None, (self.name, self.version)))
        )


def engine_of(build: Outcome) -> Engine:
    """The engine by what it answers to /api/v1/status/buildinfo; Prometheus of unknown version where it does
    not.

    Grafana Mimir tells its name there (`application`). VictoriaMetrics tells nothing (1.79) or the version
    2.24.0 alone (1.145), neither of which is its own; its servers add a header with their host's name to
    every answer, which by itself proves nothing, as proxies do so as well.
    """
    if not isinstance(build, Reply):
        return Engine(PROMETHEUS_ITSELF)
    facts = build.facts or {}
    if facts.get("application"):
        return Engine(facts["application"], facts.get("version"))
    if set(facts) <= _FACTS_OF_VICTORIA_METRICS and (
        build.names_its_host or facts.get("version") == _VERSION_IT_PRETENDS
    ):
        return Engine(VICTORIA_METRICS)
    return Engine(PROMETHEUS_ITSELF, facts.get("version"))
