"""Limit ranges: what a container asks for that says nothing, as the LimitRanger admission fills it in.

Source: k8s.io/kubernetes 1.35, plugin/pkg/admission/limitranger. Minima, maxima and ratios are not looked at.
"""

from __future__ import annotations

from engine.emulator.kubernetes.refusals import Json
from engine.emulator.kubernetes.resources import Resource, Storage
from engine.emulator.kubernetes.store import Store

LIMIT_RANGES: Storage = ("", "limitranges")
_PODS: Storage = ("", "pods")


def filled(store: Store, resource: Resource, body: Json) -> Json:
    """The pod with the defaults of its namespace's limit ranges; anything else as it is."""
    ranges = store.list(LIMIT_RANGES, body["metadata"].get("namespace", "")) if resource.storage == _PODS else []
    limits = [item for each in ranges for item in (each.get("spec") or {}).get("limits") or []]
    for limit in (item for item in limits if item.get("type") == "Container"):
        spec = body["spec"]
        parts = {name: [_container(each, limit) for each in spec[name]] for name in _LISTS if spec.get(name)}
        body = body | {"spec": spec | parts}
    return body


_LISTS = ("containers", "initContainers")


def _container(container: Json, limit: Json) -> Json:
    said: Json = container.get("resources") or {}
    limits = (limit.get("default") or {}) | (said.get("limits") or {})
    requests = (limit.get("defaultRequest") or {}) | (said.get("limits") or {}) | (said.get("requests") or {})
    filled_in = {"limits": limits, "requests": requests}
    return container | {"resources": said | {name: part for name, part in filled_in.items() if part}}
