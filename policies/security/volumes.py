"""Volumes: encrypted, whoever makes them: the program, an instance, a node, or a claim of a pod (row 25)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from policies.kit import Finding, Resource, Stack, Value
from policies.security.pack import SECURITY
from policies.subjects.launches import (
    INSTANCES,
    LAUNCH_CONFIGURATION,
    LAUNCH_TEMPLATE,
    NODE_CLASSES,
    NODE_GROUP,
    Launch,
    switched_on,
)

_FRAMEWORKS: Final = ("CIS-AWS:5.1.1", "FSBP:EC2.3", "FSBP:EC2.7")
_DRIVERS: Final = ("ebs.csi.aws.com", "ebs.csi.eks.amazonaws.com", "kubernetes.io/aws-ebs")
_BY_DEFAULT: Final = "aws:ebs/encryptionByDefault:EncryptionByDefault"
_FIX: Final = "Set encrypted to true, and name a key of your own with kmsKeyId."


def _unencrypted(volume: Value) -> Iterator[Finding]:
    """A volume from a snapshot is encrypted as its snapshot is, unless it says that it isn't."""
    encrypted = volume.get("encrypted")
    if encrypted.missing and volume.get("snapshotId").present:
        return
    if not switched_on(encrypted):
        yield Finding(f"{encrypted.shown()} is not true", encrypted.path)


def _encrypt(volume: dict[str, Any], yes: Any = True) -> dict[str, Any]:
    return volume if "encrypted" not in volume and volume.get("snapshotId") else {**volume, "encrypted": yes}


def _encrypt_volume(properties: dict[str, Any]) -> dict[str, Any]:
    return _encrypt(properties)


@SECURITY.rule(
    "ebs-volumes-encrypted",
    number=25,
    title="EBS volumes are encrypted",
    severity="high",
    fix=_FIX,
    frameworks=_FRAMEWORKS,
    tags=("checkov:CKV_AWS_3", "checkov:CKV_AWS_189", "trivy:AWS-0026", "awsguard:encrypted-volumes"),
    types=("aws:ebs/volume:Volume",),
    parameters={"own_key": {"type": "boolean", "default": False, "description": "A key must be named, too."}},
    mend=_encrypt_volume,
    mend_risk="A volume that exists is replaced, and what is on it is lost unless there is a snapshot.",
)
def ebs_volumes_encrypted(volume: Resource, parameters: Mapping[str, Any]) -> Iterator[Finding]:
    """What was on a volume is on its snapshots and on the disks that AWS takes away, too."""
    found = list(_unencrypted(volume.properties))
    yield from found
    if parameters["own_key"] and not found and volume.properties.get("kmsKeyId").missing:
        yield Finding("no key of your own is named", "kmsKeyId")


def _encrypt_devices(properties: dict[str, Any]) -> dict[str, Any]:
    mended = dict(properties)
    if "rootBlockDevice" in properties or "launchTemplate" not in properties:
        mended["rootBlockDevice"] = _encrypt(properties.get("rootBlockDevice") or {})
    if "ebsBlockDevices" in properties:
        mended["ebsBlockDevices"] = [_encrypt(each) for each in properties["ebsBlockDevices"]]
    return mended


@SECURITY.rule(
    "instance-volumes-encrypted",
    number=25,
    title="The volumes of instances are encrypted",
    severity="high",
    fix="Set encrypted to true in rootBlockDevice and in each of ebsBlockDevices.",
    frameworks=_FRAMEWORKS,
    tags=("checkov:CKV_AWS_8", "trivy:AWS-0131", "trivy:AWS-0008"),
    types=(*INSTANCES, LAUNCH_CONFIGURATION),
    mend=_encrypt_devices,
    mend_risk="An instance that exists is replaced, with what is on its volumes.",
)
def instance_volumes_encrypted(instance: Resource) -> Iterator[Finding]:
    """The root volume, too: where an instance says nothing of it, it is as its image is, and images mostly aren't.

    What an instance leaves to its launch template is judged there.
    """
    root = instance.properties.get("rootBlockDevice")
    if root.present or instance.properties.get("launchTemplate").missing:
        yield from _unencrypted(root)
    for device in instance.properties.get("ebsBlockDevices").items():
        yield from _unencrypted(device)


