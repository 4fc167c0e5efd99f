"""A machine image, found by owners, filters and a pattern of its name: ``aws.ec2.getAmi``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final, cast

from engine.providers.aws import shapes
from engine.providers.aws.config import Config
from engine.providers.aws.ec2_lookups import Cloud, params_of
from engine.providers.aws.expressions import partition_of
from engine.providers.aws.schema import parse_fields
from engine.providers.base import CheckFailure, Invoked, ProviderError
from engine.values import UNKNOWN, Properties

_TEXTS: Final = (
    "architecture", "arn", "bootMode", "creationDate", "deprecationTime", "description", "hypervisor", "id", "imageId",
    "imageLocation", "imageOwnerAlias", "imageType", "imdsSupport", "kernelId", "lastLaunchedTime", "name", "ownerId",
    "platform", "platformDetails", "ramdiskId", "rootDeviceName", "rootDeviceType", "rootSnapshotId",
    "sriovNetSupport", "state", "tpmSupport", "usageOperation", "virtualizationType",
)  # fmt: skip
IMAGE: Final = parse_fields(
    {
        **dict.fromkeys(_TEXTS, "str"),
        "blockDeviceMappings": [{"deviceName": "str", "ebs": {"*": "str"}, "noDevice": "str", "virtualName": "str"}],
        "enaSupport": "bool",
        "productCodes": [{"productCodeId": "str", "productCodeType": "str"}],
        "public": "bool",
        "stateReason": {"*": "str"},
        "tags": {"*": "str"},
    },
    "getAmi",
    [],
)
RENAMES: Final = {".id": "ImageId"}
PARAMETERS: Final = {"owners": "Owners", "executableUsers": "ExecutableUsers", "includeDeprecated": "IncludeDeprecated"}


def image(args: Properties, config: Config, cloud: Cloud) -> Invoked:
    """One image, the newest of several where ``mostRecent``. Raises ProviderError when there is none, or a choice."""
    region = config.region_of(args)
    try:
        name = re.compile(str(args.get("nameRegex") or ""))
    except re.error as error:
        return Invoked({}, (CheckFailure("nameRegex", f"expected a regular expression: {error}"),))
    if cloud is None:
        return Invoked({**dict.fromkeys(IMAGE, UNKNOWN), "region": region, **args})
    params = params_of(args, {}, None) | {member: args[key] for key, member in PARAMETERS.items() if args.get(key)}
    answer = cloud().listed("ec2", region, "DescribeImages", params)
    found = [item for item in answer["Images"] if name.search(item.get("Name", ""))]
    chosen = _chosen(found, newest=args.get("mostRecent") is True, args=args)
    result = shapes.fields_from_api(chosen, IMAGE, RENAMES, "")
    result["arn"] = f"arn:{partition_of(region)}:ec2:{region}::image/{chosen['ImageId']}"
    result["blockDeviceMappings"] = [_mapping(item) for item in chosen.get("BlockDeviceMappings", [])]
    result["rootSnapshotId"] = _root_snapshot(chosen)
    return Invoked({**args, **result, "region": region})


def _chosen(found: list[dict[str, Any]], *, newest: bool, args: Properties) -> dict[str, Any]:
    if not found:
        raise ProviderError(f"expected an image for {args}: none matches; give other owners or filters")
    if len(found) > 1 and not newest:
        raise ProviderError(
            f"expected exactly one image for {args}: {len(found)} match; give narrower filters, or mostRecent"
        )
    return max(found, key=lambda item: (item.get("CreationDate", ""), item["ImageId"]))


def _mapping(item: Mapping[str, Any]) -> Properties:
    """A block device, its volume as the texts that pulumi_aws has: ``delete_on_termination: "true"``."""
    ebs = {re.sub(r"(?<!^)(?=[A-Z])", "_", key).lower(): value for key, value in item.get("Ebs", {}).items()}
    texts = {key: str(value).lower() if isinstance(value, bool) else str(value) for key, value in ebs.items()}
    told = {
        "deviceName": item.get("DeviceName"),
        "noDevice": item.get("NoDevice"),
        "virtualName": item.get("VirtualName"),
    }
    return {**{key: value or "" for key, value in told.items()}, "ebs": texts}


def _root_snapshot(chosen: Mapping[str, Any]) -> str:
    root = chosen.get("RootDeviceName")
    mappings = cast("list[dict[str, Any]]", chosen.get("BlockDeviceMappings", []))
    return next(
        (
            str(item["Ebs"].get("SnapshotId", ""))
            for item in mappings
            if item.get("DeviceName") == root and "Ebs" in item
        ),
        "",
    )
