"""Deployments, StatefulSets, DaemonSets and what only counts its pods: rolled out as soon as they are written."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from engine.emulator.kubernetes.cluster import Cluster
from engine.emulator.kubernetes.controllers import claims, placement, pods
from engine.emulator.kubernetes.controllers.writes import OPTIONS, change, condition, current, owned, owner, set_status
from engine.emulator.kubernetes.refusals import Json, Refused
from engine.emulator.kubernetes.resources import Resource
from engine.emulator.kubernetes.store import Event

_REVISION = "deployment.kubernetes.io/revision"
_HASH = "pod-template-hash"


def _deployment(cluster: Cluster, event: Event) -> None:
    resource = cluster.named("apps/v1", "Deployment")
    deployment = current(cluster, resource, event.object)
    if deployment is None:
        return
    spec, about = deployment["spec"], deployment["metadata"]
    replica_set = _replica_set_of(cluster, deployment)
    revision = (replica_set["metadata"].get("annotations") or {}).get(_REVISION, "1")
    if (about.get("annotations") or {}).get(_REVISION) != revision:
        annotations = (about.get("annotations") or {}) | {_REVISION: revision}
        about = {"annotations": annotations}
        deployment = change(cluster, resource, deployment, "metadata", about)
    wanted, ready = spec["replicas"], (replica_set.get("status") or {}).get("readyReplicas", 0)
    name = replica_set["metadata"]["name"]
    available = ready >= wanted
    conditions = [
        condition("Available", True, "MinimumReplicasAvailable", "Deployment has minimum availability.")
        if available
        else condition(
            "Available", False, "MinimumReplicasUnavailable", "Deployment does not have minimum availability."
        ),
        condition("Progressing", True, "NewReplicaSetAvailable", f'ReplicaSet "{name}" has successfully progressed.')
        if available
        else condition("Progressing", True, "ReplicaSetUpdated", f'ReplicaSet "{name}" is progressing.'),
    ]
    conditions += [each for each in _conditions(replica_set) if each["type"] == "ReplicaFailure"]
    status = _counts(deployment, ready, "replicas", "updatedReplicas", "readyReplicas", "availableReplicas")
    missing = {"unavailableReplicas": wanted - ready} if wanted > ready else {}
    set_status(cluster, resource, deployment, status | missing | {"conditions": conditions})


def _replica_set_of(cluster: Cluster, deployment: Json) -> Json:
    """The ReplicaSet of the current template, made if need be; former ones are scaled to zero."""
    resource, spec = cluster.named("apps/v1", "ReplicaSet"), deployment["spec"]
    digest = pods.hash_of(spec["template"])
    namespace, name = deployment["metadata"]["namespace"], f"{deployment['metadata']['name']}-{digest}"
    former = owned(cluster, resource, deployment)
    for each in former:
        replicas = spec["replicas"] if each["metadata"]["name"] == name else 0
        if each["spec"].get("replicas") != replicas:
            change(cluster, resource, each, "spec", {"replicas": replicas})
    found = cluster.store.get(resource.storage, namespace, name)
    if found:
        return found
    revisions = [int((each["metadata"].get("annotations") or {}).get(_REVISION, 0)) for each in former]
    template = _labelled(spec["template"], digest)
    selector = spec["selector"] | {"matchLabels": (spec["selector"].get("matchLabels") or {}) | {_HASH: digest}}
    annotations = {_REVISION: str(max(revisions, default=0) + 1)}
    annotations["deployment.kubernetes.io/desired-replicas"] = str(spec["replicas"])
    about: Json = {"name": name, "labels": template["metadata"]["labels"], "annotations": annotations}
    about["ownerReferences"] = owner(deployment)
    body = {"metadata": about, "spec": {"replicas": spec["replicas"], "selector": selector, "template": template}}
    return cluster.create(resource, namespace, body, OPTIONS)


def _labelled(template: Json, digest: str) -> Json:
    about = dict(template.get("metadata") or {})
    return template | {"metadata": about | {"labels": (about.get("labels") or {}) | {_HASH: digest}}}


def _replica_set(cluster: Cluster, event: Event) -> None:
    found = _replicated(cluster, event, cluster.named("apps/v1", "ReplicaSet"))
    if found is not None:
        _again(cluster, found, "Deployment", _deployment)


def _replication_controller(cluster: Cluster, event: Event) -> None:
    _replicated(cluster, event, cluster.named("v1", "ReplicationController"))


def _replicated(cluster: Cluster, event: Event, resource: Resource) -> Json | None:
    """See to the pods of a workload that only counts them; gives it, unless it is gone."""
    found = current(cluster, resource, event.object)
    if found is None:
        return None
    ready, failure = _kept(cluster, found, found["spec"]["replicas"])
    status = _counts(found, ready, "replicas", "fullyLabeledReplicas", "readyReplicas", "availableReplicas")
    set_status(cluster, resource, found, status | ({"conditions": failure} if failure else {}))
    return found


def _stateful_set(cluster: Cluster, event: Event) -> None:
    resource = cluster.named("apps/v1", "StatefulSet")
    found = current(cluster, resource, event.object)
    if found is None:
        return
    name, digest = found["metadata"]["name"], pods.hash_of(found["spec"]["template"])
    ready, failure = _kept(cluster, found, found["spec"]["replicas"], lambda: claims.keep(cluster, found))
    names = ("replicas", "currentReplicas", "updatedReplicas", "readyReplicas", "availableReplicas")
    status = _counts(found, ready, *names) | {"availableReplicas": ready, "collisionCount": 0}
    status |= {"currentRevision": f"{name}-{digest}", "updateRevision": f"{name}-{digest}"}
    set_status(cluster, resource, found, status | ({"conditions": failure} if failure else {}))


def _daemon_set(cluster: Cluster, event: Event) -> None:
    resource = cluster.named("apps/v1", "DaemonSet")
    found = current(cluster, resource, event.object)
    if found is None:
        return
    nodes = placement.nodes_for(cluster, found["spec"]["template"].get("spec") or {}, daemon=True)
    wanted = len(nodes)
    ready, failure = _kept(cluster, found, wanted, lambda: [pods.Own(node=node["metadata"]["name"]) for node in nodes])
    status: Json = {"observedGeneration": found["metadata"]["generation"], "desiredNumberScheduled": wanted}
    status |= {"currentNumberScheduled": ready, "numberMisscheduled": 0, "numberReady": ready}
    status |= {"updatedNumberScheduled": ready, "numberAvailable": ready} if ready else {}
    status |= {"numberUnavailable": wanted - ready} if wanted > ready else {}
    set_status(cluster, resource, found, status | ({"conditions": failure} if failure else {}))


def _node(cluster: Cluster, event: Event) -> None:
    """Nodes that come, go or change may get other daemons."""
    if event.change == "DELETED":
        pods.forget_node(cluster, event.object["metadata"]["name"])
    before, after = (_place(body) for body in (event.former, None if event.change == "DELETED" else event.object))
    if before == after:
        return
    for body in cluster.store.list(("apps", "daemonsets")):
        _daemon_set(cluster, Event(event.revision, "MODIFIED", ("apps", "daemonsets"), body, body))


def _pod(cluster: Cluster, event: Event) -> None:
    """A pod that has gone is made again by what it belonged to."""
    if event.change != "DELETED":
        return
    for kind, reaction in _OWNERS.items():
        _again(cluster, event.object, kind, reaction)


def _place(node: Json | None) -> Any:
    return (node["metadata"].get("labels"), node.get("spec")) if node else None


def _kept(
    cluster: Cluster, found: Json, count: int, own: Callable[[], list[pods.Own]] = list
) -> tuple[int, list[Json]]:
    """How many pods there are, and why there are no more."""
    try:
        return pods.keep(cluster, found, found["spec"]["template"], count, own()), []
    except Refused as refused:
        # Without the part of the name that is another one each time.
        message = re.sub(r'(pods "[^"]*-)[a-z0-9]{5}"', r'\1"', refused.message)
        return 0, [condition("ReplicaFailure", True, "FailedCreate", message)]


def _counts(body: Json, ready: int, *names: str) -> Json:
    """Counts of zero are left out, save how many there are."""
    counted = {name: ready for name in names if ready or name == "replicas"}
    return {"observedGeneration": body["metadata"]["generation"]} | counted


def _conditions(body: Json) -> list[Json]:
    return (body.get("status") or {}).get("conditions") or []


def _again(cluster: Cluster, body: Json, kind: str, reaction: Any) -> None:
    for reference in body["metadata"].get("ownerReferences") or []:
        if reference["kind"] == kind:
            resource = cluster.named(reference["apiVersion"], kind)
            found = cluster.store.get(resource.storage, body["metadata"]["namespace"], reference["name"])
            if found:
                reaction(cluster, Event(0, "MODIFIED", resource.storage, found, found))


_OWNERS: dict[str, Callable[[Cluster, Event], None]] = {  # of pods
    "ReplicaSet": _replica_set,
    "ReplicationController": _replication_controller,
    "StatefulSet": _stateful_set,
    "DaemonSet": _daemon_set,
}
REACTIONS: dict[tuple[str, str], Callable[[Cluster, Event], None]] = {
    ("", "pods"): _pod,
    ("apps", "deployments"): _deployment,
    ("apps", "replicasets"): _replica_set,
    ("", "replicationcontrollers"): _replication_controller,
    ("apps", "statefulsets"): _stateful_set,
    ("apps", "daemonsets"): _daemon_set,
    ("", "nodes"): _node,
}
