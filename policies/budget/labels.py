"""Row 78: what costs money in the cluster says in its labels whose money it is."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from policies.budget.pack import BUDGET
from policies.budget.tags import REQUIRED, known_values, wrong
from policies.kit import Finding
from policies.subjects.labels import Labels

# Kinds whose own labels count, and where the templates of the others lie.
_LABELLED_THEMSELVES: Final = ("Namespace", "PersistentVolumeClaim", "Pod")
_TEMPLATES: Final = (("spec", "template"), ("spec", "jobTemplate", "spec", "template"))


def _mend_labels(properties: dict[str, Any], parameters: Mapping[str, Any]) -> dict[str, Any] | None:
    """The labels that are missing, where the built-in kinds have those that count."""
    mended, changed = copy.deepcopy(properties), False
    own = properties.get("kind") in _LABELLED_THEMSELVES
    for path in ((),) if own else _TEMPLATES:
        holder = _at(mended, path)
        if holder is not None:
            changed = _fill_in_labels(holder, parameters) or changed
    return mended if changed else None


def _at(properties: dict[str, Any], path: tuple[str, ...]) -> dict[str, Any] | None:
    here: Any = properties
    for key in path:
        here = here.get(key) if isinstance(here, dict) else None
    return here if isinstance(here, dict) else None


def _fill_in_labels(holder: dict[str, Any], parameters: Mapping[str, Any]) -> bool:
    metadata = holder.get("metadata") or {}
    if not isinstance(metadata, dict) or not isinstance(metadata.get("labels") or {}, dict):
        return False
    values, labels = known_values(parameters), metadata.get("labels") or {}
    missing = {key: _label(values[key]) for key in parameters["required"] if not labels.get(key) and key in values}
    if missing:
        holder["metadata"] = {**metadata, "labels": {**labels, **missing}}
    return bool(missing)


@BUDGET.rule(
    "cost-labels",
    number=78,
    title="What costs money in the cluster carries the labels by which costs are told apart",
    severity="medium",
    fix="Set the labels in metadata.labels, and in the template's metadata for the pods of a workload.",
    frameworks=("FinOps:Allocation",),
    tags=("kyverno:require-kubecost-labels", "gatekeeper:requiredlabels"),
    parameters={
        **REQUIRED,
        "required": {**REQUIRED["required"], "default": ["Environment", "Team", "CostCenter"]},
    },
    mend=_mend_labels,
    mend_risk="new labels in a template replace its pods",
)
def cost_labels(labels: Labels, parameters: Mapping[str, Any]) -> Iterator[Finding]:
    """OpenCost and its like split a cluster's cost by the labels of namespaces, pods and claims for volumes."""
    for message in wrong(labels, parameters, "label"):
        yield Finding(f"{labels.path}: {message}")


def _label(value: str) -> str:
    """A tag's value in the characters of a label's."""
    return re.sub(r"[^A-Za-z0-9_.-]", "_", value.replace("@", "_at_"))[:63].strip("_.-")
