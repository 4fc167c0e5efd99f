"""What an object will look like, told without a cluster: as declared, unknown where only the server decides. Pure."""

from __future__ import annotations

from typing import Final, cast

from engine.providers.kubernetes import manifests
from engine.providers.kubernetes.check import with_secrets
from engine.providers.kubernetes.kinds import Kinds
from engine.providers.kubernetes.tokens import ObjectType
from engine.values import UNKNOWN, Properties, Value

_ASSIGNED: Final = ("uid", "creationTimestamp", "generation")
_WITHOUT_STATUS: Final = frozenset({"ConfigMap", "Secret", "ServiceAccount", "PriorityClass", "StorageClass"})
# Fields of a spec that the server fills in and that others like to refer to.
_FILLED_IN: Final = {
    "Service": ("clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy"),
    "PersistentVolumeClaim": ("volumeName", "storageClassName"),
    "Pod": ("nodeName",),
}


def of_create(object_type: ObjectType, kinds: Kinds, inputs: Properties) -> Properties:
    """Outputs of a create that is only previewed."""
    result = _as_kept(inputs)
    metadata = result.get("metadata")
    if isinstance(metadata, dict):
        assigned = dict.fromkeys(_ASSIGNED, UNKNOWN)
        place = {"namespace": manifests.DEFAULT_NAMESPACE} if kinds.scope(object_type) else {}
        result["metadata"] = {**assigned, **place, **cast("Properties", metadata)}
    spec = result.get("spec")
    if object_type.kind in _FILLED_IN and object_type.group == "" and isinstance(spec, dict):
        result["spec"] = {**dict.fromkeys(_FILLED_IN[object_type.kind], UNKNOWN), **_with_node_ports(spec)}
    if object_type.kind not in _WITHOUT_STATUS and object_type.group != "rbac.authorization.k8s.io":
        result.setdefault("status", UNKNOWN)
    return with_secrets(result)


def _with_node_ports(spec: Properties) -> Properties:
    """A Service's specification with the ports of the nodes open, where the server chooses some."""
    ports = spec.get("ports")
    if spec.get("type") not in ("NodePort", "LoadBalancer") or not isinstance(ports, list):
        return spec
    open_ = [{"nodePort": UNKNOWN, **port} if isinstance(port, dict) else port for port in cast("list[Value]", ports)]
    return {**spec, "ports": open_}


def of_update(old_outputs: Properties, old_inputs: Properties, new_inputs: Properties) -> Properties:
    """Outputs of an update that is only previewed: what the program gives, beside what the server had filled in."""
    kept = {key: value for key, value in old_outputs.items() if not key.startswith("__")}
    return with_secrets(cast("Properties", _overlaid(kept, _as_kept(old_inputs), _as_kept(new_inputs))))


def _as_kept(inputs: Properties) -> Properties:
    """Inputs in the form that the server keeps: a Secret's texts are among its data, where programs read them."""
    return manifests.normalised({key: value for key, value in inputs.items() if not key.startswith("__")})


def _overlaid(live: object, old: object, new: object) -> object:
    if isinstance(live, list) and new == old:
        return live  # with what the server has filled into its items
    if not (isinstance(live, dict) and isinstance(new, dict)):
        return new
    before = cast("Properties", old) if isinstance(old, dict) else {}
    after = cast("Properties", new)
    rest = {key: value for key, value in cast("Properties", live).items() if key in after or key not in before}
    merged = {key: _overlaid(rest[key], before.get(key), after[key]) if key in rest else after[key] for key in after}
    return {**rest, **merged}
