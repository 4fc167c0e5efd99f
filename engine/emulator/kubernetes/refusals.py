"""What the API answers when it refuses: ``Status`` objects with the words, reasons and codes of the real one.

Source: k8s.io/apimachinery 0.35, pkg/api/errors and pkg/util/validation/field; what clients show to people and what
Pulumi and kubectl look for in messages is the same here.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]


@dataclass(frozen=True)
class Cause:
    """One thing that is wrong: ``reason`` is a CauseType such as ``FieldValueInvalid``, ``field`` a path or empty."""

    reason: str
    message: str
    field: str = ""

    def json(self) -> Json:
        said = {"reason": self.reason, "message": self.message}
        return said | {"field": self.field} if self.field else said


@dataclass
class Refused(Exception):
    """The request is refused; ``status`` is what is sent."""

    code: int
    reason: str
    message: str
    details: Json = field(default_factory=dict)

    def status(self) -> Json:
        head = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "message": self.message}
        why = {"reason": self.reason} if self.reason else {}
        return head | why | {"details": self.details, "code": self.code}


def _about(resource: str, name: str) -> Json:
    """Details of a refusal; ``resource`` is ``deployments.apps``, or ``pods``."""
    plural, _, group = resource.partition(".")
    said = {"name": name, "group": group, "kind": plural}
    return {key: value for key, value in said.items() if value}


def bad_request(message: str) -> Refused:
    return Refused(400, "BadRequest", message)


def not_found(resource: str, name: str) -> Refused:
    return Refused(404, "NotFound", f'{resource} "{name}" not found', _about(resource, name))


def no_such_path() -> Refused:
    return Refused(404, "NotFound", "the server could not find the requested resource")


class PageNotFound(Exception):
    """A path that leads nowhere at all: the real one answers with text."""


def already_exists(resource: str, name: str) -> Refused:
    return Refused(409, "AlreadyExists", f'{resource} "{name}" already exists', _about(resource, name))


def conflict(resource: str, name: str, why: str) -> Refused:
    message = f'Operation cannot be fulfilled on {resource} "{name}": {why}'
    return Refused(409, "Conflict", message, _about(resource, name))


def outdated(resource: str, name: str) -> Refused:
    why = "the object has been modified; please apply your changes to the latest version and try again"
    return conflict(resource, name, why)


def forbidden(resource: str, name: str, why: str, causes: Sequence[Cause] = ()) -> Refused:
    details = _about(resource, name)
    if causes:
        details["causes"] = [cause.json() for cause in causes]
    what = f'{resource} "{name}"' if name else resource
    return Refused(403, "Forbidden", f"{what} is forbidden: {why}", details)


def method_not_allowed() -> Refused:
    return Refused(405, "MethodNotAllowed", "the server does not allow this method on the requested resource")


def unsupported_media_type(accepted: Sequence[str] = ()) -> Refused:
    format_ = f"the body of the request was in an unknown format - accepted media types include: {', '.join(accepted)}"
    return Refused(415, "UnsupportedMediaType", format_ if accepted else "415: Unsupported Media Type")


def expired(asked: int, oldest: int) -> Refused:
    return Refused(410, "Expired", f"too old resource version: {asked} ({oldest})")


def internal(message: str) -> Refused:
    return Refused(500, "InternalError", message)


def not_typed(message: str) -> Refused:
    """An error of the merge itself: the real API server gives such errors no reason."""
    return Refused(500, "", message)


def invalid(kind: str, group: str, name: str, causes: Sequence[Cause]) -> Refused:
    """422: the object is well formed, and not allowed."""
    said = list(dict.fromkeys(f"{cause.field}: {cause.message}" for cause in causes))
    words = said[0] if len(said) == 1 else f"[{', '.join(said)}]"
    details = {"name": name, "group": group, "kind": kind, "causes": [cause.json() for cause in causes]}
    details = {key: value for key, value in details.items() if value}
    qualified = f"{kind}.{group}" if group else kind
    return Refused(422, "Invalid", f'{qualified} "{name}" is invalid: {words}', details)


def invalid_value(path: str, value: Any, why: str) -> Cause:
    shown = json.dumps(value, separators=(",", ":"), ensure_ascii=False)
    return Cause("FieldValueInvalid", f"Invalid value: {shown}: {why}", path)


def not_supported(path: str, value: Any, supported: Sequence[str]) -> Cause:
    words = ", ".join(f'"{word}"' for word in supported)
    return Cause("FieldValueNotSupported", f"Unsupported value: {json.dumps(value)}: supported values: {words}", path)


def required(path: str, why: str = "") -> Cause:
    return Cause("FieldValueRequired", f"Required value: {why}" if why else "Required value", path)


def not_allowed(path: str, why: str) -> Cause:
    return Cause("FieldValueForbidden", f"Forbidden: {why}", path)
