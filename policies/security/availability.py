"""Row 75: Kubernetes can tell whether a workload works, and does not take all of it away at once."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Final

from policies.kit import Finding, Resource, Stack, Value, WrongType
from policies.security.pack import SECURITY
from policies.subjects.cluster import objects_in
from policies.subjects.kubernetes import KUBERNETES, KubernetesObject
from policies.subjects.pods import Container, PodTemplate
from policies.subjects.selectors import labels_of, selects

# What is meant to run until somebody ends it. Jobs end by themselves, and DaemonSets have a pod per node.
_SCALED: Final = frozenset(
    {
        ("", "ReplicationController"),
        ("apps", "Deployment"),
        ("apps", "ReplicaSet"),
        ("apps", "StatefulSet"),
        ("argoproj.io", "Rollout"),
        ("extensions", "Deployment"),
        ("extensions", "ReplicaSet"),
    }
)
_LASTING: Final = _SCALED | {("", "Pod"), ("apps", "DaemonSet"), ("extensions", "DaemonSet")}
_WAYS: Final = ("exec", "grpc", "httpGet", "tcpSocket")
_PERCENT: Final = re.compile(r"(\d+)%")


@SECURITY.rule(
    "liveness-probe",
    number=75,
    title="Containers have a liveness probe",
    severity="low",
    fix="Add a livenessProbe that fails when only a restart helps.",
    tags=("checkov:CKV_K8S_8", "gatekeeper:requiredprobes"),
)
def liveness_probe(container: Container) -> Iterator[Finding]:
    """A program that hangs is only restarted where a probe notices. Judged are the containers of lasting workloads."""
    yield from _probed(container, "livenessProbe")


@SECURITY.rule(
    "readiness-probe",
    number=75,
    title="Containers have a readiness probe",
    severity="low",
    fix="Add a readinessProbe that succeeds when the container can serve.",
    tags=("checkov:CKV_K8S_9", "gatekeeper:requiredprobes"),
)
def readiness_probe(container: Container) -> Iterator[Finding]:
    """Without it requests come before a model is loaded, and a rollout goes on over pods that can't serve."""
    yield from _probed(container, "readinessProbe")


def _probed(container: Container, probe: str) -> Iterator[Finding]:
    pod = container.pod
    if container.kind != "containers" or (pod.object.group, pod.object.kind) not in _LASTING or container.partial:
        return
    if pod.get("restartPolicy").text("Always") != "Always":
        return
    value = container.get(probe)
    if not any(value.get(way).present for way in _WAYS):
        yield Finding(f"container '{container.name}' has no {probe}", value.path)


@dataclass(frozen=True, eq=False)
class _Scaled:
    """A workload with a number of replicas."""

    types: ClassVar = KUBERNETES

    object: KubernetesObject

    @classmethod
    def found_in(cls, resource: Resource) -> Iterator[_Scaled]:
        for each in KubernetesObject.found_in(resource):
            if (each.group, each.kind) in _SCALED:
                yield cls(each)

    def scaler_in(self, stack: Stack) -> KubernetesObject | None:
        """The HorizontalPodAutoscaler that sets the number, where the stack has one."""
        objects, own = objects_in(stack), self.object.metadata.get("name")
        for scaler in objects.naming(own, "autoscaling", "HorizontalPodAutoscaler", "spec", "scaleTargetRef", "name"):
            target = scaler.body.get("spec", "scaleTargetRef")
            if not objects.namespace_of(scaler).is_that_of(objects.namespace_of(self.object)):
                continue
            if target.get("kind").text("") == self.object.kind and self._is_called(target.get("name"), scaler):
                return scaler
        return None

    def least_in(self, stack: Stack) -> Value:
        """The smallest number of replicas, where it is written; missing where it is 1 by default."""
        scaler = self.scaler_in(stack)
        return self.object.body.get("spec", "replicas") if scaler is None else scaler.body.get("spec", "minReplicas")

    def _is_called(self, name: Value, scaler: KubernetesObject) -> bool:
        own = self.object.metadata.get("name")
        if name.known and own.known:
            return own.present and name.text("") == own.text("")
        return self.object.resource.urn in scaler.resource.depends_on.get("spec", ())


@SECURITY.rule(
    "minimum-replicas",
    number=75,
    title="Workloads have more than one replica",
    severity="low",
    fix="Set spec.replicas, or the HorizontalPodAutoscaler's minReplicas.",
    tags=("pulumi:configure-minimum-replica-count",),
    level="advisory",  # replicas cost, of GPUs most of all
    parameters={
        "minimum": {"type": "integer", "minimum": 1, "default": 2, "description": "The least number of replicas."}
    },
)
def minimum_replicas(scaled: _Scaled, stack: Stack, parameters: Mapping[str, Any]) -> Iterator[Finding]:
    """One replica is none while its node is replaced. An autoscaler's minReplicas counts in place of replicas."""
    least, wanted = scaled.least_in(stack), parameters["minimum"]
    if least.missing and scaled.object.partial:
        return
    if least.number(1) < wanted:
        state = f"{least.shown()} replicas" if least.present else "one replica, for it says no number"
        yield Finding(f"the {scaled.object.kind} '{scaled.object.name}' has {state}; {wanted} is the least", least.path)


