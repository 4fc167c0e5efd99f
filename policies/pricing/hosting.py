"""SageMaker endpoints: instances that host models, by the price list or by their ratio to EC2's price."""

from __future__ import annotations

from dataclasses import replace

from components.instance_types import instance_types
from policies.pricing.bill import Bill, Parts
from policies.pricing.model import HOURS_A_MONTH, Item, MachineHours, Sizes
from policies.pricing.nodes import counted
from policies.pricing.prices import NoPrice
from policies.pricing.reading import Inputs, NotKnown, NotPriceable

_ENDPOINT_CONFIG = "aws:sagemaker/endpointConfiguration:EndpointConfiguration"
_TARGET = "aws:appautoscaling/target:Target"
_RATIO_SOURCE = "AWS price file 2026-10-05"


def _endpoint(bill: Bill) -> None:
    """An endpoint runs the instances of its configuration."""
    name = bill.inputs.at("endpointConfigName").value
    found = bill.around.referred(bill.item, "endpointConfigName", _ENDPOINT_CONFIG, name)
    if len(found) != 1:
        raise NotPriceable("its endpoint configuration is not declared here: what it runs is not known")
    config = Inputs(found[0].properties)
    for variants in ("productionVariants", "shadowProductionVariants"):  # a shadow's instances are paid for as others
        for variant in config.at(variants).items():
            _variant(bill, variant)


def _variant(bill: Bill, variant: Inputs) -> None:
    if variant.first("serverlessConfig").present:
        bill.lack("serverless inference", "no price is known for what it computes")
        return
    kind, count = variant.at("instanceType").text(), variant.at("initialInstanceCount").number(1)
    low, high = _scaling(bill, variant, count)
    sizes = Sizes(low, min(max(count, low), high), high).times(HOURS_A_MONTH)
    working = f"{counted(sizes.desired / HOURS_A_MONTH, 'instance')} × {HOURS_A_MONTH:g} h"
    _hosted(bill, kind, sizes, working)
    volume = variant.at("volumeSizeInGb").number(0)
    if volume:
        bill.charge(
            "sagemaker",
            "hosting storage",
            sizes.times(volume / HOURS_A_MONTH),
            f"{sizes.desired / HOURS_A_MONTH:g} × {volume:g} GB",
        )


def _hosted(bill: Bill, kind: str, hours: Sizes, working: str) -> None:
    """Hosting by the price list, or by the ratio to the EC2 price that the price list has for the type's like."""
    gpus, machines = _gpus(kind.removeprefix("ml.")), MachineHours(kind, hours)
    listed = bill.prices.agreed.get(kind) or bill.prices.table.get(("sagemaker", f"{kind} hosting"))
    if listed is not None:
        bill.add(listed, hours, working, idle=hours.min, what=f"{kind} hosting", gpus=gpus)
        return
    ratio = hosting_ratio(kind.removeprefix("ml."))
    if ratio is None:
        bill.lack(f"{kind} hosting", "no price is known, nor a ratio to the EC2 price of the type", machines=machines)
        return
    try:
        price = bill.prices.instance(kind.removeprefix("ml."))
    except NoPrice as error:
        bill.lack(f"{kind} hosting", str(error), machines=machines)
        return
    source = f"{price.source}, {price.date}; hosting {ratio:g} of EC2's price: {_RATIO_SOURCE}"
    hosted = replace(price, service="sagemaker", item=f"{kind} hosting", usd=price.usd * ratio, source=source)
    bill.add(hosted, hours, working, idle=hours.min, gpus=gpus)


def hosting_ratio(kind: str) -> float | None:
    """What hosting costs of the EC2 price of the same type; None where nobody has looked. Source: _RATIO_SOURCE."""
    family, _, size = kind.partition(".")
    if family in ("g4dn", "g5", "g6", "g6e", "g7e"):
        return 1.40 if size == "xlarge" else 1.25
    return {"t3": 1.20, "m5": 1.20, "c5": 1.20, "inf2": 1.20, "p4d": 1.15, "p5": 1.15, "trn1": 1.33}.get(family)


def _gpus(kind: str) -> int:
    known = instance_types().get(kind)
    return known.gpu_count if known else 0


def _scaling(bill: Bill, variant: Inputs, count: float) -> tuple[float, float]:
    """The bounds of an autoscaled variant; without autoscaling, its number."""
    managed = variant.first("managedInstanceScaling")
    if managed.at("status").text("DISABLED") == "ENABLED":
        return managed.at("minInstanceCount").number(count), managed.at("maxInstanceCount").number(count)
    for target in bill.around.of(_TARGET):
        inputs = Inputs(target.properties)
        if inputs.at("serviceNamespace").value == "sagemaker" and _scales(bill, target, variant.at("variantName")):
            return inputs.at("minCapacity").number(), inputs.at("maxCapacity").number()
    return count, count


def _scales(bill: Bill, target: Item, variant: Inputs) -> bool:
    """Whether a target is of this endpoint's variant: endpoint/NAME/variant/VARIANT, which others may have, too."""
    resource = Inputs(target.properties).at("resourceId")
    of_endpoint = bill.around.referred(target, "resourceId", bill.item.type)
    if of_endpoint and bill.item not in of_endpoint:
        return False
    if resource.unknown:
        if not of_endpoint:
            raise NotKnown(f"what {target.name} scales")
        return True
    parts, name = resource.text().split("/"), bill.inputs.at("name")
    if parts[3:] != [variant.value]:
        return False
    return not name.present or name.unknown or parts[1] == name.text()


PARTS: Parts = {"aws:sagemaker/endpoint:Endpoint": [_endpoint]}
