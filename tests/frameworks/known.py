"""The frameworks: version, how each is started and asked, and what its counters are called (the facts of docs/serving.md, stated a second time)."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

BASELINE, ENHANCED = VARIANTS = ("baseline", "enhanced")
WORD = r"(\w+)"
BY_PATH = f"/models/{WORD}/predict"


@dataclass(frozen=True, slots=True)
class Term:
    """Series of one name that are added up, or taken off with sign -1; of these labels only values that match."""

    name: str
    matching: Mapping[str, str] = field(default_factory=dict)
    sign: int = 1


@dataclass(frozen=True, slots=True)
class Framework:
    """One framework: its package and program, how a variant is asked, and its counters with the label that tells the variants apart.

    `refuses` says that a malformed request never reaches the model's counters, `tells_start` that /metrics says when the counting process began.
    """

    name: str
    version: str
    program: str
    label: str
    requests: tuple[Term, ...]
    errors: tuple[Term, ...]
    latency: str
    path: str = "/models/{variant}/predict"
    body: Callable[[str, str], object] = lambda _, how: {"how": how}
    malformed: str = '{"how": '
    pattern: str = WORD
    unit_seconds: float = 1.0
    own_metrics_port: bool = False
    refuses: bool = False
    tells_start: bool = True
    has_mean: bool = True
    has_buckets: bool = True
    families: str = ""
    note: str = ""

    @property
    def settings(self) -> dict[str, str]:
        """The product's settings: the preset, and the pattern where the variant is a part of a path."""
        return {"AB_METRICS": self.name} | ({"AB_MODEL_PATTERN": self.pattern} if self.pattern == BY_PATH else {})

    def request(self, variant: str, how: str) -> tuple[str, str]:
        """Path and body of a request of that kind."""
        return self.path.format(variant=variant), self.malformed if how == "malformed" else json.dumps(self.body(variant, how))


def _inference(_: str, how: str) -> object:
    return {"inputs": [{"name": "how", "shape": [1], "datatype": "BYTES", "data": [how]}]}


ALL = (
    Framework(
        "fastapi",
        "instrumentator-8.1.0",
        "fastapi_app.py",
        "handler",
        (Term("http_requests_total"),),
        (Term("http_requests_total", {"status": "5xx"}),),
        "http_request_duration_seconds",
        pattern=BY_PATH,
        families="http_",
        note="A route each: of a path with {variant} the label is the template.",
    ),
    Framework(
        "starlette",
        "exporter-0.24.0",
        "starlette_app.py",
        "path",
        (Term("starlette_requests_total"),),
        (Term("starlette_requests_total", {"status_code": "5.."}),),
        "starlette_request_duration_seconds",
        pattern=BY_PATH,
        families="starlette_",
        note="A route each: of a path with {variant} the label is the template.",
    ),
    Framework(
        "flask",
        "exporter-0.23.2",
        "flask_app.py",
        "path",
        (Term("flask_http_request_duration_seconds_count"),),
        (Term("flask_http_request_duration_seconds_count", {"status": "5.."}),),
        "flask_http_request_duration_seconds",
        pattern=BY_PATH,
        families="flask_",
        note="The path label is the real path.",
    ),
    Framework(
        "mlserver",
        "1.7.1",
        "mlserver_models.py",
        "model",
        (Term("model_infer_request_success_total"), Term("model_infer_request_failure_total")),
        (Term("model_infer_request_failure_total"),),
        "model_infer_request_duration",
        path="/v2/models/{variant}/infer",
        body=_inference,
        malformed='{"input": []}',
        own_metrics_port=True,
        refuses=True,
        tells_start=False,
        has_buckets=False,
        families="(model_infer|rest_server)_",
        note="A request that the server refuses as malformed (422) is only in rest_server_requests_total, which has no model.",
    ),
    Framework(
        "bentoml",
        "1.4.40",
        "bentoml_service.py",
        "service_name",
        (Term("bentoml_service_request_total"),),
        (Term("bentoml_service_request_total", {"http_response_code": "5.."}),),
        "bentoml_service_request_duration_seconds",
        path="/predict",
        body=lambda variant, how: {"variant": variant, "how": how},
        refuses=True,
        tells_start=False,
        families="bentoml_",
        note="The client spoke to the service router, which calls baseline and enhanced; malformed requests (400) end at the router.",
    ),
    Framework(
        "kserve",
        "0.21.0",
        "kserve_models.py",
        "model_name",
        (Term("request_predict_seconds_count"),),
        (Term("request_predict_seconds_count"), Term("request_postprocess_seconds_count", sign=-1)),
        "request_predict_seconds",
        path="/v1/models/{variant}:predict",
        body=lambda _, how: {"instances": [how]},
        malformed='{"instances": ',
        refuses=True,
        families="request_",
        note="Malformed requests (400) are in no per-model metric.",
    ),
    Framework(
        "ray",
        "2.60.0",
        "ray_applications.py",
        "application",
        (Term("ray_serve_deployment_request_counter_total"), Term("ray_serve_deployment_error_counter_total")),
        (Term("ray_serve_deployment_error_counter_total"),),
        "ray_serve_deployment_processing_latency_ms",
        path="/{variant}",
        unit_seconds=0.001,
        own_metrics_port=True,
        tells_start=False,  # what is told is when the process began that collects from the others
        has_mean=False,
        families="ray_serve_(num_http|deployment_(request|error|processing))_",
        note="Malformed requests raise in the handler and are errors here; the request counter leaves failed ones out.",
    ),
)
BY_NAME = {framework.name: framework for framework in ALL}
