"""Node pools as their owners ask about them: how many nodes of what, by the hour, by the GPU hour, by the month."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from components.instance_types import instance_types
from policies.pricing.model import HOURS_A_MONTH, SIZES, CostLine, Estimate, Sizes, total
from policies.pricing.prices import EC2


@dataclass(frozen=True)
class PoolCost:
    """One pool: ``lines`` are of its nodes, the first of those that it has as a rule."""

    name: str
    lines: Sequence[CostLine]

    @property
    def usual(self) -> CostLine:
        return self.lines[0]

    @property
    def nodes(self) -> Sizes:
        """Nodes on the average of a month."""
        counted = [line.quantity.times(1 / HOURS_A_MONTH) for line in self.lines]
        return Sizes(*(sum(one.at(size) for one in counted) for size in SIZES))

    @property
    def usd_per_hour(self) -> float:
        """USD for one node that it has as a rule."""
        return self.usual.unit_price

    @property
    def usd_per_gpu_hour(self) -> float | None:
        """USD for one GPU of it; None where it has none."""
        return self.usual.unit_price / self.usual.gpus if self.usual.gpus else None

    @property
    def monthly(self) -> Sizes:
        return total(self.lines)


def runs_on_gpus(line: CostLine) -> bool:
    """Whether a line is of instances with GPUs, or of a part of one."""
    machine = instance_types().get(line.price.item) if line.price.service == EC2 else None
    return machine is not None and bool(machine.gpu_name)


def pool_costs(estimate: Estimate) -> list[PoolCost]:
    """The pools of an estimate, the dearest first."""
    found: dict[tuple[str, str], list[CostLine]] = {}
    for line in estimate.lines:
        if line.pool:
            found.setdefault((line.origin.urn, line.pool), []).append(line)
    pools = [PoolCost(name, lines) for (_, name), lines in found.items()]
    return sorted(pools, key=lambda one: (-one.monthly.desired, -one.monthly.max, one.name))
