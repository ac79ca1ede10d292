"""Two models in Flask, counted by prometheus-flask-exporter and served by waitress: flask_app.py PORT"""

from __future__ import annotations

import sys
import time

from flask import Flask, request
from model import answer, sleep_seconds
from prometheus_flask_exporter import PrometheusMetrics
from waitress import serve

app = Flask(__name__)
PrometheusMetrics(app)


@app.post("/models/<variant>/predict")
def predict(variant: str) -> dict[str, str]:
    how = request.get_json()["how"]
    time.sleep(sleep_seconds(variant, how))
    return answer(variant, how)


serve(app, host="127.0.0.1", port=int(sys.argv[1]), threads=8)
