"""Karpenter NodePools as pools: what they may launch, and how many of it.

Karpenter launches nodes for the pods that wait. A simulation needs numbers: ``desired`` and ``min`` are those of the
annotations ``bedplate.dev/desired-nodes`` and ``bedplate.dev/min-nodes`` (or ``spec.replicas`` of a static NodePool),
``max`` is what the limits allow.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any, Final

from engine import urn as urns
from engine.simulation.capacity import capacity, max_pods
from engine.simulation.declared import Declared, inputs
from engine.simulation.model import EFA, Assumption, Catalogue, Machine, Pool, PoolKind, Pools, Size, Taint
from engine.simulation.nodegroups import is_efa, zones_of
from engine.simulation.quantities import GIB, parse
from engine.state.model import ResourceState
from engine.values import Properties

DESIRED: Final = "bedplate.dev/desired-nodes"
MIN: Final = "bedplate.dev/min-nodes"
_NODE_POOLS: Final = ("kubernetes:karpenter.sh/v1:NodePool", "kubernetes:karpenter.sh/v1beta1:NodePool")
_CLASSES: Final = ("kubernetes:karpenter.k8s.aws/v1:EC2NodeClass", "kubernetes:karpenter.k8s.aws/v1beta1:EC2NodeClass")
_SUBNET: Final = "aws:ec2/subnet:Subnet"
_TYPE: Final = "node.kubernetes.io/instance-type"
_ZONE: Final = "topology.kubernetes.io/zone"
_CAPACITY: Final = "karpenter.sh/capacity-type"
_ELSEWHERE: Final = frozenset({_ZONE, _CAPACITY, "kubernetes.io/os", "topology.kubernetes.io/region"})
# A pool that may launch anything is not simulated as the tiniest machine there is.
_USUAL_VCPU: Final = 4
_USUAL_GIB: Final = 8
_DISK_GIB: Final = 20  # Source: Karpenter, EC2NodeClass, default of blockDeviceMappings
_GB_IN_GIB: Final = 10**9 / GIB

Requirement = Mapping[str, Any]


def karpenter_pools(declared: Declared, catalogue: Catalogue) -> Pools:
    """The NodePools in ``declared``."""
    found: list[Pool] = []
    assumptions: list[Assumption] = []
    notes: list[str] = []
    for state in declared.of_type(*_NODE_POOLS):
        given = inputs(state)
        name = (given.get("metadata") or {}).get("name") or urns.name_of(state.urn)
        spec = given.get("spec") or {}
        requirements = _template(spec, "spec").get("requirements") or []
        machines = _machines(requirements, catalogue)
        if not machines:
            notes.append(f"pool {name} is left out: no instance type of the table meets its requirements")
            continue
        pool = _pool(name, state, given, requirements, machines, declared)
        found.append(pool)
        assumptions += _assumptions(pool, given, len(machines))
    return Pools(found, assumptions, notes)


def _pool(
    name: str,
    state: ResourceState,
    given: Properties,
    requirements: Sequence[Requirement],
    machines: Sequence[Machine],
    declared: Declared,
) -> Pool:
    spec = given.get("spec") or {}
    template = _template(spec, "spec")
    found = _node_class(declared, template)
    node_class = (inputs(found).get("spec") or {}) if found else {}
    machine = machines[0]
    capacity_type = _capacity_type(requirements)
    own = {
        "karpenter.sh/nodepool": name,
        _CAPACITY: capacity_type,
        "karpenter.sh/registered": "true",
        "karpenter.sh/initialized": "true",
    }
    labels = _template(spec, "metadata").get("labels") or {}
    pool = Pool(
        name, PoolKind.KARPENTER, machine, [one.name for one in machines], {},
        _labels(requirements) | {key: value for key, value in labels.items() if value is not None}
        | of_machine(machine) | own,
        [Taint(one["key"], one.get("value") or "", one["effect"]) for one in template.get("taints") or ()],
        capacity_type, _zones(declared, requirements, found), _disk(node_class, machine),
        _efa(node_class, machine), _pods(node_class, machine), state.urn,
    )  # fmt: skip
    return _sized(pool, given)


def _template(spec: Properties, part: str) -> Properties:
    return (spec.get("template") or {}).get(part) or {}


# What it may launch


def _machines(requirements: Sequence[Requirement], catalogue: Catalogue) -> list[Machine]:
    """The machines that meet ``requirements``, the cheapest first, as Karpenter would have it."""
    meeting = [one for one in catalogue.values() if all(_met(requirement, one) for requirement in requirements)]
    named = any(one.get("key") == _TYPE and one.get("operator") == "In" for one in requirements)
    usual = [one for one in meeting if one.vcpu >= _USUAL_VCPU and one.memory_gib >= _USUAL_GIB]
    return sorted(meeting if named else usual or meeting, key=_price)


def _price(machine: Machine) -> tuple[bool, float, str]:
    return machine.usd_per_hour is None, machine.usd_per_hour or 0.0, machine.name


def _met(requirement: Requirement, machine: Machine) -> bool:
    """Whether ``machine`` meets ``requirement``; one that is about anything but machines is met by each."""
    key = str(requirement.get("key")).replace("eks.amazonaws.com/instance-", "karpenter.k8s.aws/instance-")
    if key in _ELSEWHERE:
        return True
    facts = {_TYPE: machine.name, "kubernetes.io/arch": machine.architecture} | of_machine(machine)
    if key not in facts and not key.startswith("karpenter.k8s.aws/"):
        return True
    compare = _OPERATORS.get(str(requirement.get("operator")))
    return compare is None or compare(facts.get(key), [str(one) for one in requirement.get("values") or ()])


def _number(compare: Callable[[float, float], bool]) -> Callable[[str | None, Sequence[str]], bool]:
    return lambda value, values: value is not None and compare(float(value), float(values[0]))


_OPERATORS: Final[Mapping[str, Callable[[str | None, Sequence[str]], bool]]] = {
    "In": lambda value, values: value in values,
    "NotIn": lambda value, values: value not in values,
    "Exists": lambda value, _values: value is not None,
    "DoesNotExist": lambda value, _values: value is None,
    "Gt": _number(operator.gt),
    "Lt": _number(operator.lt),
    "Gte": _number(operator.ge),
    "Lte": _number(operator.le),
}


def of_machine(machine: Machine) -> dict[str, str]:
    """What Karpenter's labels say of a machine. Source: its documentation, "Well-Known Labels", 1.14."""
    family, _, size = machine.name.partition(".")
    category = family[: next((index for index, one in enumerate(family) if one.isdigit()), len(family))]
    found = {
        "instance-family": family,
        "instance-size": size,
        "instance-category": category,
        "instance-generation": "".join(one for one in family.removeprefix(category)[:1]),
        "instance-cpu": str(machine.vcpu),
        "instance-memory": str(int(machine.memory_gib * 1024)),
        "instance-local-nvme": str(machine.nvme_gb or ""),
    }
    if machine.gpu_name:
        found |= {
            "instance-gpu-name": machine.gpu_name.lower().replace(" ", "-"),
            "instance-gpu-manufacturer": "nvidia",
            "instance-gpu-count": str(machine.gpu_count),
        }
    return {f"karpenter.k8s.aws/{name}": value for name, value in found.items() if value}


