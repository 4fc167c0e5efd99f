"""Budgets of disruption, autoscalers, quotas and API services: their statuses."""

from __future__ import annotations

import math
from typing import Any

from engine.emulator.kubernetes import quantities, quota
from engine.emulator.kubernetes.cluster import Cluster
from engine.emulator.kubernetes.controllers.writes import condition, current, set_status
from engine.emulator.kubernetes.refusals import Json
from engine.emulator.kubernetes.rules import at
from engine.emulator.kubernetes.selectors import selects
from engine.emulator.kubernetes.store import Event

_WORKLOADS = (("apps", "deployments"), ("apps", "statefulsets"))


def _budget(cluster: Cluster, event: Event) -> None:
    resource = cluster.named("policy/v1", "PodDisruptionBudget")
    budget = current(cluster, resource, event.object)
    if budget is None:
        return
    spec, namespace = budget.get("spec") or {}, budget["metadata"]["namespace"]
    expected = sum(
        at(body, "spec.replicas") or 0
        for storage in _WORKLOADS
        for body in cluster.store.list(storage, namespace)
        if selects(spec.get("selector"), at(body, "spec.template.metadata.labels") or {})
    )
    if spec.get("minAvailable") is not None:
        desired = _share(spec["minAvailable"], expected)
    else:
        desired = max(expected - _share(spec.get("maxUnavailable", 1), expected), 0)
    allowed = max(expected - desired, 0)
    state = condition("DisruptionAllowed", allowed > 0, "SufficientPods" if allowed else "InsufficientPods")
    state |= {"observedGeneration": budget["metadata"]["generation"]}
    status: Json = {"observedGeneration": budget["metadata"]["generation"], "currentHealthy": expected}
    status |= {
        "desiredHealthy": desired,
        "disruptionsAllowed": allowed,
        "expectedPods": expected,
        "conditions": [state],
    }
    set_status(cluster, resource, budget, status)


def _share(value: Any, of: int) -> int:
    return math.ceil(int(value[:-1]) * of / 100) if isinstance(value, str) and value.endswith("%") else int(value)


def _workload(cluster: Cluster, event: Event) -> None:
    """Budgets and autoscalers of a workload whose number of replicas is another now."""
    before = at(event.former, "spec.replicas") if event.former else None
    if event.change == "MODIFIED" and before == at(event.object, "spec.replicas"):
        return
    namespace = event.object["metadata"]["namespace"]
    for storage, reaction in ((("policy", "poddisruptionbudgets"), _budget), (_AUTOSCALERS, _autoscaler)):
        for body in cluster.store.list(storage, namespace):
            reaction(cluster, Event(event.revision, "MODIFIED", storage, body, body))


_AUTOSCALERS = ("autoscaling", "horizontalpodautoscalers")


def _autoscaler(cluster: Cluster, event: Event) -> None:
    resource = cluster.named("autoscaling/v2", "HorizontalPodAutoscaler")
    scaler = current(cluster, resource, event.object)
    if scaler is None:
        return
    reference, namespace = scaler["spec"]["scaleTargetRef"], scaler["metadata"]["namespace"]
    target = cluster.resources.of_kind(reference.get("apiVersion", ""), reference["kind"])
    found = cluster.store.get(target.storage, namespace, reference["name"]) if target else None
    if found is None:
        why = f"the HPA controller was unable to get the target's current scale: {reference['kind']} "
        why += f'"{reference["name"]}" not found'
        set_status(cluster, resource, scaler, {"conditions": [condition("AbleToScale", False, "FailedGetScale", why)]})
        return
    replicas = at(found, "spec.replicas") or 0
    conditions = [
        condition("AbleToScale", True, "ReadyForNewScale", "recommended size matches current size"),
        condition(
            "ScalingActive", True, "ValidMetricFound", "the HPA was able to successfully calculate a replica count"
        ),
        condition("ScalingLimited", False, "DesiredWithinRange", "the desired count is within the acceptable range"),
    ]
    status = {
        "currentReplicas": replicas,
        "desiredReplicas": replicas,
        "currentMetrics": None,
        "conditions": conditions,
    }
    set_status(cluster, resource, scaler, status)


def _quota(cluster: Cluster, event: Event) -> None:
    resource = cluster.named("v1", "ResourceQuota")
    limit = current(cluster, resource, event.object)
    if limit is None:
        return
    hard = (limit.get("spec") or {}).get("hard") or {}
    used = {name: quantities.shown(amount) for name, amount in quota.used_of(cluster.store, limit).items()}
    set_status(cluster, resource, limit, {"hard": hard, "used": {name: used.get(name, "0") for name in hard}})


def react_to_any(cluster: Cluster, event: Event) -> None:
    """The quotas of a namespace in which something has come, gone or changed in size."""
    namespace = event.object["metadata"].get("namespace")
    limits = cluster.store.list(quota.QUOTAS, namespace) if namespace else []
    if not limits or event.storage == quota.QUOTAS:
        return
    before = quota.usage_of(event.storage, event.former) if event.former else {}
    if event.change != "MODIFIED" or before != quota.usage_of(event.storage, event.object):
        for limit in limits:
            _quota(cluster, Event(event.revision, "MODIFIED", quota.QUOTAS, limit, limit))


def _api_service(cluster: Cluster, event: Event) -> None:
    resource = cluster.named("apiregistration.k8s.io/v1", "APIService")
    found = current(cluster, resource, event.object)
    if found is not None:
        state = condition("Available", True, "Passed", "all checks passed")
        set_status(cluster, resource, found, {"conditions": [state]})


REACTIONS = {
    ("policy", "poddisruptionbudgets"): _budget,
    ("apps", "deployments"): _workload,
    ("apps", "statefulsets"): _workload,
    _AUTOSCALERS: _autoscaler,
    quota.QUOTAS: _quota,
    ("apiregistration.k8s.io", "apiservices"): _api_service,
}
