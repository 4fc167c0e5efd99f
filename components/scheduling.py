"""Who may use how much of the cluster, and who goes first: priority classes, teams' namespaces, and Kueue's queues."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi

from components.kubernetes import KubernetesComponent
from components.scheduling_kueue import Kueue, KueueArgs
from components.scheduling_priorities import Priorities, PrioritiesArgs, Priority
from components.scheduling_queues import QueueChoices, Queues, QueuesArgs
from components.scheduling_teams import Team, TeamSpace, TeamSpaceArgs


@dataclass(frozen=True)
class SchedulingChoices:
    """What an environment decides about its teams; ``queues`` None: workloads are not queued."""

    teams: Mapping[str, Team]
    priorities: Mapping[str, Priority]
    queues: QueueChoices | None
    kueue_replicas: int
    monitoring_namespace: str


@dataclass(frozen=True)
class SchedulingArgs:
    """``network``: ranges (CIDR) in which the cluster's API server has its addresses."""

    labels: Mapping[str, str]
    network: Sequence[str]
    choices: SchedulingChoices


class Scheduling(KubernetesComponent, area="scheduling"):
    """The teams' places by name (``namespaces``), made before Kueue and taken away after it."""

    namespaces: Mapping[str, str]

    def __init__(self, name: str, args: SchedulingArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, args.labels, opts)
        self._args = args
        choices = args.choices
        priorities = Priorities("priorities", PrioritiesArgs(args.labels, choices.priorities), self.options())
        teams = {team: self._team(team, each, priorities) for team, each in choices.teams.items()}
        self.namespaces = {team: each.namespace for team, each in teams.items()}
        if choices.queues is not None:
            self._queue(choices.queues, [guard for each in teams.values() for guard in each.guards])
        self.register_outputs({"namespaces": self.namespaces})

    def _team(self, name: str, team: Team, priorities: Priorities) -> TeamSpace:
        choices = self._args.choices
        return TeamSpace(
            f"team-{name}",
            name,
            TeamSpaceArgs(
                labels=self._args.labels,
                team=team,
                all_priorities=list(choices.priorities),
                network=self._args.network,
                monitoring_namespace=choices.monitoring_namespace,
            ),
            self.options(depends_on=list(priorities.classes)),
        )

    def _queue(self, queues: QueueChoices, namespaces: Sequence[pulumi.Resource]) -> None:
        choices = self._args.choices
        kueue = Kueue(
            "kueue",
            KueueArgs(self._args.labels, choices.kueue_replicas, self._args.network, choices.monitoring_namespace),
            self.options(depends_on=list(namespaces)),
        )
        Queues(
            "queues",
            QueuesArgs(self._args.labels, queues, self.namespaces, choices.priorities),
            self.options(depends_on=[kueue.release]),
        )