def _labels(requirements: Sequence[Requirement]) -> dict[str, str]:
    """A requirement with one value is a label of the nodes."""
    single = [one for one in requirements if one.get("operator") == "In" and len(one.get("values") or ()) == 1]
    return {str(one["key"]): str(one["values"][0]) for one in single if one["key"] not in _ELSEWHERE}


def _capacity_type(requirements: Sequence[Requirement]) -> str:
    """Karpenter takes what is reserved before spot, spot before on-demand, of those that are allowed."""
    allowed = next((one.get("values") or () for one in requirements if one.get("key") == _CAPACITY), ("on-demand",))
    return next((one for one in ("reserved", "spot", "on-demand") if one in allowed), "on-demand")


# How many


def _sized(pool: Pool, given: Properties) -> Pool:
    annotations = (given.get("metadata") or {}).get("annotations") or {}
    spec = given.get("spec") or {}
    most = _most(pool, spec.get("limits") or {})
    fixed = spec.get("replicas")
    desired = int(annotations.get(DESIRED) or fixed or 0)
    least = int(annotations.get(MIN) or fixed or 0)
    sizes = {Size.MIN: least, Size.DESIRED: desired, Size.MAX: most if most is not None else fixed}
    return replace(pool, sizes=sizes)


def _most(pool: Pool, limits: Mapping[str, Any]) -> int | None:
    """How many nodes stay within ``limits``; None where there are none."""
    has = capacity(pool) | {"nodes": Fraction(1)}
    counts = [int(parse(limit) / has[name]) for name, limit in limits.items() if has.get(name) and limit is not None]
    return min(counts) if counts else None


