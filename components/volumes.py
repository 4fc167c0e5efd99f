"""Storage classes: what a claim for a volume gets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
from pulumi_kubernetes.storage.v1 import StorageClass

from components.kubernetes import KubernetesComponent


@dataclass(frozen=True)
class VolumesArgs:
    """``tags`` of volumes are the deployment's: the storage driver makes them, where no provider puts tags."""

    labels: Mapping[str, str]
    tags: Mapping[str, str]
    key_arn: pulumi.Input[str]


class Volumes(KubernetesComponent, area="storage"):
    """The default storage class: gp3, encrypted with our key, made in the zone of the pod that wants it."""

    def __init__(self, name: str, args: VolumesArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, args.labels, opts)
        StorageClass(
            self.child("gp3"),
            metadata={"name": "gp3", "annotations": {"storageclass.kubernetes.io/is-default-class": "true"}},
            provisioner="ebs.csi.aws.com",
            parameters=_parameters(args),
            volume_binding_mode="WaitForFirstConsumer",
            allow_volume_expansion=True,
            # A volume goes with its claim: what must stay is in buckets.
            reclaim_policy="Delete",
            opts=self.options(),
        )
        self.register_outputs({})


def _parameters(args: VolumesArgs) -> dict[str, pulumi.Input[str]]:
    # Source: aws-ebs-csi-driver, "StorageClass parameters", "Tagging", 2026-11.
    tags = {
        f"tagSpecification_{number}": f"{key}={value}"
        for number, (key, value) in enumerate(sorted(args.tags.items()), 1)
    }
    return {"type": "gp3", "encrypted": "true", "kmsKeyId": args.key_arn, **tags}
