"""Managed node groups: what they need to start, their changes, and the Auto Scaling group beneath each.

Sources: EKS API reference, CreateNodegroup, UpdateNodegroupConfig, UpdateNodegroupVersion; Amazon EKS User Guide,
"Customize managed nodes with launch templates" for what may be said in one place only.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime

from moto.ec2.models.instance_types import INSTANCE_TYPES
from moto.moto_api._internal import mock_random

from engine.emulator.eks import versions
from engine.emulator.eks.cluster import Cluster, Facts
from engine.emulator.eks.errors import in_use, invalid, missing
from engine.emulator.eks.node_keeper import KEEPER
from engine.emulator.eks.nodes import gone
from engine.emulator.eks.nodes_of_groups import NodesOfGroups

AMI_TYPES = {  # -> architecture
    "AL2023_x86_64_STANDARD": "x86_64",
    "AL2023_ARM_64_STANDARD": "arm64",
    "AL2023_x86_64_NEURON": "x86_64",
    "AL2023_x86_64_NVIDIA": "x86_64",
    "AL2023_ARM_64_NVIDIA": "arm64",
    "AL2_x86_64": "x86_64",
    "AL2_x86_64_GPU": "x86_64",
    "AL2_ARM_64": "arm64",
    "BOTTLEROCKET_x86_64": "x86_64",
    "BOTTLEROCKET_ARM_64": "arm64",
    "BOTTLEROCKET_x86_64_FIPS": "x86_64",
    "BOTTLEROCKET_ARM_64_FIPS": "arm64",
    "BOTTLEROCKET_x86_64_NVIDIA": "x86_64",
    "BOTTLEROCKET_ARM_64_NVIDIA": "arm64",
    "BOTTLEROCKET_x86_64_NVIDIA_FIPS": "x86_64",
    "BOTTLEROCKET_ARM_64_NVIDIA_FIPS": "arm64",
    "WINDOWS_CORE_2019_x86_64": "x86_64",
    "WINDOWS_FULL_2019_x86_64": "x86_64",
    "WINDOWS_CORE_2022_x86_64": "x86_64",
    "WINDOWS_FULL_2022_x86_64": "x86_64",
    "WINDOWS_CORE_2025_x86_64": "x86_64",
    "WINDOWS_FULL_2025_x86_64": "x86_64",
    "CUSTOM": "",
}
CAPACITY_TYPES = ("ON_DEMAND", "SPOT", "CAPACITY_BLOCK")
EFFECTS = ("NO_SCHEDULE", "NO_EXECUTE", "PREFER_NO_SCHEDULE")
DEFAULT_DISK = 20  # GiB
DEFAULT_SCALING = {"minSize": 1, "maxSize": 2, "desiredSize": 2}


class NodegroupBackend(NodesOfGroups):
    def nodegroup(self, cluster: str, name: str) -> Facts:
        """Raises ResourceNotFoundException."""
        found = self.cluster(cluster).nodegroups.get(name)
        if found is None:
            raise missing(f"No node group found for name: {name}.")
        # Nodes that wait for a network plugin keep their group from being there.
        waits = found["scalingConfig"]["desiredSize"] and not self.cluster(cluster).has_network
        found["status"] = "CREATING" if waits else "ACTIVE"
        return found

    def new_nodegroup(self, request: Facts) -> Facts:
        cluster, name = self.cluster(request["clusterName"]), request["nodegroupName"]
        if name in cluster.nodegroups:
            raise in_use(f"NodeGroup already exists with name {name} and cluster name {cluster.name}")
        self._check_subnets(cluster, request.get("subnets") or [])
        self.surroundings.check_role(request["nodeRole"], "node role")
        template, data = self._template(request)
        ami_type = "CUSTOM" if data.get("ImageId") else request.get("amiType") or "AL2023_x86_64_STANDARD"
        version = request.get("version") or cluster.version
        _check_version(version, cluster.version)
        release = self._release(request, version, ami_type)
        _check_types(request, data, ami_type)
        capacity = request.get("capacityType") or "ON_DEMAND"
        _check_capacity(capacity, data)
        now, identity = datetime.now(UTC), str(mock_random.uuid4())
        place = f"{self.partition}:eks:{self.region_name}:{self.account_id}"
        group: Facts = {
            "nodegroupName": name,
            "nodegroupArn": f"arn:{place}:nodegroup/{cluster.name}/{name}/{identity}",
            "clusterName": cluster.name,
            "version": version,
            "releaseVersion": release,
            "createdAt": now,
            "modifiedAt": now,
            "status": "ACTIVE",
            "capacityType": capacity,
            "scalingConfig": _scaling(DEFAULT_SCALING | (request.get("scalingConfig") or {})),
            "instanceTypes": request.get("instanceTypes") or ([] if data.get("InstanceType") else ["t3.medium"]),
            "subnets": request["subnets"],
            "remoteAccess": request.get("remoteAccess"),
            "amiType": ami_type,
            "nodeRole": request["nodeRole"],
            "labels": dict(request.get("labels") or {}),
            "taints": _taints(request.get("taints") or []),
            "resources": {"autoScalingGroups": [{"name": f"eks-{name}-{identity}"}]},
            "diskSize": None if template else request.get("diskSize") or DEFAULT_DISK,
            "health": {"issues": []},
            "updateConfig": request.get("updateConfig") or {"maxUnavailable": 1},
            "nodeRepairConfig": request.get("nodeRepairConfig"),
            "warmPoolConfig": request.get("warmPoolConfig"),
            "launchTemplate": template,
            "tags": dict(request.get("tags") or {}),
        }
        group = {key: value for key, value in group.items() if value is not None}
        cluster.nodegroups[name] = group
        self.autoscaling.add_node_group(group, lambda: self.keep_nodes(cluster, group))
        self._let_in(cluster, group["nodeRole"])
        self.keep_nodes(cluster, group)
        return self.nodegroup(cluster.name, name)

    def change_nodegroup(self, request: Facts) -> Facts:
        """UpdateNodegroupConfig."""
        cluster = self.cluster(request["clusterName"])
        group = self.nodegroup(cluster.name, request["nodegroupName"])
        labels, taints = request.get("labels") or {}, request.get("taints") or {}
        after = group | {"labels": group["labels"] | (labels.get("addOrUpdateLabels") or {})}
        after["labels"] = {k: v for k, v in after["labels"].items() if k not in (labels.get("removeLabels") or [])}
        after["taints"] = _changed_taints(group["taints"], taints)
        after["scalingConfig"] = _scaling(group["scalingConfig"] | (request.get("scalingConfig") or {}))
        for key in ("updateConfig", "nodeRepairConfig", "warmPoolConfig"):
            if request.get(key) is not None:
                after[key] = request[key]
        group.update(after, modifiedAt=datetime.now(UTC))
        self.autoscaling.resize_node_group(group)
        self.keep_nodes(cluster, group)
        changed = ("labels", "taints", "scalingConfig", "updateConfig", "nodeRepairConfig", "warmPoolConfig")
        params = [
            {"type": key[0].upper() + key[1:], "value": json.dumps(request[key])} for key in changed if request.get(key)
        ]
        return cluster.record_update("ConfigUpdate", params)

    def renew_nodegroup(self, request: Facts) -> Facts:
        """UpdateNodegroupVersion: another version, AMI release or launch template version; nodes are replaced."""
        cluster = self.cluster(request["clusterName"])
        group = self.nodegroup(cluster.name, request["nodegroupName"])
        version = request.get("version") or (cluster.version if not request.get("releaseVersion") else group["version"])
        if group["amiType"] == "CUSTOM" or (request.get("launchTemplate") and not request.get("version")):
            version = group["version"]
        _check_version(version, cluster.version)
        if versions.minor(version) < versions.minor(group["version"]):
            raise invalid(f"Kubernetes version {version} is lower than the node group's {group['version']}")
        template, release = group.get("launchTemplate"), group["releaseVersion"]
        if request.get("launchTemplate"):
            if not template:
                raise invalid("A launch template can't be added to a node group that was created without one")
            template, data = self.surroundings.launch_template(request["launchTemplate"])
            if template["id"] != group["launchTemplate"]["id"]:
                raise invalid("The launch template can't be changed to another one, only to another version")
            _check_types({"instanceTypes": group["instanceTypes"]}, data, group["amiType"])
        if request.get("releaseVersion") or version != group["version"] or not request.get("launchTemplate"):
            release = self._release(request, version, group["amiType"])
        group |= {"version": version, "releaseVersion": release, "modifiedAt": datetime.now(UTC)}
        if template:
            group["launchTemplate"] = template
        self.keep_nodes(cluster, group)
        keys = (("Version", version), ("ReleaseVersion", release))
        return cluster.record_update("VersionUpdate", [{"type": key, "value": value} for key, value in keys])

    def remove_nodegroup(self, cluster: str, name: str) -> Facts:
        group = self.nodegroup(cluster, name)
        del self.cluster(cluster).nodegroups[name]
        self.autoscaling.remove_node_group(group)
        self._shut_out(self.cluster(cluster), group["nodeRole"])
        KEEPER.keep(gone(group["nodegroupArn"]), group)
        return group | {"status": "DELETING"}

    def _let_in(self, cluster: Cluster, role: str) -> None:
        """What access.py does with the role of a managed node group."""

    def _shut_out(self, cluster: Cluster, role: str) -> None:
        """The other way round."""

    def _check_subnets(self, cluster: Cluster, identifiers: list[str]) -> None:
        if not identifiers:
            raise invalid("Subnets must not be empty: a node group needs at least one subnet")
        subnets = self.surroundings.subnets(identifiers)
        if subnets[0].vpc_id != cluster.facts["resourcesVpcConfig"]["vpcId"]:
            raise invalid(f"Subnets are not in the VPC of the cluster {cluster.name}")

    def _template(self, request: Facts) -> tuple[Facts | None, Facts]:
        """The launch template with its version resolved, and what it holds that a node group has to know."""
        if not request.get("launchTemplate"):
            return None, {}
        if request.get("diskSize"):
            raise invalid("Disk size must be specified within the launch template.")
        if request.get("remoteAccess"):
            raise invalid("Remote access configuration cannot be specified with a launch template.")
        template, data = self.surroundings.launch_template(request["launchTemplate"])
        for key in ("IamInstanceProfile", "HibernationOptions"):
            if data.get(key):
                raise invalid(f"{key} must not be specified in the launch template of a node group")
        return template, data

    def _release(self, request: Facts, version: str, ami_type: str) -> str:
        release = request.get("releaseVersion")
        if ami_type == "CUSTOM":
            if release or request.get("version"):
                raise invalid(
                    "You cannot specify a kubernetes version or release version when specifying an image id within the "
                    "launch template."
                )
            return version
        if ami_type.startswith("AL2_") and versions.minor(version) > versions.minor(versions.LAST_WITH_AL2):
            raise invalid(f"Requested amiType {ami_type} is not supported for kubernetes version {version}")
        if release:
            versions.check_release(release, version, ami_type)
        return release or versions.newest_release(version)


def _check_version(version: str, of_cluster: str) -> None:
    versions.check_offered(version)
    if not 0 <= versions.minor(of_cluster) - versions.minor(version) <= 3:
        raise invalid(
            f"Nodegroup Kubernetes version {version} is not possible for a cluster of version {of_cluster}: it must be "
            "the cluster's, or up to three minor versions lower"
        )


def _check_types(request: Facts, data: Facts, ami_type: str) -> None:
    if ami_type not in AMI_TYPES:
        raise invalid(f"Unknown amiType {ami_type}: one of {', '.join(AMI_TYPES)}")
    wanted: list[str] = request.get("instanceTypes") or []
    if wanted and data.get("InstanceType"):
        raise invalid("Instance types can be specified in the launch template or in the API request, not in both")
    wanted = wanted or ([data["InstanceType"]] if data.get("InstanceType") else [])
    unknown = [name for name in wanted if name not in INSTANCE_TYPES]
    if unknown:
        raise invalid(f"The following supplied instance types do not exist: [{', '.join(unknown)}]")
    if not AMI_TYPES[ami_type]:
        return
    for name in wanted:
        if AMI_TYPES[ami_type] not in INSTANCE_TYPES[name]["ProcessorInfo"]["SupportedArchitectures"]:
            raise invalid(f"[{name}] is not a valid instance type for requested amiType {ami_type}")


def _check_capacity(capacity: str, data: Facts) -> None:
    if capacity not in CAPACITY_TYPES:
        raise invalid(f"Unknown capacityType {capacity}: one of {', '.join(CAPACITY_TYPES)}")
    market = (data.get("InstanceMarketOptions") or {}).get("MarketType")
    if capacity == "CAPACITY_BLOCK":
        target = (data.get("CapacityReservationSpecification") or {}).get("CapacityReservationTarget")
        if market != "capacity-block" or not target:
            raise invalid(
                "capacityType CAPACITY_BLOCK needs a launch template with MarketType capacity-block and a "
                "CapacityReservationTarget"
            )
    elif market:
        raise invalid("InstanceMarketOptions must not be in the launch template: say SPOT by capacityType")


def _scaling(config: Facts) -> Facts:
    low, wanted, high = (int(config[key]) for key in ("minSize", "desiredSize", "maxSize"))
    if low < 0 or high < 1:
        raise invalid("Minimum capacity must not be negative, maximum capacity at least 1")
    if low > wanted:
        raise invalid(f"Minimum capacity {low} can't be greater than desired size {wanted}")
    if wanted > high:
        raise invalid(f"desired capacity {wanted} can't be greater than max size {high}")
    return {"minSize": low, "maxSize": high, "desiredSize": wanted}


def _taints(taints: list[Facts]) -> list[Facts]:
    for taint in taints:
        if taint.get("effect") not in EFFECTS:
            raise invalid(f"Unknown taint effect {taint.get('effect')}: one of {', '.join(EFFECTS)}")
    return [dict(taint) for taint in taints]


def _changed_taints(current: list[Facts], changes: Facts) -> list[Facts]:
    def key(taint: Facts) -> tuple[str, str]:
        return taint["key"], taint["effect"]

    gone = {key(taint) for taint in changes.get("removeTaints") or []}
    after = {key(taint): taint for taint in current if key(taint) not in gone}
    return list((after | {key(taint): taint for taint in _taints(changes.get("addOrUpdateTaints") or [])}).values())
