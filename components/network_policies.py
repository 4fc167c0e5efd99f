"""Who may talk to whom inside the cluster, as the specs of NetworkPolicies: deny all, then what is needed.

Each allowance is a policy of its own with a name that says what it is for: policies add up, so one that goes away takes
nothing else along. They are enforced by the VPC CNI's network policy agent.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from pulumi_kubernetes.meta.v1 import LabelSelectorArgsDict as Selector
from pulumi_kubernetes.networking.v1 import NetworkPolicyEgressRuleArgsDict as Egress
from pulumi_kubernetes.networking.v1 import NetworkPolicyIngressRuleArgsDict as Ingress
from pulumi_kubernetes.networking.v1 import NetworkPolicyPeerArgsDict as Peer
from pulumi_kubernetes.networking.v1 import NetworkPolicyPortArgsDict as Port
from pulumi_kubernetes.networking.v1 import NetworkPolicySpecArgsDict as Spec

NAMESPACE_NAME: Final = "kubernetes.io/metadata.name"
# Where EKS Pod Identity's agent answers on each node.
# Source: Amazon EKS User Guide, "Set up the Amazon EKS Pod Identity Agent", 2026-11.
_POD_IDENTITY_AGENT = "169.254.170.23/32"
# Link-local addresses: the instance metadata service, whose credentials are the node's, is one of them.
_LINK_LOCAL = "169.254.0.0/16"
_HTTPS = 443


@dataclass(frozen=True)
class Destination:
    """A range of addresses (CIDR) and the TCP ports there; no ports: all of them."""

    cidr: str
    ports: Sequence[int] = ()


@dataclass(frozen=True)
class Reached:
    """Pods of ``namespace`` (None: of all) with ``labels`` (none: all of them), and their TCP ports (none: all)."""

    namespace: str | None
    labels: Mapping[str, str]
    ports: Sequence[int] = ()


def deny_all() -> Spec:
    """Nothing in, nothing out, for every pod of the namespace."""
    return {"pod_selector": {}, "policy_types": ["Ingress", "Egress"]}


def allow_dns() -> Spec:
    """Names are resolved by the cluster's DNS."""
    to: Peer = {
        "namespace_selector": {"match_labels": {NAMESPACE_NAME: "kube-system"}},
        "pod_selector": {"match_labels": {"k8s-app": "kube-dns"}},
    }
    ports: list[Port] = [{"protocol": "UDP", "port": 53}, {"protocol": "TCP", "port": 53}]
    return {"pod_selector": {}, "policy_types": ["Egress"], "egress": [{"to": [to], "ports": ports}]}


def allow_same_namespace() -> Spec:
    """Pods of one namespace reach each other: distributed training needs it."""
    peer: Peer = {"pod_selector": {}}
    return {
        "pod_selector": {},
        "policy_types": ["Ingress", "Egress"],
        "ingress": [{"from_": [peer]}],
        "egress": [{"to": [peer]}],
    }


def allow_from_namespace(namespace: str, ports: Sequence[int] = (), pods: Mapping[str, str] | None = None) -> Spec:
    """Pods of ``namespace`` reach ``ports`` (all where none are named) of the pods with the labels ``pods``."""
    source: Peer = {"namespace_selector": {"match_labels": {NAMESPACE_NAME: namespace}}}
    rule: Ingress = {"from_": [source], "ports": _tcp(ports)} if ports else {"from_": [source]}
    return {"pod_selector": _pods(pods), "policy_types": ["Ingress"], "ingress": [rule]}


def allow_from_pods(sources: Mapping[str, str], ports: Sequence[int], pods: Mapping[str, str]) -> Spec:
    """Pods of the same namespace with the labels ``sources`` reach ``ports`` of those with the labels ``pods``."""
    rule: Ingress = {"from_": [{"pod_selector": {"match_labels": sources}}], "ports": _tcp(ports)}
    return {"pod_selector": _pods(pods), "policy_types": ["Ingress"], "ingress": [rule]}


