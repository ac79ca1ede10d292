#!/usr/bin/env bash
# MLServer 1.7.1: its metrics endpoint tells neither when its processes began nor when a counter was created, so that nobody can say what a counter had
# counted before it was first scraped.
#
# Guess, written down before: as its metrics are prometheus_client's, `process_start_time_seconds` stands on its page as on every other of that library
# (on Linux), and a `_created` beside each counter, by which a first scrape of 1 is one request since a known moment.
# Seen: it runs its models in a worker of its own and adds up what both have written to files; of that mode the library exports no metrics of a process and
# no `_created`. The first request's series comes at 1 beside the failures at 0, which are there only from then on: a reader that wants whole counts has to
# say "0 to 1 more" of it. The very same library in one process tells both.
# Packages: mlserver 1.7.1, uvloop 0.21.0 and what they bring, from PyPI in a folder of its own.
# Exit code 0 while it is so; 1 where the page tells a start.
set -euo pipefail
folder="$(mktemp -d)"
server=""
trap '[ -z "$server" ] || { kill -INT "$server"; wait "$server" || true; }; rm -rf -- "$folder"' EXIT
cd -- "$folder"
export HOME="$folder" PYTHONPATH="$folder"
python3 -m venv environment
environment/bin/pip install --quiet --disable-pip-version-check mlserver==1.7.1 uvloop==0.21.0
read -r http metrics grpc < <(environment/bin/python -c '
import socket
several = [socket.create_server(("127.0.0.1", 0)) for _ in range(3)]
print(*(each.getsockname()[1] for each in several))')
cat > echo_model.py <<'PYTHON'
from mlserver import MLModel
from mlserver.types import InferenceResponse, ResponseOutput


class Echo(MLModel):
    async def predict(self, payload):
        return InferenceResponse(model_name=self.name, outputs=[ResponseOutput(name="out", shape=[1], datatype="FP32", data=[1.0])])
PYTHON
mkdir baseline
echo '{"name": "baseline", "implementation": "echo_model.Echo"}' > baseline/model-settings.json
echo "{\"host\": \"127.0.0.1\", \"http_port\": $http, \"metrics_port\": $metrics, \"grpc_port\": $grpc}" > settings.json
environment/bin/mlserver start . > log 2>&1 &
server=$!
environment/bin/python - "$http" "$metrics" <<'PYTHON' || { tail -20 log >&2; exit 1; }
import json
import sys
import time
import urllib.error
import urllib.request
from importlib.metadata import version

import prometheus_client

http, metrics = (f"http://127.0.0.1:{port}" for port in sys.argv[1:])


def text(address, body=None):
    request = urllib.request.Request(address, body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=10) as answer:
        return answer.read().decode()


until = time.monotonic() + 120
while True:
    try:
        text(f"{http}/v2/models/baseline/ready")
        break
    except (urllib.error.URLError, ConnectionError):
        assert time.monotonic() < until, "the model is not ready"
        time.sleep(0.5)
before = text(f"{metrics}/metrics")
text(f"{http}/v2/models/baseline/infer", json.dumps({"inputs": [{"name": "in", "shape": [1], "datatype": "FP32", "data": [1.0]}]}).encode())
after = text(f"{metrics}/metrics")
names = {line.partition("{")[0].partition(" ")[0] for line in after.splitlines() if not line.startswith("#")}
own = {line.partition("{")[0].partition(" ")[0] for line in prometheus_client.generate_latest().decode().splitlines()}
print(f"mlserver {version('mlserver')}, prometheus_client {version('prometheus_client')}: {sorted(names)}")
assert "model_infer_request_success_total{" not in before, "the series was there before the first request"
assert 'model_infer_request_success_total{model="baseline",version="None"} 1.0' in after, "another first value than was seen"
assert "model_infer_request_failure_total{" not in before, "failures were there before the first request"
assert 'model_infer_request_failure_total{model="baseline",version="None"} 0.0' in after, "failures do not begin at 0"
assert "process_start_time_seconds" in own, "the library itself tells no start here"
assert "process_start_time_seconds" not in names, "MLServer tells when its process began"
assert not [name for name in names if name.endswith("_created")], "MLServer tells when counters were created"
PYTHON