@SECURITY.rule(
    "disruption-budget",
    number=75,
    title="Workloads with replicas have a PodDisruptionBudget",
    severity="low",
    fix="Add a PodDisruptionBudget that selects the pods, with maxUnavailable: 1.",
    tags=("kyverno:require-pdb",),
)
def disruption_budget(pod: PodTemplate, stack: Stack) -> Iterator[Finding]:
    """Without a budget an upgrade of the nodes, or Karpenter's consolidation, may take all replicas at once.

    Asked of workloads with two or more replicas: of a single one a budget would only keep its node from being replaced.
    """
    if (pod.object.group, pod.object.kind) not in _SCALED or pod.partial:
        return
    if _Scaled(pod.object).least_in(stack).number(1) < 2:
        return
    budgets = objects_in(stack).selecting(pod, "policy", "PodDisruptionBudget", "spec", "selector")
    if not any(_budget_selects(budget, pod) for budget in budgets):
        yield Finding(f"no PodDisruptionBudget selects the pods of the {pod.object.kind} '{pod.object.name}'", pod.path)


def _budget_selects(budget: KubernetesObject, pod: PodTemplate) -> bool:
    selector = budget.body.get("spec", "selector")
    return selector.present and selects(selector, labels_of(pod.metadata.get("labels")))


@dataclass(frozen=True, eq=False)
class _Budget:
    """A PodDisruptionBudget."""

    types: ClassVar = KUBERNETES

    object: KubernetesObject

    @classmethod
    def found_in(cls, resource: Resource) -> Iterator[_Budget]:
        for each in KubernetesObject.found_in(resource):
            if (each.group, each.kind) == ("policy", "PodDisruptionBudget"):
                yield cls(each)


@SECURITY.rule(
    "blocking-budget",
    number=75,
    title="PodDisruptionBudgets let pods be moved",
    severity="low",
    fix="Set maxUnavailable: 1, or a minAvailable below the number of replicas.",
    tags=("gatekeeper:poddisruptionbudget", "kyverno:pdb-maxunavailable", "kyverno:pdb-minavailable"),
)
def blocking_budget(budget: _Budget, stack: Stack) -> Iterator[Finding]:
    """A budget that lets no pod go keeps its nodes for ever: no upgrade, no consolidation, no Spot node left in time.

    That is maxUnavailable 0, minAvailable 100%, and a minAvailable that is not below the replicas of what it selects.
    """
    spec = budget.object.body.get("spec")
    unavailable, available = spec.get("maxUnavailable"), spec.get("minAvailable")
    if unavailable.present and available.present:
        yield Finding("both minAvailable and maxUnavailable are set, and only one may be", spec.path)
    if unavailable.present and _share(unavailable, 100) == 0:
        yield Finding(f"maxUnavailable {unavailable.shown()} lets no pod go", unavailable.path)
    if not available.present:
        return
    of_hundred = _share(available, 100)
    if available.kind == "text" and of_hundred >= 100:
        yield Finding(f"minAvailable {available.shown()} lets no pod go", available.path)
        return
    replicas = _replicas_under(budget.object, stack)
    if replicas is not None and _share(available, replicas) >= replicas:
        yield Finding(f"minAvailable {available.shown()} of {replicas} replicas lets no pod go", available.path)


def _share(value: Value, of: float) -> int:
    """A number of pods, or a share of ``of`` them, rounded up as Kubernetes does."""
    if value.kind != "text":
        return int(value.number(0))
    percent = _PERCENT.fullmatch(value.text(""))
    if percent is None:
        raise WrongType(value.path, "a number or a percentage such as 50%", value.shown(), value.owner)
    return math.ceil(int(percent.group(1)) * of / 100)


def _replicas_under(budget: KubernetesObject, stack: Stack) -> float | None:
    """The replicas of all workloads that the budget selects; None where it selects none of the stack."""
    objects = objects_in(stack)
    pods = objects.selected(objects.namespace_of(budget), budget.body.get("spec", "selector"))
    scaled = [pod for pod in pods if (pod.object.group, pod.object.kind) in _SCALED]
    chosen = [_Scaled(pod.object) for pod in scaled if _budget_selects(budget, pod)]
    return sum(each.least_in(stack).number(1) for each in chosen) if chosen else None
