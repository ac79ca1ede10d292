"""Two applications in Ray Serve: ray_applications.py PORT METRICS_PORT"""

from __future__ import annotations

import asyncio
import signal
import sys

import ray
from model import answer, sleep_seconds
from ray import serve
from starlette.requests import Request


@serve.deployment(name="Model", ray_actor_options={"num_cpus": 0})
class SleepingModel:
    def __init__(self, variant: str) -> None:
        self.variant = variant

    async def __call__(self, request: Request) -> dict[str, str]:
        how = (await request.json())["how"]
        await asyncio.sleep(sleep_seconds(self.variant, how))
        return answer(self.variant, how)


def main(http_port: int, metrics_port: int) -> None:
    ray.init(num_cpus=2, include_dashboard=False, _metrics_export_port=metrics_port, _node_ip_address="127.0.0.1")
    serve.start(http_options={"host": "127.0.0.1", "port": http_port})
    for variant in ("baseline", "enhanced"):
        serve.run(SleepingModel.bind(variant), name=variant, route_prefix=f"/{variant}")
    signal.pause()


main(*map(int, sys.argv[1:3]))
