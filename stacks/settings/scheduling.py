"""Settings of who may use how much of the cluster, and who goes first."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Annotated, Literal

from pydantic import Field

from components.namespace_names import is_reserved
from stacks.settings.base import Contradiction, Section
from stacks.settings.environment import TagValue
from stacks.settings.network import Cidr
from stacks.settings.problems import did_you_mean

NamespaceName = Annotated[str, Field(max_length=63, pattern=r"^[a-z0-9]([a-z0-9-]*[a-z0-9])?$")]
GroupName = Annotated[str, Field(min_length=1, max_length=256)]

# A name of a team or of a class becomes part of the names of objects, of which some may have 63 characters.
_NAME = re.compile(r"[a-z]([a-z0-9-]{0,38}[a-z0-9])?")


class PrioritySettings(Section):
    """A priority class: pods of a higher one are placed first."""

    value: int = Field(ge=-2147483648, le=1000000000)
    """Priority (Kubernetes: at most 1,000,000,000)."""
    preemption: Literal["lower-priority", "never"] = "never"
    """Whether its pods may push lower ones off a node; a training job is better paused as a whole, by its queue."""
    description: str = Field(default="", max_length=500)
    """When to use it."""


class QueueSettings(Section):
    """What a team has of one GPU pool."""

    gpus: int = Field(ge=0)
    """GPUs that are the team's whenever it needs them (in a pool that shares its GPUs: shares)."""
    borrow: int = Field(default=0, ge=0)
    """GPUs more that it may have while other teams leave them idle."""


class QuotaSettings(Section):
    """The most that a team's pods may have at the same time. CPU and memory of GPU nodes come with their GPUs."""

    cpu: int = Field(default=32, ge=1)
    """Processors (vCPU) of nodes without GPUs."""
    memory_gib: int = Field(default=128, ge=1)
    """Memory (GiB) of nodes without GPUs."""
    gpus: int | None = Field(default=None, ge=0)
    """GPUs; default: what the team's queues guarantee it and let it borrow."""
    mig: dict[str, Annotated[int, Field(ge=0)]] = Field(default_factory=dict)
    """Partitions of GPUs by profile, where a pool has several profiles; default: none."""
    pods: int = Field(default=100, ge=1)
    """Pods."""
    storage_gib: int = Field(default=500, ge=0)
    """Storage of persistent volumes (GiB)."""


class DestinationSettings(Section):
    """Addresses outside of the cluster that a team's pods may reach."""

    cidr: Cidr
    """Range of addresses."""
    ports: tuple[Annotated[int, Field(ge=1, le=65535)], ...] = ()
    """TCP ports; default: all."""


class TeamSettings(Section):
    """A team: its namespace, what it may use, and who belongs to it."""

    namespace: NamespaceName | None = None
    """The team's namespace; default: team-NAME."""
    quota: QuotaSettings = QuotaSettings()
    """The most that the team's pods may have at the same time."""
    queues: dict[str, QueueSettings] = Field(default_factory=dict)
    """What the team has of GPUs, by node pool."""
    priorities: tuple[str, ...] | None = None
    """Priority classes that the team may use; default: all."""
    editors: tuple[GroupName, ...] = ()
    """Kubernetes groups (see cluster.access) that may run workloads in the namespace."""
    viewers: tuple[GroupName, ...] = ()
    """Kubernetes groups that may watch them."""
    owner: TagValue | None = None
    """Whom to ask about the team's workloads; default: tags.owner."""
    cost_center: TagValue | None = None
    """The account in your books that pays for them; default: tags.cost_center."""
    pod_security: Literal["restricted", "baseline"] = "restricted"
    """Pod Security Standard that pods have to keep; `baseline` is refused for stage `prod`."""
    egress: Literal["none", "api-server", "https"] = "https"
    """How far pods get: nowhere, to the Kubernetes API, or also to AWS and the internet by HTTPS."""
    destinations: tuple[DestinationSettings, ...] = ()
    """What else they reach, such as a database."""

    @property
    def gpus(self) -> int:
        """The most GPUs that the team may have."""
        queued = sum(queue.gpus + queue.borrow for queue in self.queues.values())
        return queued if self.quota.gpus is None else self.quota.gpus

    def contradictions(self) -> Iterable[Contradiction]:
        queued = sum(queue.gpus + queue.borrow for queue in self.queues.values())
        if self.queues and self.gpus < queued:
            why = f"is {self.gpus}, but the team's queues let {queued} GPUs in: their pods would not start"
            yield Contradiction("quota.gpus", why, f"leave it out, or use {queued} or more")
        for name in ("editors", "viewers"):
            for index, group in enumerate(getattr(self, name)):
                if group.startswith("system:"):
                    why = f"'{group}' is a group of Kubernetes itself"
                    yield Contradiction(f"{name}[{index}]", why, "use a group of your own, as in cluster.access")