def allow_among(pods: Mapping[str, str], port: int) -> Spec:
    """Pods with the labels ``pods`` talk to each other at ``port``, by TCP and UDP: as the members of a cluster do."""
    peer: Peer = {"pod_selector": _pods(pods)}
    ports: list[Port] = [{"protocol": "TCP", "port": port}, {"protocol": "UDP", "port": port}]
    return {
        "pod_selector": _pods(pods),
        "policy_types": ["Ingress", "Egress"],
        "ingress": [{"from_": [peer], "ports": ports}],
        "egress": [{"to": [peer], "ports": ports}],
    }


def allow_from(sources: Sequence[str], port: int) -> Spec:
    """Addresses in ``sources`` reach ``port``: the API server calls webhooks from outside the pods' network."""
    peers: list[Peer] = [{"ip_block": {"cidr": cidr}} for cidr in sources]
    return {"pod_selector": {}, "policy_types": ["Ingress"], "ingress": [{"from_": peers, "ports": _tcp([port])}]}


def allow_pod_identity(pods: Mapping[str, str] | None = None) -> Spec:
    """Pods get their AWS credentials from the node's Pod Identity agent."""
    return allow_to([Destination(_POD_IDENTITY_AGENT, [80])], pods)


def allow_to_pods(target: Mapping[str, str], ports: Sequence[int], pods: Mapping[str, str]) -> Spec:
    """Pods with the labels ``pods`` get to ``ports`` of those of the same namespace with the labels ``target``."""
    way: Egress = {"to": [{"pod_selector": _pods(target)}], "ports": _tcp(ports)}
    return {"pod_selector": _pods(pods), "policy_types": ["Egress"], "egress": [way]}


def allow_https(pods: Mapping[str, str] | None = None) -> Spec:
    """HTTPS to everywhere but link-local addresses: AWS's services have addresses of all kinds."""
    to: Peer = {"ip_block": {"cidr": "0.0.0.0/0", "except_": [_LINK_LOCAL]}}
    return {"pod_selector": _pods(pods), "policy_types": ["Egress"], "egress": [{"to": [to], "ports": _tcp([_HTTPS])}]}


def allow_api_server(network: Sequence[str], pods: Mapping[str, str] | None = None) -> Spec:
    """HTTPS into the VPC (``network``), where EKS's control plane has its interfaces."""
    return allow_to([Destination(cidr, [_HTTPS]) for cidr in network], pods)


def allow_to(destinations: Sequence[Destination], pods: Mapping[str, str] | None = None) -> Spec:
    """Pods with the labels ``pods`` reach ``destinations``."""
    return {
        "pod_selector": _pods(pods),
        "policy_types": ["Egress"],
        "egress": [_way_to(destination) for destination in destinations],
    }


def allow_to_all(reached: Sequence[Reached], pods: Mapping[str, str]) -> Spec:
    """Pods with the labels ``pods`` reach those of ``reached``."""
    return {
        "pod_selector": _pods(pods),
        "policy_types": ["Egress"],
        "egress": [_way_to_pods(each) for each in reached],
    }


def _way_to_pods(reached: Reached) -> Egress:
    name = {} if reached.namespace is None else {NAMESPACE_NAME: reached.namespace}
    peer: Peer = {"namespace_selector": _pods(name), "pod_selector": _pods(reached.labels)}
    return {"to": [peer], "ports": _tcp(reached.ports)} if reached.ports else {"to": [peer]}


def _way_to(destination: Destination) -> Egress:
    way: Egress = {"to": [{"ip_block": {"cidr": destination.cidr}}]}
    return {**way, "ports": _tcp(destination.ports)} if destination.ports else way


def _tcp(ports: Sequence[int]) -> list[Port]:
    return [{"protocol": "TCP", "port": port} for port in ports]


def _pods(labels: Mapping[str, str] | None) -> Selector:
    return {"match_labels": labels} if labels else {}
