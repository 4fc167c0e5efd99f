"""Namespaces as the platform makes them: held to a Pod Security level, limited, and closed but for what is allowed."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import pulumi
from pulumi_kubernetes.core.v1 import LimitRange, Namespace, ResourceQuota
from pulumi_kubernetes.networking.v1 import NetworkPolicy
from pulumi_kubernetes.networking.v1 import NetworkPolicySpecArgsDict as PolicySpec

from components.kubernetes import KubernetesComponent
from components.network_policies import deny_all

_LEVEL_LABELS = ("enforce", "audit", "warn")
# What a container asks for that says nothing of its own: enough to start, little enough to be noticed. No limits: a
# default limit refuses every container that asks for more than it and states no limit, as many training jobs do.
_DEFAULT_REQUEST = {"cpu": "100m", "memory": "256Mi"}
# Load balancers and node ports lead into the cluster past its network policies; nobody gets one by accident.
_CLOSED: Final = {"services.loadbalancers": "0", "services.nodeports": "0"}


class PodSecurity(enum.StrEnum):
    """Kubernetes' Pod Security Standards. ``PRIVILEGED`` is for what drives devices, and for nothing else."""

    RESTRICTED = "restricted"
    BASELINE = "baseline"
    PRIVILEGED = "privileged"


@dataclass(frozen=True)
class GuardedNamespaceArgs:
    """``quota``: amounts by resource, as ResourceQuota has them; ``allowed``: network policies by what they are for."""

    namespace: str
    labels: Mapping[str, str]
    pod_security: PodSecurity = PodSecurity.RESTRICTED
    quota: Mapping[str, str] = field(default_factory=dict[str, str])
    allowed: Mapping[str, PolicySpec] = field(default_factory=dict[str, PolicySpec])


class GuardedNamespace(KubernetesComponent, area="scheduling"):
    """A namespace (``namespace`` is its name), its limits, and its network policies; ``guards`` is all of that."""

    namespace: str
    guards: tuple[pulumi.Resource, ...]

    def __init__(self, name: str, args: GuardedNamespaceArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, args.labels, opts)
        self.namespace = args.namespace
        made = self._make_namespace(args.pod_security)
        # Named, not read from the namespace: a preview then knows every name.
        self._inside = self.options(depends_on=[made])
        self.guards = (made, self._quota(args.quota), self._limits(), *self._policies(args.allowed))
        self.register_outputs({"namespace": self.namespace})

    def _make_namespace(self, level: PodSecurity) -> Namespace:
        labels = {f"pod-security.kubernetes.io/{mode}": level.value for mode in _LEVEL_LABELS}
        return Namespace(self.component_name, metadata={"name": self.namespace, "labels": labels}, opts=self.options())

    def _quota(self, quota: Mapping[str, str]) -> ResourceQuota:
        return ResourceQuota(
            self.child("quota"),
            metadata={"name": "quota", "namespace": self.namespace},
            spec={"hard": {**_CLOSED, **quota}},
            opts=self._inside,
        )

    def _limits(self) -> LimitRange:
        return LimitRange(
            self.child("limits"),
            metadata={"name": "limits", "namespace": self.namespace},
            spec={"limits": [{"type": "Container", "default_request": _DEFAULT_REQUEST}]},
            opts=self._inside,
        )

    def _policies(self, allowed: Mapping[str, PolicySpec]) -> list[NetworkPolicy]:
        specs = {"deny-all": deny_all(), **{f"allow-{purpose}": spec for purpose, spec in allowed.items()}}
        return [
            NetworkPolicy(
                self.child(name),
                metadata={"name": name, "namespace": self.namespace},
                spec=spec,
                opts=self._inside,
            )
            for name, spec in specs.items()
        ]
