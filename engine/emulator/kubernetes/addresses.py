"""Addresses and ports of Services, from the ranges that EKS uses."""

from __future__ import annotations

import ipaddress

from engine.emulator.kubernetes.refusals import Json
from engine.emulator.kubernetes.resources import Resource
from engine.emulator.kubernetes.store import Store

RANGE = ipaddress.ip_network("172.20.0.0/16")
NODE_PORTS = range(30000, 32768)
_SERVICES = ("", "services")


class Addresses:
    """Gives every Service an address of its own, and ports on the nodes where its type has them."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._next = 10  # the first ones are those of the API and of DNS

    def give(self, resource: Resource, body: Json, old: Json | None) -> Json:
        if resource.storage != _SERVICES:
            return body
        spec, was = dict(body["spec"]), (old or {}).get("spec") or {}
        if spec.get("type") == "ExternalName":
            return body
        if not spec.get("clusterIP"):
            spec["clusterIP"] = was.get("clusterIP") or self._free_address()
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