def _assumptions(pool: Pool, given: Properties, machines: int) -> list[Assumption]:
    place = f"pool {pool.name}"
    found: list[Assumption] = []
    if machines > 1:
        text = f"its nodes are {pool.machine.name}, the cheapest of {machines} instance types that it may launch"
        found.append(Assumption(place, text))
    annotations = (given.get("metadata") or {}).get("annotations") or {}
    if DESIRED not in annotations and (given.get("spec") or {}).get("replicas") is None:
        found.append(Assumption(place, "Karpenter launches its nodes when pods wait: 0 at its desired size"))
    if pool.sizes.get(Size.MAX) is None:
        found.append(Assumption(place, "it has no limits, so that nobody knows its largest size; taken as 0"))
    return found


# Where, and on what


def _node_class(declared: Declared, template: Properties) -> ResourceState | None:
    wanted = (template.get("nodeClassRef") or {}).get("name")
    classes = declared.of_type(*_CLASSES)
    return next((one for one in classes if (inputs(one).get("metadata") or {}).get("name") == wanted), None)


def _zones(declared: Declared, requirements: Sequence[Requirement], node_class: ResourceState | None) -> list[str]:
    """The zones of the subnets that the node class selects, those that the pool requires of them.

    Where ids are not known yet, the subnets that it depends on are meant; where there is no class, all there are.
    """
    spec = (inputs(node_class).get("spec") or {}) if node_class else {}
    terms: Sequence[Properties] = spec.get("subnetSelectorTerms") or ()
    subnets = list(declared.of_type(_SUBNET))
    selected = [one for one in subnets if any(_selects(term, one) for term in terms if term)]
    depended = declared.referred(node_class, "spec", _SUBNET) if node_class else []
    there = zones_of(selected or depended or subnets)
    wanted = next((one.get("values") or () for one in requirements if one.get("key") == _ZONE), None)
    return there if wanted is None else [str(zone) for zone in wanted if not there or zone in there]


def _selects(term: Properties, subnet: ResourceState) -> bool:
    tags = inputs(subnet).get("tags") or {}
    if term.get("id"):
        return term["id"] == subnet.id
    wanted = (term.get("tags") or {}).items()
    return bool(wanted) and all(key in tags and value in ("*", tags[key]) for key, value in wanted)


def _efa(node_class: Properties, machine: Machine) -> dict[str, int]:
    """The interfaces that the class lists, or else all that the machine can have: Karpenter attaches them for pods."""
    listed: Sequence[Properties] | None = node_class.get("networkInterfaces")
    count = machine.efa_interfaces if listed is None else sum(is_efa(one) for one in listed)
    return {EFA: count} if count else {}


def _disk(node_class: Properties, machine: Machine) -> float:
    if node_class.get("instanceStorePolicy") == "RAID0" and machine.nvme_gb:
        return machine.nvme_gb * _GB_IN_GIB
    volumes: Sequence[Properties] = node_class.get("blockDeviceMappings") or ()
    root = next((one for one in volumes if one.get("rootVolume")), volumes[-1] if volumes else {})
    size = (root.get("ebs") or {}).get("volumeSize")
    return float(parse(size) / GIB) if size else _DISK_GIB


def _pods(node_class: Properties, machine: Machine) -> int:
    given = (node_class.get("kubelet") or {}).get("maxPods")
    return int(given) if given else max_pods(machine, PoolKind.KARPENTER)
