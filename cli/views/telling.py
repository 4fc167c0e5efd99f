"""Which of a new resource's properties tell it from others of its type, for one short line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from cli.views.changes import parsed_json
from cli.views.values import brief
from engine.values import Value

# What people ask first: where, how large, how long, how strict. Anything else follows by name.
_FIRST: Final = (
    "cidrBlock", "cidrIpv4", "destinationCidrBlock", "availabilityZoneId", "instanceType", "instanceClass", "engine",
    "allocatedStorage", "replicas", "image", "containers.image", "limitAmount", "limitUnit", "retentionInDays", "mode",
    "expiration.days",
    "transitions.days", "noncurrentDays", "deletionWindowInDays", "rotationPeriodInDays", "sseAlgorithm",
    "objectOwnership", "imageTagMutability", "upstreamRegistryUrl", "vpcEndpointType", "trafficType", "frequency",
    "monitorType", "protocol", "endpoint", "defaultValue", "status", "targetPrefix", "domain", "connectivityType",
    "chart", "version", "namespace",
)  # fmt: skip
# Whose values speak for themselves: 10.0.0.0/19, aws:kms, IMMUTABLE.
_BARE: Final = frozenset(
    {"cidrBlock", "cidrIpv4", "destinationCidrBlock", "availabilityZoneId", "instanceType", "instanceClass", "image",
     "containers.image", "sseAlgorithm", "objectOwnership", "imageTagMutability", "upstreamRegistryUrl",
     "vpcEndpointType", "frequency", "endpoint"}
)  # fmt: skip
# Names say what a resource's own name says; the rest is the same for almost everything.
_SILENT_ENDS: Final = ("name", "nameprefix", "description", "arn", "region", "bucket")
_SILENT: Final = frozenset(
    {"id", "path", "tags", "tagsAll", "customerMasterKeySpec", "keyUsage", "maxSessionDuration", "skipDestroy"}
)
_SILENT_OF_KUBERNETES: Final = frozenset({"apiVersion", "kind", "labels", "annotations", "matchLabels"})
_DOTTED_COLUMNS: Final = 16  # a property of a property is called by both names where that is short: expiration.days


def telling(inputs: Mapping[str, Value]) -> list[str]:
    """The inputs that tell most in words, the most telling first: plain ones, no names, no tags, no secrets."""
    silent = _SILENT | _SILENT_OF_KUBERNETES if "apiVersion" in inputs else _SILENT
    found = {name: value for name, value in _leaves(inputs, silent) if _says_something(name, value)}
    ranked = sorted(found.items(), key=lambda one: (_rank(one[0]), one[0]))
    return [brief(value, 24) if name in _BARE else f"{name} {brief(value, 24)}" for name, value in ranked]


def _leaves(inputs: Mapping[str, Value], silent: frozenset[str], above: str = "") -> Iterator[tuple[str, Value]]:
    """Scalars, also those in groups of properties and in lists of one member."""
    for key, value in inputs.items():
        if key in silent:
            continue
        if isinstance(value, list) and len(value) == 1:
            value = value[0]
        if isinstance(value, dict):
            yield from _leaves(value, silent, key)
        else:
            dotted = f"{above}.{key}"
            yield (dotted if above and len(dotted) <= _DOTTED_COLUMNS else key), value


def _says_something(name: str, value: Value) -> bool:
    return (
        isinstance(value, bool | int | float | str)
        and value not in ("", False)
        and not name.lower().endswith(_SILENT_ENDS)
        and not name.startswith("skip")
        and parsed_json(value) is None
        and "\n" not in str(value)
    )


def _rank(name: str) -> int:
    return _FIRST.index(name) if name in _FIRST else len(_FIRST)
