"""What workloads live among: services, volumes, namespaces, quotas, definitions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import cast

from engine.providers.kubernetes.readiness.verdict import (
    READY,
    Object,
    Readiness,
    at,
    condition,
    failed,
    is_false,
    is_true,
    items,
    ready_if,
    said,
    text,
    waiting,
)


def service(value: Object, related: Sequence[Object]) -> Readiness:
    """Has its load balancer, where it asks for one, and no pod behind it is on the way up.

    A service without a selector, without a cluster address or with an outer name sends to no pods. One whose selector
    matches none is ready: they may come later, with a workload that is declared after it.
    """
    if text(value, "spec", "type") == "LoadBalancer" and not items(value, "status", "loadBalancer", "ingress"):
        return waiting("no load balancer was given to it; does this cluster have what makes them?")
    outside = text(value, "spec", "type") == "ExternalName" or text(value, "spec", "clusterIP") == "None"
    if outside or not at(value, "spec", "selector"):
        return READY
    pending = list(_pending_addresses(related))
    return ready_if(not pending, f"{len(pending)} of the pods behind it are not ready")


def _pending_addresses(related: Sequence[Object]) -> Iterable[str]:
    """Addresses that are not ready, of EndpointSlices and of Endpoints as older clusters have them."""
    for entry in related:
        for endpoint in items(entry, "endpoints"):
            if at(endpoint, "conditions", "ready") is False and at(endpoint, "conditions", "terminating") is not True:
                yield str(endpoint.get("addresses"))
        for subset in items(entry, "subsets"):
            yield from (text(address, "ip") for address in items(subset, "notReadyAddresses"))


def ingress(value: Object) -> Readiness:
    address = items(value, "status", "loadBalancer", "ingress")
    return ready_if(bool(address), "no address was given to it; does an ingress controller serve its class?")


def volume(value: Object) -> Readiness:
    phase = text(value, "status", "phase")
    if phase == "Failed":
        return failed(text(value, "status", "message") or "the volume has failed")
    return ready_if(phase in ("Available", "Bound"), f"the volume is {phase or 'not known to its controller yet'}")


def claim(value: Object, related: Sequence[Object]) -> Readiness:
    """Bound; or pending, where its storage class (among ``related``) binds only when a pod uses the claim."""
    phase = text(value, "status", "phase")
    if phase == "Bound":
        return READY
    if phase == "Lost":
        return failed("the volume that it was bound to is gone")
    if phase == "Pending" and _binds_late(value, related):
        return READY
    if (
        phase == "Pending"
        and at(value, "spec", "storageClassName") is None
        and not any(map(_is_default_class, related))
    ):
        classes = [text(one, "metadata", "name") for one in related if one.get("kind") == "StorageClass"]
        those = f" ({', '.join(sorted(classes))})" if classes else ""
        return waiting(
            "the claim is Pending: it names no storage class, and the cluster has no default one; name one in "
            f"spec.storageClassName{those}"
        )
    return waiting(f"the claim is {phase or 'not known to its controller yet'}: no volume is bound to it")


def _binds_late(value: Object, related: Sequence[Object]) -> bool:
    name = text(value, "spec", "storageClassName")
    classes = [entry for entry in related if entry.get("kind") == "StorageClass"]
    of_it = [
        entry for entry in classes if (text(entry, "metadata", "name") == name if name else _is_default_class(entry))
    ]
    return any(entry.get("volumeBindingMode") == "WaitForFirstConsumer" for entry in of_it)


def _is_default_class(value: Object) -> bool:
    annotations = at(value, "metadata", "annotations") or {}
    return annotations.get("storageclass.kubernetes.io/is-default-class") == "true"


def namespace(value: Object) -> Readiness:
    if text(value, "status", "phase") != "Terminating":
        return READY
    words = [said(entry) for entry in items(value, "status", "conditions") if entry.get("status") == "True"]
    return waiting("it is being deleted", *words)


def secret(value: Object) -> Readiness:
    """A token that the cluster makes is there when it has been made; any other secret at once."""
    made = text(value, "type") != "kubernetes.io/service-account-token" or bool(at(value, "data"))
    return ready_if(made, "its token has not been made yet; does the service account exist?")


def quota(value: Object) -> Readiness:
    wanted = cast("Mapping[str, object]", at(value, "spec", "hard") or {})
    seen = cast("Mapping[str, object]", at(value, "status", "hard") or {})
    missing = sorted(key for key, amount in wanted.items() if str(seen.get(key)) != str(amount))
    return ready_if(not missing, f"not counted yet: {', '.join(missing)}")


def definition(value: Object) -> Readiness:
    """A CustomResourceDefinition: its resources can be used. Names that another one has taken are a failure."""
    if is_false(value, "NamesAccepted"):
        return failed(said(condition(value, "NamesAccepted")))
    return ready_if(is_true(value, "Established"), said(condition(value, "Established")) or "it is not established yet")


def api_service(value: Object) -> Readiness:
    available = condition(value, "Available")
    return ready_if(is_true(value, "Available"), said(available) or "it is not available yet")
