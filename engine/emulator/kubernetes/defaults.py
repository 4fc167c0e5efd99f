"""Fills in what a manifest leaves out, as the API does before it stores an object (defaults.yaml, and below)."""

from __future__ import annotations

import copy
import functools
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, cast

import yaml

from engine.emulator.kubernetes import decoding, quantities
from engine.emulator.kubernetes.refusals import Json
from engine.emulator.kubernetes.resources import Resource
from engine.kubernetes import Schema, Shape

POD_SPECS = {  # where the kinds that make pods describe them
    "Pod": "spec",
    "PodTemplate": "template.spec",
    "Deployment": "spec.template.spec",
    "ReplicaSet": "spec.template.spec",
    "ReplicationController": "spec.template.spec",
    "StatefulSet": "spec.template.spec",
    "DaemonSet": "spec.template.spec",
    "Job": "spec.template.spec",
    "CronJob": "spec.jobTemplate.spec.template.spec",
}
_PROBES = ("livenessProbe", "readinessProbe", "startupProbe")


@functools.cache
def _tables() -> Mapping[str, Mapping[str, Any]]:
    return yaml.safe_load(Path(__file__).with_name("defaults.yaml").read_text(encoding="utf-8"))


def complete(resource: Resource, body: Json) -> Json:
    """The object with its defaults; quantities are written as the API writes them."""
    body = copy.deepcopy(body)
    if resource.schema is not None and not resource.custom:
        body = decoding.compact(resource.schema, body)
    if resource.schema is not None:
        _of_schema(resource.schema, body, resource.custom)
    if resource.custom:
        return body
    for path, value in _tables()["kinds"].get(resource.kind, {}).items():
        fill(body, path, value)
    if resource.kind in _RULES:
        _RULES[resource.kind](body)
    for spec in at(body, POD_SPECS.get(resource.kind, "")):
        _pod_spec(spec)
    return body


def first_status(resource: Resource) -> Json:
    """The status with which an object of the kind begins, as a member of it."""
    statuses = {} if resource.custom else _tables()["statuses"]
    return {"status": copy.deepcopy(statuses[resource.kind])} if resource.kind in statuses else {}


def fill(body: Any, path: str, value: Any) -> None:
    """Set what is absent at a path of defaults.yaml."""
    step, _, rest = path.partition(".")
    each, optional, name = step.endswith("[]"), "?" in step, step.removesuffix("[]").removesuffix("?")
    if not isinstance(body, dict):
        return
    of = cast(Json, body)
    if not rest and not each:
        if of.get(name) is None:
            of[name] = copy.deepcopy(value)
    elif each:
        for item in of.get(name) or []:
            fill(item, rest, value)
    elif of.get(name) is not None or not optional:
        if of.get(name) is None:
            of[name] = {}
        fill(of[name], rest, value)


def at(body: Json, path: str) -> Iterator[Json]:
    """The object at a path, if there is one."""
    found: Any = body if path else None
    for step in path.split("."):
        found = cast(Json, found).get(step) if isinstance(found, dict) else None
    if isinstance(found, dict):
        yield cast(Json, found)


def _of_schema(schema: Schema, value: Any, custom: bool) -> None:
    """Defaults that a CRD declares, and one form for quantities."""
    if isinstance(value, list) and schema.item:
        for item in cast("list[Any]", value):
            _of_schema(schema.item, item, custom)
    elif isinstance(value, dict) and schema.shape is Shape.MAP and schema.item:
        _of_members(cast(Json, value), dict.fromkeys(cast(Json, value), schema.item), custom)
    elif isinstance(value, dict) and schema.shape is Shape.OBJECT:
        _of_members(cast(Json, value), schema.type().fields, custom)


def _of_members(value: Json, types: Mapping[str, Schema], custom: bool) -> None:
    for name, known in types.items():
        if custom and name not in value and known.default is not None:
            value[name] = copy.deepcopy(known.default)
        if value.get(name) is None:
            continue
        if known.shape is Shape.QUANTITY and not custom:
            value[name] = quantities.canonical(value[name])
        else:
            _of_schema(known, value[name], custom)


