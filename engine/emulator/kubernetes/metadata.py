"""What the API sees to for every object: its name, its identity, its labels.

Source: k8s.io/apimachinery 0.35, pkg/api/validation and pkg/util/validation, whose messages these are.
"""

from __future__ import annotations

import random
import re
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime

from engine.emulator.kubernetes.refusals import Cause, Json, invalid_value, required
from engine.emulator.kubernetes.resources import Resource

SUFFIX = "bcdfghjklmnpqrstvwxz2456789"  # no vowels: no words by chance
_LABEL = "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_SUBDOMAIN = rf"{_LABEL}(\.{_LABEL})*"
_OLD_LABEL = "[a-z]([-a-z0-9]*[a-z0-9])?"
_VALUE = "(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?"
_KEY = re.compile(rf"(?:(?P<prefix>{_SUBDOMAIN})/)?[A-Za-z0-9]([-A-Za-z0-9_.]{{0,61}}[A-Za-z0-9])?")
_SUBDOMAIN_WORDS = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start "
    f"and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '{_SUBDOMAIN}')"
)
_LABEL_WORDS = (
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end "
    f"with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '{_LABEL}')"
)
_OLD_LABEL_WORDS = (
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic "
    "character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation "
    f"is '{_OLD_LABEL}')"
)
_RULES = {  # pattern, greatest length, what is said
    "subdomain": (_SUBDOMAIN, 253, _SUBDOMAIN_WORDS),
    "label": (_LABEL, 63, _LABEL_WORDS),
    "old label": (_OLD_LABEL, 63, _OLD_LABEL_WORDS),
}
_RULE_OF_KIND = {"Namespace": "label", "Service": "old label"}
_FREE_NAMES = ("rbac.authorization.k8s.io", "flowcontrol.apiserver.k8s.io")  # names such as system:node
# Built-in kinds whose changes are counted; those of custom resources always are.
_COUNTED = {
    "apps": ("Deployment", "ReplicaSet", "StatefulSet", "DaemonSet"),
    "batch": ("Job", "CronJob"),
    "networking.k8s.io": ("Ingress", "IngressClass", "NetworkPolicy"),
    "policy": ("PodDisruptionBudget",),
    "discovery.k8s.io": ("EndpointSlice",),
    "": ("Pod", "ReplicationController"),
    "scheduling.k8s.io": ("PriorityClass",),
    "apiextensions.k8s.io": ("CustomResourceDefinition",),
    "flowcontrol.apiserver.k8s.io": ("FlowSchema", "PriorityLevelConfiguration"),
    "admissionregistration.k8s.io": (
        "MutatingWebhookConfiguration",
        "ValidatingWebhookConfiguration",
        "ValidatingAdmissionPolicy",
        "ValidatingAdmissionPolicyBinding",
    ),
}


def now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def counts_changes(resource: Resource) -> bool:
    """Whether the kind has ``metadata.generation``."""
    return resource.custom or resource.kind in _COUNTED.get(resource.group, ())


def generated_name(prefix: str) -> str:
    return prefix[:58] + "".join(random.choices(SUFFIX, k=5))  # noqa: S311  # a name, no secret


def fresh(resource: Resource, metadata: Json, namespace: str) -> Json:
    """The metadata of an object that is created: what only the API may say is the API's."""
    own = ("resourceVersion", "uid", "selfLink", "deletionTimestamp", "deletionGracePeriodSeconds", "generation")
    kept = {key: value for key, value in metadata.items() if key not in own}
    if not kept.get("name") and kept.get("generateName"):
        kept["name"] = generated_name(kept["generateName"])
    if resource.namespaced:
        kept["namespace"] = namespace
    kept |= {"uid": str(uuid.uuid4()), "creationTimestamp": now()}
    return kept | ({"generation": 1} if counts_changes(resource) else {})


def mistakes(resource: Resource, metadata: Json) -> Iterator[Cause]:
    name = metadata.get("name")
    if not name:
        yield required("metadata.name", "name or generateName is required")
    elif resource.group not in _FREE_NAMES:
        yield from _wrong_name(str(name), _RULE_OF_KIND.get(resource.kind, "subdomain"))
    for key, value in (metadata.get("labels") or {}).items():
        yield from _wrong_label(str(key), str(value))
    for key in metadata.get("annotations") or {}:
        yield from _wrong_key(str(key).lower(), str(key), "metadata.annotations")


def _wrong_name(name: str, rule: str) -> Iterator[Cause]:
    pattern, length, words = _RULES[rule]
    if rule == "label" and "." in name:
        yield invalid_value("metadata.name", name, "must not contain dots")
        return
    if len(name) > length:
        yield invalid_value("metadata.name", name, f"must be no more than {length} characters")
    if not re.fullmatch(pattern, name):
        yield invalid_value("metadata.name", name, words)


def _wrong_label(key: str, value: str) -> Iterator[Cause]:
    yield from _wrong_key(key, key, "metadata.labels")
    if len(value) > 63:
        yield invalid_value("metadata.labels", value, "must be no more than 63 characters")
    if not re.fullmatch(_VALUE, value):
        yield invalid_value(
            "metadata.labels",
            value,
            "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must "
            "start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for "
            f"validation is '{_VALUE}')",
        )


def _wrong_key(key: str, shown: str, path: str) -> Iterator[Cause]:
    if not _KEY.fullmatch(key):
        yield invalid_value(
            path,
            shown,
            "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an "
            "alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is "
            "'([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')",
        )
