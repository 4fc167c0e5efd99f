"""What the programs that serve models call their requests, errors, latency, queue and tokens."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from components.observability.metrics import catalogue
from components.observability.models import Server


@dataclass(frozen=True)
class ServerMetrics:
    """Selectors of one server's counters and gauges; None where it counts nothing of the kind.

    ``latency`` is a histogram, in seconds or, where ``per_second`` is 1000, in milliseconds.
    """

    requests: str
    errors: str | None
    latency: str
    per_second: int = 1
    waiting: str | None = None
    tokens: str | None = None


SERVERS: Final[Mapping[Server, ServerMetrics]] = {
    "standard": ServerMetrics(
        requests="model_requests_total",
        errors='model_requests_total{code=~"5.."}',
        latency="model_request_duration_seconds",
        waiting="model_queue_depth",
    ),
    # Its own counter has what ended well only; what failed, the HTTP server in front of it knows.
    "vllm": ServerMetrics(
        requests='http_requests_total{handler=~"/v1/.*"}',
        errors='http_requests_total{handler=~"/v1/.*",status="5xx"}',
        latency="vllm:e2e_request_latency_seconds",
        waiting="vllm:num_requests_waiting",
        tokens="vllm:generation_tokens_total",
    ),
    # The queue proxy of a serverless service counts by status; a raw deployment counts no errors at all.
    "kserve": ServerMetrics(
        requests="request_predict_seconds_count",
        errors='revision_app_request_count{response_code_class="5xx"}',
        latency="request_predict_seconds",
    ),
    "triton": ServerMetrics(
        requests="nv_inference_request_success",
        errors="nv_inference_request_failure",
        latency="nv_inference_first_response_histogram_ms",
        per_second=1000,
        waiting="nv_inference_pending_request_count",
    ),
}


def latency_bounds(server: Server) -> Mapping[float, str]:
    """The bounds of a server's histogram: in seconds, with the value that the label ``le`` has for each."""
    metrics = SERVERS[server]
    bounds = catalogue()[metrics.latency].buckets
    return {float(bound) / metrics.per_second: bound for bound in bounds}
