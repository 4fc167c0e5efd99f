"""Kueue itself: its namespace and its Helm release.

It comes last of all that makes pods: its webhooks are asked about every workload of the namespaces that it manages, and
where they don't answer, nothing starts.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import pulumi

from components.charts import KUEUE, release
from components.kubernetes import KubernetesComponent
from components.namespace_names import KUEUE_NAMESPACE
from components.namespaces import GuardedNamespace, GuardedNamespaceArgs
from components.network_policies import allow_api_server, allow_dns, allow_from, allow_from_namespace
from components.nodepools import EFA_RESOURCE
from components.scheduling_teams import TEAM_LABEL

_WEBHOOK_PORT, _METRICS_PORT = 9443, 8443
# Kueue's own API of pending workloads, which the API server passes requests on to. While it can't, discovery fails, and
# with it the deletion of every namespace. Source: kueue 0.18.2, charts/kueue/templates/visibility.
_VISIBILITY_PORT = 8082
# The kinds of workloads that Kueue queues; a kind that is not installed is left alone until it is.
_FRAMEWORKS: Final = (
    "batch/job", "jobset.x-k8s.io/jobset", "kubeflow.org/jaxjob", "kubeflow.org/mpijob", "kubeflow.org/pytorchjob",
    "kubeflow.org/tfjob", "kubeflow.org/xgboostjob", "ray.io/raycluster", "ray.io/rayjob",
    "trainer.kubeflow.org/trainjob",
)  # fmt: skip
# What the queues don't count, by how its name begins: all that a GPU or a node brings along. A workload that asks for
# something else than what is counted or named here would never be let in.
# Source: Kueue, "Exclude arbitrary resources in the quota management", and issue 4848.
NOT_COUNTED: Final = ("ephemeral-storage", "hugepages-", EFA_RESOURCE)


@dataclass(frozen=True)
class KueueArgs:
    """``network``: ranges (CIDR) of the API server's addresses."""

    labels: Mapping[str, str]
    replicas: int
    network: Sequence[str]
    monitoring_namespace: str


class Kueue(KubernetesComponent, area="scheduling"):
    """Kueue's controller; ``release`` is what its custom resources depend on."""

    release: pulumi.Resource

    def __init__(self, name: str, args: KueueArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, args.labels, opts)
        allowed = {
            "dns": allow_dns(),
            "api-server": allow_api_server(args.network),
            "webhooks": allow_from(args.network, _WEBHOOK_PORT),
            "visibility": allow_from(args.network, _VISIBILITY_PORT),
            "scrape": allow_from_namespace(args.monitoring_namespace, [_METRICS_PORT]),
        }
        place = GuardedNamespace(
            KUEUE_NAMESPACE,
            GuardedNamespaceArgs(KUEUE_NAMESPACE, args.labels, quota={"persistentvolumeclaims": "0"}, allowed=allowed),
            self.options(),
        )
        options = self.options(depends_on=list(place.guards))
        self.release = release(name, KUEUE, "kueue", place.namespace, kueue_values(args.replicas), options)
        self.register_outputs({})


def kueue_values(replicas: int) -> dict[str, Any]:
    """The chart's values. Source of their names: kueue 0.18.2, charts/kueue/values.yaml."""
    return {
        "controllerManager": {
            "replicas": replicas,
            "manager": {
                "priorityClassName": "system-cluster-critical",
                "resources": {
                    "requests": {"cpu": "250m", "memory": "512Mi"},
                    "limits": {"cpu": "2", "memory": "512Mi"},
                },
            },
            # With one replica a budget would only hold up whoever empties its node.
            "podDisruptionBudget": {"enabled": replicas > 1, "minAvailable": 1},
        },
        "managerConfig": {"controllerManagerConfigYaml": _configuration()},
    }


def _configuration() -> str:
    """The controller's configuration; JSON, which is YAML too. Source: kueue 0.18.2, configuration v1beta2."""
    configuration = {
        "apiVersion": "config.kueue.x-k8s.io/v1beta2",
        "kind": "Configuration",
        "health": {"healthProbeBindAddress": ":8081"},
        "metrics": {"bindAddress": f":{_METRICS_PORT}", "enableClusterQueueResources": True},
        "webhook": {"port": _WEBHOOK_PORT},
        "leaderElection": {"leaderElect": True, "resourceName": "c1f6bfd2.kueue.x-k8s.io"},
        "clientConnection": {"qps": 50, "burst": 100},
        # In a team's namespace nothing goes around the queue, with or without its name.
        "manageJobsWithoutQueueName": True,
        "managedJobsNamespaceSelector": {"matchExpressions": [{"key": TEAM_LABEL, "operator": "Exists"}]},
        "resources": {"excludeResourcePrefixes": list(NOT_COUNTED)},
        "integrations": {"frameworks": list(_FRAMEWORKS)},
    }
    return json.dumps(configuration, indent=2) + "\n"
