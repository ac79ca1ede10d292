"""What each variant does with a request, in every framework: it sleeps a known time, and raises where it is asked to."""

from __future__ import annotations

SLEEP_SECONDS = {
    "baseline": {"usual": 0.02, "slow": 0.3, "failing": 0.02},
    "enhanced": {"usual": 0.04, "slow": 0.6, "failing": 0.04},
}


def sleep_seconds(variant: str, how: str) -> float:
    """How long the model of this variant takes for a request of that kind."""
    return SLEEP_SECONDS[variant][how]


def answer(variant: str, how: str) -> dict[str, str]:
    """The model's answer; RuntimeError where the request asks for a failure."""
    if how == "failing":
        raise RuntimeError("this request asked for a failure")
    return {"variant": variant, "how": how}
