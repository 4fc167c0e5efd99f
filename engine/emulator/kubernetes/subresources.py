"""Scale, tokens, evictions and questions of access: requests that are about an object, and don't give or take it."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from engine.emulator.kubernetes import metadata
from engine.emulator.kubernetes.calls import Call, decode
from engine.emulator.kubernetes.cluster import Cluster
from engine.emulator.kubernetes.patches import APPLY, JSON, json_patched, merge_patched
from engine.emulator.kubernetes.refusals import Json, Refused, bad_request, method_not_allowed
from engine.emulator.kubernetes.rules import at
from engine.emulator.kubernetes.writing import Answer

_HAS_NONE = ("attach", "exec", "log", "portforward", "proxy")


def answer(cluster: Cluster, call: Call) -> Answer | None:
    """What a subresource answers; None where it is the object itself, as with ``status``."""
    if call.subresource == "scale":
        return Answer(_scale(cluster, call))
    if call.subresource == "token" and call.method == "POST":
        return Answer(_token(cluster, call), 201)
    if call.subresource == "eviction" and call.method == "POST":
        cluster.delete(call.resource, call.namespace, call.name)
        return Answer({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success"}, 201)
    if call.subresource == "binding" and call.method == "POST":
        node = (decode(call.body).get("target") or {}).get("name", "")
        spec = replace(call, subresource="")
        cluster.update(spec.resource, spec.namespace, spec.name, lambda body: _bound(body, node))
        return Answer({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success"}, 201)
    if call.subresource in _HAS_NONE:
        raise Refused(
            501, "NotImplemented", "the embedded Kubernetes API runs no containers; use the native sandbox or kind"
        )
    if call.subresource and call.method in ("POST", "DELETE"):
        raise method_not_allowed()
    return None


def _bound(body: Json, node: str) -> Json:
    return body | {"spec": body["spec"] | {"nodeName": node}}


def _scale(cluster: Cluster, call: Call) -> Json:
    body = cluster.get(call.resource, call.namespace, call.name)
    if call.method == "GET":
        return _scale_of(body)
    scale = decode(call.body) if call.method == "PUT" or call.content_type != JSON else {}
    if call.content_type == JSON:
        scale = json_patched(_scale_of(body), call.body)
    elif call.method == "PATCH" and call.content_type != APPLY:
        scale = merge_patched(_scale_of(body), scale)
    replicas: Any = at(scale, "spec.replicas") or 0
    if not isinstance(replicas, int):
        raise bad_request("spec.replicas: expected a number")
    options = replace(call.options(), subresource="")

    def change(old: Json) -> Json:
        return old | {"spec": old["spec"] | {"replicas": replicas}}

    return _scale_of(cluster.update(call.resource, call.namespace, call.name, change, options))


def _scale_of(body: Json) -> Json:
    about = {key: value for key, value in body["metadata"].items() if key in ("name", "namespace", "uid")}
    about |= {key: body["metadata"][key] for key in ("resourceVersion", "creationTimestamp")}
    labels = at(body, "spec.selector.matchLabels") or {}
    selector = ",".join(f"{key}={value}" for key, value in sorted(labels.items()))
    status = {"replicas": at(body, "status.replicas") or 0} | ({"selector": selector} if selector else {})
    head = {"kind": "Scale", "apiVersion": "autoscaling/v1", "metadata": about}
    return head | {"spec": {"replicas": at(body, "spec.replicas") or 0}, "status": status}


def _token(cluster: Cluster, call: Call) -> Json:
    """A token in the form of a real one; nothing here looks at tokens."""
    account = cluster.get(call.resource, call.namespace, call.name)
    asked = decode(call.body)
    seconds = int(at(asked, "spec.expirationSeconds") or 3600)
    ends = datetime.now(UTC) + timedelta(seconds=seconds)
    claims = {"sub": f"system:serviceaccount:{call.namespace}:{call.name}", "exp": int(ends.timestamp())}
    claims["uid"] = account["metadata"]["uid"]
    parts = (json.dumps(part).encode() for part in ({"alg": "none"}, claims))
    token = ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts) + "."
    status = {"token": token, "expirationTimestamp": ends.strftime("%Y-%m-%dT%H:%M:%SZ")}
    head = {"kind": "TokenRequest", "apiVersion": "authentication.k8s.io/v1"}
    return head | {"metadata": {"name": call.name}, "spec": asked.get("spec") or {}, "status": status}


def review(call: Call) -> Answer:
    """Questions of access: everybody may do everything here."""
    asked = decode(call.body)
    user = {"username": "kubernetes-admin", "groups": ["system:masters", "system:authenticated"]}
    statuses: dict[str, Json] = {
        "TokenReview": {"authenticated": True, "user": user},
        "SelfSubjectReview": {"userInfo": user},
        "SelfSubjectRulesReview": {
            "resourceRules": [{"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}],
            "nonResourceRules": [{"verbs": ["*"], "nonResourceURLs": ["*"]}],
            "incomplete": False,
        },
    }
    status = statuses.get(call.resource.kind, {"allowed": True})
    about = (asked.get("metadata") or {}) | {"creationTimestamp": metadata.now()}
    head = {"kind": call.resource.kind, "apiVersion": call.resource.api_version, "metadata": about}
    return Answer(head | {"spec": asked.get("spec") or {}, "status": status}, 201)
