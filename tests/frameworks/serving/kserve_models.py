"""Two models in KServe's Python server: kserve_models.py PORT"""

from __future__ import annotations

import asyncio
import sys

from kserve import Model, ModelServer
from model import answer, sleep_seconds


class SleepingModel(Model):
    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.ready = True

    async def predict(self, payload: dict, headers: dict | None = None, response_headers: dict | None = None) -> dict:  # noqa: ARG002 # as KServe calls it
        (how,) = payload["instances"]
        await asyncio.sleep(sleep_seconds(self.name, how))
        return {"predictions": [answer(self.name, how)]}


ModelServer(http_port=int(sys.argv[1]), enable_grpc=False, workers=1).start([SleepingModel("baseline"), SleepingModel("enhanced")])
