"""Pod Identity: which service account acts as which role. Source: EKS API reference, CreatePodIdentityAssociation."""

from __future__ import annotations

from datetime import UTC, datetime

from moto.moto_api._internal import mock_random

from engine.emulator.eks.cluster import Facts
from engine.emulator.eks.clusters import ClusterBackend
from engine.emulator.eks.errors import in_use, invalid, missing

_CHANGEABLE = ("roleArn", "disableSessionTags", "targetRoleArn", "policy")
_LISTED = ("clusterName", "namespace", "serviceAccount", "associationArn", "associationId", "ownerArn")


class PodIdentityBackend(ClusterBackend):
    def pod_identity(self, cluster: str, identifier: str) -> Facts:
        """Raises ResourceNotFoundException."""
        found = self.cluster(cluster).pod_identities.get(identifier)
        if found is None:
            raise missing(f"No pod identity association found for id: {identifier}")
        return found

    def list_pod_identities(self, cluster: str, namespace: str | None, account: str | None) -> list[Facts]:
        return [
            {key: item[key] for key in _LISTED if key in item}
            for item in self.cluster(cluster).pod_identities.values()
            if namespace in (None, item["namespace"]) and account in (None, item["serviceAccount"])
        ]

    def new_pod_identity(self, request: Facts) -> Facts:
        cluster = self.cluster(request["clusterName"])
        taken = self.list_pod_identities(cluster.name, request["namespace"], request["serviceAccount"])
        if taken:
            raise in_use(f"Association already exists: {taken[0]['associationId']}")
        self._check_identity(request)
        identifier = "a-" + mock_random.get_random_string(17, lower_case=True)
        place = f"{self.partition}:eks:{self.region_name}:{self.account_id}"
        now = datetime.now(UTC)
        keys = ("clusterName", "namespace", "serviceAccount", "ownerArn", *_CHANGEABLE)
        association = {key: request[key] for key in keys if request.get(key) is not None} | {
            "associationArn": f"arn:{place}:podidentityassociation/{cluster.name}/{identifier}",
            "associationId": identifier,
            "tags": dict(request.get("tags") or {}),
            "createdAt": now,
            "modifiedAt": now,
            "disableSessionTags": bool(request.get("disableSessionTags")),
        }
        if request.get("targetRoleArn"):
            association["externalId"] = f"{self.region_name}/{self.account_id}/{cluster.name}/{identifier}"
        cluster.pod_identities[identifier] = association
        return association

    def change_pod_identity(self, request: Facts) -> Facts:
        association = self.pod_identity(request["clusterName"], request["associationId"])
        self._check_identity(request)
        association |= {key: request[key] for key in _CHANGEABLE if request.get(key) is not None}
        for key in [key for key in _CHANGEABLE if association.get(key) == ""]:
            del association[key]
        association["modifiedAt"] = datetime.now(UTC)
        if association.get("targetRoleArn"):
            place = f"{self.region_name}/{self.account_id}/{request['clusterName']}"
            association.setdefault("externalId", f"{place}/{request['associationId']}")
        return association

    def remove_pod_identity(self, cluster: str, identifier: str) -> Facts:
        association = self.pod_identity(cluster, identifier)
        del self.cluster(cluster).pod_identities[identifier]
        return association

    def _check_identity(self, request: Facts) -> None:
        if request.get("roleArn"):
            self.surroundings.check_role(request["roleArn"])
        if request.get("policy") and not request.get("disableSessionTags", True):
            raise invalid("A policy needs disableSessionTags")
