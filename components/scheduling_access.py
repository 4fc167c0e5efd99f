"""What the people of a team may do in their namespace: run and watch workloads, and nothing that would widen that.

Nobody reads secrets, makes roles, or touches quotas, limits and network policies; no rule has a wildcard. Whoever may
make a pod may also look into it (log, exec, port-forward): that adds nothing to what the pod could do by itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from pulumi_kubernetes.rbac.v1 import PolicyRuleArgsDict

_SEE = ("get", "list", "watch")
_CHANGE = ("create", "delete", "deletecollection", "patch", "update")

# Resources by API group. Kinds that are not installed do no harm in a role.
_WORKLOADS: Final = {
    "": ("configmaps", "persistentvolumeclaims", "pods", "services"),
    "apps": ("deployments", "deployments/scale", "replicasets", "statefulsets", "statefulsets/scale"),
    "autoscaling": ("horizontalpodautoscalers",),
    "batch": ("cronjobs", "jobs"),
    "jobset.x-k8s.io": ("jobsets",),
    "kubeflow.org": ("jaxjobs", "mpijobs", "pytorchjobs", "tfjobs", "xgboostjobs"),
    "policy": ("poddisruptionbudgets",),
    "ray.io": ("rayclusters", "rayjobs", "rayservices"),
    "serving.kserve.io": ("inferenceservices", "servingruntimes"),
    "trainer.kubeflow.org": ("trainjobs",),
}
_SEEN: Final = {
    "": ("endpoints", "events", "limitranges", "pods/log", "pods/status", "resourcequotas", "serviceaccounts"),
    "events.k8s.io": ("events",),
    "kueue.x-k8s.io": ("localqueues", "workloads"),
    "networking.k8s.io": ("networkpolicies",),
    "trainer.kubeflow.org": ("trainingruntimes",),
}


def editor_rules() -> list[PolicyRuleArgsDict]:
    """Run workloads."""
    work = [_rule(group, resources, (*_SEE, *_CHANGE)) for group, resources in _WORKLOADS.items()]
    enter: list[PolicyRuleArgsDict] = [_rule("", ("pods/exec", "pods/portforward"), ("create", "get"))]
    return [*work, *enter, *_seen()]


def viewer_rules() -> list[PolicyRuleArgsDict]:
    """Watch workloads."""
    return [*(_rule(group, resources, _SEE) for group, resources in _WORKLOADS.items()), *_seen()]


def _seen() -> list[PolicyRuleArgsDict]:
    return [_rule(group, resources, _SEE) for group, resources in _SEEN.items()]


def _rule(group: str, resources: Sequence[str], verbs: Sequence[str]) -> PolicyRuleArgsDict:
    return {"api_groups": [group], "resources": list(resources), "verbs": list(verbs)}
