"""Settings of the cluster: EKS with its access, add-ons and node pools, or a cluster that exists."""

from __future__ import annotations

import re
from collections.abc import Iterable
from ipaddress import IPv4Network
from typing import Annotated, Literal

from pydantic import Field

from components.kubernetes_versions import DEFAULT, kubernetes_versions, taken
from stacks.settings.base import Contradiction, Section
from stacks.settings.network import RFC_1918, Cidr
from stacks.settings.pool_rules import about_types
from stacks.settings.pools import NodePoolSettings
from stacks.settings.problems import did_you_mean
from stacks.settings.scheduling import GroupName

LogType = Literal["api", "audit", "authenticator", "controllerManager", "scheduler"]
PrincipalArn = Annotated[str, Field(pattern=r"^arn:aws[a-z-]*:iam::\d{12}:(role|user)/.+$")]
AccessNamespace = Annotated[str, Field(max_length=63, pattern=r"^[a-z0-9*]([a-z0-9*-]*[a-z0-9*])?$")]
AddonVersion = Annotated[str, Field(pattern=r"^v\d+\.\d+\.\d+[\w.-]*-eksbuild\.\d+$")]
OptionalAddon = Literal["aws-mountpoint-s3-csi-driver", "eks-node-monitoring-agent", "metrics-server"]

_POOL_NAME = re.compile(r"[a-z]([a-z0-9-]*[a-z0-9])?")
# EKS: 63 characters for the name of a node group, of which "node-pools-", "-nodes" and what Pulumi adds take 25.
_POOL_NAME_LENGTH = 38
# A flavour of the queues has its pool's name, and without a pool for what needs no GPU there is one called "any".
_RESERVED_NAMES = {"system": "the cluster's own pool", "any": "the queues' flavour of all nodes without GPUs"}


class ExistingClusterSettings(Section):
    """A cluster that somebody else runs: nothing of EKS is made."""

    kubeconfig: str = Field(min_length=1)
    """Path of the kubeconfig file that leads to it."""
    context: str | None = Field(default=None, min_length=1)
    """Context in that file; default: its current one."""


class AccessSettings(Section):
    """Who may enter the cluster, besides whoever deploys it."""

    principal_arn: PrincipalArn
    """ARN of the IAM role or user."""
    policy: Literal["cluster-admin", "admin", "edit", "view"] | None = None
    """What the principal may do: one of the access policies of EKS."""
    namespaces: tuple[AccessNamespace, ...] = ()
    """Where, by name or by a pattern such as team-*; default: everywhere."""
    groups: tuple[GroupName, ...] = ()
    """Kubernetes groups of the principal, for role bindings of your own."""

    def contradictions(self) -> Iterable[Contradiction]:
        if self.policy is None and not self.groups:
            yield Contradiction("policy", "is missing, and so are groups: nothing is allowed", "give one of them")
        elif self.policy is None and self.namespaces:
            yield Contradiction("namespaces", "limit no policy: there is none", "give a policy, or leave them out")
        if self.policy == "cluster-admin" and self.namespaces:
            yield Contradiction("namespaces", "don't limit 'cluster-admin'", "use 'admin', or leave them out")
        for index, group in enumerate(self.groups):
            if group.startswith(("system:", "eks:", "aws:", "amazon:", "iam:")):
                yield Contradiction(f"groups[{index}]", f"'{group}' is a group that EKS keeps for itself", "rename it")


class AddonSettings(Section):
    """Add-ons of EKS. vpc-cni, kube-proxy, coredns, eks-pod-identity-agent and aws-ebs-csi-driver are always there."""

    optional: tuple[OptionalAddon, ...] = ("eks-node-monitoring-agent", "metrics-server")
    """Which others to have."""
    versions: dict[str, AddonVersion] = Field(default_factory=dict)
    """Versions, by add-on; default: those pinned for the Kubernetes version."""

    def contradictions(self) -> Iterable[Contradiction]:
        known = kubernetes_versions()[DEFAULT].addons
        for name in self.versions.keys() - known.keys():
            advice = did_you_mean(name, known) or f"known here: {', '.join(sorted(known))}"
            yield Contradiction(f"versions.{name}", f"unknown add-on '{name}'", advice)


class SystemPoolSettings(Section):
    """The nodes that the cluster's own parts run on: always there, never spot."""

    instance_types: tuple[str, ...] = Field(default=("m7i.large", "m6i.large"), min_length=1, max_length=20)
    """Instance types, the preferred one first."""
    size: int = Field(default=2, ge=2, le=20)
    """Number of nodes; at least 2, to survive the loss of one."""
    disk_gib: int = Field(default=50, ge=20, le=16384)
    """Size of the root volume (GiB)."""

    def as_pool(self) -> NodePoolSettings:
        """The same as a node pool."""
        return NodePoolSettings(
            workload="cpu",
            instance_types=self.instance_types,
            min_size=self.size,
            max_size=self.size + 1,
            disk_gib=self.disk_gib,
        )

    def contradictions(self) -> Iterable[Contradiction]:
        pool = NodePoolSettings.model_construct(workload="cpu", instance_types=self.instance_types)
        yield from about_types(pool)


class KarpenterSettings(Section):
    """Karpenter, which makes nodes as pods need them."""

    enabled: bool = False
    """Install it, with its roles and its queue of interruptions."""
    replicas: int = Field(default=2, ge=1, le=5)
    """Number of controllers, on the system pool; all but one stand by."""


