"""Which instance types meet the requirements of a Karpenter NodePool. Keys: Karpenter's documentation, "Scheduling"."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from components.instance_types import InstanceType
from policies.pricing.reading import Inputs

_TYPE: Final = "node.kubernetes.io/instance-type"
_PREFIXES: Final = ("karpenter.k8s.aws/instance-", "eks.amazonaws.com/instance-")
# A pool that may launch anything is not priced as the tiniest machine there is: the same bounds as `bedplate simulate`.
_USUAL_VCPU: Final = 4
_USUAL_GIB: Final = 8


def machines_of(requirements: Sequence[Inputs], catalogue: Mapping[str, InstanceType]) -> list[InstanceType]:
    """The types of ``catalogue`` that meet all requirements that are about machines."""
    named, asked = list(_naming(requirements)), asked_in(requirements)
    able = [catalogue[name] for name in catalogue if not named or name in asked]
    meeting = [one for one in able if all(_met(requirement, one) for requirement in requirements)]
    usual = [one for one in meeting if one.vcpu >= _USUAL_VCPU and one.memory_gib >= _USUAL_GIB]
    return meeting if named else usual or meeting


def asked_in(requirements: Sequence[Inputs]) -> set[str]:
    """The types that requirements name."""
    return {value.text() for one in _naming(requirements) for value in one.at("values").items()}


def _naming(requirements: Sequence[Inputs]) -> Iterator[Inputs]:
    for one in requirements:
        if one.at("key").text() == _TYPE and one.at("operator").text() == "In":
            yield one


def _met(requirement: Inputs, machine: InstanceType) -> bool:
    key = requirement.at("key").text()
    facts = _facts(machine)
    for prefix in _PREFIXES:
        key = key.replace(prefix, "instance-")
    if key not in facts:
        return True  # about zones, the way of buying, or labels of one's own
    fact = facts[key]
    values = [value.text() for value in requirement.at("values").items()]
    match requirement.at("operator").text():
        case "In":
            return fact in values
        case "NotIn":
            return fact not in values
        case "Exists":
            return bool(fact)
        case "DoesNotExist":
            return not fact
        case "Gt" | "Gte" | "Lt" | "Lte" as operator:
            bounds = [value.number() for value in requirement.at("values").items()]
            return bool(fact and bounds) and _compared(operator, float(fact), bounds[0])
        case _:
            return True


def _compared(operator: str, left: float, right: float) -> bool:
    return {"Gt": left > right, "Gte": left >= right, "Lt": left < right, "Lte": left <= right}[operator]


def _facts(machine: InstanceType) -> Mapping[str, str]:
    """What Karpenter labels a machine with."""
    parts = re.match(r"([a-z]+?)(\d+)", machine.name)
    return {
        _TYPE: machine.name,
        "kubernetes.io/arch": machine.architecture,
        "instance-family": machine.family,
        "instance-category": parts[1] if parts else "",
        "instance-generation": parts[2] if parts else "",
        "instance-size": machine.name.partition(".")[2],
        "instance-cpu": str(machine.vcpu),
        "instance-memory": str(int(machine.memory_gib * 1024)),
        "instance-gpu-name": re.sub(r"[^a-z0-9]+", "-", machine.gpu_name.lower()),
        "instance-gpu-manufacturer": "nvidia" if machine.gpu_name else "",
        "instance-gpu-count": str(machine.gpu_count) if machine.gpu_count else "",
        "instance-local-nvme": str(machine.nvme_gb) if machine.nvme_gb else "",
    }
