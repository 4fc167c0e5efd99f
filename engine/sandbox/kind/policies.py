"""Network policies in a kind cluster: what may go into the VPC may go to kind's node, where the API server is.

Our platform's policies name addresses of the VPC and EKS' port, 443. kind's network is not the VPC, and its API server
listens on 6443; so a policy gets a companion that says the same of the addresses and ports that are there.
"""

from __future__ import annotations

import hashlib
import ipaddress
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any, TypeAlias

from engine.sandbox.api import Api, Refused
from engine.sandbox.following import CONFLICT, NOT_FOUND, Json, attempt_all, say
from engine.sandbox.kind.node import RealNode
from engine.sandbox.kind.nodes import NODES, Nodes, internal_address, is_simulated

Object: TypeAlias = Mapping[str, Any]

POLICIES = "/apis/networking.k8s.io/v1/networkpolicies"
MARK = "bedplate.dev/companion-of"
_SUFFIX = "-in-kind"
_LONGEST = 253  # characters of a name
_EKS_PORT, _KIND_PORT = 443, 6443


class Policies:
    """Keeps the companions of network policies."""

    def __init__(self, api: Api, nodes: Nodes, real: RealNode) -> None:
        self._api, self._nodes, self._real = api, nodes, real
        self._real_address = ""
        self._within: frozenset[str] = frozenset()  # addresses in the VPC for which companions were made
        self._companions: set[tuple[str, str]] = set()  # namespaces and names

    def policy(self, policy: Json) -> None:
        """Make the companion of one, make it anew, or delete it."""
        about = policy["metadata"]
        if MARK in (about.get("labels") or {}):
            self._companions.add((about["namespace"], about["name"]))
            return
        if about.get("deletionTimestamp"):
            return
        wanted = companion(policy, self._nodes.addresses(), [self._address()])
        place, name = _place(about["namespace"]), name_of_companion(about["name"])
        if wanted is not None:
            self._put(place, name, wanted)
            self._companions.add((about["namespace"], name))
        elif (about["namespace"], name) in self._companions:
            self._delete(f"{place}/{name}")
            self._companions.discard((about["namespace"], name))

    def node(self, node: Json) -> None:
        """Another node: what is in the VPC may be clear only now."""
        within = frozenset(self._nodes.addresses())
        if is_simulated(node) and within - self._within:
            attempt_all(self.policy, self._api.request("GET", POLICIES)["items"])
            self._within = within

    def _put(self, place: str, name: str, wanted: Json) -> None:
        try:
            self._api.request("POST", place, wanted)
            return
        except Refused as refused:
            if refused.status != CONFLICT:
                raise
        there = self._api.request("GET", f"{place}/{name}")
        if MARK not in (there["metadata"].get("labels") or {}):
            say(f"{place}/{name} is somebody's own: the policy that it is named after gets no companion")
            return
        about = wanted["metadata"]
        if there["spec"] != wanted["spec"] or there["metadata"].get("ownerReferences") != about["ownerReferences"]:
            version = there["metadata"]["resourceVersion"]
            self._api.request("PUT", f"{place}/{name}", {**wanted, "metadata": {**about, "resourceVersion": version}})

    def _delete(self, path: str) -> None:
        try:
            self._api.request("DELETE", path)
        except Refused as refused:
            if refused.status != NOT_FOUND:
                raise

    def _address(self) -> str:
        if not self._real_address:
            self._real_address = internal_address(self._api.request("GET", f"{NODES}/{self._real.name}"))
        return self._real_address


def companion(policy: Object, within: Collection[str], nodes: Iterable[str]) -> dict[str, Any] | None:
    """The companion of ``policy``; None where it says nothing of addresses in the VPC.

    ``within`` are addresses that lie in the VPC, ``nodes`` those of kind's nodes.
    """
    about, spec = policy["metadata"], policy["spec"]
    peers = [{"ipBlock": {"cidr": f"{address}/32"}} for address in nodes]
    rules = {
        direction: [
            ({"ports": [one for port in rule["ports"] for one in ports(port)]} if rule.get("ports") else {})
            | {side: peers}
            for rule in spec.get(direction) or []
            if any(_holds(peer.get("ipBlock"), within) for peer in rule.get(side) or [])
        ]
        for direction, side, ports in (("egress", "to", _ports_in_kind), ("ingress", "from", _same))
        if direction.capitalize() in (spec.get("policyTypes") or ("Egress", "Ingress"))  # it isolates there already
    }
    rules = {direction: found for direction, found in rules.items() if found}
    if not rules or not peers:
        return None
    owner = {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "name": about["name"], "uid": about["uid"]}
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {
            "name": name_of_companion(about["name"]),
            "namespace": about["namespace"],
            "labels": {MARK: "policy"},
            "ownerReferences": [owner],
        },
        "spec": {
            "podSelector": spec.get("podSelector") or {},
            "policyTypes": [direction.capitalize() for direction in rules],
            **rules,
        },
    }


def name_of_companion(name: str) -> str:
    """The name of a policy's companion; of one whose name is too long, with a digest in the place of its end."""
    whole = name + _SUFFIX
    if len(whole) <= _LONGEST:
        return whole
    digest = hashlib.sha256(name.encode()).hexdigest()[:10]
    return f"{name[: _LONGEST - len(_SUFFIX) - len(digest) - 1]}-{digest}{_SUFFIX}"


def _ports_in_kind(port: Object) -> Iterator[dict[str, Any]]:
    """The port, or 6443 for 443; a range with 443 in it, and 6443 beside it."""
    first = port.get("port")
    last = port.get("endPort", first)
    inside = isinstance(first, int) and first <= _EKS_PORT <= last
    if not inside or "endPort" in port:
        yield dict(port)
    if inside:
        yield {key: value for key, value in port.items() if key != "endPort"} | {"port": _KIND_PORT}


def _same(port: Object) -> Iterator[dict[str, Any]]:
    """A port of the pods' own."""
    yield dict(port)


def _place(namespace: str) -> str:
    return POLICIES.replace("/networkpolicies", f"/namespaces/{namespace}/networkpolicies")


def _holds(block: Object | None, addresses: Collection[str]) -> bool:
    """Whether one of the addresses lies in a block; none does in one that nobody can read."""
    if not block:
        return False
    try:
        inside, *outside = (ipaddress.ip_network(one, strict=False) for one in _cidrs(block))
    except ValueError:
        return False
    found = [ipaddress.ip_address(one) for one in addresses]
    return any(one in inside and not any(one in other for other in outside) for one in found)


def _cidrs(block: Object) -> list[str]:
    return [block["cidr"], *(block.get("except") or [])]
