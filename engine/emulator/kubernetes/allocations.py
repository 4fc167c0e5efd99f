"""What the API itself puts into objects that are written: addresses and ports of Services, protection of claims."""

from __future__ import annotations

import ipaddress

from engine.emulator.kubernetes.refusals import Json
from engine.emulator.kubernetes.resources import Resource
from engine.emulator.kubernetes.store import Store

RANGE = ipaddress.ip_network("172.20.0.0/16")
NODE_PORTS = range(30000, 32768)
CLAIM_PROTECTION = "kubernetes.io/pvc-protection"
_SERVICES = ("", "services")
_JOBS = ("batch", "jobs")
_CLAIMS = ("", "persistentvolumeclaims")


class Allocations:
    """Gives every Service an address of its own, and ports on the nodes where its type has them."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._next = 10  # the first ones are those of the API and of DNS

    def give(self, resource: Resource, body: Json, old: Json | None) -> Json:
        if resource.storage == _CLAIMS and old is None:
            finalizers = [*(body["metadata"].get("finalizers") or []), CLAIM_PROTECTION]
            return body | {"metadata": body["metadata"] | {"finalizers": list(dict.fromkeys(finalizers))}}
        if resource.storage == _JOBS and old is None and not body["spec"].get("manualSelector"):
            return _with_selector(body)
        if resource.storage != _SERVICES:
            return body
        spec, was = dict(body["spec"]), (old or {}).get("spec") or {}
        if spec.get("type") == "ExternalName":
            return body
        if not spec.get("clusterIP"):
            spec["clusterIP"] = was.get("clusterIP") or self._free_address()
        spec |= {"ipFamilies": spec.get("ipFamilies") or was.get("ipFamilies") or _families(spec)}
        policy = "SingleStack" if len(spec["ipFamilies"]) == 1 else "RequireDualStack"
        spec |= {"ipFamilyPolicy": spec.get("ipFamilyPolicy") or was.get("ipFamilyPolicy") or policy}
        spec["clusterIPs"] = spec.get("clusterIPs") or [spec["clusterIP"]]
        if spec.get("type") in ("NodePort", "LoadBalancer"):
            spec["ports"] = self._with_node_ports(spec.get("ports") or [], was.get("ports") or [])
        return body | {"spec": spec}

    def _free_address(self) -> str:
        taken = {(service.get("spec") or {}).get("clusterIP") for service in self._store.list(_SERVICES)}
        while True:
            self._next += 1
            address = str(RANGE[self._next])
            if address not in taken:
                return address

    def _with_node_ports(self, ports: list[Json], was: list[Json]) -> list[Json]:
        former = {(port.get("port"), port.get("protocol")): port.get("nodePort") for port in was}
        taken = {
            port.get("nodePort")
            for service in self._store.list(_SERVICES)
            for port in (service.get("spec") or {}).get("ports") or []
        }
        given: list[Json] = []
        for port in ports:
            known = port.get("nodePort") or former.get((port.get("port"), port.get("protocol")))
            number = known or next(number for number in NODE_PORTS if number not in taken)
            taken.add(number)
            given.append(port | {"nodePort": number})
        return given


def _families(spec: Json) -> list[str]:
    """A headless Service without pods of its own is for addresses of any kind."""
    return ["IPv4", "IPv6"] if spec["clusterIP"] == "None" and not spec.get("selector") else ["IPv4"]


def _with_selector(job: Json) -> Json:
    """A job finds its pods by its own uid."""
    about, spec = job["metadata"], job["spec"]
    template = spec.get("template") or {}
    labels = {"batch.kubernetes.io/controller-uid": about["uid"], "batch.kubernetes.io/job-name": about.get("name", "")}
    own = labels | {"controller-uid": about["uid"], "job-name": about.get("name", "")}
    inner = template.get("metadata") or {}
    template = template | {"metadata": inner | {"labels": (inner.get("labels") or {}) | own}}
    selector = {"matchLabels": {"batch.kubernetes.io/controller-uid": about["uid"]}}
    return job | {"spec": spec | {"selector": selector, "template": template}}
