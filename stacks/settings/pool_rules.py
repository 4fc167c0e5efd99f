"""What the settings of one node pool must agree on, each rule with what to do about it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from components.instance_types import InstanceType, UnknownInstanceType, instance_type, instance_types
from stacks.settings.base import Contradiction

if TYPE_CHECKING:
    from stacks.settings.pools import NodePoolSettings

# Source: Amazon EC2 User Guide, "Capacity Blocks for ML", supported instance types, 2026-11.
_IN_BLOCKS = ("p4", "p5", "p6", "trn1.", "trn2.")
_ONE_TYPE_PER_RESERVATION = "name one instance type: a reservation is of one"


def about_types(pool: NodePoolSettings) -> Iterable[Contradiction]:
    """The instance types exist, fit each other and the workload."""
    known: list[tuple[int, InstanceType]] = []
    for index, name in enumerate(pool.instance_types):
        try:
            known.append((index, instance_type(name)))
        except UnknownInstanceType as error:
            guess = f"did you mean '{error.near[0]}'?" if error.near else "see components/data/ec2_us_east_1.csv"
            yield Contradiction(f"instance_types[{index}]", f"unknown instance type '{name}'", guess)
    for index, kind in known:
        if kind.has_fraction_of_gpu:
            why = f"'{kind.name}' has a fraction of a GPU, and no pod can ask for that"
            yield Contradiction(f"instance_types[{index}]", why, "use a type with whole GPUs, and share those")
        if pool.workload == "cpu" and kind.gpu_name:
            why = f"'{kind.name}' has GPUs, but the pool's workload is 'cpu'"
            yield Contradiction(f"instance_types[{index}]", why, "use workload 'inference' or 'training'")
    for index, kind in known[1:]:
        yield from _unlike(index, kind, known[0][1])


def _unlike(index: int, kind: InstanceType, first: InstanceType) -> Iterable[Contradiction]:
    place, advice = f"instance_types[{index}]", "make a pool of its own for it"
    if kind.architecture != first.architecture:
        why = f"'{kind.name}' is {kind.architecture}, but '{first.name}' is {first.architecture}"
        yield Contradiction(place, why, advice)
    for what, has, wanted in (
        ("GPU", kind.gpu_count, first.gpu_count),
        ("accelerator", kind.accelerator_count, first.accelerator_count),
    ):
        if has != wanted:
            why = f"'{kind.name}' has {has} {what}{'s' * (has != 1)}, but '{first.name}' has {wanted}"
            yield Contradiction(place, why, advice)


def about_size(pool: NodePoolSettings) -> Iterable[Contradiction]:
    """The sizes are in order, and a schedule may reach zero."""
    if pool.min_size > pool.max_size:
        why = f"is {pool.min_size}, but max_size is {pool.max_size}"
        yield Contradiction("min_size", why, f"use {pool.max_size} or less, or raise max_size")
    elif not pool.min_size <= pool.desired <= pool.max_size:
        why = f"is {pool.desired}, but min_size is {pool.min_size} and max_size {pool.max_size}"
        yield Contradiction("desired_size", why, "use a size between the two")
    if pool.schedule is not None and pool.min_size > 0:
        why = f"scales to zero, but min_size is {pool.min_size}"
        yield Contradiction("schedule", why, "set min_size to 0; desired_size says how many nodes there are by day")
    elif pool.schedule is not None and not pool.desired and pool.provisioner == "managed":
        yield Contradiction("schedule", "starts nothing: desired_size is 0", "set desired_size, or leave it out")


def about_network(pool: NodePoolSettings) -> Iterable[Contradiction]:
    """What the instances' network and disks must have for what is asked of them."""
    kinds = pool.kinds
    if pool.efa:
        without = [kind for kind in kinds if not kind.efa_interfaces]
        for kind in without[:1]:
            yield Contradiction("efa", f"'{kind.name}' has no EFA interfaces", _with_efa(kind))
        counts = sorted({kind.efa_interfaces for kind in kinds})
        if not without and len(counts) > 1:
            why = f"the types differ in EFA interfaces: {' and '.join(map(str, counts))}"
            yield Contradiction("efa", why, "use types that have equally many: all nodes are launched alike")
        if pool.placement_group and len(pool.zones) != 1:
            why = f"names {len(pool.zones) or 'no'} zones, but nodes in a placement group are all in one"
            yield Contradiction("zones", why, "name one, such as [1], or set placement_group to false")
    if pool.local_storage == "raid0":
        for index, kind in enumerate(kinds):
            if not kind.nvme_gb:
                why = f"'{kind.name}' has no NVMe disks for local_storage 'raid0'"
                yield Contradiction(f"instance_types[{index}]", why, "use another type, or local_storage 'none'")
    if pool.ami == "bottlerocket" and pool.ami_release is None:
        advice = "give the one to use: aws ssm get-parameter --name /aws/service/bottlerocket/.../image_version"
        yield Contradiction("ami_release", "is missing: Bottlerocket's releases follow no Kubernetes version", advice)
    if pool.ami == "bottlerocket" and any(kind.accelerator_count for kind in kinds):
        yield Contradiction("ami", "'bottlerocket' has no drivers for Neuron devices", "use 'al2023'")


