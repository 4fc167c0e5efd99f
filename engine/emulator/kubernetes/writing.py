"""Requests that change objects: from the body that was sent to what the cluster is asked to do."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from engine.emulator.kubernetes import decoding, patches, reading
from engine.emulator.kubernetes.calls import Call, Options, decode
from engine.emulator.kubernetes.cluster import FOREGROUND, Cluster, Deletion
from engine.emulator.kubernetes.fields import ANYTHING
from engine.emulator.kubernetes.refusals import (
    Json,
    bad_request,
    invalid,
    not_allowed,
    not_supported,
    required,
    unsupported_media_type,
)
from engine.emulator.kubernetes.store import name_of
from engine.emulator.kubernetes.watching import shown

_POLICIES = ("Foreground", "Background", "Orphan")


@dataclass(frozen=True)
class Answer:
    """What is sent back; ``warnings`` become headers."""

    body: Json
    status: int = 200
    warnings: list[str] = field(default_factory=list)


def created(cluster: Cluster, call: Call) -> Answer:
    options, given = call.options(), call.decoded()
    body, warnings = decoding.checked(call.resource, given, options.field_validation)
    namespace = (body.get("metadata") or {}).get("namespace")
    if namespace and call.resource.namespaced and namespace != call.namespace:
        raise bad_request("the namespace of the provided object does not match the namespace sent on the request")
    made = cluster.create(call.resource, call.namespace, body, options)
    return Answer(shown(call.resource, made), 201, warnings)


def updated(cluster: Cluster, call: Call) -> Answer:
    options, given = call.options(), call.decoded()
    body, warnings = decoding.checked(call.resource, given, options.field_validation)
    if not (body.get("metadata") or {}).get("name"):
        raise bad_request(f"the name of the object () does not match the name on the URL ({call.name})")
    after = cluster.update(call.resource, call.namespace, call.name, lambda _: body, options)
    return Answer(shown(call.resource, after), 200, warnings)


def patched(cluster: Cluster, call: Call) -> Answer:
    options = call.options()
    if call.content_type == patches.APPLY:
        return _applied(cluster, call, options)
    if call.query.get("force"):
        raise invalid(
            "PatchOptions", "meta.k8s.io", "", [not_allowed("force", "may not be specified for non-apply patch")]
        )
    warnings: list[str] = []

    def change(body: Json) -> Json:
        after, said = decoding.checked(
            call.resource, _patched(call, shown(call.resource, body)), options.field_validation
        )
        warnings.extend(said)
        return after

    after = cluster.update(call.resource, call.namespace, call.name, change, options)
    return Answer(shown(call.resource, after), 200, warnings)


def _applied(cluster: Cluster, call: Call, options: Options) -> Answer:
    if not call.query.get("fieldManager"):
        raise invalid("PatchOptions", "meta.k8s.io", "", [required("fieldManager", "is required for apply patch")])
    config = decode(call.body, yaml_given=True)
    if config.get("apiVersion") not in (None, call.resource.api_version):
        raise bad_request(
            "Incorrect version specified in apply patch. Specified patch version: "
            f"{config['apiVersion']}, expected: {call.resource.api_version}"
        )
    decoding.check_kind(call.resource, config)
    decoding.check_applied(call.resource, config)
    force = call.query.get("force") in ("true", "1")
    body, made = cluster.apply(call.resource, call.namespace, call.name, config, options, force=force)
    return Answer(shown(call.resource, body), 201 if made else 200)


def _patched(call: Call, body: Json) -> Json:
    match call.content_type:
        case patches.JSON:
            return patches.json_patched(body, call.body)
        case patches.MERGE:
            return patches.merge_patched(body, decode(call.body))
        case patches.STRATEGIC if not call.resource.custom:
            return patches.strategic_patched(call.resource.schema or ANYTHING, body, decode(call.body))
        case _:
            raise unsupported_media_type()


def deleted(cluster: Cluster, call: Call) -> Answer:
    deletion = _deletion(call)
    body, gone = cluster.delete(call.resource, call.namespace, call.name, deletion)
    if gone and call.resource.kind not in ("Pod", "Namespace"):
        details = {"name": call.name, "group": call.resource.group, "kind": call.resource.plural}
        details = {key: value for key, value in details.items() if value} | {"uid": body["metadata"]["uid"]}
        success = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details}
        return Answer(success)
    waits = not gone and deletion.policy == "Foreground"
    return Answer(shown(call.resource, body), 202 if waits and FOREGROUND in _finalizers(body) else 200)


def deleted_collection(cluster: Cluster, call: Call) -> Answer:
    deletion = replace(_deletion(call), uid="", resource_version="")
    bodies = [body for body in cluster.store.list(call.resource.storage, call.namespace) if reading.wanted(call)(body)]
    after = [cluster.delete(call.resource, *name_of(body), deletion)[0] for body in bodies]
    head = {"kind": f"{call.resource.kind}List", "apiVersion": call.resource.api_version}
    return Answer(head | {"metadata": {"resourceVersion": str(cluster.store.revision)}, "items": after})


def _deletion(call: Call) -> Deletion:
    """The options of a deletion: in the body, else in the query."""
    said: Json = decode(call.body) if call.body.strip() else {}
    wanted: dict[str, Any] = {
        "dryRun": call.query.get("dryRun"),
        "propagationPolicy": call.query.get("propagationPolicy"),
    }
    wanted = {key: value for key, value in wanted.items() if value} | said
    policy = wanted.get("propagationPolicy") or ("Orphan" if wanted.get("orphanDependents") else "Background")
    if policy not in _POLICIES:
        why = not_supported("propagationPolicy", policy, [*_POLICIES, "nil"])
        raise invalid("DeleteOptions", "meta.k8s.io", "", [why])
    conditions = wanted.get("preconditions") or {}
    uid, version = conditions.get("uid") or "", conditions.get("resourceVersion") or ""
    return Deletion(policy, uid, version, bool(wanted.get("dryRun")))


def _finalizers(body: Json) -> list[str]:
    return body["metadata"].get("finalizers") or []
