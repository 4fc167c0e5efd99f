"""Reads the requests of EKS and writes the answers."""

from __future__ import annotations

from typing import Any, cast

from moto.core.responses import ActionResult, EmptyResult
from moto.eks.responses import EKSResponse

from engine.emulator.eks import versions
from engine.emulator.eks.access import POLICIES
from engine.emulator.eks.errors import missing
from engine.emulator.eks.models import ExtendedEKSBackend


class ExtendedEKSResponse(EKSResponse):
    """Each operation of EKS under its own name; lists are short, and come in one page."""

    def __init__(self) -> None:
        super().__init__()
        self.automated_parameter_parsing = True

    @property
    def extended(self) -> ExtendedEKSBackend:
        return cast(ExtendedEKSBackend, self.eks_backend)

    @property
    def request(self) -> dict[str, Any]:
        """The request's parameters, under the API's names."""
        return cast("dict[str, Any]", self.params)

    @property
    def of(self) -> str:
        """The cluster that the request is about."""
        return self.request["clusterName"]

    # Clusters

    def create_cluster(self) -> ActionResult:
        cluster = self.extended.new_cluster(self.request)
        return ActionResult({"cluster": self.extended.described(cluster.name)})

    def describe_cluster(self) -> ActionResult:
        return ActionResult({"cluster": self.extended.described(self.request["name"])})

    def update_cluster_config(self) -> ActionResult:
        return ActionResult({"update": self.extended.change_cluster(self.request["name"], self.request)})

    def update_cluster_version(self) -> ActionResult:
        return ActionResult({"update": self.extended.raise_version(self.request["name"], self.request["version"])})

    def associate_encryption_config(self) -> ActionResult:
        return ActionResult({"update": self.extended.encrypt(self.of, self.request["encryptionConfig"])})

    def delete_cluster(self) -> ActionResult:
        return ActionResult({"cluster": self.extended.remove_cluster(self.request["name"])})

    def describe_update(self) -> ActionResult:
        update = self.extended.cluster(self.request["name"]).updates.get(self.request["updateId"])
        if update is None:
            raise missing(f"No update found for ID: {self.request['updateId']}")
        return ActionResult({"update": update})

    def list_updates(self) -> ActionResult:
        return ActionResult({"updateIds": list(self.extended.cluster(self.request["name"]).updates)})

    def describe_cluster_versions(self) -> ActionResult:
        wanted = self.request.get("clusterVersions") or list(reversed(versions.OFFERED))
        described = [
            {
                "clusterVersion": version,
                "clusterType": "eks",
                "defaultVersion": version == versions.DEFAULT,
                "status": "standard-support" if version in versions.STANDARD else "extended-support",
                "versionStatus": "STANDARD_SUPPORT" if version in versions.STANDARD else "EXTENDED_SUPPORT",
                "kubernetesPatchVersion": f"{version}.{versions.PATCHES[version]}",
            }
            for version in wanted
            if version in versions.OFFERED
        ]
        return ActionResult({"clusterVersions": described})

    # Node groups

    def create_nodegroup(self) -> ActionResult:
        return ActionResult({"nodegroup": self.extended.new_nodegroup(self.request)})

    def describe_nodegroup(self) -> ActionResult:
        return ActionResult({"nodegroup": self.extended.nodegroup(self.of, self.request["nodegroupName"])})

    def list_nodegroups(self) -> ActionResult:
        return ActionResult({"nodegroups": sorted(self.extended.cluster(self.of).nodegroups)})

    def update_nodegroup_config(self) -> ActionResult:
        return ActionResult({"update": self.extended.change_nodegroup(self.request)})

    def update_nodegroup_version(self) -> ActionResult:
        return ActionResult({"update": self.extended.renew_nodegroup(self.request)})

    def delete_nodegroup(self) -> ActionResult:
        return ActionResult({"nodegroup": self.extended.remove_nodegroup(self.of, self.request["nodegroupName"])})

    # Add-ons

    def create_addon(self) -> ActionResult:
        return ActionResult({"addon": self.extended.new_addon(self.request)})

    def describe_addon(self) -> ActionResult:
        return ActionResult({"addon": self.extended.addon(self.of, self.request["addonName"])})

    def list_addons(self) -> ActionResult:
        return ActionResult({"addons": sorted(self.extended.cluster(self.of).addons)})

    def update_addon(self) -> ActionResult:
        return ActionResult({"update": self.extended.change_addon(self.request)})

    def delete_addon(self) -> ActionResult:
        return ActionResult({"addon": self.extended.remove_addon(self.of, self.request["addonName"])})

    def describe_addon_versions(self) -> ActionResult:
        name, version = self.request.get("addonName"), self.request.get("kubernetesVersion")
        return ActionResult({"addons": self.extended.addon_versions(name, version)})

    # Access

    def create_access_entry(self) -> ActionResult:
        return ActionResult({"accessEntry": self.extended.new_entry(self.request)})

    def describe_access_entry(self) -> ActionResult:
        return ActionResult({"accessEntry": self.extended.access_entry(self.of, self.request["principalArn"])})

    def list_access_entries(self) -> ActionResult:
        entries = self.extended.list_entries(self.of, self.request.get("associatedPolicyArn"))
        return ActionResult({"accessEntries": entries})

    def update_access_entry(self) -> ActionResult:
        return ActionResult({"accessEntry": self.extended.change_entry(self.request)})

    def delete_access_entry(self) -> ActionResult:
        self.extended.remove_entry(self.of, self.request["principalArn"])
        return EmptyResult()

    def list_access_policies(self) -> ActionResult:
        prefix = f"arn:{self.partition}:eks::aws:cluster-access-policy/"
        return ActionResult({"accessPolicies": [{"name": name, "arn": prefix + name} for name in sorted(POLICIES)]})

    def associate_access_policy(self) -> ActionResult:
        principal, policy = self.request["principalArn"], self.request["policyArn"]
        made = self.extended.associate(self.of, principal, policy, self.request["accessScope"])
        return ActionResult({"clusterName": self.of, "principalArn": principal, "associatedAccessPolicy": made})

    def list_associated_access_policies(self) -> ActionResult:
        principal = self.request["principalArn"]
        found = self.extended.associated(self.of, principal)
        return ActionResult({"clusterName": self.of, "principalArn": principal, "associatedAccessPolicies": found})

    def disassociate_access_policy(self) -> ActionResult:
        self.extended.disassociate(self.of, self.request["principalArn"], self.request["policyArn"])
        return EmptyResult()

    # Pod Identity

    def create_pod_identity_association(self) -> ActionResult:
        return ActionResult({"association": self.extended.new_pod_identity(self.request)})

    def describe_pod_identity_association(self) -> ActionResult:
        return ActionResult({"association": self.extended.pod_identity(self.of, self.request["associationId"])})

    def list_pod_identity_associations(self) -> ActionResult:
        namespace, account = self.request.get("namespace"), self.request.get("serviceAccount")
        return ActionResult({"associations": self.extended.list_pod_identities(self.of, namespace, account)})

    def update_pod_identity_association(self) -> ActionResult:
        return ActionResult({"association": self.extended.change_pod_identity(self.request)})

    def delete_pod_identity_association(self) -> ActionResult:
        return ActionResult({"association": self.extended.remove_pod_identity(self.of, self.request["associationId"])})

    # Tags

    def tag_resource(self) -> ActionResult:
        self.extended.tags_of(self.request["resourceArn"]).update(self.request["tags"])
        return EmptyResult()

    def untag_resource(self) -> ActionResult:
        tags = self.extended.tags_of(self.request["resourceArn"])
        for key in self.request["tagKeys"]:
            tags.pop(key, None)
        return EmptyResult()

    def list_tags_for_resource(self) -> ActionResult:
        return ActionResult({"tags": self.extended.tags_of(self.request["resourceArn"])})