def _with_efa(kind: InstanceType) -> str:
    having = [each for each in instance_types().values() if each.family == kind.family and each.efa_interfaces]
    smallest = min(having, key=lambda each: (each.vcpu, each.name), default=None)
    alternative = f"use a larger type, from '{smallest.name}' on, or " if smallest else "use another family, or "
    return alternative + "leave efa out"


def about_capacity(pool: NodePoolSettings) -> Iterable[Contradiction]:
    """How instances are bought is said completely, and nothing is said in vain."""
    given = [
        name
        for name, value in (
            ("capacity_reservation_ids", pool.capacity_reservation_ids),
            ("reserve", pool.reserve),
            ("capacity_block", pool.capacity_block),
        )
        if value
    ]
    if pool.capacity == "reserved" and not given:
        why = "'reserved' needs capacity_reservation_ids or a capacity block"
        yield Contradiction(
            "capacity", why, "give one, or let `reserve` make a reservation; or use 'on-demand' or 'spot'"
        )
    if pool.capacity != "reserved":
        for name in given:
            yield Contradiction(name, f"is of no use to capacity '{pool.capacity}'", "use capacity 'reserved'")
    if len(given) > 1:
        why = f"is given beside {' and '.join(given[:-1])}"
        yield Contradiction(given[-1], why, "keep one of them")
    if "spot" in (pool.capacity, *pool.fallback) and len(set(pool.instance_types)) < 2:
        why = "names 1 type, and when that is out on the spot market, the pool gets no nodes"
        yield Contradiction("instance_types", why, "name at least two, or use capacity 'on-demand'")
    if pool.capacity_block is not None:
        for index, name in enumerate(pool.instance_types):
            if not name.startswith(_IN_BLOCKS):
                why = f"AWS sells no Capacity Blocks of '{name}'"
                advice = "name the block's own type, which is a P4, P5, P6, Trn1 or Trn2; or use another capacity"
                yield Contradiction(f"instance_types[{index}]", why, advice)
    if pool.capacity == "reserved" and pool.reserve is not None:
        yield from _about_reserve(pool, pool.reserve)
    if pool.provisioner == "managed":
        yield from _about_managed_capacity(pool, reserved=bool(given))


def _about_reserve(pool: NodePoolSettings, count: int) -> Iterable[Contradiction]:
    if count > pool.max_size:
        why = f"is {count}, but max_size is {pool.max_size}: the others would be billed and used by nobody"
        yield Contradiction("reserve", why, f"use {pool.max_size} or less, or raise max_size")
    elif pool.provisioner == "managed" and pool.desired > count:
        why = f"is {count}, but desired_size is {pool.desired}, and the node group buys nothing beside its reservation"
        yield Contradiction("reserve", why, f"use {pool.desired}, or lower desired_size")


def _about_managed_capacity(pool: NodePoolSettings, *, reserved: bool) -> Iterable[Contradiction]:
    if pool.fallback:
        why = "is of no use to a managed node group, which buys in one way"
        yield Contradiction("fallback", why, "use provisioner 'karpenter', or a second pool")
    if pool.capacity != "reserved" or not reserved:
        return
    if len(pool.instance_types) > 1:
        why = f"names {len(pool.instance_types)} types for one reservation"
        yield Contradiction("instance_types", why, _ONE_TYPE_PER_RESERVATION)
    if len(pool.zones) != 1:
        why = f"names {len(pool.zones) or 'no'} zones, but a reservation lies in one"
        yield Contradiction("zones", why, "name the reservation's zone by its number, such as [1]")
    if len(pool.capacity_reservation_ids) > 1:
        why = f"names {len(pool.capacity_reservation_ids)} reservations, and a managed node group takes one"
        yield Contradiction("capacity_reservation_ids", why, "use a pool for each, or provisioner 'karpenter'")


def about_karpenter(pool: NodePoolSettings) -> Iterable[Contradiction]:
    """What Karpenter decides by itself is not said."""
    if pool.min_size:
        why = f"is {pool.min_size}, but Karpenter makes nodes as pods need them"
        yield Contradiction("min_size", why, "leave it out, or use provisioner 'managed'")
    if pool.schedule is not None:
        yield Contradiction("schedule", "is of no use: Karpenter scales to zero by itself", "leave it out")
    if pool.capacity_block is not None:
        why = "is for managed node groups"
        yield Contradiction("capacity_block", why, "give the block's reservation as capacity_reservation_ids")
    if pool.reserve is not None and len(pool.zones) != 1:
        why = f"names {len(pool.zones) or 'no'} zones, but a reservation lies in one"
        yield Contradiction("zones", why, "name one, such as [1]")
    if pool.reserve is not None and len(pool.instance_types) > 1:
        why = f"names {len(pool.instance_types)} types, and `reserve` makes a reservation of one"
        yield Contradiction("instance_types", why, "name one, or make the reservations and give their ids")
    order = ("reserved", "spot", "on-demand")
    ways = (pool.capacity, *pool.fallback)
    once = len(set(pool.fallback)) == len(pool.fallback)  # or else it is said of the list itself
    if once and list(ways) != sorted(set(ways), key=order.index):
        why = f"{' -> '.join(ways)} is not an order that Karpenter buys in"
        yield Contradiction("fallback", why, f"it goes {' -> '.join(order)}")
