"""Clusters: creation, the one change per request that EKS takes, deletion in the right order.

Sources: EKS API reference, CreateCluster, UpdateClusterConfig, UpdateClusterVersion, DeleteCluster; defaults are those
of the API, which differ from those of the console.
"""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from typing import Any

from moto.eks.models import EKSBackend, eks_backends
from moto.moto_api._internal import mock_random

from engine.emulator.eks import api_server, versions
from engine.emulator.eks.cluster import Cluster, Facts, certificate_authority
from engine.emulator.eks.errors import impossible, in_use, invalid, missing
from engine.emulator.eks.node_keeper import KEEPER
from engine.emulator.eks.surroundings import Surroundings

LOG_TYPES = ("api", "audit", "authenticator", "controllerManager", "scheduler")
MODES = ("CONFIG_MAP", "API_AND_CONFIG_MAP", "API")  # a cluster can go on in this order, never back
SUPPORT = ("STANDARD", "EXTENDED")
# What UpdateClusterConfig can change -> the type of the update that it records.
CHANGES = {
    "resourcesVpcConfig": "VpcConfigUpdate",
    "logging": "LoggingUpdate",
    "accessConfig": "AccessConfigUpdate",
    "upgradePolicy": "UpgradePolicyUpdate",
    "zonalShiftConfig": "ZonalShiftConfigUpdate",
    "computeConfig": "AutoModeUpdate",
    "remoteNetworkConfig": "RemoteNetworkConfigUpdate",
    "deletionProtection": "DeletionProtectionUpdate",
    "controlPlaneScalingConfig": "ControlPlaneScalingConfigUpdate",
    "kubeApiServerConfig": "ControlPlaneComponentConfigUpdate",
    "kubeSchedulerConfig": "ControlPlaneComponentConfigUpdate",
    "kubeControllerManagerConfig": "ControlPlaneComponentConfigUpdate",
}
WITH_AUTO_MODE = ("storageConfig", "kubernetesNetworkConfig")  # change together with computeConfig


