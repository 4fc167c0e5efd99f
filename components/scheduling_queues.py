"""Kueue's queues: a flavour for each pool, a queue of guaranteed and borrowed quota for each team, in one cohort.

A workload is let in where its team's quota allows it, and then is bound to the pool by the flavour's labels. GPU
flavours carry the pool's taint, not a toleration of it: a workload that doesn't tolerate the taint, so one without
GPUs, is never let onto a GPU node, where it would keep the node from being empty.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import pulumi
from pulumi_kubernetes.apiextensions import CustomResource

from components.kubernetes import KubernetesComponent, ManifestObject
from components.nodepools import GPU_RESOURCE, Taint
from components.scheduling_priorities import Priority

# What Kueue 0.18 serves and stores. Source: kueue 0.18.2, config/components/crd.
API_VERSION: Final = "kueue.x-k8s.io/v1beta2"
COHORT: Final = "platform"
# Workloads that name no queue go to the one of this name. Source: Kueue, "Setup LocalQueue", LocalQueueDefaulting.
LOCAL_QUEUE: Final = "default"
COVERED: Final = ("cpu", "memory", GPU_RESOURCE)
# Where a node is in the data centre's network, from the core to the node. Source: Amazon EC2 User Guide, "Instance
# topology"; EKS sets the labels.
_TOPOLOGY_LEVELS: Final = (
    "topology.k8s.aws/network-node-layer-1",
    "topology.k8s.aws/network-node-layer-2",
    "topology.k8s.aws/network-node-layer-3",
    "kubernetes.io/hostname",
)
_TOPOLOGY: Final = "network"


@dataclass(frozen=True)
class Flavor:
    """The nodes of one pool; ``topology``: pods of one workload are placed near each other in the network."""

    node_labels: Mapping[str, str]
    taints: Sequence[Taint]
    topology: bool = False


@dataclass(frozen=True)
class Share:
    """What a team has of a flavour: guaranteed, and borrowed at most while others leave it idle; by resource."""

    guaranteed: Mapping[str, str]
    borrowed: Mapping[str, str]


@dataclass(frozen=True)
class QueueChoices:
    """``flavors`` by name, the first to be tried first; ``shares`` by team and flavour."""

    flavors: Mapping[str, Flavor]
    shares: Mapping[str, Mapping[str, Share]]
    strict_order: bool


@dataclass(frozen=True)
class QueuesArgs:
    """``namespaces`` by team."""

    labels: Mapping[str, str]
    choices: QueueChoices
    namespaces: Mapping[str, str]
    priorities: Mapping[str, Priority]


class Queues(KubernetesComponent, area="scheduling"):
    """Flavours, queues and priorities of Kueue, which has to be there already (``opts.depends_on``)."""

    def __init__(self, name: str, args: QueuesArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, args.labels, opts)
        self._args = args
        for each, priority in args.priorities.items():
            self._priority(each, priority)
        self._covered = _covered(args.choices)
        topology = [self._topology()] if any(each.topology for each in args.choices.flavors.values()) else []
        flavors = {each: self._flavor(each, flavor, topology) for each, flavor in args.choices.flavors.items()}
        for team, shares in args.choices.shares.items():
            queue = self._cluster_queue(team, shares, [flavors[each] for each in shares])
            self._local_queue(team, queue)
        self.register_outputs({})

    def _priority(self, name: str, priority: Priority) -> None:
        fields = {"value": priority.value, "description": priority.description}
        ManifestObject(
            self.child("priority", name),
            API_VERSION,
            "WorkloadPriorityClass",
            {"name": name},
            fields,
            self.options(),
        )

    def _topology(self) -> CustomResource:
        levels = [{"nodeLabel": label} for label in _TOPOLOGY_LEVELS]
        return self._object("Topology", ("topology",), {"name": _TOPOLOGY}, {"levels": levels})

    def _flavor(self, name: str, flavor: Flavor, topology: Sequence[pulumi.Resource]) -> CustomResource:
        spec: dict[str, Any] = {"nodeLabels": dict(flavor.node_labels)}
        if flavor.taints:
            spec["nodeTaints"] = [
                {"key": taint.key, "value": taint.value, "effect": taint.effect} for taint in flavor.taints
            ]
        if flavor.topology:
            spec["topologyName"] = _TOPOLOGY
        return self._object("ResourceFlavor", ("flavor", name), {"name": name}, spec, topology)

    def _cluster_queue(
        self, team: str, shares: Mapping[str, Share], flavors: Sequence[pulumi.Resource]
    ) -> CustomResource:
        spec = {
            "cohortName": COHORT,
            "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": self._args.namespaces[team]}},
            "queueingStrategy": "StrictFIFO" if self._args.choices.strict_order else "BestEffortFIFO",
            # A team gets what it is guaranteed from whoever borrowed it, and its urgent work before its other work.
            "preemption": {"reclaimWithinCohort": "Any", "withinClusterQueue": "LowerPriority"},
            "flavorFungibility": {"whenCanBorrow": "MayStopSearch", "whenCanPreempt": "TryNextFlavor"},
            "resourceGroups": [
                {
                    "coveredResources": list(self._covered),
                    "flavors": [_quotas(name, share, self._covered) for name, share in shares.items()],
                }
            ],
        }
        return self._object("ClusterQueue", ("cluster", team), {"name": team}, spec, flavors)

    def _local_queue(self, team: str, queue: pulumi.Resource) -> None:
        metadata = {"name": LOCAL_QUEUE, "namespace": self._args.namespaces[team]}
        self._object("LocalQueue", ("local", team), metadata, {"clusterQueue": team}, [queue])

    def _object(
        self,
        kind: str,
        parts: tuple[str, ...],
        metadata: Mapping[str, Any],
        spec: Mapping[str, Any],
        after: Sequence[pulumi.Resource] = (),
    ) -> CustomResource:
        return CustomResource(
            self.child(*parts),
            api_version=API_VERSION,
            kind=kind,
            metadata={**metadata},
            spec=spec,
            opts=self.options(depends_on=list(after)),
        )


def _covered(choices: QueueChoices) -> tuple[str, ...]:
    """What the queues count: a workload that asks for anything else would wait for ever."""
    shares = [share for team in choices.shares.values() for share in team.values()]
    named = {resource for share in shares for resource in (*share.guaranteed, *share.borrowed)}
    return (*COVERED, *sorted(named.difference(COVERED)))


def _quotas(flavor: str, share: Share, covered: Sequence[str]) -> dict[str, Any]:
    """Kueue wants every covered resource of every flavour, in the same order; none of it is a quota of 0."""
    return {
        "name": flavor,
        "resources": [
            {
                "name": resource,
                "nominalQuota": share.guaranteed.get(resource, "0"),
                "borrowingLimit": share.borrowed.get(resource, "0"),
            }
            for resource in covered
        ],
    }
