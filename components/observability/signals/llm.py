"""Servers of language models: what waits, and how many tokens come out."""

from __future__ import annotations

from typing import Final

from components.observability.model_servers import SERVERS
from components.observability.signals.requests import PLAUSIBLE, rate
from components.observability.values import Alert, Panel, Query, Recording, Severity, Signal, Threshold

_WAITING: Final = "\nor ".join(
    f"sum by (model, team, version, pod) ({server.waiting} {PLAUSIBLE})"
    for server in SERVERS.values()
    if server.waiting
)
_UNTIL_FIRST: Final = "sum by (model, version, le) (rate(vllm:time_to_first_token_seconds_bucket[5m]))"
_TOKENS: Final = "\nor ".join(
    rate(server.tokens, "sum by (model, team)") for server in SERVERS.values() if server.tokens
)

QUEUE: Final = Signal(
    name="model-queue",
    title="Queue",
    area="llm",
    interval_seconds=30,
    recordings=(Recording("model_pod:queue:depth", _WAITING, "short"),),
    alerts=(
        Alert(
            "ModelQueueDeep",
            "max by (model, team) (model_pod:queue:depth) > on (model) group_left () model:objective:queue_depth",
            for_seconds=300,
            severity=Severity.TICKET,
            summary="{{ $labels.model }}: {{ $value }} requests wait in one server",
            description="{{ $value }} requests wait in a server of {{ $labels.model }}, more than its objective "
            "allows. It needs more replicas, or shorter prompts.",
        ),
    ),
    panels=(
        Panel(
            title="Requests that wait",
            queries=(
                Query("max by (model) (model_pod:queue:depth)", "{{model}}, longest queue"),
                Query("model:objective:queue_depth", "{{model}} at most"),
            ),
            unit="short",
            description="Requests in the longest queue of a model's servers, and how many its objective allows.",
            minimum=0,
        ),
        Panel(
            title="Requests in work",
            queries=(Query("sum by (model) (vllm:num_requests_running)", "{{model}}"),),
            unit="short",
            description="Requests that are in a batch at the moment.",
            minimum=0,
        ),
        Panel(
            title="Time to the first token, 95th percentile",
            queries=(Query(f"histogram_quantile(0.95, {_UNTIL_FIRST})", "{{model}} {{version}}"),),
            unit="s",
            description="One of twenty users waits longer for the answer to begin.",
            minimum=0,
        ),
    ),
)

TOKENS: Final = Signal(
    name="model-tokens",
    title="Tokens",
    area="llm",
    interval_seconds=30,
    recordings=(Recording("model:tokens:rate5m", _TOKENS, "short"),),
    alerts=(
        Alert(
            "ModelTokensSlow",
            "model:tokens:rate5m < on (model) group_left () model:objective:tokens_per_second\n"
            "and on (model) sum by (model) (model_pod:queue:depth) > 0",
            for_seconds=600,
            severity=Severity.TICKET,
            summary="{{ $labels.model }}: {{ $value | humanize }} tokens per second while requests wait",
            description="The servers of {{ $labels.model }} make {{ $value | humanize }} tokens per second, less than "
            "its objective says, although requests wait.",
        ),
    ),
    panels=(
        Panel(
            title="Tokens per second",
            queries=(
                Query("model:tokens:rate5m", "{{model}}"),
                Query("model:objective:tokens_per_second", "{{model}} at least"),
            ),
            unit="short",
            description="Tokens that all servers of a model generate per second.",
            minimum=0,
        ),
        Panel(
            title="KV cache in use",
            queries=(Query("max by (model, pod) (vllm:kv_cache_usage_perc <= 1)", "{{model}} {{pod}}"),),
            unit="percentunit",
            description="Part of the cache for keys and values that is used; once it is full, requests are pushed out "
            "and computed again.",
            thresholds=(Threshold(0.9, "orange"), Threshold(0.98, "red")),
            minimum=0,
            maximum=1,
        ),
        Panel(
            title="Requests pushed out of the cache",
            queries=(Query("sum by (model) (rate(vllm:num_preemptions_total[5m]))", "{{model}}"),),
            unit="reqps",
            description="Requests whose cache was given to others, so that their answer is computed again.",
            minimum=0,
        ),
        Panel(
            title="Tokens of prompts",
            queries=(Query("sum by (model) (rate(vllm:prompt_tokens_total[5m]))", "{{model}}"),),
            unit="short",
            description="Tokens per second that are read.",
            minimum=0,
        ),
    ),
)
