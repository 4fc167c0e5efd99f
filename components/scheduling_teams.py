"""A team's place in the cluster: its namespace with quota and policies, its accounts, and who may do what there."""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi
from pulumi_kubernetes.core.v1 import ResourceQuota, ServiceAccount, ServiceAccountPatch
from pulumi_kubernetes.meta.v1 import ObjectMetaArgsDict as Metadata
from pulumi_kubernetes.networking.v1 import NetworkPolicySpecArgsDict as PolicySpec
from pulumi_kubernetes.rbac.v1 import PolicyRuleArgsDict, Role, RoleBinding

from components.kubernetes import KubernetesComponent, label_value
from components.namespaces import GuardedNamespace, GuardedNamespaceArgs, PodSecurity
from components.network_policies import (
    Destination,
    allow_api_server,
    allow_dns,
    allow_from_namespace,
    allow_https,
    allow_pod_identity,
    allow_same_namespace,
    allow_to,
)
from components.observability.pushing import allow_push_to
from components.scheduling_access import editor_rules, viewer_rules

# Classes of Kubernetes itself, for what the cluster can't be without.
_SYSTEM_CLASSES = ("system-cluster-critical", "system-node-critical")
# By it Kueue tells the namespaces whose workloads it manages from all others.
TEAM_LABEL = "bedplate.dev/team"


class Egress(enum.StrEnum):
    """How far a team's pods get beyond their namespace and the cluster's DNS."""

    NONE = "none"
    API_SERVER = "api-server"
    HTTPS = "https"


@dataclass(frozen=True)
class Team:
    """What an environment decides about a team. ``quota``: amounts by resource; ``priorities``: classes it may use."""

    namespace: str
    quota: Mapping[str, str]
    priorities: Sequence[str]
    pod_security: PodSecurity
    egress: Egress
    destinations: Sequence[Destination]
    editors: Sequence[str]  # groups
    viewers: Sequence[str]
    owner: str | None
    cost_center: str | None


@dataclass(frozen=True)
class TeamSpaceArgs:
    """``all_priorities`` of the environment; ``network`` ranges (CIDR) of the API server's addresses."""

    labels: Mapping[str, str]
    team: Team
    all_priorities: Sequence[str]
    network: Sequence[str]
    monitoring_namespace: str


class TeamSpace(KubernetesComponent, area="scheduling"):
    """One team's namespace and what belongs to it; ``name`` is the team's. ``guards`` come before any workload."""

    def __init__(
        self, name: str, team_name: str, args: TeamSpaceArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        team = args.team
        overrides = {"Team": team_name, "Owner": team.owner, "CostCenter": team.cost_center}
        own = {key: label_value(value) for key, value in overrides.items() if value}
        labels = {**args.labels, **own, TEAM_LABEL: team_name}
        super().__init__(name, labels, opts)
        self._args, self._team = args, team
        space = GuardedNamespace(
            self.child("namespace"),
            GuardedNamespaceArgs(team.namespace, labels, team.pod_security, team.quota, self._allowed()),
            self.options(),
        )
        self.namespace = space.namespace
        self._inside = self.options(depends_on=[space.guards[0]])
        self._forbid_priorities()
        self._accounts()
        self._bind("editor", team.editors, editor_rules())
        self._bind("viewer", team.viewers, viewer_rules())
        self.guards = space.guards
        self.register_outputs({"namespace": self.namespace})

    def _allowed(self) -> dict[str, PolicySpec]:
        allowed = {
            "dns": allow_dns(),
            "same-namespace": allow_same_namespace(),
            "scrape": allow_from_namespace(self._args.monitoring_namespace),
            "push": allow_push_to(self._args.monitoring_namespace),
        }
        if self._team.egress is not Egress.NONE:
            allowed["api-server"] = allow_api_server(self._args.network)
        if self._team.egress is Egress.HTTPS:
            # Credentials are of use only to those who reach what they are for.
            allowed |= {"pod-identity": allow_pod_identity(), "https": allow_https()}
        if self._team.destinations:
            allowed["destinations"] = allow_to(self._team.destinations)
        return allowed

    def _forbid_priorities(self) -> None:
        """A quota of no pods in the classes that aren't the team's: else everybody's pods would be the most urgent."""
        forbidden = [each for each in self._args.all_priorities if each not in self._team.priorities]
        classes = [*sorted(forbidden), *_SYSTEM_CLASSES]
        ResourceQuota(
            self.child("priorities"),
            metadata={"name": "priorities", "namespace": self.namespace},
            spec={
                "hard": {"pods": "0"},
                "scope_selector": {
                    "match_expressions": [{"scope_name": "PriorityClass", "operator": "In", "values": classes}]
                },
            },
            opts=self._inside,
        )

    def _accounts(self) -> None:
        ServiceAccount(
            self.child("workload"),
            metadata={"name": "workload", "namespace": self.namespace},
            automount_service_account_token=False,
            opts=self._inside,
        )
        # Kubernetes makes `default` by itself, for pods that name no account: they get no token either.
        ServiceAccountPatch(
            self.child("default"),
            metadata={"name": "default", "namespace": self.namespace},
            automount_service_account_token=False,
            opts=self._inside,
        )

    def _bind(self, role: str, groups: Sequence[str], rules: list[PolicyRuleArgsDict]) -> None:
        if not groups:
            return
        metadata: Metadata = {"name": f"team-{role}", "namespace": self.namespace}
        made = Role(self.child(role), metadata=metadata, rules=rules, opts=self._inside)
        RoleBinding(
            self.child(role),
            metadata=metadata,
            role_ref={"api_group": "rbac.authorization.k8s.io", "kind": "Role", "name": f"team-{role}"},
            subjects=[{"api_group": "rbac.authorization.k8s.io", "kind": "Group", "name": group} for group in groups],
            opts=self.options(depends_on=[made]),
        )
