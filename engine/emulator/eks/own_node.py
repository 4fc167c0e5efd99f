"""The sandbox's own node: where pods run as long as there is no EKS cluster, as they do on that of kind or minikube.

A native control plane has no node by itself. Once there is an EKS cluster, its node groups alone decide what fits: this
node goes with the first cluster, and comes back after the last. So does its class of storage, which claims get that
name none: kind has a default class of this name; in EKS there is none, and the cluster's program declares its own.

Sources: kind 0.30, "standard" in pkg/build/nodeimage; Amazon EKS User Guide, Kubernetes 1.30 (no default class);
"Amazon EKS maximum Pods" (250 from 30 vCPUs on), 2026-11.
"""

from __future__ import annotations

import platform
from typing import Any, Final, Protocol

from engine.emulator.eks.nodes import FAKE, conditions

Facts = dict[str, Any]

NAME: Final = "sandbox"
CLASS: Final = "standard"
OURS: Final = {"bedplate.dev/sandbox": "simulated"}  # label: what a program has made under these names stays its own
_CLASSES: Final = "/apis/storage.k8s.io/v1/storageclasses"
_DEFAULT: Final = "storageclass.kubernetes.io/is-default-class"
_ROLE: Final = "node-role.kubernetes.io/simulated"  # kubectl shows it as the node's role
_ADDRESS: Final = "100.127.255.1"  # what kwok has for nodes of its own, in a range that no VPC has
# Generous, as nothing runs, but no more than one machine has; without devices: what asks for a GPU waits, as on kind.
CAPACITY: Final = {"cpu": "32", "memory": "128Gi", "ephemeral-storage": "500Gi", "pods": "250"}


class OwnApi(Protocol):
    """What of a Kubernetes API is needed for the node and its class."""

    def get(self, path: str) -> Facts | None: ...
    def apply(self, path: str, thing: Facts) -> None: ...
    def delete(self, path: str) -> None: ...
    def put(self, node: Facts) -> None: ...
    def remove(self, name: str) -> None: ...


def make(api: OwnApi) -> None:
    """Make the node and the class, where nobody else has made one. Raises what the API raises."""
    there = api.get(f"/api/v1/nodes/{NAME}")
    if there is None or _is_ours(there):
        api.put(node((api.get("/version") or {}).get("gitVersion", "")))
    classes = (api.get(_CLASSES) or {}).get("items", [])
    if not any(_is_default(each) or each["metadata"]["name"] == CLASS for each in classes):
        api.apply(f"{_CLASSES}/{CLASS}", storage_class())


def take_away(api: OwnApi) -> None:
    """Take both away, and what runs on the node. Volumes stay with their claims. Raises what the API raises."""
    there = api.get(f"/api/v1/nodes/{NAME}")
    if there and _is_ours(there):
        api.remove(NAME)
    class_ = api.get(f"{_CLASSES}/{CLASS}")
    if class_ and _is_ours(class_):
        api.delete(f"{_CLASSES}/{CLASS}")


def node(version: str) -> Facts:
    """The Node object, with its status: a machine of this one's architecture, untainted. ``version``: v1.36.3."""
    architecture = "arm64" if platform.machine() in ("aarch64", "arm64") else "amd64"
    own = {"kubernetes.io/arch": architecture, "kubernetes.io/os": "linux", "kubernetes.io/hostname": NAME, _ROLE: ""}
    info = {"architecture": architecture, "operatingSystem": "linux", "osImage": "simulated by Bedplate"}
    info |= {"kernelVersion": "", "containerRuntimeVersion": "kwok", "kubeletVersion": version, "kubeProxyVersion": ""}
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": NAME, "labels": OURS | own, "annotations": FAKE},
        "spec": {"providerID": f"bedplate://{NAME}"},
        "status": {
            "capacity": CAPACITY,
            "allocatable": CAPACITY,
            "addresses": [{"type": "InternalIP", "address": _ADDRESS}, {"type": "Hostname", "address": NAME}],
            "conditions": list(conditions(has_network=True)),
            "nodeInfo": info | dict.fromkeys(("machineID", "systemUUID", "bootID"), NAME),
        },
    }


def storage_class() -> Facts:
    """The StorageClass object; the sandbox's storage driver makes its volumes, as it does for every provisioner."""
    return {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": {"name": CLASS, "labels": OURS, "annotations": {_DEFAULT: "true"}},
        "provisioner": "sandbox.bedplate.dev",
        "reclaimPolicy": "Delete",
        "volumeBindingMode": "WaitForFirstConsumer",
    }


def _is_ours(thing: Facts) -> bool:
    return OURS.items() <= (thing["metadata"].get("labels") or {}).items()


def _is_default(class_: Facts) -> bool:
    return (class_["metadata"].get("annotations") or {}).get(_DEFAULT) == "true"
