"""Pools of nodes: EKS node groups, autoscaling groups, single instances, and the reservations that they use."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from policies.pricing import nodes
from policies.pricing.around import Surroundings
from policies.pricing.bill import Bill, Parts
from policies.pricing.model import HOURS_A_MONTH, Item, MachineHours, Purchase, Sizes
from policies.pricing.nodes import DISK_OF_IMAGE, Disk, Nodes
from policies.pricing.prices import NoPrice
from policies.pricing.reading import Inputs, NotGiven, NotPriceable
from policies.pricing.schedules import Action, NotCron, average_nodes

NODE_GROUP = "aws:eks/nodeGroup:NodeGroup"
GROUP = "aws:autoscaling/group:Group"
TEMPLATE = "aws:ec2/launchTemplate:LaunchTemplate"
RESERVATION = "aws:ec2/capacityReservation:CapacityReservation"
_SCHEDULE = "aws:autoscaling/schedule:Schedule"
_DEFAULT_TYPE = "t3.medium"  # Source: EKS API reference, CreateNodegroup, instanceTypes, 2026-11
_KEPT = -1  # a scheduled action leaves this size as it is


def _node_group(bill: Bill) -> None:
    """A managed node group: its nodes with their disks, by the clock where it has a schedule."""
    inputs, found_template = bill.inputs, _template_of(bill)
    template = found_template or Inputs({})
    count = size_of(bill.item)
    if inputs.at("capacityType").text("ON_DEMAND") == "CAPACITY_BLOCK":
        kind = _kind(inputs, template, default="")  # EKS has a default for what can be bought on demand
        _of_block(bill, Nodes(_pool_name(bill), kind, count, disks=_disks(inputs, template)))
        return
    spot = inputs.at("capacityType").text("ON_DEMAND") == "SPOT"
    reserved = [one.urn for one in reservations_of(bill.around, bill.item)] if found_template else []
    found = Nodes(
        _pool_name(bill),
        _kind(inputs, template),
        count,
        Purchase.SPOT if spot else Purchase.RESERVED if reserved else Purchase.ON_DEMAND,
        _average(bill, count),
        disks=_disks(inputs, template) if found_template else [],
        may_stop=not _is_system(inputs),
        reservation="".join(reserved[:1]),
    )
    _charge(bill, found, _dearest(bill, inputs, found))
    _public_addresses(bill, template, found)


def _of_block(bill: Bill, found: Nodes) -> None:
    """Nodes of a Capacity Block: only who has bought it knows the price, and may have said so in the settings."""
    bought = replace(found, purchase=Purchase.RESERVED)
    if bought.kind in bill.prices.agreed:
        nodes.charge(bill, bought)
        return
    reason = "no on-demand price: a Capacity Block is paid for when it is bought"
    bill.lack("nodes of a Capacity Block", reason, machines=bought.machines)


def _charge(bill: Bill, found: Nodes, dearest: str) -> None:
    """The nodes; at the largest size they are of the dearest type, should no other be to be had."""
    if dearest == found.kind:
        nodes.charge(bill, found)
        return
    count = found.count
    nodes.charge(bill, replace(found, count=replace(count, max=0), idle=count.min))
    nodes.charge(
        bill,
        replace(
            found, kind=dearest, count=Sizes(0, 0, count.max), average=None, idle=0, note=", if no other is to be had"
        ),
    )


def _dearest(bill: Bill, inputs: Inputs, found: Nodes) -> str:
    """The dearest type that the group may take. Of those that have no price, it is said."""
    first = found.kind
    priced: dict[str, float] = {}
    for given in inputs.at("instanceTypes").items():
        kind = given.text()
        try:
            priced[kind] = bill.prices.instance(kind).usd
        except NoPrice as error:
            if kind == first:
                return first  # nothing of the pool has a price
            hours = Sizes(0, 0, found.count.max).times(HOURS_A_MONTH)
            bill.lack(f"nodes of {kind}", str(error), machines=MachineHours(kind, hours, found.pool))
    return max(priced, key=lambda kind: (priced[kind], kind == first), default=first)


def template_of(around: Surroundings, item: Item) -> Item | None:
    """The launch template of a node group or an autoscaling group. Raises where it has one that is not declared."""
    launch = Inputs(item.properties).first("launchTemplate")
    if not launch.present:
        return None
    identities = [launch.at(key).value for key in ("id", "name", "launchTemplateId")]
    found = around.referred(item, "launchTemplate", TEMPLATE, *identities)
    if len(found) == 1:
        return found[0]
    raise NotGiven("its launch template is not declared here: what its nodes are is not known")


def _template_of(bill: Bill) -> Inputs | None:
    """What the launch template says; None where others declare it, and the group itself says of what its nodes are."""
    try:
        found = template_of(bill.around, bill.item)
    except NotGiven as error:
        if not bill.inputs.at("instanceTypes").present:
            raise
        bill.lack("volumes and addresses", str(error))
        return None
    return Inputs(found.properties if found else {})


def size_of(item: Item) -> Sizes:
    """How many nodes a node group or an autoscaling group has."""
    inputs = Inputs(item.properties)
    if item.type == GROUP:
        low = inputs.at("minSize").number()
        return Sizes(low, inputs.at("desiredCapacity").number(low), inputs.at("maxSize").number())
    sizes = inputs.first("scalingConfig")
    return Sizes(sizes.at("minSize").number(), sizes.at("desiredSize").number(), sizes.at("maxSize").number())


def reservations_of(around: Surroundings, item: Item) -> list[Item]:
    """The capacity reservations of the program that a pool takes its nodes from."""
    template = template_of(around, item)
    if template is None:
        return []
    target = Inputs(template.properties).first("capacityReservationSpecification").first("capacityReservationTarget")
    if not target.present:
        return []
    given = target.at("capacityReservationId").value
    return around.referred(template, "capacityReservationSpecification", RESERVATION, given)


def on_demand_kind(around: Surroundings, item: Item) -> str:
    """The instance type of a pool's nodes that are bought on demand; '' where it is bought otherwise or not known."""
    inputs = Inputs(item.properties)
    try:
        template = template_of(around, item)
        given = Inputs(template.properties if template else {})
        market = given.first("instanceMarketOptions").at("marketType").text()
        spot = inputs.at("capacityType").text("ON_DEMAND") != "ON_DEMAND" or market
        return "" if spot else _kind(inputs, given)
    except NotPriceable:
        return ""


