"""Row 81: which GPUs may be used, and how pools of them are kept from costing money when nobody works."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from typing import Any, Final

from policies.budget.limits import Limits, stack_of
from policies.budget.pack import BUDGET
from policies.kit import Finding, Resource, Stack, Unreadable
from policies.subjects.machines import Machines
from policies.subjects.node_pools import NODE_GROUP, SCALING_GROUP, NodePool
from policies.subjects.requirements import label

_SCHEDULE: Final = "aws:autoscaling/schedule:Schedule"
_STAGES: Final = {
    "stages": {
        "type": "array",
        "items": {"type": "string"},
        "default": ["dev"],
        "description": "Stages (`bedplate:environment.stage`, else the stack's name) that the rule is for.",
    }
}


@BUDGET.rule(
    "gpu-allow-list",
    number=81,
    title="Only GPUs that the environment allows are used",
    severity="high",
    fix="Use an instance type with an allowed GPU, or add the GPU to bedplate:cost.allowed_gpus.",
    frameworks=("FinOps:Budgeting",),
    parameters={
        "allowed": {
            "type": "array",
            "items": {"type": "string"},
            "description": "Names of GPUs and accelerators such as L4; default: bedplate:cost.allowed_gpus, else all.",
        }
    },
)
def gpu_allow_list(machines: Machines, parameters: Mapping[str, Any]) -> Iterator[Finding]:
    """One instance with eight large GPUs costs a day what a small pool costs a month: which are used is a decision.

    Judged is each place that names instance types, or describes them by requirements: a description that lets in types
    with a GPU that is not allowed breaks the rule as a type by name does.
    """
    allowed = parameters.get("allowed")
    if allowed is None:
        allowed = Limits(stack_of(machines.value.owner)).gpus()
    if allowed is None:
        return
    names = {label(name) for name in allowed}
    for gpu, type_ in machines.accelerators().items():
        if label(gpu) not in names:
            yield Finding(f"{machines.path}: {gpu} ({type_}) is not among the allowed GPUs: {_listed(allowed)}")
    for name in machines.unlisted():
        table = "components/data/ec2_us_east_1.csv"
        yield Finding(f"{machines.path}: {name!r} is not in {table}, so which GPU it has can't be said")


@BUDGET.rule(
    "gpu-pool-minimum",
    number=81,
    title="Pools of GPUs may shrink to zero",
    severity="medium",
    level="advisory",
    fix="Set the pool's smallest size to 0; desired_size, or the workloads, say how many nodes there are by day.",
    frameworks=("FinOps:Workload optimization",),
)
def gpu_pool_minimum(pool: NodePool, stack: Stack) -> Iterator[Finding]:
    """A pool that can't shrink costs the same idle as busy. Always-on serving in production is the exception.

    Whether it has GPUs, its launch template says where the pool itself does not.
    """
    smallest = pool.minimum
    if (smallest.unknown or smallest.number(0) > 0) and pool.accelerated(stack):
        yield Finding(
            f"{smallest.path}: {smallest.number(0)} nodes with GPUs run at least, whether anybody works or not"
        )


@BUDGET.rule(
    "gpu-spot-in-dev",
    number=81,
    title="Development buys GPUs as spot capacity",
    severity="medium",
    fix="Set the pool's capacity to 'spot', with two or more instance types for when one is out.",
    frameworks=("FinOps:Rate optimization",),
    parameters=_STAGES,
)
def gpu_spot_in_dev(pool: NodePool, stack: Stack, parameters: Mapping[str, Any]) -> Iterator[Finding]:
    """Spot costs about a third, and what is tried out in development survives being interrupted.

    Which machines a pool has, its launch template says where the pool itself does not; a scaling group's template also
    says how they are bought.
    """
    if not _concerns(pool.resource, parameters) or _surely_spot(pool, stack):
        return
    if pool.accelerated(stack) and not pool.spot(stack):
        yield Finding(f"the pool buys GPUs on demand in stage {_stage(pool.resource)!r}")


@BUDGET.rule(
    "gpu-off-hours-in-dev",
    number=81,
    title="Development has no GPUs outside working hours",
    severity="medium",
    fix="Give the pool a schedule that scales it to zero (an aws.autoscaling.Schedule with desired_capacity 0).",
    frameworks=("FinOps:Workload optimization",),
    types=(NODE_GROUP, SCALING_GROUP),
    parameters=_STAGES,
)
def gpu_off_hours_in_dev(resource: Resource, stack: Stack, parameters: Mapping[str, Any]) -> Iterator[Finding]:
    """A week has 168 hours, of which people work 40 or 60: a pool that stays up costs three times what it is used for.

    Karpenter's pools end idle nodes by themselves, and are judged by whether they may, in gpu-idle-nodes.
    """
    pool = NodePool(resource)
    desired = pool.desired
    if not _concerns(resource, parameters) or (desired.known and desired.number(0) == 0):
        return  # nothing runs until somebody asks for it
    if pool.accelerated(stack) and not any(_stops(schedule) for schedule in _schedules(resource, stack)):
        yield Finding("no schedule scales the pool of GPUs to zero")


@BUDGET.rule(
    "gpu-idle-nodes",
    number=81,
    title="Idle GPU nodes of Karpenter's pools go",
    severity="medium",
    fix="Set spec.disruption.consolidateAfter to minutes and leave spec.replicas out.",
    frameworks=("FinOps:Workload optimization",),
)
def gpu_idle_nodes(pool: NodePool) -> Iterator[Finding]:
    """Karpenter takes idle nodes away unless it is told never to; nodes with GPUs are the last to keep for nothing."""
    disruption = pool.resource.properties.get("spec", "disruption")
    if pool.by_karpenter and disruption.get("consolidateAfter").text("") == "Never" and pool.accelerated():
        yield Finding(f"{disruption.path}.consolidateAfter: idle nodes with GPUs are kept for ever")


def _surely_spot(pool: NodePool, stack: Stack) -> bool:
    """Then it doesn't matter what machines it has, should that not be known."""
    with contextlib.suppress(Unreadable):
        return pool.spot(stack)
    return False


def _concerns(resource: Resource, parameters: Mapping[str, Any]) -> bool:
    return _stage(resource) in parameters["stages"]


def _stage(resource: Resource) -> str:
    return Limits(resource.stack).stage


def _schedules(resource: Resource, stack: Stack) -> Iterator[Resource]:
    """Those of the scaling group itself, or of the one that a node group makes."""
    return stack.referring(resource, _SCHEDULE, "autoscalingGroupName")


def _stops(schedule: Resource) -> bool:
    """Whether it sets the pool to zero again and again: once is not every evening."""
    properties = schedule.properties
    return properties.get("recurrence").present and any(
        properties.get(name).number(-1) == 0 for name in ("desiredCapacity", "maxSize")
    )


def _listed(names: list[str]) -> str:
    return ", ".join(sorted(names)) or "none"
