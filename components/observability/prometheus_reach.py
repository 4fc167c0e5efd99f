"""Whom Prometheus reaches, as network policies, and what it may see in Kubernetes: what it scrapes, and no more."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from pulumi_kubernetes.networking.v1 import NetworkPolicySpecArgsDict as PolicySpec
from pulumi_kubernetes.rbac.v1 import PolicyRuleArgsDict

from components.network_policies import (
    Destination,
    Reached,
    allow_api_server,
    allow_https,
    allow_pod_identity,
    allow_to,
    allow_to_all,
)
from components.observability.prometheus_config import Collected
from components.observability.scrape_jobs import pod_jobs
from components.pod_facts import APP_LABEL

PORT: Final = 9090
APP: Final = "prometheus"
PODS: Final = {APP_LABEL: APP}
_KUBELET_PORT: Final = 10250


def policies(collected: Collected, network: Sequence[str], *, to_aws: bool) -> dict[str, PolicySpec]:
    """Whom it reaches: what it scrapes. ``network`` are the ranges (CIDR) of nodes and of the API server."""
    targets = [
        Reached(job.namespace, job.labels, [job.number] if job.number else [])
        for job in pod_jobs(collected.watched, collected.parts)
    ]
    allowed = {
        "prometheus-to-api-server": allow_api_server(network, PODS),
        "prometheus-to-targets": allow_to_all(targets, PODS),
    }
    if "kubelet" in collected.parts:
        kubelets = [Destination(cidr, [_KUBELET_PORT]) for cidr in network]
        allowed["prometheus-to-kubelets"] = allow_to(kubelets, PODS)
    if to_aws:
        allowed["prometheus-to-aws"] = allow_https(PODS)
        allowed["prometheus-to-pod-identity"] = allow_pod_identity(PODS)
    return allowed


def rights(parts: Sequence[str]) -> list[PolicyRuleArgsDict]:
    """What discovery and the metrics of Kubernetes itself take, and no more: lists, and metrics."""
    rules: list[PolicyRuleArgsDict] = [
        {"api_groups": [""], "resources": ["nodes", "pods"], "verbs": ["list", "watch"]},
        # Asked by the API server and by Kueue.
        {"non_resource_urls": ["/metrics"], "verbs": ["get"]},
    ]
    if "kubelet" in parts:
        # Source: Kubernetes, "Kubelet authentication/authorization", 1.35: /metrics and below are nodes/metrics.
        rules.append({"api_groups": [""], "resources": ["nodes/metrics"], "verbs": ["get"]})
    if "apiserver" in parts:
        rules += [_listed("", "services"), _listed("discovery.k8s.io", "endpointslices")]
    return rules


def _listed(group: str, resource: str) -> PolicyRuleArgsDict:
    """Only the API server's own: discovery asks for objects of that name (see ``prometheus_config``)."""
    return {
        "api_groups": [group],
        "resources": [resource],
        "resource_names": ["kubernetes"],
        "verbs": ["list", "watch"],
    }
