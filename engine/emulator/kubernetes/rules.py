"""What an object must have and must not change, kind by kind: the refusals that people meet, in the API's words.

Source: k8s.io/kubernetes 1.35, pkg/apis/*/validation. Not everything that the real one looks at is looked at here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, cast

from engine.emulator.kubernetes.defaults import POD_SPECS
from engine.emulator.kubernetes.refusals import Cause, Json, invalid_value, not_allowed, required
from engine.emulator.kubernetes.resources import Resource
from engine.emulator.kubernetes.selectors import selects
from engine.kubernetes import Schema, Shape

_IMMUTABLE = "field is immutable"
_REQUIRED = {  # kind -> paths that must hold something
    "Job": ("spec.template.spec.containers",),
    "CronJob": ("spec.schedule", "spec.jobTemplate.spec.template.spec.containers"),
    "Pod": ("spec.containers",),
    "PersistentVolumeClaim": ("spec.accessModes", "spec.resources.requests.storage"),
    "StorageClass": ("provisioner",),
    "RoleBinding": ("roleRef.kind", "roleRef.name"),
    "ClusterRoleBinding": ("roleRef.kind", "roleRef.name"),
    "HorizontalPodAutoscaler": ("spec.scaleTargetRef.kind", "spec.scaleTargetRef.name", "spec.maxReplicas"),
    "CustomResourceDefinition": ("spec.group", "spec.scope", "spec.names.kind", "spec.names.plural", "spec.versions"),
}
_FROZEN = {  # kind -> path -> the words; what was set there stays
    "Deployment": {"spec.selector": _IMMUTABLE},
    "ReplicaSet": {"spec.selector": _IMMUTABLE},
    "DaemonSet": {"spec.selector": _IMMUTABLE},
    "Job": {"spec.selector": _IMMUTABLE, "spec.template": _IMMUTABLE, "spec.completionMode": _IMMUTABLE},
    "Secret": {"type": _IMMUTABLE},
    "CustomResourceDefinition": {
        "spec.group": _IMMUTABLE,
        "spec.scope": _IMMUTABLE,
        "spec.names.plural": _IMMUTABLE,
        "spec.names.kind": _IMMUTABLE,
    },
}
_FORBIDDEN = {  # kind -> path -> why it may not change
    "StorageClass": {
        "provisioner": "updates to provisioner are forbidden.",
        "parameters": "updates to parameters are forbidden.",
        "reclaimPolicy": "updates to reclaimPolicy are forbidden.",
        "volumeBindingMode": "updates to volumeBindingMode are forbidden.",
    },
    "PriorityClass": {"value": "may not be changed in an update."},
}
_STATEFUL_SET_MAY = (
    "replicas",
    "ordinals",
    "template",
    "updateStrategy",
    "revisionHistoryLimit",
    "persistentVolumeClaimRetentionPolicy",
    "minReadySeconds",
)
_ENUMERATED_BELOW = ("spec", "metadata", "type", "reclaimPolicy", "volumeBindingMode", "preemptionPolicy")


def broken(resource: Resource, body: Json, old: Json | None) -> list[Cause]:
    """What is wrong with an object, or with the change of one."""
    if resource.custom:
        return list(_of_custom(resource.schema, body)) if resource.schema else []
    found = [required(path) for path in _REQUIRED.get(resource.kind, ()) if at(body, path) in (None, "", [], {})]
    found += _wrong_words(resource.schema, body) if resource.schema else []
    found += _SHAPES[resource.kind](body) if resource.kind in _SHAPES and not found else []
    if POD_SPECS.get(resource.kind) and not found:
        found += _pod(at(body, POD_SPECS[resource.kind]) or {}, POD_SPECS[resource.kind])
    if old is not None:
        found += _changes(resource, body, old)
    return found


def at(body: Any, path: str) -> Any:
    for step in path.split("."):
        body = cast(Json, body).get(step) if isinstance(body, dict) else None
    return body


def _changes(resource: Resource, body: Json, old: Json) -> Iterator[Cause]:
    for path, words in _FROZEN.get(resource.kind, {}).items():
        if at(old, path) is not None and at(body, path) != at(old, path):
            yield invalid_value(path, at(body, path), words)
    for path, words in _FORBIDDEN.get(resource.kind, {}).items():
        if at(body, path) != at(old, path):
            yield not_allowed(path, words)
    if resource.kind in _CHANGES:
        yield from _CHANGES[resource.kind](body, old)


def _frozen_data(body: Json, old: Json) -> Iterator[Cause]:
    if not old.get("immutable"):
        return
    if not body.get("immutable"):
        yield not_allowed("immutable", "field is immutable when `immutable` is set")
    for part in ("data", "binaryData"):
        if (body.get(part) or {}) != (old.get(part) or {}):
            yield not_allowed(part, "field is immutable when `immutable` is set")


def _role_change(body: Json, old: Json) -> Iterator[Cause]:
    if body.get("roleRef") != old.get("roleRef"):
        said: Json = body.get("roleRef") or {}
        names = {"APIGroup": "apiGroup", "Kind": "kind", "Name": "name"}
        yield invalid_value(
            "roleRef", {name: said.get(key, "") for name, key in names.items()}, "cannot change roleRef"
        )


def _stateful_set_change(body: Json, old: Json) -> Iterator[Cause]:
    before, after = (
        {key: value for key, value in (each.get("spec") or {}).items() if key not in _STATEFUL_SET_MAY}
        for each in (old, body)
    )
    if before != after:
        names = ", ".join(f"'{name}'" for name in _STATEFUL_SET_MAY[:-1])
        words = f"updates to statefulset spec for fields other than {names} and '{_STATEFUL_SET_MAY[-1]}' are forbidden"
        yield not_allowed("spec", words)


def _service_change(body: Json, old: Json) -> Iterator[Cause]:
    before, after = old.get("spec") or {}, body.get("spec") or {}
    if "ExternalName" in (before.get("type"), after.get("type")):
        return
    if before.get("clusterIP") and after.get("clusterIP") != before["clusterIP"]:
        yield invalid_value("spec.clusterIPs[0]", after.get("clusterIPs"), "may not change once set")


def _claim_change(body: Json, old: Json) -> Iterator[Cause]:
    may = ("resources", "volumeName", "volumeAttributesClassName", "storageClassName")
    before, after = (
        {key: value for key, value in (each.get("spec") or {}).items() if key not in may} for each in (old, body)
    )
    was, wants = at(old, "spec.storageClassName"), at(body, "spec.storageClassName")
    if before != after or (was is not None and was != wants):
        words = (
            "spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims"
        )
        yield not_allowed("spec", words)


def _pod_change(body: Json, old: Json) -> Iterator[Cause]:
    def fixed(each: Json) -> Json:
        spec = dict(each.get("spec") or {})
        may = ("activeDeadlineSeconds", "tolerations", "nodeName", "terminationGracePeriodSeconds", "schedulingGates")
        containers = [{**container, "image": ""} for container in spec.get("containers") or []]
        inits = [{**container, "image": ""} for container in spec.get("initContainers") or []]
        return {key: value for key, value in spec.items() if key not in may} | {"containers": containers, "init": inits}

    if fixed(body) != fixed(old):
        yield not_allowed(
            "spec",
            "pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,"
            "`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),"
            "`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)",
        )


def _workload(body: Json) -> Iterator[Cause]:
    labels, selector = at(body, "spec.template.metadata.labels"), at(body, "spec.selector")
    if not selector:
        yield required("spec.selector")
    if not selector or not selects(selector, labels or {}):
        yield invalid_value("spec.template.metadata.labels", labels, "`selector` does not match template `labels`")
    if not at(body, "spec.template.spec.containers"):
        yield required("spec.template.spec.containers")
    replicas = at(body, "spec.replicas")
    if isinstance(replicas, int) and replicas < 0:
        yield invalid_value("spec.replicas", replicas, "must be greater than or equal to 0")


def _pod(spec: Json, path: str) -> Iterator[Cause]:
    for part in ("containers", "initContainers"):
        names: set[str] = set()
        for index, container in enumerate(spec.get(part) or []):
            here = f"{path}.{part}[{index}]"
            if not container.get("name"):
                yield required(f"{here}.name")
            elif container["name"] in names:
                yield Cause("FieldValueDuplicate", f'Duplicate value: "{container["name"]}"', f"{here}.name")
            names.add(container.get("name", ""))
            if not container.get("image"):
                yield required(f"{here}.image")


def _crd(body: Json) -> Iterator[Cause]:
    spec = body["spec"]
    name = f"{spec['names']['plural']}.{spec['group']}"
    if body["metadata"].get("name") != name:
        yield invalid_value("metadata.name", body["metadata"].get("name"), 'must be spec.names.plural+"."+spec.group')
    stored = [version for version in spec["versions"] if version.get("storage")]
    if len(stored) != 1:
        yield invalid_value(
            "spec.versions", spec["versions"], "must have exactly one version marked as storage version"
        )


def _service(body: Json) -> Iterator[Cause]:
    spec = body.get("spec") or {}
    ports = spec.get("ports") or []
    if not ports and spec.get("type") != "ExternalName" and spec.get("clusterIP") != "None":
        yield required("spec.ports")
    if spec.get("type") == "ExternalName" and not spec.get("externalName"):
        yield required("spec.externalName")
    for index, port in enumerate(ports):
        if not isinstance(port.get("port"), int) or not 1 <= port["port"] <= 65535:
            yield invalid_value(f"spec.ports[{index}].port", port.get("port"), "must be between 1 and 65535, inclusive")
        if len(ports) > 1 and not port.get("name"):
            yield required(f"spec.ports[{index}].name")


def _wrong_words(schema: Schema, value: Any, path: str = "") -> Iterator[Cause]:
    """Words that aren't one of those that the type names."""
    if isinstance(value, str) and schema.enum and value and value not in schema.enum:
        yield _unsupported(path, value, schema)
    elif isinstance(value, list) and schema.item:
        for index, item in enumerate(cast("list[Any]", value)):
            at_item = f"{path}[{index}]"
            if isinstance(item, str) and schema.enum and item not in schema.enum:
                yield _unsupported(at_item, item, schema)
            else:
                yield from _wrong_words(schema.item, item, at_item)
    elif isinstance(value, dict) and schema.shape is Shape.OBJECT:
        for name, part in cast(Json, value).items():
            known = schema.type().fields.get(name)
            if known and (path or name in _ENUMERATED_BELOW):
                yield from _wrong_words(known, part, f"{path}.{name}" if path else name)


