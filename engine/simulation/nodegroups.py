"""EKS managed node groups as pools: from the group, its launch template and its subnets."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from typing import Any, Final

from engine import urn as urns
from engine.simulation.capacity import max_pods
from engine.simulation.declared import Declared, inputs
from engine.simulation.model import EFA, Assumption, Catalogue, Machine, Pool, PoolKind, Pools, Size, Taint
from engine.state.model import ResourceState
from engine.values import Properties

_GROUP: Final = "aws:eks/nodeGroup:NodeGroup"
_TEMPLATE: Final = "aws:ec2/launchTemplate:LaunchTemplate"
_SUBNET: Final = "aws:ec2/subnet:Subnet"
_NAME_LABEL: Final = "bedplate.dev/pool"  # our own program's name of a pool, better to read than a group's
_DISK_GIB: Final = 20  # of a group that says nothing. Source: EKS API reference, CreateNodegroup, diskSize
_TYPE: Final = "t3.medium"  # likewise, instanceTypes
# What nodeadm (Amazon Linux) and Bottlerocket are told so that the local disks become one for pods.
_JOINS_DISKS: Final = ("RAID0", '"ephemeral-storage", "init"')
_GB_IN_GIB: Final = 10**9 / 2**30
_EFFECTS: Final = {
    "NO_SCHEDULE": "NoSchedule",
    "PREFER_NO_SCHEDULE": "PreferNoSchedule",
    "NO_EXECUTE": "NoExecute",
}


def managed_pools(declared: Declared, catalogue: Catalogue) -> Pools:
    """The managed node groups in ``declared``; one whose machine nobody knows is left out, with a note."""
    found: list[Pool] = []
    assumptions: list[Assumption] = []
    notes: list[str] = []
    for state in declared.of_type(_GROUP):
        group = inputs(state)
        template = _template(declared, state, group)
        types = [str(one) for one in group.get("instanceTypes") or [template.get("instanceType") or _TYPE]]
        machine = next((catalogue[name] for name in types if name in catalogue), None)
        name = (group.get("labels") or {}).get(_NAME_LABEL) or group.get("nodeGroupName") or urns.name_of(state.urn)
        if machine is None:
            notes.append(f"pool {name} is left out: the table of instance types does not know {', '.join(types)}")
            continue
        if len(types) > 1:
            text = f"its nodes are {machine.name}, the first of {len(types)} instance types"
            assumptions.append(Assumption(f"pool {name}", text))
        assumptions += _unknown(name, group)
        found.append(_pool(name, state, group, template, machine, types, _zones(declared, state)))
    return Pools(found, assumptions, notes)


def _pool(
    name: str,
    state: ResourceState,
    group: Properties,
    template: Properties,
    machine: Machine,
    types: Sequence[str],
    zones: Sequence[str],
) -> Pool:
    capacity_type = group.get("capacityType") or "ON_DEMAND"
    own = {
        "eks.amazonaws.com/nodegroup": group.get("nodeGroupName") or name,
        "eks.amazonaws.com/capacityType": capacity_type,
    }
    labels = {key: value for key, value in (group.get("labels") or {}).items() if value is not None}
    efa = [one for one in template.get("networkInterfaces") or () if is_efa(one)]
    return Pool(
        name, PoolKind.MANAGED, machine, types, _sizes(group.get("scalingConfig") or {}), labels | own,
        [taint for taint in map(_taint, group.get("taints") or ()) if taint],
        capacity_type.lower().replace("_", "-"), zones, _disk(group, template, machine),
        {EFA: len(efa)} if efa else {}, max_pods(machine, PoolKind.MANAGED), state.urn,
    )  # fmt: skip


def _template(declared: Declared, state: ResourceState, group: Properties) -> Properties:
    """The inputs of the group's launch template; by its id where that is known, else by what the group depends on."""
    wanted = (group.get("launchTemplate") or {}).get("id")
    by_id = [one for one in declared.of_type(_TEMPLATE) if wanted and one.id == wanted]
    found = by_id or declared.referred(state, "launchTemplate", _TEMPLATE)
    return inputs(found[0]) if found else {}


def _sizes(scaling: Mapping[str, Any]) -> dict[Size, int | None]:
    names = {Size.MIN: "minSize", Size.DESIRED: "desiredSize", Size.MAX: "maxSize"}
    return {size: None if scaling.get(key) is None else int(scaling[key]) for size, key in names.items()}


def _taint(given: Mapping[str, Any]) -> Taint | None:
    if given.get("key") is None:
        return None
    effect = given.get("effect") or ""
    return Taint(given["key"], given.get("value") or "", _EFFECTS.get(effect, effect))


def _zones(declared: Declared, state: ResourceState) -> list[str]:
    ids: Sequence[str | None] = inputs(state).get("subnetIds") or ()
    by_id = [one for one in declared.of_type(_SUBNET) if one.id and one.id in ids]
    return zones_of(by_id or declared.referred(state, "subnetIds", _SUBNET))


def zones_of(subnets: Sequence[ResourceState]) -> list[str]:
    """The availability zones that subnets lie in, each once, sorted."""
    found = [inputs(one).get("availabilityZone") or one.outputs.get("availabilityZone") for one in subnets]
    return sorted({zone for zone in found if isinstance(zone, str)})


def is_efa(interface: Mapping[str, Any] | None) -> bool:
    """Whether a network interface of a launch template or a node class is one for EFA."""
    return (interface or {}).get("interfaceType") in ("efa", "efa-only")


def _disk(group: Properties, template: Properties, machine: Machine) -> float:
    """GiB for images, logs and emptyDir: the local disks where they are joined for that, else the data volume."""
    if machine.nvme_gb and any(mark in _user_data(template) for mark in _JOINS_DISKS):
        return machine.nvme_gb * _GB_IN_GIB
    device = "/dev/xvdb" if str(group.get("amiType")).startswith("BOTTLEROCKET") else "/dev/xvda"
    volumes = {one.get("deviceName"): (one.get("ebs") or {}) for one in template.get("blockDeviceMappings") or ()}
    size = volumes.get(device, {}).get("volumeSize") or group.get("diskSize")
    return float(size or _DISK_GIB)


def _user_data(template: Properties) -> str:
    try:
        return base64.b64decode(template.get("userData") or "", validate=True).decode(errors="replace")
    except (binascii.Error, ValueError):
        return ""


def _unknown(name: str, group: Properties) -> list[Assumption]:
    """What of the group would matter and is not known before it exists."""
    found = [
        Assumption(f"pool {name}", f"label {key} is not known yet and left out")
        for key, value in (group.get("labels") or {}).items() if value is None
    ]  # fmt: skip
    if "instanceTypes" in group and not group["instanceTypes"]:
        found.append(Assumption(f"pool {name}", f"its instance types are not known yet; taken as {_TYPE}"))
    for size, nodes in _sizes(group.get("scalingConfig") or {}).items():
        if nodes is None:
            found.append(Assumption(f"pool {name}", f"its {size} size is not known yet; taken as 0"))
    return found
