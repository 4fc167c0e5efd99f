"""Node groups as Node objects in the clusters' Kubernetes API, which the sandbox told of (``api_server.py``).

A group has as many nodes as its Auto Scaling group wants, spread over its subnets, with what their instance type has;
the devices of GPU and EFA nodes are there at once, as if their plugins had run. What the API holds is made equal to
what the group wants whenever the group changes, so that it does not matter what was there before.

A kind cluster has a node that really runs pods. It bears the labels of the first group that takes any pod, and the
simulated nodes ask the scheduler to prefer it: what fits there runs, and all else is placed as it would be in EKS.

Sources: labels of EKS nodes, Amazon EKS User Guide, "Simplify node lifecycle with managed node groups", and
https://kubernetes.io/docs/reference/labels-annotations-taints/, 2026-11.
"""

from __future__ import annotations

import hashlib
import ipaddress
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Protocol

from engine.emulator.eks.versions import newest_release

Facts = dict[str, Any]

GROUP = "bedplate.dev/nodegroup"  # annotation: the ARN of the group that a node belongs to
BUILD = "bedplate.dev/nodegroup-build"  # annotation: a node of another AMI release or template is replaced
FAKE = {"kwok.x-k8s.io/node": "fake"}  # kwok keeps the node alive and runs its pods, where there is kwok
STANDS_FOR = "bedplate.dev/stands-for"  # annotation: the ARN of the group whose labels a real node bears
_REAL = "kind://"  # how the provider's id of kind's own nodes begins
_PREFER_REAL = {"key": "bedplate.dev/simulated", "effect": "PreferNoSchedule"}
_COMMON = ("cpu", "memory", "pods", "ephemeral-storage")  # resources that a node without devices has
EFFECTS = {"NO_SCHEDULE": "NoSchedule", "NO_EXECUTE": "NoExecute", "PREFER_NO_SCHEDULE": "PreferNoSchedule"}
_KUBELET_PORT = 10250
_RESERVED = 4  # addresses at the beginning of a subnet that are AWS's own
_NOT_READY = {"key": "node.kubernetes.io/not-ready", "effect": "NoSchedule"}
_NO_NETWORK = (
    "container runtime network not ready: NetworkReady=false reason:NetworkPluginNotReady message:Network plugin "
    "returns error: cni plugin not initialized"
)


class NoFreeAddress(Exception):
    """A subnet of the group has no address left for another node."""


class NodesApi(Protocol):
    """What of a Kubernetes API is needed for nodes."""

    def nodes(self) -> list[Facts]: ...
    def put(self, node: Facts) -> None: ...
    def remove(self, name: str) -> None: ...
    def bear(self, name: str, labels: Facts, annotations: Facts) -> None: ...


@dataclass(frozen=True)
class Place:
    """A subnet: nodes in it get its addresses and are in its zone."""

    cidr: str
    zone: str
    zone_id: str


@dataclass(frozen=True)
class WantedNodes:
    """What the nodes of one group are to be."""

    arn: str
    group: str
    region: str
    count: int
    instance_type: str
    architecture: str
    version: str  # of Kubernetes, with its patch: 1.35.8
    build: str
    places: Sequence[Place]
    capacity: Facts = field(default_factory=dict[str, Any])
    allocatable: Facts = field(default_factory=dict[str, Any])
    labels: Facts = field(default_factory=dict[str, Any])
    taints: Sequence[Facts] = ()
    has_network: bool = True


def gone(arn: str) -> WantedNodes:
    """What a group that is deleted wants."""
    return WantedNodes(arn, "", "", 0, "", "", "", "", ())


