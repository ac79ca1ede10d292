"""What only a real scrape shows: a target that is gone disappears at once, and its last sample is still found."""

from __future__ import annotations

import http.server
import threading
import time

from live_dashboards.demo.servers import PrometheusServer
from tests.sources.prometheus_reading import ask, values
from tests.support.waiting import wait_until

EXPOSED = b"""# TYPE ab_test_requests_total counter
ab_test_requests_total{model_name="baseline"} 5
# TYPE ab_test_model_accuracy gauge
ab_test_model_accuracy{model_name="baseline"} 80
"""


class _Exporter(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; version=0.0.4")
        self.end_headers()
        self.wfile.write(EXPOSED)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def test_a_target_that_is_gone_is_absent_at_once_and_its_last_sample_still_has_its_time():
    exporter = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Exporter)
    threading.Thread(target=exporter.serve_forever, daemon=True).start()
    began = time.time()
    job = {"job_name": "ab", "static_configs": [{"targets": [f"127.0.0.1:{exporter.server_port}"]}]}
    with PrometheusServer(scrape_interval_seconds=1, configuration={"scrape_configs": [job]}) as server:
        wait_until(lambda: values(ask(server.url, at=time.time()).instant("requests")) == {"baseline": 0.0}, "a second sample, which gives an increase")
        wait_until(lambda: ask(server.url, at=(time.time() - 2) // 2 * 2).instant("online_accuracy").series, "one of the looks back, which go over an hour every 2 s")
        exporter.shutdown()
        exporter.server_close()
        gone = time.time()
        wait_until(lambda: not ask(server.url, at=time.time()).instant("online_accuracy").series, "its absence")
        answer = ask(server.url, at=time.time())
    assert values(answer.instant("requests")) == {"baseline": 0.0}
    assert began <= values(answer.instant("newest_online_accuracy"))["baseline"] <= gone
