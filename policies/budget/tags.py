"""Row 78: what costs money says in its tags whose money it is; ``labels`` has the same for the cluster."""

from __future__ import annotations

import copy
import os
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final, Protocol

from policies.budget.limits import Limits
from policies.budget.pack import BUDGET
from policies.kit import Finding, Value
from policies.subjects.tags import Tags

REQUIRED: Final[Mapping[str, Mapping[str, Any]]] = {
    "required": {
        "type": "array",
        "items": {"type": "string", "minLength": 1},
        "default": ["Project", "Environment", "Team", "Owner", "CostCenter"],
        "description": "Keys that must be there, each with a value.",
    },
    "patterns": {
        "type": "object",
        "additionalProperties": {"type": "string"},
        "default": {},
        "description": "Regular expressions that values must match in full, by key.",
    },
    "values": {
        "type": "object",
        "additionalProperties": {"type": "string"},
        "default": {},
        "description": "Values that mending fills in, by key; else those of `bedplate:tags` of the stack's settings.",
    },
}


class Keyed(Protocol):
    """Tags or labels."""

    @property
    def values(self) -> Mapping[str, Value]: ...

    def value(self, key: str) -> Value | None: ...


def _mend_tags(properties: dict[str, Any], parameters: Mapping[str, Any]) -> dict[str, Any] | None:
    """The resource's own tags with those that are missing, as far as their values are known to anybody."""
    if not isinstance(properties.get("tags") or {}, dict):
        return None
    mended, values = copy.deepcopy(properties), known_values(parameters)
    everything = {**(mended.get("tagsAll") or {}), **(mended.get("tags") or {})}
    missing = {key: values[key] for key in parameters["required"] if not everything.get(key) and key in values}
    mended["tags"] = {**(mended.get("tags") or {}), **missing}
    if isinstance(mended.get("tagsAll"), dict):
        mended["tagsAll"] = {**mended["tagsAll"], **missing}
    return mended if missing else None


@BUDGET.rule(
    "cost-tags",
    number=78,
    title="What costs money carries the tags by which costs are told apart",
    severity="medium",
    fix="Set the tags as the provider's default_tags, or in the resource's own tags; on launch templates and node "
    "classes, for what they launch, too: default tags don't reach that.",
    frameworks=("FinOps:Allocation",),
    tags=("prowler:organizations_tags_policies_enabled_and_attached", "checkov:CKV_AWS_153"),
    parameters=REQUIRED,
    mend=_mend_tags,
)
def cost_tags(tags: Tags, parameters: Mapping[str, Any]) -> Iterator[Finding]:
    """Costs are grouped by tags; what has none is everybody's, which is nobody's.

    A resource's tags are its own and its provider's default tags together. Machines and volumes that a launch template,
    a Karpenter node class or a storage class makes get their tags from there alone.
    """
    for message in wrong(tags, parameters, "tag"):
        yield Finding(f"{tags.path}: {message}" + (f" on {tags.on}" if tags.on else ""))


def wrong(given: Keyed, parameters: Mapping[str, Any], what: str) -> Iterator[str]:
    """What required keys lack. Raises Unreadable."""
    for key in parameters["required"]:
        value = given.value(key)
        text = "" if value is None else value.text("")
        if not text.strip():
            yield f"no {what} {key!r}" + _nearly(given, key)
            continue
        pattern = parameters["patterns"].get(key)
        if pattern is not None and value is not None and not re.fullmatch(pattern, text):
            yield f"the {what} {key!r} is {value.shown()}, which doesn't match {pattern!r}"


def _nearly(given: Keyed, key: str) -> str:
    """Keys are told apart by case, and people don't see it."""
    near = [each for each in given.values if each != key and _bare(each) == _bare(key)]
    return f" ({near[0]!r} is another one)" if near else ""


def _bare(key: str) -> str:
    return re.sub(r"[^a-z0-9]", "", key.rpartition("/")[2].lower())


def known_values(parameters: Mapping[str, Any]) -> dict[str, str]:
    """What the settings say of the deployment, under what the parameters say."""
    project, stack = os.environ.get("PULUMI_PROJECT", ""), os.environ.get("PULUMI_STACK", "").rpartition("/")[2]
    tags = Limits(stack).section("tags")
    known = {
        "Project": project,
        "Environment": stack,
        "Team": str(tags.get("team", "")),
        "Owner": str(tags.get("owner", "")),
        "CostCenter": str(tags.get("cost_center", "")),
    }
    return {key: value for key, value in {**known, **parameters["values"]}.items() if value}
