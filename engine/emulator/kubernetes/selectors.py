"""Label and field selectors, as they are written in a request's query and in objects."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from engine.emulator.kubernetes.refusals import Json, bad_request
from engine.emulator.kubernetes.resources import Resource

Labels = Mapping[str, str]
Test = Callable[[Json], bool]

_IN = re.compile(r"(?P<key>[^\s!=,()]+)\s+(?P<operator>in|notin)\s*\((?P<values>[^)]*)\)")
_EQUALS = re.compile(r"(?P<key>[^\s!=,()]+)\s*(?P<operator>==|=|!=)\s*(?P<value>[^\s,()]*)")
_EXISTS = re.compile(r"(?P<not>!\s*)?(?P<key>[^\s!=,()]+)")
_PART = re.compile(r"(?:[^,(]|\([^)]*\))+")


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


# Fields beside metadata.name and metadata.namespace that a built-in kind can be selected by.
_FIELDS = {
    "Pod": _words(
        "spec.nodeName spec.restartPolicy spec.schedulerName spec.serviceAccountName spec.hostNetwork status.phase "
        "status.podIP status.nominatedNodeName"
    ),
    "Event": _words(
        "involvedObject.kind involvedObject.namespace involvedObject.name involvedObject.uid involvedObject.apiVersion "
        "involvedObject.fieldPath reason reportingComponent source type"
    ),
    "Secret": ("type",),
    "Namespace": ("status.phase",),
    "Node": ("spec.unschedulable",),
    "ReplicaSet": ("status.replicas",),
    "ReplicationController": ("status.replicas",),
    "Job": ("status.successful",),
    "CertificateSigningRequest": ("spec.signerName",),
}


def of_labels(text: str) -> Test:
    """``app=web,tier!=db,zone in (a, b),!canary``. Raises BadRequest."""
    parts = [_label_test(part.strip()) for part in _PART.findall(text) if part.strip()]
    return lambda body: all(test(body["metadata"].get("labels") or {}) for test in parts)


def _label_test(text: str) -> Callable[[Labels], bool]:
    if found := _IN.fullmatch(text):
        key, values = found["key"], {value.strip() for value in found["values"].split(",")}
        if found["operator"] == "in":
            return lambda labels: labels.get(key) in values
        return lambda labels: labels.get(key) not in values
    if found := _EQUALS.fullmatch(text):
        key, value = found["key"], found["value"]
        if found["operator"] == "!=":
            return lambda labels: labels.get(key) != value
        return lambda labels: labels.get(key) == value
    if found := _EXISTS.fullmatch(text):
        key, wanted = found["key"], not found["not"]
        return lambda labels: (key in labels) is wanted
    raise bad_request(
        f"unable to parse requirement: found '{text}', expected: a key, '!key', key=value or key in (...)"
    )


def of_fields(text: str, resource: Resource) -> Test:
    """``metadata.name=web,spec.nodeName!=``. Raises BadRequest for a field that the kind can't be selected by."""
    tests: list[tuple[str, str, bool]] = []
    for part in filter(None, text.split(",")):
        found = _EQUALS.fullmatch(part.strip())
        if not found:
            raise bad_request(f"invalid selector: '{text}'; can't understand '{part}'")
        field = found["key"]
        if field not in ("metadata.name", "metadata.namespace", *_FIELDS.get(resource.kind, ())):
            raise bad_request(f'field label not supported: "{field}"' if resource.custom else _unsupported(field))
        tests.append((field, found["value"], found["operator"] != "!="))
    return lambda body: all((_text(_at(body, field)) == value) is wanted for field, value, wanted in tests)


def _unsupported(field: str) -> str:
    return f'"{field}" is not a known field selector: only "metadata.name", "metadata.namespace"'


def _at(body: Any, path: str) -> Any:
    for step in path.split("."):
        body = body.get(step) if isinstance(body, dict) else None
    return body


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value) if value is not None else ""


def selects(selector: Json | None, labels: Labels) -> bool:
    """Whether a LabelSelector (``matchLabels``, ``matchExpressions``) selects; an empty one does, None doesn't."""
    if selector is None:
        return False
    if any(labels.get(key) != value for key, value in (selector.get("matchLabels") or {}).items()):
        return False
    return all(expression_holds(each, labels) for each in selector.get("matchExpressions") or [])


def expression_holds(expression: Json, labels: Labels) -> bool:
    """A requirement of a label selector or of a node selector (which has Gt and Lt, too)."""
    value, values = labels.get(expression["key"]), expression.get("values") or []
    match expression["operator"]:
        case "In":
            return value in values
        case "NotIn":
            return value not in values
        case "Exists":
            return value is not None
        case "DoesNotExist":
            return value is None
        case "Gt":
            return value is not None and value.isdecimal() and int(value) > int(values[0])
        case "Lt":
            return value is not None and value.isdecimal() and int(value) < int(values[0])
        case _:
            return False
