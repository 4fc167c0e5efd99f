"""One request, as the API understands it: which resource, which object, which verb and which options."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast
from urllib.parse import unquote

import yaml

from engine.emulator.kubernetes.refusals import (
    Json,
    PageNotFound,
    bad_request,
    invalid,
    method_not_allowed,
    no_such_path,
    not_supported,
    unsupported_media_type,
)
from engine.emulator.kubernetes.resources import Resource, Resources
from engine.kubernetes import group_of

_OF_NAMESPACES = ("status", "finalize")  # what may follow namespaces/NAME and is no plural
_FIELD_VALIDATIONS = ("Ignore", "Warn", "Strict")
_DEFAULT_MANAGER = "unknown"


@dataclass(frozen=True)
class Call:
    """A request for a resource; ``name`` is empty for a collection, ``namespace`` for all or none."""

    method: str
    resource: Resource
    namespace: str = ""
    name: str = ""
    subresource: str = ""
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    @property
    def watches(self) -> bool:
        return self.query.get("watch") in ("true", "1")

    @property
    def verb(self) -> str:
        """The API's word for what is asked. Raises MethodNotAllowed (405)."""
        match self.method, bool(self.name):
            case "GET", False:
                return "watch" if self.watches else "list"
            case "GET", True:
                return "get"
            case "POST", named if not named or self.subresource:
                return "create"
            case "PUT", True:
                return "update"
            case "PATCH", True:
                return "patch"
            case "DELETE", named:
                return "delete" if named else "deletecollection"
            case _:
                raise method_not_allowed()

    @property
    def content_type(self) -> str:
        return self.headers.get("Content-Type", "").partition(";")[0].strip()

    @property
    def manager(self) -> str:
        """Who writes: the given name, or the first part of the user agent, as the real one has it."""
        given = self.query.get("fieldManager") or self.headers.get("User-Agent", "").partition("/")[0]
        return given[:128] or _DEFAULT_MANAGER

    def options(self) -> Options:
        """Raises Invalid (422) for a word that isn't one of the API's."""
        dry_run, validation = self.query.get("dryRun", ""), self.query.get("fieldValidation") or "Warn"
        kind = {"POST": "CreateOptions", "PUT": "UpdateOptions", "PATCH": "PatchOptions"}.get(self.method, "Options")
        if dry_run not in ("", "All"):
            raise invalid(kind, "meta.k8s.io", "", [not_supported("dryRun", [dry_run], ["All"])])
        if validation not in _FIELD_VALIDATIONS:
            why = not_supported("fieldValidation", validation, ["", *sorted(_FIELD_VALIDATIONS)])
            raise invalid(kind, "meta.k8s.io", "", [why])
        return Options(self.manager, dry_run == "All", validation, self.subresource)

    def decoded(self) -> Json:
        """The body: a JSON object, or YAML where the content type says so. Raises BadRequest, UnsupportedMediaType."""
        yaml_given = self.content_type.endswith("yaml")
        if self.content_type not in ("", "application/json", "application/yaml") and self.method != "PATCH":
            raise unsupported_media_type(("application/json", "application/yaml"))
        return decode(self.body, yaml_given=yaml_given)


@dataclass(frozen=True)
class Options:
    """How something is written."""

    manager: str = _DEFAULT_MANAGER
    dry_run: bool = False
    field_validation: str = "Ignore"
    subresource: str = ""


def decode(body: bytes, *, yaml_given: bool = False) -> Json:
    try:
        decoded: Any = json.loads(body) if not yaml_given or body.lstrip()[:1] == b"{" else yaml.safe_load(body)
    except (ValueError, yaml.YAMLError) as error:
        raise bad_request(f"the object provided is unrecognized (must be JSON or YAML): {error}") from None
    if not isinstance(decoded, dict):
        raise bad_request("the object provided is unrecognized: expected an object")
    return cast(Json, decoded)


def find(resources: Resources, path: str, method: str) -> Call:
    """What a path below /api or /apis leads to. Raises NotFound (404), MethodNotAllowed (405)."""
    api_version, rest = split(path)
    namespace = ""
    if rest[0] == "namespaces" and len(rest) >= 3 and rest[2] not in _OF_NAMESPACES:
        namespace, rest = rest[1], rest[2:]
    resource = resources.find(api_version, rest[0])
    if resource is None and not any(each.group == group_of(api_version) for each in resources):
        raise PageNotFound
    if resource is None or (namespace and not resource.namespaced) or len(rest) > 3:
        raise no_such_path()
    name, subresource = (rest[1] if len(rest) > 1 else ""), (rest[2] if len(rest) > 2 else "")
    if subresource and not resource.has(subresource):
        raise no_such_path()
    if resource.namespaced and not namespace and (name or method != "GET"):
        raise no_such_path() if name else method_not_allowed()
    call = Call(method, resource, namespace, name, subresource)
    if not subresource and call.verb not in resource.served.verbs:
        raise method_not_allowed()
    return call


def split(path: str) -> tuple[str, list[str]]:
    """API version and what follows it: ``/apis/apps/v1/deployments`` is ``apps/v1`` and ``["deployments"]``."""
    steps = [unquote(step) for step in path.strip("/").split("/")]
    length = 2 if steps[0] == "api" else 3
    if steps[0] not in ("api", "apis") or len(steps) <= length:
        raise no_such_path()
    return "/".join(steps[1:length]), steps[length:]
