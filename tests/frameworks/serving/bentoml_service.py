"""Two models in BentoML behind a router, each a service of its own: bentoml_service.py PORT starts the server."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

import bentoml
from model import answer, sleep_seconds


async def sleep_and_answer(variant: str, how: str) -> dict[str, str]:
    await asyncio.sleep(sleep_seconds(variant, how))
    return answer(variant, how)


@bentoml.service(name="baseline")
class Baseline:
    @bentoml.api
    async def predict(self, how: str) -> dict[str, str]:
        return await sleep_and_answer("baseline", how)


@bentoml.service(name="enhanced")
class Enhanced:
    @bentoml.api
    async def predict(self, how: str) -> dict[str, str]:
        return await sleep_and_answer("enhanced", how)


@bentoml.service(name="router")
class Router:
    baseline = bentoml.depends(Baseline)
    enhanced = bentoml.depends(Enhanced)

    @bentoml.api
    async def predict(self, variant: str, how: str) -> dict[str, str]:
        model = self.baseline if variant == "baseline" else self.enhanced
        return await model.to_async.predict(how=how)


if __name__ == "__main__":
    program = Path(sys.executable).with_name("bentoml")
    where = ["--host", "127.0.0.1", "--port", sys.argv[1], "--working-dir", str(Path(__file__).parent)]
    os.execv(program, [program, "serve", "bentoml_service:Router", *where])  # noqa: S606 # it takes this process' place
