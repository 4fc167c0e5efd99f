"""Controllers of pods: whether what was asked for last runs."""

from __future__ import annotations

from collections.abc import Sequence

from engine.providers.kubernetes.readiness.pods import pod_reasons
from engine.providers.kubernetes.readiness.verdict import (
    READY,
    Object,
    Readiness,
    at,
    condition,
    failed,
    is_false,
    is_true,
    number,
    said,
    text,
    unobserved,
    waiting,
)

_UNSEEN = "its controller has not seen the latest change yet"
_REVISION = "deployment.kubernetes.io/revision"


def deployment(value: Object, related: Sequence[Object]) -> Readiness:
    """Rolled out: available, all pods of the latest revision ready, and no rollout under way.

    A rollout that its own deadline has overtaken (``spec.progressDeadlineSeconds``) has failed.
    """
    if unobserved(value):
        return waiting(_UNSEEN)
    progressing, available = condition(value, "Progressing"), condition(value, "Available")
    words = [said(entry) for entry in (progressing, available) if entry and entry.get("status") != "True"]
    reasons = [*filter(None, words), *_counts(value, "updatedReplicas"), *pod_reasons(related)]
    if is_false(value, "Progressing") and (progressing or {}).get("reason") == "ProgressDeadlineExceeded":
        return failed(*reasons)
    if not is_true(value, "Available"):
        return waiting(*(reasons or ["the minimum number of ready pods is not reached"]))
    if _counts(value, "updatedReplicas"):
        return waiting(*reasons)
    if _is_rollout(value) and (progressing or {}).get("reason") != "NewReplicaSetAvailable":
        return waiting(*(reasons or [f"the rollout goes on: {said(progressing)}"]))
    return READY


def _is_rollout(value: Object) -> bool:
    """The first revision has no rollout: the pods simply come up."""
    return (at(value, "metadata", "annotations") or {}).get(_REVISION, "1") != "1"


def stateful_set(value: Object, related: Sequence[Object]) -> Readiness:
    """All replicas ready and of the latest revision; ``OnDelete`` and ``partition`` leave the old ones as they are."""
    if unobserved(value):
        return waiting(_UNSEEN)
    if reasons := _counts(value, "replicas"):
        return waiting(*reasons, *pod_reasons(related))
    if text(value, "spec", "updateStrategy", "type") == "OnDelete" and number(value, "metadata", "generation") > 1:
        return READY
    current, update = text(value, "status", "currentRevision"), text(value, "status", "updateRevision")
    partition = number(value, "spec", "updateStrategy", "rollingUpdate", "partition")
    updated = number(value, "status", "updatedReplicas")
    if partition and current != update:
        due = max(0, _replicas(value) - partition)
        return READY if updated >= due else waiting(f"{updated} of {due} replicas beyond the partition are updated")
    if current != update or not update:
        return waiting(
            f"revision {update or 'unknown'} is rolled out: {updated} of {_replicas(value)} replicas have it"
        )
    return READY


def daemon_set(value: Object, related: Sequence[Object]) -> Readiness:
    """On every node that it belongs to: scheduled, updated and available."""
    if unobserved(value):
        return waiting(_UNSEEN)
    wanted = at(value, "status", "desiredNumberScheduled")
    if wanted is None:
        return waiting("the number of nodes that it belongs to is not known yet")
    counts = {
        "scheduled": number(value, "status", "currentNumberScheduled"),
        "updated": number(value, "status", "updatedNumberScheduled"),
        "available": number(value, "status", "numberAvailable"),
        "ready": number(value, "status", "numberReady"),
    }
    if text(value, "spec", "updateStrategy", "type") == "OnDelete":
        counts.pop("updated")
    missing = [f"{seen} of {wanted} pods are {word}" for word, seen in counts.items() if seen < wanted]
    return waiting(missing[0], *pod_reasons(related)) if missing else READY


def replicas(value: Object, related: Sequence[Object]) -> Readiness:
    """A ReplicaSet or a ReplicationController: as many available replicas as are wanted."""
    if unobserved(value):
        return waiting(_UNSEEN)
    wanted, seen = _replicas(value), number(value, "status", "availableReplicas")
    if seen == wanted:
        return READY
    trouble = said(condition(value, "ReplicaFailure")) if is_true(value, "ReplicaFailure") else ""
    return waiting(trouble, f"{seen} of {wanted} replicas are available", *pod_reasons(related))


def job(value: Object, related: Sequence[Object]) -> Readiness:
    """Complete. A job that has failed (its backoff limit, its deadline, its pod failure policy) stays so."""
    counts = ", ".join(f"{number(value, 'status', word)} {word}" for word in ("active", "succeeded", "failed"))
    if is_true(value, "Failed"):
        return failed(said(condition(value, "Failed")) or f"it failed ({counts})", *pod_reasons(related))
    if is_true(value, "Complete"):
        return READY
    if at(value, "spec", "suspend") is True:
        return waiting("it is suspended (spec.suspend)")
    return waiting(f"waits for success ({counts})", *pod_reasons(related))


def _replicas(value: Object) -> int:
    return number(value, "spec", "replicas", default=1)


def _counts(value: Object, made: str) -> list[str]:
    """What is missing of the replicas that are wanted; ``made`` counts those that exist."""
    wanted = _replicas(value)
    exist, ready = number(value, "status", made), number(value, "status", "readyReplicas")
    if made == "replicas" and exist > wanted:
        return [f"{exist - wanted} replicas too many still run"]
    if exist < wanted:
        return [f"{exist} of {wanted} replicas are {'updated' if made != 'replicas' else 'there'}"]
    return [f"{ready} of {wanted} replicas are ready"] if ready < wanted else []
