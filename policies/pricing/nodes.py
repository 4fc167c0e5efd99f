"""Nodes: what a number of instances of one type costs, with their disks, however they came to be declared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from components.instance_types import instance_types
from policies.pricing.bill import Bill
from policies.pricing.model import HOURS_A_MONTH, MachineHours, Purchase, Saving, Sizes
from policies.pricing.prices import NoPrice
from policies.pricing.reading import Inputs, NotGiven, NotPriceable
from policies.pricing.spot import UNKNOWN_RATIO, spot_ratio

GP3_IOPS, GP3_MBPS = 3000, 125  # Source: EBS User Guide, "General Purpose SSD volumes": what gp3 has at no charge
# A working week of twelve hours a day, by which it is said what a schedule would save.
OFFICE_HOURS: Final = 60 / 168
OFFICE: Final = "MON-FRI, 12 hours a day"


@dataclass(frozen=True)
class Disk:
    """A volume that every node has. ``iops`` and ``mbps`` None: what its type brings along."""

    kind: str
    gib: float
    iops: float | None = None
    mbps: float | None = None
    assumed: bool = False


@dataclass(frozen=True)
class Nodes:
    """A number of nodes of one type. ``average`` is their number at the desired size over a week with a schedule.

    ``may_stop`` says that they need not be there at all times, ``by_clock`` that a schedule could stop them;
    ``reservation`` is the URN of the one that they run in.
    """

    pool: str
    kind: str
    count: Sizes
    purchase: Purchase = Purchase.ON_DEMAND
    average: float | None = None
    idle: float | None = None
    disks: Sequence[Disk] = ()
    may_stop: bool = False
    by_clock: bool = True
    reservation: str = ""
    note: str = ""

    @property
    def hours(self) -> Sizes:
        """Node-hours a month."""
        desired = self.count.desired if self.average is None else self.average
        return replace(self.count, desired=desired).times(HOURS_A_MONTH)

    @property
    def machines(self) -> MachineHours:
        return MachineHours(self.kind, self.hours, self.pool)

    @property
    def smallest(self) -> float:
        """How many there are when nothing runs."""
        return self.count.min if self.idle is None else self.idle


def charge(bill: Bill, nodes: Nodes) -> None:
    """The instances and their disks, and what could be saved."""
    _instances(bill, nodes)
    for disk in nodes.disks:
        _disk(bill, nodes, disk)


def _instances(bill: Bill, nodes: Nodes) -> None:
    if not nodes.kind:
        raise NotGiven("its instance type is not given here")
    try:
        price = bill.prices.instance(nodes.kind)
    except NoPrice as error:
        what = f"{max(nodes.count.desired, nodes.count.max):g} × {nodes.kind}"
        bill.lack(what, str(error), machines=nodes.machines)
        return
    kind = instance_types().get(nodes.kind)
    factor = spot_ratio(nodes.kind) if nodes.purchase is Purchase.SPOT else (1.0, "")
    bill.add(
        price, nodes.hours, _working(nodes), idle=nodes.smallest * HOURS_A_MONTH,
        what=f"{nodes.kind} {nodes.purchase}{nodes.note}", purchase=nodes.purchase, factor=factor,
        gpus=kind.gpu_count if kind else 0, pool=nodes.pool, reservation=nodes.reservation,
    )  # fmt: skip
    _savings(bill, nodes, price.usd)


def _working(nodes: Nodes) -> str:
    if nodes.average is None:
        return f"{counted(nodes.count.desired, 'node')} × {HOURS_A_MONTH:g} h"
    return f"{nodes.average:.4g} nodes on the average of the schedule's week × {HOURS_A_MONTH:g} h"


def counted(count: float, noun: str) -> str:
    """``1 node``, ``2 nodes``, ``0.7143 nodes``."""
    said = f"{count:.4g}" if count < 1000 else f"{count:,.0f}"
    return f"{said} {noun}{'' if count == 1 else 's'}"


def _disk(bill: Bill, nodes: Nodes, disk: Disk) -> None:
    """The disks are there as long as their nodes are."""
    count = nodes.hours.times(1 / HOURS_A_MONTH)
    what = f"root volumes of {nodes.pool}" if nodes.pool else "volumes"
    for item, each, unit in volume_parts(disk.kind, disk.gib, disk.iops, disk.mbps):
        said = f"{counted(count.desired, 'node')} × {each:g} {unit}" + (
            " (the image's own size)" if disk.assumed else ""
        )
        bill.charge("ebs", item, count.times(each), said, idle=nodes.smallest * each, what=f"{what}: {item}")


def volume_parts(kind: str, gib: float, iops: float | None, mbps: float | None) -> list[tuple[str, float, str]]:
    """What of a volume is paid for: the item, how much of it, and the unit."""
    parts = [(f"{kind} storage", gib, "GB")]
    if kind == "gp3":
        parts += [("gp3 IOPS above 3000", iops - GP3_IOPS, "IOPS")] if iops and iops > GP3_IOPS else []
        parts += [("gp3 throughput above 125 MB/s", mbps - GP3_MBPS, "MB/s")] if mbps and mbps > GP3_MBPS else []
    elif kind in ("io1", "io2"):
        parts += [(f"{kind} IOPS", iops, "IOPS")] if iops else []
    return parts


def _savings(bill: Bill, nodes: Nodes, usd: float) -> None:
    if nodes.purchase is Purchase.RESERVED:
        return  # what is reserved is paid for, however it is bought and by night, too
    if not nodes.count.desired and not nodes.average:
        return  # nodes that there are at the most only
    desired = nodes.count.desired * HOURS_A_MONTH
    ratio, said = spot_ratio(nodes.kind)
    factor = ratio if nodes.purchase is Purchase.SPOT else 1.0
    if nodes.purchase is Purchase.SPOT and ratio < 1:
        bill.savings.append(_saving(bill, nodes, "spot", nodes.hours.desired * usd * (1 - ratio), said, done=True))
    elif nodes.purchase is Purchase.ON_DEMAND and nodes.may_stop and (ratio, said) != UNKNOWN_RATIO:
        bill.savings.append(_saving(bill, nodes, "spot", nodes.hours.desired * usd * (1 - ratio), said, done=False))
    if nodes.average is not None:
        saved = (desired - nodes.hours.desired) * usd * factor
        if saved > 0:  # a schedule may also add nodes
            bill.savings.append(_saving(bill, nodes, "schedule", saved, "its schedule", done=True))
    elif nodes.may_stop and nodes.by_clock and desired:
        saved = desired * usd * factor * (1 - OFFICE_HOURS)
        bill.savings.append(_saving(bill, nodes, "schedule", saved, OFFICE, done=False))


def _saving(bill: Bill, nodes: Nodes, kind: str, usd: float, how: str, *, done: bool) -> Saving:
    return Saving(bill.origin, nodes.pool, kind, usd, done, how)


def disks_of(mappings: Inputs, *, kubernetes: bool = False) -> list[Disk]:
    """The volumes of block device mappings, as launch templates or EC2NodeClasses have them."""
    found: list[Disk] = []
    for mapping in mappings.items():
        ebs = mapping.first("ebs")
        if not ebs.present:
            continue  # a device that is left out, or an instance's own store
        size = ebs.at("volumeSize")
        if not size.present:
            raise NotPriceable(f"{size.path} is not given: it is that of the snapshot")
        gib = float(size.quantity() / 1024**3) if kubernetes else size.number()
        kind = ebs.at("volumeType").text("gp3" if kubernetes else "gp2")
        found.append(Disk(kind, gib, optional(ebs.at("iops")), optional(ebs.at("throughput"))))
    return found


def optional(value: Inputs) -> float | None:
    return value.number() if value.present else None


# What a node has where nothing is said. Source: EKS API reference, CreateNodegroup, diskSize; Karpenter, EC2NodeClass.
DISK_OF_IMAGE: Final = Disk("gp3", 20, assumed=True)
