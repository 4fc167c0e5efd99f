"""What the real scheduler made of a case, kept as a file: the answer is checked by it where there is no scheduler."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from engine.simulation.manifests import Manifest
from engine.simulation.pods import Owner
from engine.simulation.running import Observed
from engine.simulation.seen import Seen

_KINDS: Final = ("Node", "Pod", "ReplicaSet", "Deployment", "StatefulSet", "DaemonSet", "Job", "ResourceQuota")
_METADATA: Final = ("name", "namespace", "labels", "ownerReferences", "generation", "deletionTimestamp")
_STATUS: Final = (
    "allocatable",
    "phase",
    "conditions",
    "nominatedNodeName",
    "desiredNumberScheduled",
    "observedGeneration",
    "used",
)


def to_json(observed: Observed) -> str:
    """What of an observation is read again, without times and identities."""
    objects = [_trimmed(one) for kind in _KINDS for one in observed.seen.of(kind)]
    document = {
        "version": observed.version,
        "refused": _by_owner(observed.refused),
        "refusals": _by_owner(observed.seen.refusals),
        "gone": [list(one) for one in sorted(observed.seen.gone) if one.kind == "Pod"],
        "objects": sorted(objects, key=lambda one: (one["kind"], one["metadata"]["name"])),
    }
    return json.dumps(document, indent=1) + "\n"


def from_json(text: str) -> Observed:
    """The observation that a file holds."""
    document = json.loads(text)
    seen = Seen(refusals=_owners(document["refusals"]), gone={Owner(*one) for one in document["gone"]})
    for one in document["objects"]:
        seen.changed(one["kind"], one)
    return Observed(seen, _owners(document["refused"]), document["version"])


def _by_owner(messages: Mapping[Owner, str]) -> list[list[str]]:
    return sorted([*owner, message] for owner, message in messages.items())


def _owners(listed: list[list[str]]) -> dict[Owner, str]:
    return {Owner(*owner): message for *owner, message in listed}


def _trimmed(manifest: Manifest) -> dict[str, Any]:
    metadata = {key: value for key, value in manifest["metadata"].items() if key in _METADATA}
    for owner in metadata.get("ownerReferences", ()):
        owner.pop("uid", None)
    status = {key: value for key, value in (manifest.get("status") or {}).items() if key in _STATUS}
    conditions = [_condition(one) for one in status.get("conditions") or () if one["type"] == "PodScheduled"]
    if "conditions" in status:
        status["conditions"] = conditions
    spec = dict(manifest["spec"])
    if manifest["kind"] == "Node":
        spec = {key: value for key, value in spec.items() if key == "taints"}
    if manifest["kind"] == "ReplicaSet":
        spec.pop("template", None)
    return {"kind": manifest["kind"], "metadata": metadata, "spec": spec, "status": status}


def _condition(one: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in one.items() if key in ("type", "status", "reason", "message")}
