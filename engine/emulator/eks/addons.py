"""Add-ons of a cluster, their versions and their roles.

Source: EKS API reference, CreateAddon, UpdateAddon, DescribeAddonVersions. The add-ons are listed in ``addons.yaml``.
"""

from __future__ import annotations

import functools
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import yaml
from moto.moto_api._internal import mock_random

from engine.emulator.eks import versions
from engine.emulator.eks.cluster import Cluster, Facts
from engine.emulator.eks.errors import in_use, invalid, missing
from engine.emulator.eks.nodes_of_groups import NodesOfGroups
from engine.emulator.eks.pod_identity import PodIdentityBackend

PATIENCE = timedelta(minutes=15)  # until an add-on without a node is degraded
TOLERATED = ("CriticalAddonsOnly", "node-role.kubernetes.io/control-plane")  # keys of taints, as their pods say
CONFLICTS = ("OVERWRITE", "NONE", "PRESERVE")
_VERSION = re.compile(r"v(?P<minor>\d+\.\d+)\.\d+(?:-[\w.]+)?-eksbuild\.\d+")


@functools.cache
def catalog() -> dict[str, Facts]:
    return yaml.safe_load(Path(__file__).with_name("addons.yaml").read_text(encoding="utf-8"))


def default_version(name: str, kubernetes: str) -> str:
    return catalog()[name]["default"].format(version=kubernetes)


class AddonBackend(PodIdentityBackend, NodesOfGroups):
    def addon(self, cluster: str, name: str) -> Facts:
        """Raises ResourceNotFoundException."""
        found = self.cluster(cluster).addons.get(name)
        if found is None:
            raise missing(f"No addon: {name} found in cluster: {cluster}")
        return found | self._standing(self.cluster(cluster), found)

    def new_addon(self, request: Facts) -> Facts:
        cluster, name = self.cluster(request["clusterName"]), request["addonName"]
        if name in cluster.addons:
            raise in_use("Addon already exists.")
        if name not in catalog():
            raise invalid(f"Addon {name} specified is not supported")
        version = request.get("addonVersion") or default_version(name, cluster.version)
        self._check_addon(cluster, name, version, request)
        now = datetime.now(UTC)
        place = f"{self.partition}:eks:{self.region_name}:{self.account_id}"
        optional = ("serviceAccountRoleArn", "configurationValues", "namespaceConfig")
        addon = {key: request[key] for key in optional if request.get(key)} | {
            "addonName": name,
            "clusterName": cluster.name,
            "addonVersion": version,
            "addonArn": f"arn:{place}:addon/{cluster.name}/{name}/{mock_random.uuid4()}",
            "createdAt": now,
            "modifiedAt": now,
            "tags": dict(request.get("tags") or {}),
            "publisher": "eks",
            "owner": "aws",
            "podIdentityAssociations": [],
        }
        self._set_identities(cluster, addon, request.get("podIdentityAssociations") or [])
        cluster.addons[name] = addon
        self.keep_nodes_of_cluster(cluster)  # vpc-cni is what nodes wait for
        return self.addon(cluster.name, name)

    def change_addon(self, request: Facts) -> Facts:
        cluster = self.cluster(request["clusterName"])
        self.addon(cluster.name, request["addonName"])
        addon = cluster.addons[request["addonName"]]
        self._check_addon(cluster, addon["addonName"], request.get("addonVersion") or addon["addonVersion"], request)
        for key in ("addonVersion", "configurationValues"):
            if request.get(key) is not None:
                addon[key] = request[key]
        # Without a role the add-on goes back to that of its node, unlike everything else that is left out.
        addon["serviceAccountRoleArn"] = request.get("serviceAccountRoleArn")
        if request.get("podIdentityAssociations") is not None:
            self._set_identities(cluster, addon, request["podIdentityAssociations"])
        addon["modifiedAt"] = datetime.now(UTC)
        params = [{"type": "AddonVersion", "value": addon["addonVersion"]}]
        return cluster.record_update("AddonUpdate", params)

    def remove_addon(self, cluster: str, name: str) -> Facts:
        addon = self.addon(cluster, name)
        self._set_identities(self.cluster(cluster), addon, [])
        del self.cluster(cluster).addons[name]
        return addon | {"status": "DELETING"}

    def _standing(self, cluster: Cluster, addon: Facts) -> Facts:
        """Status and health: an add-on whose pods need a node waits for one, and is degraded when that takes long.

        What runs on every node, as vpc-cni does, is there before any node is: nodes wait for it.
        """
        needs = catalog()[addon["addonName"]].get("needs_node", False)
        if not needs or self.has_node_for(cluster, TOLERATED):
            return {"status": "ACTIVE", "health": {"issues": []}}
        if datetime.now(UTC) - addon["createdAt"] < PATIENCE:
            return {"status": "CREATING", "health": {"issues": []}}
        message = "The add-on is unhealthy because all deployments have all pods unscheduled no nodes available to "
        issue = {"code": "InsufficientNumberOfReplicas", "message": f"{message}schedule pods", "resourceIds": []}
        return {"status": "DEGRADED", "health": {"issues": [issue]}}

    def addon_versions(self, name: str | None, kubernetes: str | None) -> list[Facts]:
        """DescribeAddonVersions; each add-on has one version here, for each version of Kubernetes."""
        wanted = [kubernetes] if kubernetes else list(versions.OFFERED)
        return [
            {
                "addonName": known,
                "owner": "aws",
                "publisher": "eks",
                "addonVersions": [
                    {
                        "addonVersion": default_version(known, version),
                        "architecture": ["amd64", "arm64"],
                        "compatibilities": [{"clusterVersion": version, "defaultVersion": True}],
                    }
                    for version in reversed(wanted)
                ],
            }
            for known in catalog()
            if name in (None, known)
        ]

    def _check_addon(self, cluster: Cluster, name: str, version: str, request: Facts) -> None:
        found = _VERSION.fullmatch(version)
        if not found:
            raise invalid("Addon version specified is not supported")
        if catalog()[name].get("follows_kubernetes") and versions.minor(found["minor"]) > versions.minor(
            cluster.version
        ):
            raise invalid(f"Addon version specified is not supported: {version} is newer than {cluster.version}")
        if request.get("resolveConflicts") not in (None, *CONFLICTS):
            raise invalid(f"Unknown resolveConflicts: one of {', '.join(CONFLICTS)}")
        if request.get("serviceAccountRoleArn"):
            self.surroundings.check_role(request["serviceAccountRoleArn"])
        if request.get("configurationValues"):
            _check_configuration(request["configurationValues"])

    def _set_identities(self, cluster: Cluster, addon: Facts, wanted: list[Facts]) -> None:
        """The associations that the add-on owns: those wanted, and no others."""
        for arn in addon["podIdentityAssociations"]:
            cluster.pod_identities.pop(arn.rsplit("/", 1)[1], None)
        namespace = (addon.get("namespaceConfig") or {}).get("namespace") or "kube-system"
        made = [
            self.new_pod_identity(
                {"clusterName": cluster.name, "namespace": namespace, "ownerArn": addon["addonArn"], **item}
            )
            for item in wanted
        ]
        addon["podIdentityAssociations"] = [item["associationArn"] for item in made]


def _check_configuration(values: str) -> None:
    try:
        parsed: Any = yaml.safe_load(values)  # JSON is YAML
    except yaml.YAMLError:
        parsed = None
    if not isinstance(parsed, dict):
        raise invalid("ConfigurationValue provided in request is not supported: expected a JSON or YAML object")
