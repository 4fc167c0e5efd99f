"""Lists as tables, as ``kubectl get`` asks for them: the columns that people look at, for the kinds they look at."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from engine.emulator.kubernetes.refusals import Json
from engine.emulator.kubernetes.resources import Resource
from engine.emulator.kubernetes.rules import at

ASKED = re.compile(r"application/json;\s*as=Table")
Column = Callable[[Json], Any]


def _path(path: str) -> Column:
    return lambda body: at(body, path)


def _of(ready: str, of: str) -> Column:
    return lambda body: f"{at(body, ready) or 0}/{at(body, of) or 0}"


def _age(body: Json) -> str:
    created = datetime.fromisoformat(body["metadata"].get("creationTimestamp", "1970-01-01T00:00:00Z"))
    seconds = int((datetime.now(UTC) - created).total_seconds())
    for unit, length in (("d", 86400), ("h", 3600), ("m", 60)):
        if seconds >= 2 * length:
            return f"{seconds // length}{unit}"
    return f"{max(seconds, 0)}s"


def _node_status(body: Json) -> str:
    conditions = at(body, "status.conditions") or []
    ready = any(each.get("type") == "Ready" and each.get("status") == "True" for each in conditions)
    return "Ready" if ready else "NotReady"


def _label(key: str) -> Column:
    return lambda body: at(body, "metadata.labels") and body["metadata"]["labels"].get(key)


def _gpus(body: Json) -> Any:
    return (at(body, "status.allocatable") or {}).get("nvidia.com/gpu")


def _ports(body: Json) -> str:
    ports = at(body, "spec.ports") or []
    said = (
        f"{port['port']}:{port['nodePort']}/{port['protocol']}"
        if port.get("nodePort")
        else f"{port['port']}/{port.get('protocol', 'TCP')}"
        for port in ports
    )
    return ",".join(said) or "<none>"


def _containers_ready(body: Json) -> str:
    statuses = at(body, "status.containerStatuses") or []
    return f"{sum(1 for each in statuses if each.get('ready'))}/{len(at(body, 'spec.containers') or [])}"


_COLUMNS: Mapping[str, Mapping[str, Column]] = {
    "Deployment": {
        "Ready": _of("status.readyReplicas", "spec.replicas"),
        "Up-to-date": _path("status.updatedReplicas"),
        "Available": _path("status.availableReplicas"),
    },
    "ReplicaSet": {
        "Desired": _path("spec.replicas"),
        "Current": _path("status.replicas"),
        "Ready": _path("status.readyReplicas"),
    },
    "StatefulSet": {"Ready": _of("status.readyReplicas", "spec.replicas")},
    "DaemonSet": {
        "Desired": _path("status.desiredNumberScheduled"),
        "Current": _path("status.currentNumberScheduled"),
        "Ready": _path("status.numberReady"),
    },
    "Job": {"Completions": _of("status.succeeded", "spec.completions")},
    "Pod": {"Ready": _containers_ready, "Status": _path("status.phase"), "Node": _path("spec.nodeName")},
    "Service": {"Type": _path("spec.type"), "Cluster-IP": _path("spec.clusterIP"), "Port(s)": _ports},
    "Namespace": {"Status": _path("status.phase")},
    "Node": {
        "Status": _node_status,
        "Type": _label("node.kubernetes.io/instance-type"),
        "Version": _path("status.nodeInfo.kubeletVersion"),
        "GPUs": _gpus,
    },
    "PersistentVolumeClaim": {
        "Status": _path("status.phase"),
        "Volume": _path("spec.volumeName"),
        "StorageClass": _path("spec.storageClassName"),
    },
    "ConfigMap": {"Data": lambda body: len(body.get("data") or {}) + len(body.get("binaryData") or {})},
    "Secret": {"Type": _path("type"), "Data": lambda body: len(body.get("data") or {})},
    "Ingress": {"Class": _path("spec.ingressClassName")},
}


def table(resource: Resource, bodies: list[Json], about: Json) -> Json:
    columns = {"Name": _path("metadata.name")} | dict(_COLUMNS.get(resource.kind, {})) | {"Age": _age}
    if resource.custom:
        extra = {each["name"]: _path(each["jsonPath"].lstrip(".")) for each in resource.columns}
        columns = {"Name": columns["Name"]} | extra | {"Age": _age}
    definitions = [
        {"name": name, "type": "string", "format": "name" if name == "Name" else "", "description": "", "priority": 0}
        for name in columns
    ]
    rows = [
        {"cells": [_cell(column(body)) for column in columns.values()], "object": _partial(body)} for body in bodies
    ]
    head = {"kind": "Table", "apiVersion": "meta.k8s.io/v1", "metadata": about}
    return head | {"columnDefinitions": definitions, "rows": rows}


def _partial(body: Json) -> Json:
    return {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": body["metadata"]}


def _cell(value: Any) -> Any:
    return value if isinstance(value, str | int | float) else "<none>"
