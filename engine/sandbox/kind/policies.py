"""Network policies in a kind cluster: what may go into the VPC may go to kind's node, where the API server is. Pure.

Our platform's policies name addresses of the VPC and EKS' port, 443. kind's network is not the VPC, and its API server
listens on 6443; so a policy gets a companion that says the same of the addresses and ports that are there.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Collection, Iterable, Mapping
from typing import Any, TypeAlias

Object: TypeAlias = Mapping[str, Any]

SUFFIX = "-in-kind"
MARK = "bedplate.dev/companion-of"
_EKS_PORT, _KIND_PORT = 443, 6443


def companion(policy: Object, within: Collection[str], nodes: Iterable[str]) -> dict[str, Any] | None:
    """The companion of ``policy``; None where it says nothing of addresses in the VPC, or is one itself.

    ``within`` are addresses that lie in the VPC, ``nodes`` those of kind's nodes.
    """
    about, spec = policy["metadata"], policy["spec"]
    if MARK in (about.get("labels") or {}):
        return None
    peers = [{"ipBlock": {"cidr": f"{address}/32"}} for address in nodes]
    rules = {
        direction: [
            ({"ports": [_port(one) for one in rule["ports"]]} if rule.get("ports") else {}) | {side: peers}
            for rule in spec.get(direction) or []
            if any(_holds(peer.get("ipBlock"), within) for peer in rule.get(side) or [])
        ]
        for direction, side in (("egress", "to"), ("ingress", "from"))
    }
    rules = {direction: found for direction, found in rules.items() if found}
    if not rules or not peers:
        return None
    owner = {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "name": about["name"], "uid": about["uid"]}
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {
            "name": about["name"][: 253 - len(SUFFIX)] + SUFFIX,
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


def _port(port: Object) -> dict[str, Any]:
    return {**port, "port": _KIND_PORT} if port.get("port") == _EKS_PORT else dict(port)


def _holds(block: Object | None, addresses: Collection[str]) -> bool:
    if not block:
        return False
    inside, outside = (
        ipaddress.ip_network(block["cidr"]),
        [ipaddress.ip_network(one) for one in block.get("except") or []],
    )
    found = [ipaddress.ip_address(one) for one in addresses]
    return any(one in inside and not any(one in other for other in outside) for one in found)
