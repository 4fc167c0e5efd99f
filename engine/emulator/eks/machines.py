"""What a node of an instance type has: from moto's table of instance types, counted as the simulation counts it."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from moto.ec2.models.instance_types import INSTANCE_TYPES

from engine.simulation import capacity
from engine.simulation.model import EFA, Pool, PoolKind

Facts = dict[str, Any]
_GB_IN_GIB = 10**9 / 2**30
_ROOT = "/dev/xvda"
_DATA_OF_BOTTLEROCKET = "/dev/xvdb"
_EFA_INTERFACES = ("efa", "efa-only")


@dataclass(frozen=True)
class Ec2Machine:
    """An instance type as EC2 describes it, in the form of ``engine.simulation.model.Machine``."""

    name: str
    architecture: str
    vcpu: int
    memory_gib: float
    gpu_name: str
    gpu_count: int
    gpu_memory_gib: float | None
    accelerator_name: str
    accelerator_count: int
    efa_interfaces: int
    nvme_gb: int
    max_pods: int
    usd_per_hour: float | None = None


def machine(name: str) -> Ec2Machine:
    """The instance type of this name; EKS has looked whether there is one."""
    facts: Facts = INSTANCE_TYPES[name]
    network, gpus = facts["NetworkInfo"], facts.get("GpuInfo", {}).get("Gpus") or []
    neuron = facts.get("NeuronInfo", {}).get("NeuronDevices") or []
    arm = "arm64" in facts["ProcessorInfo"]["SupportedArchitectures"]
    nvidia = [gpu for gpu in gpus if gpu.get("Manufacturer") == "NVIDIA"]
    addresses = network["MaximumNetworkInterfaces"] * (network["Ipv4AddressesPerInterface"] - 1)
    return Ec2Machine(
        name=name,
        architecture="arm64" if arm else "amd64",
        vcpu=facts["VCpuInfo"]["DefaultVCpus"],
        memory_gib=facts["MemoryInfo"]["SizeInMiB"] / 1024,
        gpu_name=nvidia[0]["Name"] if nvidia else "",
        gpu_count=sum(gpu["Count"] for gpu in nvidia),
        gpu_memory_gib=nvidia[0]["MemoryInfo"]["SizeInMiB"] / 1024 if nvidia else None,
        accelerator_name=neuron[0]["Name"].lower() if neuron else "",
        accelerator_count=sum(device["Count"] for device in neuron),
        efa_interfaces=(network.get("EfaInfo") or {}).get("MaximumEfaInterfaces", 0),
        nvme_gb=facts.get("InstanceStorageInfo", {}).get("TotalSizeInGB", 0),
        max_pods=addresses + 2,  # the two that use the node's own address
    )


def machine_of(group: Facts, template: Facts) -> Ec2Machine:
    """What a group's nodes are simulated as: the first of its types, or that of its launch template."""
    types: list[str] = group["instanceTypes"] or [template["InstanceType"]]
    return machine(types[0])


def resources(group: Facts, template: Facts) -> tuple[Facts, Facts]:
    """Capacity and allocatable of a node of the group, as a Node object tells them."""
    of = machine_of(group, template)
    interfaces: list[Facts] = template.get("NetworkInterfaces") or []
    efa = sum(1 for each in interfaces if each.get("InterfaceType") in _EFA_INTERFACES)
    pool = Pool(
        name=group["nodegroupName"],
        kind=PoolKind.MANAGED,
        machine=of,
        instance_types=[of.name],
        sizes={},
        disk_gib=_disk_gib(group, template, of),
        resources={EFA: efa} if efa else {},
        pods=capacity.max_pods(of, PoolKind.MANAGED),
    )
    return _written(capacity.capacity(pool)), _written(capacity.allocatable(pool))


def _disk_gib(group: Facts, template: Facts, of: Ec2Machine) -> float:
    """The local disks where they are joined for it, else the volume that images and logs lie on."""
    if of.nvme_gb and "raid0" in _user_data(template).lower():
        return of.nvme_gb * _GB_IN_GIB
    device = _DATA_OF_BOTTLEROCKET if group["amiType"].startswith("BOTTLEROCKET") else _ROOT
    for each in template.get("BlockDeviceMappings") or []:
        if each.get("DeviceName") == device and (each.get("Ebs") or {}).get("VolumeSize"):
            return float(each["Ebs"]["VolumeSize"])
    return float(group.get("diskSize") or 20)


def _user_data(template: Facts) -> str:
    try:
        return base64.b64decode(template.get("UserData") or "", validate=True).decode(errors="replace")
    except (binascii.Error, ValueError):
        return ""


def _written(amounts: dict[str, Fraction]) -> Facts:
    """Bytes as Ki and cores as millicores, as a kubelet reports them; pieces as whole numbers."""
    said: Facts = {}
    for name, amount in amounts.items():
        if name in ("memory", "ephemeral-storage"):
            said[name] = f"{int(amount) // 1024}Ki"
        elif name == "cpu" and amount.denominator != 1:
            said[name] = f"{int(amount * 1000)}m"
        else:
            said[name] = str(int(amount))
    return said
