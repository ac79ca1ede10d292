"""The client: the same mixed requests to every framework, each with its status and the time it took."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from statistics import fmean

import requests

from tests.frameworks.known import BASELINE, ENHANCED, VARIANTS, Framework
from tests.frameworks.serving.model import sleep_seconds

KINDS = {
    BASELINE: {"usual": 112, "slow": 14, "failing": 10, "malformed": 4},
    ENHANCED: {"usual": 44, "slow": 6, "failing": 8, "malformed": 2},
}
WORKERS = 4
PAUSE_SECONDS = 0.2
NOT_THERE = {404, 503}  # what a server says while it does not yet know the route
_LONGEST_SECONDS = 30.0
_of_thread = threading.local()


@dataclass(frozen=True, slots=True)
class Sent:
    """One request and what came back."""

    variant: str
    how: str
    status: int
    seconds: float


def warm_up(framework: Framework, url: str) -> list[Sent]:
    """One usual request a variant, again until it is answered; all of them are in the list."""
    sent: list[Sent] = []
    for variant in VARIANTS:
        until = time.monotonic() + _LONGEST_SECONDS
        sent.append(ask(framework, url, variant, "usual"))
        while sent[-1].status != 200 and time.monotonic() < until:
            time.sleep(1)
            sent.append(ask(framework, url, variant, "usual"))
    return sent


def send_all(framework: Framework, url: str) -> list[Sent]:
    """The planned requests in an order that is the same every time, some at once."""
    planned = [(variant, how) for variant, kinds in KINDS.items() for how, number in kinds.items() for _ in range(number)]
    random.Random(1).shuffle(planned)  # noqa: S311 # an order, no secret
    with ThreadPoolExecutor(WORKERS) as pool:
        asked = []
        for variant, how in planned:
            asked.append(pool.submit(ask, framework, url, variant, how))
            time.sleep(PAUSE_SECONDS)
        return [each.result() for each in asked]


def ask(framework: Framework, url: str, variant: str, how: str) -> Sent:
    """One request, timed from its beginning to the last byte of the answer."""
    path, body = framework.request(variant, how)
    began = time.perf_counter()
    answer = session().post(url + path, data=body, headers={"Content-Type": "application/json"}, timeout=_LONGEST_SECONDS)
    return Sent(variant, how, answer.status_code, time.perf_counter() - began)


def session() -> requests.Session:
    """The connections of this thread, which pass no proxy of the environment."""
    known: requests.Session | None = getattr(_of_thread, "session", None)
    if known is None:
        known = _of_thread.session = requests.Session()
        known.trust_env = False
    return known


def reaching(framework: Framework, sent: Iterable[Sent]) -> list[Sent]:
    """The requests that the framework counts for the model: not what it refuses itself, nor what came before the model was there."""
    return [each for each in sent if each.status not in NOT_THERE and not (framework.refuses and each.how == "malformed")]


def failed(framework: Framework, sent: Iterable[Sent]) -> list[Sent]:
    """Those of them in which the model raised."""
    return [each for each in reaching(framework, sent) if each.status >= 500]


def slept_seconds(sent: Iterable[Sent]) -> float:
    """How long the model itself took for these requests; it never saw the malformed ones."""
    return sum(sleep_seconds(each.variant, each.how) for each in sent if each.how != "malformed")


def mean_ms(sent: Sequence[Sent]) -> float:
    return 1000 * fmean(each.seconds for each in sent)


def p95_ms(sent: Sequence[Sent]) -> float:
    """The smallest time that 95 % of the requests did not exceed."""
    times = sorted(each.seconds for each in sent)
    return 1000 * times[max(0, -(-len(times) * 95 // 100) - 1)]


def client_counts(framework: Framework, warm: Sequence[Sent], sent: Sequence[Sent]) -> dict[str, object]:
    """What the client counted, as it lies beside a recorded text."""
    return {
        "framework": framework.name,
        "version": framework.version,
        "note": framework.note,
        "warm_up": "requests before the counted ones; they are in the metrics",
        "variants": {variant: _counts([each for each in warm if each.variant == variant], [each for each in sent if each.variant == variant]) for variant in VARIANTS},
    }


def _counts(warm: Sequence[Sent], sent: Sequence[Sent]) -> Mapping[str, object]:
    answered, kinds = [each for each in sent if each.status == 200], Counter(each.how for each in sent)
    return {
        "sent": len(sent),
        "warm_up": len(warm),
        "slow": kinds["slow"],
        "failed": kinds["failing"],
        "malformed": kinds["malformed"],
        "by_status": {str(status): number for status, number in sorted(Counter(each.status for each in sent).items())},
        "mean_ms": round(mean_ms(sent), 1),
        "p95_ms": round(p95_ms(sent), 1),
        "mean_answered_ms": round(mean_ms(answered), 1),
        "p95_answered_ms": round(p95_ms(answered), 1),
    }
