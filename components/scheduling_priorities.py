"""Priority classes: whose pods go first, and who may push others off a node."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
from pulumi_kubernetes.scheduling.v1 import PriorityClass

from components.kubernetes import KubernetesComponent


class Preemption(enum.StrEnum):
    """Whether pods of a class may push lower ones off a node; ``NEVER``: they wait, but still go first."""

    LOWER_PRIORITY = "PreemptLowerPriority"
    NEVER = "Never"


@dataclass(frozen=True)
class Priority:
    """A class: pods of a higher ``value`` are placed first."""

    value: int
    preemption: Preemption
    description: str


@dataclass(frozen=True)
class PrioritiesArgs:
    labels: Mapping[str, str]
    classes: Mapping[str, Priority]


class Priorities(KubernetesComponent, area="scheduling"):
    """A PriorityClass for each class of the environment."""

    def __init__(self, name: str, args: PrioritiesArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, args.labels, opts)
        self.classes = tuple(
            PriorityClass(
                self.child(each),
                metadata={"name": each},
                value=priority.value,
                preemption_policy=priority.preemption.value,
                global_default=False,
                description=priority.description,
                opts=self.options(),
            )
            for each, priority in args.classes.items()
        )
        self.register_outputs({})