def _unsupported(path: str, value: str, schema: Schema) -> Cause:
    words = ", ".join(f'"{word}"' for word in sorted(schema.enum) if word)
    return Cause("FieldValueNotSupported", f'Unsupported value: "{value}": supported values: {words}', path)


def _of_custom(schema: Schema, value: Any, path: str = "") -> Iterator[Cause]:
    """What the schema of a CRD wants: fields that must be there, and words."""
    if isinstance(value, str) and schema.enum and value not in schema.enum:
        yield _unsupported(path, value, schema)
    elif isinstance(value, list) and schema.item:
        for index, item in enumerate(cast("list[Any]", value)):
            yield from _of_custom(schema.item, item, f"{path}[{index}]")
    elif isinstance(value, dict) and schema.shape is Shape.MAP and schema.item:
        for key, item in cast(Json, value).items():
            yield from _of_custom(schema.item, item, f"{path}.{key}")
    elif isinstance(value, dict) and schema.shape is Shape.OBJECT:
        yield from _of_custom_object(schema, cast(Json, value), path)


def _of_custom_object(schema: Schema, value: Json, path: str) -> Iterator[Cause]:
    known = schema.type()
    for name, part in value.items():
        if name in known.fields and (path or name not in ("metadata", "apiVersion", "kind")):
            yield from _of_custom(known.fields[name], part, f"{path}.{name}" if path else name)
    for name in known.required:
        if name not in value:
            yield required(f"{path}.{name}" if path else name)


_SHAPES: Mapping[str, Callable[[Json], Iterator[Cause]]] = {
    "Deployment": _workload,
    "ReplicaSet": _workload,
    "StatefulSet": _workload,
    "DaemonSet": _workload,
    "Service": _service,
    "CustomResourceDefinition": _crd,
}
_CHANGES: Mapping[str, Callable[[Json, Json], Iterator[Cause]]] = {
    "ConfigMap": _frozen_data,
    "Secret": _frozen_data,
    "StatefulSet": _stateful_set_change,
    "RoleBinding": _role_change,
    "ClusterRoleBinding": _role_change,
    "Service": _service_change,
    "PersistentVolumeClaim": _claim_change,
    "Pod": _pod_change,
}