class ClusterBackend(EKSBackend):
    """``clusters`` holds ours, not moto's."""

    @property
    def surroundings(self) -> Surroundings:
        return Surroundings(self.account_id, self.region_name, self.partition)

    def cluster(self, name: str) -> Cluster:
        """Raises ResourceNotFoundException."""
        found: Any = self.clusters.get(name)
        if found is None:
            raise missing(f"No cluster found for name: {name}.")
        return found

    def described(self, name: str) -> Facts:
        """What DescribeCluster answers; the address is that of the sandbox's Kubernetes, if there is one."""
        facts = dict(self.cluster(name).facts)
        known = api_server.CURRENT.api_server
        if known:
            facts |= {"endpoint": known.server, "certificateAuthority": {"data": known.certificate_authority}}
        return facts

    def new_cluster(self, request: Facts) -> Cluster:
        name = request["name"]
        if name in self.clusters:
            raise in_use(f"Cluster already exists with name: {name}")
        self.surroundings.check_role(request["roleArn"])
        version = request.get("version") or versions.DEFAULT
        versions.check_offered(version)
        upgrade = {"supportType": "EXTENDED"} | (request.get("upgradePolicy") or {})
        _check_upgrade_policy(upgrade, version)
        bootstraps = request.get("bootstrapSelfManagedAddons")
        cluster = Cluster(self._facts(request, version, upgrade), bootstraps_addons=bootstraps is not False)
        contents, is_first = api_server.CURRENT.contents, no_clusters()
        if contents and is_first:
            contents.cluster_begins()
        self.clusters[name] = cluster  # type: ignore[assignment]  # ours in the place of moto's
        self.cluster_count += 1
        if is_first:
            KEEPER.keep_own(no_clusters)
        return cluster

    def _facts(self, request: Facts, version: str, upgrade: Facts) -> Facts:
        name = request["name"]
        identity = hashlib.sha256(str(mock_random.uuid4()).encode()).hexdigest()[:32].upper()
        access = {"authenticationMode": "CONFIG_MAP", "bootstrapClusterCreatorAdminPermissions": True}
        issuer = f"https://oidc.eks.{self.region_name}.amazonaws.com/id/{identity}"
        optional = ("outpostConfig", "remoteNetworkConfig", *CHANGES, *WITH_AUTO_MODE)
        given = {key: request[key] for key in optional if request.get(key) is not None}
        network = request.get("kubernetesNetworkConfig") or {}
        return given | {
            "name": name,
            "arn": f"arn:{self.partition}:eks:{self.region_name}:{self.account_id}:cluster/{name}",
            "createdAt": datetime.now(UTC),
            "version": version,
            "endpoint": f"https://{identity}.gr7.{self.region_name}.eks.amazonaws.com",
            "roleArn": request["roleArn"],
            "resourcesVpcConfig": self._network(name, request["resourcesVpcConfig"]),
            "kubernetesNetworkConfig": {"ipFamily": "ipv4", "serviceIpv4Cidr": "172.20.0.0/16"}
            | {"elasticLoadBalancing": {"enabled": False}}
            | network,
            "logging": _logging(request.get("logging") or {}),
            "identity": {"oidc": {"issuer": issuer}},
            "status": "ACTIVE",
            "certificateAuthority": {"data": certificate_authority(name)},
            "platformVersion": "eks.1",
            "tags": dict(request.get("tags") or {}),
            "encryptionConfig": request.get("encryptionConfig") or [],
            "health": {"issues": []},
            "accessConfig": access | (request.get("accessConfig") or {}),
            "upgradePolicy": upgrade,
            "deletionProtection": bool(request.get("deletionProtection")),
        }

    def _network(self, name: str, wanted: Facts) -> Facts:
        subnets = self.surroundings.subnets(wanted.get("subnetIds") or [])
        self.surroundings.check_cluster_subnets(name, subnets)
        vpc_id = subnets[0].vpc_id
        self.surroundings.check_security_groups(wanted.get("securityGroupIds") or [], vpc_id)
        network = {
            "subnetIds": wanted["subnetIds"],
            "securityGroupIds": wanted.get("securityGroupIds") or [],
            "vpcId": vpc_id,
        } | _with_access({}, wanted)
        suffix = str(mock_random.randint(100000000, 999999999))
        network["clusterSecurityGroupId"] = self.surroundings.new_cluster_security_group(name, vpc_id, suffix)
        return network

    def change_cluster(self, name: str, request: Facts) -> Facts:
        """UpdateClusterConfig. Raises InvalidParameterException for more than one change, or none."""
        cluster = self.cluster(name)
        wanted = {key: request[key] for key in CHANGES if request.get(key) is not None}
        if len({CHANGES[key] for key in wanted}) != 1:
            raise invalid("Only one type of update can be allowed.")
        facts, before = cluster.facts, json.dumps(cluster.facts, default=str, sort_keys=True)
        for key, value in wanted.items():
            facts[key] = self._changed(cluster, key, value)
        for key in WITH_AUTO_MODE:
            if "computeConfig" in wanted and request.get(key) is not None:
                facts[key] = facts.get(key, {}) | request[key]
        if before == json.dumps(facts, default=str, sort_keys=True):
            raise invalid("Cluster is already at the desired configuration")
        params = [{"type": key[0].upper() + key[1:], "value": json.dumps(value)} for key, value in wanted.items()]
        return cluster.record_update(CHANGES[next(iter(wanted))], params)

    def _changed(self, cluster: Cluster, key: str, value: Any) -> Any:
        current: Any = cluster.facts.get(key)
        match key:
            case "resourcesVpcConfig":
                return self._changed_network(cluster, value)
            case "logging":
                return _logging(value, current)
            case "accessConfig":
                _check_mode(current["authenticationMode"], value["authenticationMode"])
                return current | {"authenticationMode": value["authenticationMode"]}
            case "upgradePolicy":
                _check_upgrade_policy(value, cluster.version)
                return value
            case "deletionProtection":
                return bool(value)
            case _:
                return (current or {}) | value

    def _changed_network(self, cluster: Cluster, wanted: Facts) -> Facts:
        current: Facts = cluster.facts["resourcesVpcConfig"]
        network = _with_access(current, wanted)
        if wanted.get("subnetIds"):
            subnets = self.surroundings.subnets(wanted["subnetIds"])
            self.surroundings.check_cluster_subnets(cluster.name, subnets)
            if subnets[0].vpc_id != current["vpcId"]:
                raise invalid("Provided subnets belong to another VPC than the cluster")
            network["subnetIds"] = wanted["subnetIds"]
        if wanted.get("securityGroupIds") is not None:
            self.surroundings.check_security_groups(wanted["securityGroupIds"], current["vpcId"])
            network["securityGroupIds"] = wanted["securityGroupIds"]
        return network

    def raise_version(self, name: str, version: str) -> Facts:
        """UpdateClusterVersion. Node groups may lag behind, but by three minor versions at most."""
        cluster = self.cluster(name)
        versions.check_step(cluster.version, version)
        lagging = [
            group["nodegroupName"]
            for group in cluster.nodegroups.values()
            if versions.minor(version) - versions.minor(group["version"]) > 3
        ]
        if lagging:
            raise invalid(f"Nodegroups {', '.join(lagging)} must be updated to match cluster version {cluster.version}")
        cluster.facts["version"] = version
        return cluster.record_update("VersionUpdate", [{"type": "Version", "value": version}])

    def encrypt(self, name: str, config: list[Facts]) -> Facts:
        """AssociateEncryptionConfig: once, and for ever."""
        cluster = self.cluster(name)
        if cluster.facts["encryptionConfig"]:
            raise in_use("An encryption config is already associated with the cluster")
        cluster.facts["encryptionConfig"] = config
        return cluster.record_update(
            "AssociateEncryptionConfig", [{"type": "EncryptionConfig", "value": json.dumps(config)}]
        )

    def remove_cluster(self, name: str) -> Facts:
        """DeleteCluster. Raises ResourceInUseException with nodes, InvalidRequestException when protected."""
        cluster = self.cluster(name)
        if cluster.facts["deletionProtection"]:
            raise impossible(
                f"Cluster {name} has deletion protection enabled. Disable deletion protection before deleting it."
            )
        if cluster.nodegroups:
            raise in_use("Cluster has nodegroups attached")
        if cluster.fargate_profiles:
            raise in_use("Cluster has fargate profiles attached")
        del self.clusters[name]
        self.cluster_count -= 1
        self.surroundings.delete_security_group(cluster.facts["resourcesVpcConfig"]["clusterSecurityGroupId"])
        contents = api_server.CURRENT.contents
        if no_clusters():
            if contents:
                contents.cluster_ends()
            KEEPER.keep_own(no_clusters)
        return cluster.facts | {"status": "DELETING"}


