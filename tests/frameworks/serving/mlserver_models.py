"""Two models in MLServer: mlserver_models.py PORT METRICS_PORT GRPC_PORT writes its settings into the current folder and starts the server."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path

from mlserver import MLModel
from mlserver.codecs import StringCodec
from mlserver.types import InferenceRequest, InferenceResponse
from model import answer, sleep_seconds


class SleepingModel(MLModel):
    async def load(self) -> bool:
        return True

    async def predict(self, payload: InferenceRequest) -> InferenceResponse:
        (how,) = StringCodec.decode_input(payload.inputs[0])
        await asyncio.sleep(sleep_seconds(self.name, how))
        said = answer(self.name, how)
        return InferenceResponse(model_name=self.name, outputs=[StringCodec.encode_output("how", [said["how"]])])


def main(http_port: int, metrics_port: int, grpc_port: int) -> None:
    settings = {"host": "127.0.0.1", "http_port": http_port, "metrics_port": metrics_port, "grpc_port": grpc_port}
    Path("settings.json").write_text(json.dumps(settings), encoding="utf-8")
    for variant in ("baseline", "enhanced"):
        Path(variant).mkdir()
        model = {"name": variant, "implementation": "mlserver_models.SleepingModel"}
        Path(variant, "model-settings.json").write_text(json.dumps(model), encoding="utf-8")
    program = Path(sys.executable).with_name("mlserver")
    os.execv(program, [program, "start", "."])  # noqa: S606 # it takes this process' place


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
