"""Two models in Starlette, counted by starlette-exporter: starlette_app.py PORT"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable

import uvicorn
from model import answer, sleep_seconds
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette_exporter import PrometheusMiddleware, handle_metrics


def endpoint(variant: str) -> Callable[[Request], Awaitable[Response]]:
    async def predict(request: Request) -> Response:
        try:
            how = (await request.json())["how"]
        except json.JSONDecodeError:
            return JSONResponse({"error": "this is no JSON"}, status_code=422)
        await asyncio.sleep(sleep_seconds(variant, how))
        return JSONResponse(answer(variant, how))

    return predict


# A route each: of a path with {variant} the label would be the template, one for both.
routes = [Route(f"/models/{variant}/predict", endpoint(variant), methods=["POST"]) for variant in ("baseline", "enhanced")]
app = Starlette(routes=[*routes, Route("/metrics", handle_metrics)], middleware=[Middleware(PrometheusMiddleware)])
uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), log_level="warning")