def _kind(inputs: Inputs, template: Inputs, default: str = _DEFAULT_TYPE) -> str:
    """The type that is asked for first: an on-demand group takes the others when that one is not to be had."""
    first = next(inputs.at("instanceTypes").items(), None)
    if first is not None:
        return first.text()
    return template.at("instanceType").text(default)


def _disks(inputs: Inputs, template: Inputs) -> Sequence[Disk]:
    given = nodes.disks_of(template.at("blockDeviceMappings"))
    if given:
        return given
    size = inputs.at("diskSize")
    return [Disk("gp3", size.number())] if size.present else [DISK_OF_IMAGE]


def _is_system(inputs: Inputs) -> bool:
    """Whether the pool carries what the cluster itself needs: nobody stops it."""
    return any(
        key == "bedplate.dev/workload" and value.value == "system" for key, value in inputs.at("labels").entries()
    )


def _pool_name(bill: Bill) -> str:
    labels = bill.inputs.at("labels")
    for key, value in labels.entries():
        if key == "bedplate.dev/pool" and isinstance(value.value, str):
            return value.value
    return bill.item.name


def _average(bill: Bill, count: Sizes) -> float | None:
    """Nodes on the average of a schedule's week; by a schedule that can't be counted, as many as there ever are."""
    actions = list(_actions(bill, count))
    try:
        return average_nodes(actions) if actions else None
    except NotCron as error:
        bill.lack("its schedule", f"{error}: it counts as if it never stopped")
        return max(count.desired, *(action.size for action in actions))


def _actions(bill: Bill, count: Sizes) -> Iterator[Action]:
    """The scheduled actions that set this group's size."""
    for schedule in bill.around.referring(_SCHEDULE, "autoscalingGroupName", bill.item):
        inputs = Inputs(schedule.properties)
        recurrence, wanted = inputs.at("recurrence"), inputs.at("desiredCapacity")
        if not recurrence.present or not wanted.present or wanted.value == _KEPT:
            continue  # once, or of the limits alone
        yield Action(recurrence.text(), min(wanted.number(), count.max))


def _public_addresses(bill: Bill, template: Inputs, found: Nodes) -> None:
    """Nodes with a public address pay for it."""
    for interface in template.at("networkInterfaces").items():
        given = interface.at("associatePublicIpAddress")
        if given.flag():
            hours = found.hours
            bill.charge(
                "vpc", "public IPv4 address", hours.times(1 / HOURS_A_MONTH), _each(found.count.desired, "address")
            )


def _each(count: float, noun: str) -> str:
    return f"{count:g} {noun}{'es' if count != 1 else ''}"


# What EKS does not manage


def _group(bill: Bill) -> None:
    """An autoscaling group of its own."""
    found_template = template_of(bill.around, bill.item)
    template = Inputs(found_template.properties if found_template else {})
    count = size_of(bill.item)
    market = template.first("instanceMarketOptions").at("marketType").text()
    found = Nodes(
        bill.item.name,
        template.at("instanceType").text(),
        count,
        Purchase.SPOT if market == "spot" else Purchase.ON_DEMAND,
        _average(bill, count),
        disks=nodes.disks_of(template.at("blockDeviceMappings")) or [DISK_OF_IMAGE],
        may_stop=count.min == 0,
    )
    if market == "capacity-block":
        _of_block(bill, found)
        return
    nodes.charge(bill, found)


def _instance(bill: Bill) -> None:
    inputs = bill.inputs
    root = inputs.first("rootBlockDevice")
    disks = [_block(root)] if root.present else [Disk("gp3", 8, assumed=True)]
    disks += [_block(one) for one in inputs.at("ebsBlockDevices").items()]
    spot = inputs.first("instanceMarketOptions").at("marketType").text() == "spot"
    purchase = Purchase.SPOT if spot else Purchase.ON_DEMAND
    found = Nodes(bill.item.name, inputs.at("instanceType").text(), Sizes.same(1), purchase, disks=disks)
    nodes.charge(bill, found)
    if inputs.at("associatePublicIpAddress").flag():
        bill.charge("vpc", "public IPv4 address", 1, "1 address")


def _block(device: Inputs) -> Disk:
    kind = device.at("volumeType").text("gp3")
    return Disk(
        kind,
        device.at("volumeSize").number(8),
        nodes.optional(device.at("iops")),
        nodes.optional(device.at("throughput")),
    )


def _volume(bill: Bill) -> None:
    inputs = bill.inputs
    kind = inputs.at("type").text("gp2")
    size = inputs.at("size")
    if not size.present:
        raise NotPriceable("size is not given: it is that of the snapshot")
    for item, amount, unit in nodes.volume_parts(
        kind, size.number(), nodes.optional(inputs.at("iops")), nodes.optional(inputs.at("throughput"))
    ):
        bill.charge("ebs", item, amount, f"{amount:g} {unit}")


PARTS: Parts = {
    NODE_GROUP: [_node_group],
    GROUP: [_group],
    "aws:ec2/instance:Instance": [_instance],
    "aws:ebs/volume:Volume": [_volume],
}