def _encrypt_mapped(properties: dict[str, Any]) -> dict[str, Any]:
    if "spec" in properties:
        return {**properties, "spec": _encrypt_mapped_with(properties["spec"], True)}
    return _encrypt_mapped_with(properties, "true")


def _encrypt_mapped_with(settings: dict[str, Any], yes: Any) -> dict[str, Any]:
    mappings = [
        {**each, "ebs": _encrypt(each["ebs"], yes)} if each.get("ebs") else each
        for each in settings["blockDeviceMappings"]
    ]
    return {**settings, "blockDeviceMappings": mappings}


@SECURITY.rule(
    "node-volumes-encrypted",
    number=25,
    title="The volumes of nodes are encrypted",
    severity="high",
    fix="Set ebs.encrypted to true in each of blockDeviceMappings.",
    frameworks=_FRAMEWORKS,
    tags=("trivy:AWS-0008", "pulumi:ec2-launchtemplate-disallow-unencrypted-block-device"),
    types=(LAUNCH_TEMPLATE, NODE_CLASSES),
    mend=_encrypt_mapped,
)
def node_volumes_encrypted(launch: Launch) -> Iterator[Finding]:
    """Images, checkpoints and the Secrets of pods lie on the volumes of nodes.

    A mapping that says nothing is not encrypted; one that Karpenter makes by itself is.
    """
    for volume in launch.mapped_volumes():
        yield from _unencrypted(volume)


@SECURITY.rule(
    "node-volumes-unsaid",
    number=25,
    title="Launch templates say that their root volume is encrypted",
    severity="medium",
    fix="Map the root device with ebs.encrypted true, or turn on aws.ebs.EncryptionByDefault for the region.",
    frameworks=_FRAMEWORKS,
    types=(LAUNCH_TEMPLATE, NODE_GROUP),
    level="advisory",
)
def node_volumes_unsaid(resource: Resource, stack: Stack) -> Iterator[str]:
    """Without a mapping, the volume is encrypted where the image's is, or where the region does so by default.

    Neither can be seen here, unless this stack turns the default on.
    """
    if any(switched_on(each.properties.get("enabled"), default=True) for each in stack.of(_BY_DEFAULT)):
        return
    if resource.type == NODE_GROUP:
        if resource.properties.get("launchTemplate").missing:
            yield "it has no launch template that says whether its volumes are encrypted"
    elif not len(resource.properties.get("blockDeviceMappings")):
        yield "it maps no device, and so doesn't say whether its volumes are encrypted"


def _encrypt_claims(properties: dict[str, Any]) -> dict[str, Any]:
    return {**properties, "parameters": {**(properties.get("parameters") or {}), "encrypted": "true"}}


@SECURITY.rule(
    "storage-class-encrypted",
    number=25,
    title="Volumes that pods claim are encrypted",
    severity="high",
    fix='Set parameters.encrypted to "true" in the StorageClass.',
    frameworks=_FRAMEWORKS,
    tags=("checkov:CKV_AWS_3",),
    types=("kubernetes:storage.k8s.io/*:StorageClass",),
    mend=_encrypt_claims,
)
def storage_class_encrypted(storage_class: Resource) -> Iterator[Finding]:
    """The storage driver makes what a claim asks for, and encrypts it only where the class says so."""
    if storage_class.properties.get("provisioner").text("") in _DRIVERS:
        yield from _unencrypted(storage_class.properties.get("parameters"))


def _enable(properties: dict[str, Any]) -> dict[str, Any]:
    return {**properties, "enabled": True}


@SECURITY.rule(
    "ebs-encryption-by-default",
    number=25,
    title="EBS encrypts by default",
    severity="high",
    fix="Set enabled to true.",
    frameworks=("CIS-AWS:5.1.1", "FSBP:EC2.7"),
    tags=("checkov:CKV_AWS_106",),
    types=(_BY_DEFAULT,),
    mend=_enable,
)
def ebs_encryption_by_default(default: Resource) -> Iterator[Finding]:
    """The region's default holds for all that nobody thought of."""
    enabled = default.properties.get("enabled")
    if not enabled.boolean(default=True):
        yield Finding(f"{enabled.shown()} is not true", enabled.path)