class SchedulingSettings(Section):
    """Who may use how much of the cluster, and who goes first."""

    teams: dict[str, TeamSettings] = Field(default_factory=dict)
    """Teams by name; each has a namespace with quota, limits, network policies and roles."""
    priorities: dict[str, PrioritySettings] = Field(
        default_factory=lambda: {
            "inference": PrioritySettings(
                value=100000, preemption="lower-priority", description="Answers requests of users."
            ),
            "interactive": PrioritySettings(
                value=10000, preemption="lower-priority", description="Somebody waits for it: notebooks, debugging."
            ),
            "training": PrioritySettings(value=1000, description="Trains models."),
            "batch": PrioritySettings(value=100, description="Can wait until there is room."),
        }
    )
    """Priority classes by name; yours replace all of the default's."""
    queues: bool = True
    """Queue the teams' jobs with Kueue; without it they compete for nodes pod by pod."""
    strict_order: bool = False
    """Let no job pass another of the same priority in its queue, even if there is room for it."""
    topology_pools: tuple[str, ...] = ()
    """GPU pools with EFA whose jobs are placed by distance in the network; they need nodes that are always there."""
    kueue_replicas: int = Field(default=1, ge=1, le=5)
    """Number of Kueue's controllers; all but one stand by."""
    monitoring_namespace: NamespaceName = "monitoring"
    """Namespace of Prometheus, which may collect metrics from all others."""

    def namespaces(self) -> dict[str, str]:
        """The namespace of each team."""
        return {name: team.namespace or f"team-{name}" for name, team in self.teams.items()}

    def contradictions(self) -> Iterable[Contradiction]:
        yield from self._about_namespaces()
        for name, team in self.teams.items():
            for index, each in enumerate(team.priorities or ()):
                if each not in self.priorities:
                    known = f"one of {', '.join(self.priorities)}" if self.priorities else "leave it out"
                    advice = did_you_mean(each, self.priorities) or known
                    yield Contradiction(
                        f"teams.{name}.priorities[{index}]", f"there is no priority class '{each}'", advice
                    )
            if team.queues and not self.queues:
                why = "needs Kueue, which scheduling.queues turns off"
                yield Contradiction(f"teams.{name}.queues", why, "use quota.gpus instead, or turn queues on")
        for place, kind, names in (("teams", "team", self.teams), ("priorities", "class", self.priorities)):
            for name in names:
                if not _NAME.fullmatch(name):
                    why = f"'{name}' is no name for a {kind}: a letter, then letters, digits and dashes, 40 in all"
                    yield Contradiction(f"{place}.{name}", why, "rename it, all in lower case")
        for name in self.priorities:
            if name.startswith("system-"):
                yield Contradiction(
                    f"priorities.{name}", "begins with 'system-', which Kubernetes keeps for itself", "rename it"
                )

    def _about_namespaces(self) -> Iterable[Contradiction]:
        if is_reserved(self.monitoring_namespace):
            why = f"'{self.monitoring_namespace}' is a namespace of another part of the cluster"
            yield Contradiction("monitoring_namespace", why, "use another name, such as monitoring")
        taken: dict[str, str] = {}
        for team, namespace in self.namespaces().items():
            place = f"teams.{team}.namespace"
            if is_reserved(namespace) or namespace == self.monitoring_namespace:
                yield Contradiction(place, f"'{namespace}' is a namespace of the cluster itself", "use another name")
            elif namespace in taken:
                why = f"'{namespace}' is the namespace of team '{taken[namespace]}', too"
                yield Contradiction(place, why, "give each team a namespace of its own")
            taken.setdefault(namespace, team)
