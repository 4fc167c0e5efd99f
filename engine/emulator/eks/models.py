"""The EKS backend that moto is given instead of its own."""

from __future__ import annotations

from engine.emulator.eks.access import AccessBackend
from engine.emulator.eks.addons import AddonBackend
from engine.emulator.eks.cluster import Facts
from engine.emulator.eks.errors import missing


class ExtendedEKSBackend(AccessBackend, AddonBackend):
    """Tags are of everything in the clusters; moto knows those of clusters only."""

    def tags_of(self, arn: str) -> Facts:
        """The tags, to be changed in place. Raises ResourceNotFoundException."""
        for cluster in self.clusters.values():
            if found := cluster.tagged().get(arn):  # type: ignore[attr-defined]  # ours, not moto's
                return found["tags"]
        for cluster in self.clusters.values():
            for profile in cluster.fargate_profiles.values():
                if profile.fargate_profile_arn == arn:
                    return profile.tags
        raise missing(f"Resource was not found: {arn}")