def keep(api: NodesApi, wanted: WantedNodes) -> bool:
    """Make the group's nodes in the API what they should be. Raises NoFreeAddress and what the API raises.

    Returned is whether a real node is without labels now, which another group may give it.
    """
    every = api.nodes()
    real = [node for node in every if node["spec"].get("providerID", "").startswith(_REAL)]
    free = _stand_in(api, wanted, real)
    of_group = [node for node in every if _annotations(node).get(GROUP) == wanted.arn]
    kept = [node for node in of_group if _annotations(node).get(BUILD) == wanted.build][: wanted.count]
    names = {node["metadata"]["name"] for node in kept}
    for node in of_group:
        if node["metadata"]["name"] not in names:
            api.remove(node["metadata"]["name"])
    taken = {address for node in every for address in _addresses(node)}
    for number in range(wanted.count):
        if number < len(kept):
            place, address = _where(wanted, kept[number])
        else:
            place = _least_used(wanted.places, kept)
            address = _free(place, f"{wanted.arn}/{number}/{wanted.build}", taken)
            taken.add(address)
        made = node_of(wanted, place, address, beside_real=bool(real))
        if number >= len(kept):
            kept.append(made)
        api.put(made)
    return free


def _stand_in(api: NodesApi, wanted: WantedNodes, real: Iterable[Facts]) -> bool:
    """Give the real nodes the labels of the group, or take them back; whether that was done.

    At most one group has them at a time.
    """
    taken_back = False
    takes_any = not wanted.taints and all(name.startswith((*_COMMON, "hugepages-")) for name in wanted.capacity)
    for node in real:
        bearer = _annotations(node).get(STANDS_FOR)
        if takes_any and wanted.count and bearer in (None, wanted.arn):
            labels = wanted.labels | _place_labels(wanted, wanted.places[0])
            api.bear(node["metadata"]["name"], labels, {STANDS_FOR: wanted.arn})
        elif bearer == wanted.arn:
            api.bear(node["metadata"]["name"], {}, {})
            taken_back = True
    return taken_back


def node_of(wanted: WantedNodes, place: Place, address: str, *, beside_real: bool = False) -> Facts:
    """The Node object, with its status. ``beside_real``: what can run on a real node should."""
    name = _name(address, wanted.region)
    identity = hashlib.sha256(f"{wanted.arn}/{name}".encode()).hexdigest()[:17]
    taints = [*wanted.taints, *([] if wanted.has_network else [_NOT_READY]), *([_PREFER_REAL] if beside_real else [])]
    spec: Facts = {"providerID": f"aws:///{place.zone}/i-{identity}"} | ({"taints": taints} if taints else {})
    annotations = FAKE | {GROUP: wanted.arn, BUILD: wanted.build}
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name, "labels": _labels(wanted, place, name), "annotations": annotations},
        "spec": spec,
        "status": {
            "capacity": wanted.capacity,
            "allocatable": wanted.allocatable,
            "addresses": [{"type": "InternalIP", "address": address}]
            + [{"type": type_, "address": name} for type_ in ("InternalDNS", "Hostname")],
            "conditions": list(conditions(wanted.has_network)),
            "daemonEndpoints": {"kubeletEndpoint": {"Port": _KUBELET_PORT}},
            "nodeInfo": _info(wanted, identity),
        },
    }


def taints_of(taints: Iterable[Facts]) -> list[Facts]:
    """A group's taints in the words of Kubernetes."""
    return [
        {"key": taint["key"], "effect": EFFECTS[taint["effect"]]}
        | ({"value": taint["value"]} if taint.get("value") else {})
        for taint in taints
    ]


def patch_of(release: str, version: str) -> str:
    """The version of Kubernetes with its patch, of an AMI release; Bottlerocket's releases don't tell."""
    said = release.partition("-")[0]
    return said if said.startswith(f"{version}.") else newest_release(version).partition("-")[0]


def _labels(wanted: WantedNodes, place: Place, name: str) -> Facts:
    architecture = wanted.architecture
    own = {
        "kubernetes.io/arch": architecture,
        "kubernetes.io/os": "linux",
        "kubernetes.io/hostname": name,
        "beta.kubernetes.io/arch": architecture,
        "beta.kubernetes.io/os": "linux",
    }
    return wanted.labels | own | _place_labels(wanted, place)


