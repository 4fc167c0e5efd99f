"""Services and Ingresses: addresses of load balancers, and which pods are behind a Service."""

from __future__ import annotations

import hashlib

from engine.emulator.kubernetes.cluster import Cluster
from engine.emulator.kubernetes.controllers.writes import OPTIONS, current, ensure, owner, set_status
from engine.emulator.kubernetes.refusals import Json
from engine.emulator.kubernetes.selectors import selects
from engine.emulator.kubernetes.store import Event, name_of

_REGION = "us-east-1"
_SERVICES, _PODS = ("", "services"), ("", "pods")


def hostname(body: Json) -> str:
    """As the AWS load balancer controller names it, without what AWS adds to tell accounts apart."""
    about = body["metadata"]
    digest = hashlib.sha256(about["uid"].encode()).hexdigest()
    return f"k8s-{about['namespace'][:8]}-{about['name'][:8]}-{digest[:10]}-{digest[10:26]}.elb.{_REGION}.amazonaws.com"


def _service(cluster: Cluster, event: Event) -> None:
    resource = cluster.named("v1", "Service")
    service = current(cluster, resource, event.object)
    if service is None:
        return
    balanced = service["spec"].get("type") == "LoadBalancer"
    status: Json = {"loadBalancer": {"ingress": [{"hostname": hostname(service)}]} if balanced else {}}
    set_status(cluster, resource, service, (service.get("status") or {}) | status)
    if service["spec"].get("selector"):
        _slice(cluster, service)


def _slice(cluster: Cluster, service: Json) -> None:
    resource = cluster.named("discovery.k8s.io/v1", "EndpointSlice")
    namespace, name = name_of(service)
    pods = [pod for pod in cluster.store.list(_PODS, namespace) if _behind(service, pod)]
    endpoints = [_endpoint(pod) for pod in pods]
    ports = [
        {"name": port.get("name", ""), "protocol": port["protocol"], "port": port.get("targetPort")}
        for port in service["spec"].get("ports") or []
        if isinstance(port.get("targetPort"), int)
    ]
    about: Json = {"labels": {"kubernetes.io/service-name": name}, "ownerReferences": owner(service)}
    wanted: Json = {"addressType": "IPv4", "endpoints": endpoints, "ports": ports}
    found = ensure(cluster, resource, namespace, f"{name}-bedplate", {"metadata": about} | wanted)
    if {key: found.get(key) for key in wanted} != wanted:
        cluster.update(resource, namespace, found["metadata"]["name"], lambda old: old | wanted, OPTIONS)


def _behind(service: Json, pod: Json) -> bool:
    selector = {"matchLabels": service["spec"]["selector"]}
    return selects(selector, pod["metadata"].get("labels") or {}) and bool((pod.get("status") or {}).get("podIP"))


def _endpoint(pod: Json) -> Json:
    reference = {"kind": "Pod", "namespace": pod["metadata"]["namespace"], "name": pod["metadata"]["name"]}
    conditions = {"ready": True, "serving": True, "terminating": False}
    said: Json = {"addresses": [pod["status"]["podIP"]], "conditions": conditions}
    said["targetRef"] = reference | {"uid": pod["metadata"]["uid"]}
    return said | ({"nodeName": pod["spec"]["nodeName"]} if pod["spec"].get("nodeName") else {})


def _pod(cluster: Cluster, event: Event) -> None:
    """The Services in front of a pod whose address or labels are others now."""
    before, after = (_face(body) for body in (event.former, None if event.change == "DELETED" else event.object))
    if before == after:
        return
    for service in cluster.store.list(_SERVICES, event.object["metadata"]["namespace"]):
        selector = service["spec"].get("selector")
        faces = [body for body in (event.former, event.object) if body]
        if selector and any(selects({"matchLabels": selector}, each["metadata"].get("labels") or {}) for each in faces):
            _slice(cluster, service)


def _face(pod: Json | None) -> tuple[object, object] | None:
    return (pod["metadata"].get("labels"), (pod.get("status") or {}).get("podIP")) if pod else None


def _ingress(cluster: Cluster, event: Event) -> None:
    resource = cluster.named("networking.k8s.io/v1", "Ingress")
    ingress = current(cluster, resource, event.object)
    if ingress is not None:
        set_status(cluster, resource, ingress, {"loadBalancer": {"ingress": [{"hostname": hostname(ingress)}]}})


REACTIONS = {_SERVICES: _service, _PODS: _pod, ("networking.k8s.io", "ingresses"): _ingress}