class ClusterSettings(Section):
    """EKS and its nodes, or a cluster that exists."""

    existing: ExistingClusterSettings | None = None
    """A cluster to use instead of making one."""
    kubernetes_version: str = DEFAULT
    """Kubernetes version, in quotes, such as "1.35"."""
    public_access_cidrs: tuple[Cidr, ...] = ()
    """Ranges that reach the Kubernetes API from outside of the VPC; default: none, the endpoint is private."""
    service_cidr: Cidr = IPv4Network("172.20.0.0/16")
    """Range of the services' addresses; a cluster keeps it for ever."""
    log_types: tuple[LogType, ...] = ("api", "audit", "authenticator")
    """Logs of the control plane that are kept."""
    deletion_protection: bool | None = None
    """Refuse to delete the cluster; default: on for stage `prod`."""
    deployer_arn: PrincipalArn | None = None
    """ARN of the IAM role or user that deploys, such as a pipeline's; default: whoever makes the cluster."""
    access: tuple[AccessSettings, ...] = ()
    """Who may enter the cluster, besides whoever deploys it."""
    addons: AddonSettings = AddonSettings()
    """Add-ons of EKS."""
    system_pool: SystemPoolSettings = SystemPoolSettings()
    """The nodes that the cluster's own parts run on."""
    node_pools: dict[str, NodePoolSettings] = Field(default_factory=dict)
    """Node pools by name."""
    karpenter: KarpenterSettings = KarpenterSettings()
    """Karpenter, which makes nodes as pods need them."""
    kubernetes_resources: bool = True
    """Declare what lies in the cluster, too; off: AWS only."""

    def contradictions(self) -> Iterable[Contradiction]:
        if self.existing is not None:
            yield from self._about_existing()
        yield from self._about_ranges()
        yield from self._about_version()
        yield from self._about_pools()
        principals = [each.principal_arn for each in self.access]
        for index, principal in enumerate(principals):
            if principal == self.deployer_arn:
                why = "names the one that deploys, who may do everything anyway"
                yield Contradiction(f"access[{index}].principal_arn", why, "leave the entry out")
            if principal in principals[:index]:
                yield Contradiction(f"access[{index}].principal_arn", f"names '{principal}' again", "keep one of them")

    def _about_existing(self) -> Iterable[Contradiction]:
        for name in sorted(self.model_fields_set - {"existing", "kubernetes_version", "kubernetes_resources"}):
            why = "describes a cluster to be made, but cluster.existing names one that exists"
            yield Contradiction(name, why, f"leave out one of cluster.existing and cluster.{name}")

    def _about_ranges(self) -> Iterable[Contradiction]:
        # Source: Amazon EKS API, KubernetesNetworkConfigRequest, 2026-11.
        services = self.service_cidr
        if not 12 <= services.prefixlen <= 24:
            why = f"{services} is not a size that EKS takes"
            yield Contradiction("service_cidr", why, "use a prefix from /12 to /24")
        elif not any(services.subnet_of(each) for each in RFC_1918):
            why = f"{services} is in none of {', '.join(map(str, RFC_1918))}"
            yield Contradiction("service_cidr", why, "use another range, such as 172.20.0.0/16")
        for index, block in enumerate(self.public_access_cidrs):
            if any(block.subnet_of(each) for each in RFC_1918):
                why = f"{block} is a private range, and nobody in it comes from outside of the VPC"
                yield Contradiction(f"public_access_cidrs[{index}]", why, "name the public one that it comes from")

    def _about_version(self) -> Iterable[Contradiction]:
        known = kubernetes_versions().get(self.kubernetes_version)
        advice = f"use one of {', '.join(taken())}"
        if known is None:
            yield Contradiction("kubernetes_version", f"unknown Kubernetes version '{self.kubernetes_version}'", advice)
        elif not known.is_taken:
            why = f"standard support of Kubernetes {known.name} ends on {known.standard_support_until}"
            yield Contradiction("kubernetes_version", why, advice)

    def _about_pools(self) -> Iterable[Contradiction]:
        for name, pool in self.node_pools.items():
            place = f"node_pools.{name}"
            if name in _RESERVED_NAMES:
                yield Contradiction(place, f"is the name of {_RESERVED_NAMES[name]}", "use another name")
            elif not _POOL_NAME.fullmatch(name):
                why = f"'{name}' is no name for a pool: lower-case letters, digits and dashes, a letter first"
                yield Contradiction(place, why, "rename it")
            elif len(name) > _POOL_NAME_LENGTH:
                why = f"is {len(name)} characters long, and AWS takes {_POOL_NAME_LENGTH} beside what is added to it"
                yield Contradiction(place, why, "use a shorter name")
            if pool.provisioner == "karpenter" and not self.karpenter.enabled:
                why = "'karpenter' needs cluster.karpenter.enabled"
                yield Contradiction(f"{place}.provisioner", why, "turn it on, or use 'managed'")
            release, version = pool.ami_release, self.kubernetes_version
            if pool.ami == "al2023" and release and not release.startswith(f"{version}."):
                why = f"'{release}' is not of Kubernetes {version}, which the cluster has"
                yield Contradiction(f"{place}.ami_release", why, "leave it out, or give one of this version")