def _pod_spec(spec: Json) -> None:
    for path, value in _tables()["pod"].items():
        fill(spec, path, value)
    if spec.get("serviceAccountName"):
        spec["serviceAccount"] = spec["serviceAccountName"]
    for container in [*(spec.get("containers") or []), *(spec.get("initContainers") or [])]:
        tag = str(container.get("image", "")).rpartition("/")[2].partition("@")
        latest = not tag[2] and tag[0].partition(":")[2] in ("", "latest")
        container.setdefault("imagePullPolicy", "Always" if latest else "IfNotPresent")
        for probe in (container[name] for name in _PROBES if container.get(name)):
            for path, value in _tables()["probe"].items():
                fill(probe, path, value)


def _deployment(body: Json) -> None:
    strategy = body["spec"]["strategy"]
    if strategy["type"] == "RollingUpdate":
        fill(strategy, "rollingUpdate.maxUnavailable", "25%")
        fill(strategy, "rollingUpdate.maxSurge", "25%")


def _stateful_set(body: Json) -> None:
    if body["spec"]["updateStrategy"]["type"] == "RollingUpdate":
        fill(body, "spec.updateStrategy.rollingUpdate.partition", 0)


def _daemon_set(body: Json) -> None:
    if body["spec"]["updateStrategy"]["type"] == "RollingUpdate":
        fill(body, "spec.updateStrategy.rollingUpdate.maxUnavailable", 1)
        fill(body, "spec.updateStrategy.rollingUpdate.maxSurge", 0)


def _job(body: Json) -> None:
    spec = body["spec"]
    if spec.get("completions") is None and spec["parallelism"] == 1:
        spec["completions"] = 1


def _service(body: Json) -> None:
    spec = body["spec"]
    if spec["type"] == "ExternalName":
        return
    for port in spec.get("ports") or []:
        port.setdefault("targetPort", port.get("port"))
    fill(spec, "internalTrafficPolicy", "Cluster")
    if spec["type"] in ("LoadBalancer", "NodePort"):
        fill(spec, "externalTrafficPolicy", "Cluster")
    if spec["type"] == "LoadBalancer":
        fill(spec, "allocateLoadBalancerNodePorts", True)


def _secret(body: Json) -> None:
    import base64

    given = body.pop("stringData", None)
    if given:
        encoded = {key: base64.b64encode(str(value).encode()).decode() for key, value in given.items()}
        body["data"] = (body.get("data") or {}) | encoded


def _network_policy(body: Json) -> None:
    fill(body, "spec.policyTypes", ["Ingress", *(["Egress"] if body["spec"].get("egress") is not None else [])])


def _namespace(body: Json) -> None:
    labels = body["metadata"].get("labels") or {}
    body["metadata"]["labels"] = labels | {"kubernetes.io/metadata.name": body["metadata"].get("name", "")}


def _crd(body: Json) -> None:
    names = body["spec"].setdefault("names", {})
    names.setdefault("singular", str(names.get("kind", "")).lower())
    names.setdefault("listKind", f"{names.get('kind', '')}List")


def _role_binding(body: Json) -> None:
    for subject in body.get("subjects") or []:
        if subject.get("kind") in ("User", "Group"):
            subject.setdefault("apiGroup", "rbac.authorization.k8s.io")


_RULES: Mapping[str, Callable[[Json], None]] = {
    "Deployment": _deployment,
    "StatefulSet": _stateful_set,
    "DaemonSet": _daemon_set,
    "Job": _job,
    "Service": _service,
    "Secret": _secret,
    "NetworkPolicy": _network_policy,
    "Namespace": _namespace,
    "CustomResourceDefinition": _crd,
    "RoleBinding": _role_binding,
    "ClusterRoleBinding": _role_binding,
}
