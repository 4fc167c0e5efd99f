"""Which judge sees to which kind."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from engine.kubernetes import api, group_of
from engine.providers.kubernetes.readiness import pods, surroundings, workloads
from engine.providers.kubernetes.readiness.custom import custom
from engine.providers.kubernetes.readiness.verdict import READY, Object, Readiness, text

_Judge = Callable[[Object], Readiness]
_JudgeOfMany = Callable[[Object, Sequence[Object]], Readiness]

_BY_ITSELF: Final[Mapping[tuple[str, str], _Judge]] = {
    ("", "Namespace"): surroundings.namespace,
    ("", "PersistentVolume"): surroundings.volume,
    ("", "Pod"): pods.pod,
    ("", "ResourceQuota"): surroundings.quota,
    ("", "Secret"): surroundings.secret,
    ("apiextensions.k8s.io", "CustomResourceDefinition"): surroundings.definition,
    ("apiregistration.k8s.io", "APIService"): surroundings.api_service,
    ("networking.k8s.io", "Ingress"): surroundings.ingress,
}
_WITH_RELATED: Final[Mapping[tuple[str, str], _JudgeOfMany]] = {
    ("", "PersistentVolumeClaim"): surroundings.claim,
    ("", "ReplicationController"): workloads.replicas,
    ("", "Service"): surroundings.service,
    ("apps", "DaemonSet"): workloads.daemon_set,
    ("apps", "Deployment"): workloads.deployment,
    ("apps", "ReplicaSet"): workloads.replicas,
    ("apps", "StatefulSet"): workloads.stateful_set,
    ("batch", "Job"): workloads.job,
}


def readiness(value: Object, related: Sequence[Object] = ()) -> Readiness:
    """Whether a live object is ready; ``related`` are other live objects that tell more (see ``related_to``).

    Built-in kinds that are not named here are ready when they exist (a ServiceAccount too: since Kubernetes 1.24 it
    gets no secret of its own). ``pulumi.com/skipAwait`` and ``pulumi.com/waitFor`` are the caller's to honour.
    """
    group = group_of(text(value, "apiVersion"))
    kind = (group, text(value, "kind"))
    if (alone := _BY_ITSELF.get(kind)) is not None:
        return alone(value)
    if (together := _WITH_RELATED.get(kind)) is not None:
        return together(value, related)
    return READY if group in api().groups else custom(value)
