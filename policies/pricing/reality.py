"""An estimate beside what was really billed or measured, group by group."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from policies.pricing.model import CostLine, Estimate
from policies.pricing.names import billed_name, service
from policies.pricing.sources.cost_explorer import Bill
from policies.pricing.sources.opencost import ClusterCost

DEPLOYMENT: Final = "DeploymentId"


@dataclass(frozen=True)
class Beside:
    """USD a month of one group: estimated, billed last month, billed this month so far."""

    name: str
    estimated: float
    last_month: float
    this_month: float

    @property
    def ratio(self) -> float | None:
        """What last month was of the estimate; None where one of them is nothing."""
        return self.last_month / self.estimated if self.estimated and self.last_month else None


def deployment_of(estimate: Estimate) -> str:
    """The value of the tag by which the resources of an environment are known; '' where they carry none."""
    values = Counter(line.origin.tags.get(DEPLOYMENT, "") for line in estimate.lines)
    values.pop("", None)
    return values.most_common(1)[0][0] if values else ""


def by_tag(estimate: Estimate, bill: Bill) -> Sequence[Beside]:
    """The values of the bill's tag, those of most money first."""
    estimated = _sums(estimate, lambda line: line.origin.tags.get(bill.tag, ""))
    return _beside(estimated, bill.by_tag())


def by_service(estimate: Estimate, bill: Bill) -> Sequence[Beside]:
    """Services, by the names that bills have; those that Cost Explorer puts together are one."""
    estimated = _sums(estimate, lambda line: billed_name(line.price))
    billed: dict[str, tuple[float, float]] = {}
    for one in bill.groups:
        name = service(one.key).billed[0] if one.key else one.service
        last, this = billed.get(name, (0.0, 0.0))
        billed[name] = (last + one.last_month, this + one.this_month)
    return _beside(estimated, billed)


# What of a cluster OpenCost sees, too: nodes, volumes and load balancers.
_MEASURED: Final = frozenset({"ec2", "ebs", "elb"})


@dataclass(frozen=True)
class ClusterBeside:
    """The estimate of what OpenCost measures, and what it has measured, USD a month."""

    estimated: float
    measured: ClusterCost


def of_cluster(estimate: Estimate, measured: ClusterCost) -> ClusterBeside:
    """The estimate's nodes, volumes and load balancers beside the measure."""
    lines = [line for line in estimate.lines if line.price.service in _MEASURED]
    return ClusterBeside(math.fsum(line.monthly.desired for line in lines), measured)


def _sums(estimate: Estimate, key: Callable[[CostLine], str]) -> Mapping[str, float]:
    return {name: amounts.desired for name, amounts in estimate.by(key).items()}


def _beside(estimated: Mapping[str, float], billed: Mapping[str, tuple[float, float]]) -> Sequence[Beside]:
    found = [Beside(name, estimated.get(name, 0.0), *billed.get(name, (0.0, 0.0))) for name in {**estimated, **billed}]
    found = [one for one in found if one.estimated or one.last_month or one.this_month]
    return sorted(found, key=lambda one: (-max(one.estimated, one.last_month, one.this_month), one.name))