def no_clusters() -> bool:
    """Whether there is no cluster in any account and region: they share one Kubernetes API."""
    return not any(backend.clusters for account in list(eks_backends.values()) for backend in list(account.values()))


def _with_access(current: Facts, wanted: Facts) -> Facts:
    """The endpoint's access: public for all the world unless said otherwise."""
    keys = ("endpointPublicAccess", "endpointPrivateAccess", "publicAccessCidrs", "controlPlaneEgressMode")
    network = {"endpointPublicAccess": True, "endpointPrivateAccess": False, "publicAccessCidrs": ["0.0.0.0/0"]}
    network |= current | {key: wanted[key] for key in keys if wanted.get(key) is not None}
    if not network["endpointPublicAccess"] and not network["endpointPrivateAccess"]:
        raise invalid("Private and public endpoint access cannot be false")
    if not network["endpointPublicAccess"]:
        network["publicAccessCidrs"] = []
    elif not network["publicAccessCidrs"]:
        network["publicAccessCidrs"] = ["0.0.0.0/0"]
    return network


def _logging(wanted: Facts, current: Facts | None = None) -> Facts:
    """All types of logs, in two parts: those that are written, and those that aren't."""
    written = {kind for part in (current or {}).get("clusterLogging", []) if part["enabled"] for kind in part["types"]}
    for part in wanted.get("clusterLogging") or []:
        unknown = set(part.get("types") or []) - set(LOG_TYPES)
        if unknown:
            raise invalid(f"Unknown log type {', '.join(sorted(unknown))}: one of {', '.join(LOG_TYPES)}")
        written = written | set(part["types"]) if part.get("enabled") else written - set(part.get("types") or [])
    parts = [(True, sorted(written)), (False, [kind for kind in LOG_TYPES if kind not in written])]
    return {"clusterLogging": [{"types": types, "enabled": enabled} for enabled, types in parts if types]}


def _check_mode(current: str, wanted: str) -> None:
    if wanted not in MODES or MODES.index(wanted) < MODES.index(current):
        raise impossible(f"Unsupported authentication mode update from {current} to {wanted}")


def _check_upgrade_policy(policy: Facts, version: str) -> None:
    if policy["supportType"] not in SUPPORT:
        raise invalid(f"Unknown support type {policy['supportType']}: one of {', '.join(SUPPORT)}")
    if policy["supportType"] == "STANDARD" and version in versions.EXTENDED:
        raise invalid(f"Kubernetes version {version} is in extended support: supportType STANDARD is not possible")