def _place_labels(wanted: WantedNodes, place: Place) -> Facts:
    """What a cloud says of a machine: its type, and where it is."""
    return {
        "beta.kubernetes.io/instance-type": wanted.instance_type,
        "node.kubernetes.io/instance-type": wanted.instance_type,
        "topology.kubernetes.io/region": wanted.region,
        "topology.kubernetes.io/zone": place.zone,
        "failure-domain.beta.kubernetes.io/region": wanted.region,
        "failure-domain.beta.kubernetes.io/zone": place.zone,
        "topology.k8s.aws/zone-id": place.zone_id,
        "k8s.io/cloud-provider-aws": hashlib.sha256(wanted.arn.encode()).hexdigest()[:32],
    }


def conditions(has_network: bool) -> Iterator[Facts]:
    """What a kubelet says of its node; without a network plugin the node is not ready."""
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    times = {"lastHeartbeatTime": now, "lastTransitionTime": now}
    for kind, reason, message in (
        ("MemoryPressure", "KubeletHasSufficientMemory", "kubelet has sufficient memory available"),
        ("DiskPressure", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
        ("PIDPressure", "KubeletHasSufficientPID", "kubelet has sufficient PID available"),
    ):
        yield {"type": kind, "status": "False", "reason": reason, "message": message} | times
    if has_network:
        yield {"type": "Ready", "status": "True", "reason": "KubeletReady"} | {"message": "kubelet is ready"} | times
    else:
        yield {"type": "Ready", "status": "False", "reason": "KubeletNotReady", "message": _NO_NETWORK} | times


def _info(wanted: WantedNodes, identity: str) -> Facts:
    return {
        "architecture": wanted.architecture,
        "operatingSystem": "linux",
        "osImage": "Amazon Linux 2023",
        "kernelVersion": "6.12.0",
        "containerRuntimeVersion": "containerd://2.1.4",
        "kubeletVersion": f"v{wanted.version}-eks-bedplate",
        "kubeProxyVersion": f"v{wanted.version}-eks-bedplate",
        "machineID": identity,
        "systemUUID": identity,
        "bootID": identity,
    }


def _name(address: str, region: str) -> str:
    domain = "ec2.internal" if region == "us-east-1" else f"{region}.compute.internal"
    return f"ip-{address.replace('.', '-')}.{domain}"


def _annotations(node: Facts) -> Facts:
    return node["metadata"].get("annotations") or {}


def _addresses(node: Facts) -> list[str]:
    said: list[Facts] = (node.get("status") or {}).get("addresses") or []
    return [each["address"] for each in said if each.get("type") == "InternalIP"]


def _where(wanted: WantedNodes, node: Facts) -> tuple[Place, str]:
    """The place and the address that a node has already."""
    address = _addresses(node)[0]
    zone = (node["metadata"].get("labels") or {}).get("topology.kubernetes.io/zone")
    places = [place for place in wanted.places if _lies_in(address, place)]
    return next(iter(places), Place("", zone or "", "")), address


def _least_used(places: Sequence[Place], nodes: Sequence[Facts]) -> Place:
    """The place with the fewest of the nodes, as an Auto Scaling group balances its zones."""
    counts = [sum(1 for node in nodes if any(_lies_in(each, place) for each in _addresses(node))) for place in places]
    return places[counts.index(min(counts))]


def _lies_in(address: str, place: Place) -> bool:
    return bool(place.cidr) and ipaddress.ip_address(address) in ipaddress.ip_network(place.cidr)


def _free(place: Place, seed: str, taken: set[str]) -> str:
    """An address of the subnet that no node has; the same one for the same seed, if it is free."""
    network = ipaddress.ip_network(place.cidr)
    usable = network.num_addresses - _RESERVED - 1
    start = int(hashlib.sha256(seed.encode()).hexdigest(), 16) % usable
    for step in range(usable):
        address = str(network[_RESERVED + (start + step) % usable])
        if address not in taken:
            return address
    raise NoFreeAddress(f"{place.cidr} has no free address for a node; choose a larger subnet")
