"""Which instance types a description by requirements lets in: Karpenter's, and those of EC2 and its scaling groups.

A requirement that can't be decided from the table of instance types lets all types in: what may be bought has to be
narrowed by requirements that can.
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Callable, Iterator, Mapping
from operator import ge, gt, le, lt
from typing import Final

from components.instance_types import InstanceType, instance_types
from policies.kit import Value

_ANY_OF: Final = ("In", "NotIn")
_COMPARED: Final = {"Gt": gt, "Gte": ge, "Lt": lt, "Lte": le}
_LABELS: Final[Mapping[str, Callable[[InstanceType], str]]] = {
    # Source: Karpenter documentation 1.14, "Scheduling", well-known labels.
    "node.kubernetes.io/instance-type": lambda kind: kind.name,
    "kubernetes.io/arch": lambda kind: kind.architecture,
    "karpenter.k8s.aws/instance-family": lambda kind: kind.family,
    "karpenter.k8s.aws/instance-category": lambda kind: _letters(kind.family),
    "karpenter.k8s.aws/instance-generation": lambda kind: _digits(kind.family),
    "karpenter.k8s.aws/instance-size": lambda kind: kind.name.partition(".")[2],
    "karpenter.k8s.aws/instance-cpu": lambda kind: str(kind.vcpu),
    "karpenter.k8s.aws/instance-memory": lambda kind: str(int(kind.memory_gib * 1024)),
    "karpenter.k8s.aws/instance-gpu-name": lambda kind: label(kind.gpu_name),
    "karpenter.k8s.aws/instance-gpu-manufacturer": lambda kind: "nvidia" if kind.gpu_name else "",
    "karpenter.k8s.aws/instance-gpu-count": lambda kind: str(kind.gpu_count) if kind.gpu_name else "",
    "karpenter.k8s.aws/instance-accelerator-name": lambda kind: label(kind.accelerator_name),
    "karpenter.k8s.aws/instance-accelerator-count": lambda kind: str(kind.accelerator_count or ""),
}


def of_karpenter(requirements: Value) -> Iterator[InstanceType]:
    """The types that satisfy the ``requirements`` of a NodePool. Raises UnknownValue or WrongType."""
    tests = [_test(requirement) for requirement in requirements.items()]
    return (kind for kind in instance_types().values() if all(test(kind) for test in tests))


def of_ec2(requirements: Value) -> Iterator[InstanceType]:
    """The types that satisfy EC2's ``instanceRequirements``. Raises UnknownValue or WrongType."""
    allowed = [value.text("") for value in requirements.get("allowedInstanceTypes").items()]
    excluded = [value.text("") for value in requirements.get("excludedInstanceTypes").items()]
    names = {label(value.text("")) for value in requirements.get("acceleratorNames").items()}
    most = requirements.get("acceleratorCount", "max").number()
    least = requirements.get("acceleratorCount", "min").number(0)
    for kind in instance_types().values():
        count = kind.gpu_count or kind.accelerator_count or int(kind.has_fraction_of_gpu)
        fits = least <= count and (most is None or count <= most)
        named = not names or label(kind.gpu_name or kind.accelerator_name) in names
        if fits and named and (not allowed or _like(kind, allowed)) and not _like(kind, excluded):
            yield kind


def label(name: str) -> str:
    """A device as labels and requirements write it: ``l40s``, ``rtx-pro-4500``."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower())


def _test(requirement: Value) -> Callable[[InstanceType], bool]:
    # EKS Auto Mode has Karpenter's labels under a name of its own.
    key = requirement.get("key").text("").replace("eks.amazonaws.com/instance-", "karpenter.k8s.aws/instance-")
    operator = requirement.get("operator").text("")
    values = [_text(value) for value in requirement.get("values").items()]
    read = _LABELS.get(key)
    if read is None:
        return _lets_in
    if operator in _ANY_OF:
        return lambda kind: (read(kind) in values) == (operator == "In")
    if operator in ("Exists", "DoesNotExist"):
        return lambda kind: bool(read(kind)) == (operator == "Exists")
    bound = float(values[0]) if len(values) == 1 and values[0].lstrip("-").isdigit() else None
    if bound is None or operator not in _COMPARED:
        return _lets_in
    compared = _COMPARED[operator]
    return lambda kind: read(kind).isdigit() and compared(float(read(kind)), bound)


def _lets_in(_: InstanceType) -> bool:
    return True


def _text(value: Value) -> str:
    """Karpenter takes texts; people write numbers, too."""
    return f"{value.number(0):g}" if value.kind == "a number" else value.text("")


def _like(kind: InstanceType, patterns: list[str]) -> bool:
    return any(fnmatch.fnmatchcase(kind.name, pattern) for pattern in patterns)


def _letters(family: str) -> str:
    return re.split(r"\d", family, maxsplit=1)[0]


def _digits(family: str) -> str:
    found = re.search(r"\d+", family)
    return found.group() if found else ""
