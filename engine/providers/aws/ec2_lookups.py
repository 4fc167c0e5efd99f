"""Existing networks, found by id, tags or filters: ``aws.ec2.getVpc``, ``getSubnet`` and ``getSubnets``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final, TypeAlias, cast

from engine.providers.aws import shapes
from engine.providers.aws.config import Config
from engine.providers.aws.schema import parse_fields
from engine.providers.base import Invoked, ProviderError
from engine.values import UNKNOWN, Properties

if TYPE_CHECKING:
    from engine.providers.aws.calls import Caller

Cloud: TypeAlias = "Callable[[], Caller] | None"

VPC: Final = parse_fields(
    {
        "arn": "str",
        "cidrBlock": "str",
        "cidrBlockAssociations": [{"associationId": "str", "cidrBlock": "str", "state": "str"}],
        "default": "bool",
        "dhcpOptionsId": "str",
        "enableDnsHostnames": "bool",
        "enableDnsSupport": "bool",
        "enableNetworkAddressUsageMetrics": "bool",
        "id": "str",
        "instanceTenancy": "str",
        "ipv6AssociationId": "str",
        "ipv6CidrBlock": "str",
        "mainRouteTableId": "str",
        "ownerId": "str",
        "state": "str",
        "tags": {"*": "str"},
    },
    "getVpc",
    [],
)
SUBNET: Final = parse_fields(
    {
        "arn": "str",
        "assignIpv6AddressOnCreation": "bool",
        "availabilityZone": "str",
        "availabilityZoneId": "str",
        "availableIpAddressCount": "int",
        "cidrBlock": "str",
        "customerOwnedIpv4Pool": "str",
        "defaultForAz": "bool",
        "enableDns64": "bool",
        "enableLniAtDeviceIndex": "int",
        "enableResourceNameDnsARecordOnLaunch": "bool",
        "enableResourceNameDnsAaaaRecordOnLaunch": "bool",
        "id": "str",
        "ipv6CidrBlock": "str",
        "ipv6CidrBlockAssociationId": "str",
        "ipv6Native": "bool",
        "mapCustomerOwnedIpOnLaunch": "bool",
        "mapPublicIpOnLaunch": "bool",
        "outpostArn": "str",
        "ownerId": "str",
        "privateDnsHostnameTypeOnLaunch": "str",
        "state": "str",
        "tags": {"*": "str"},
        "vpcId": "str",
    },
    "getSubnet",
    [],
)
VPC_RENAMES: Final = {".id": "VpcId", ".default": "IsDefault", ".cidrBlockAssociations": "CidrBlockAssociationSet"}
SUBNET_RENAMES: Final = {".id": "SubnetId", ".arn": "SubnetArn"}
# Arguments -> EC2's filters; the ids have parameters of their own.
VPC_FILTERS: Final = {
    "cidrBlock": "cidr",
    "default": "is-default",
    "dhcpOptionsId": "dhcp-options-id",
    "state": "state",
}
SUBNET_FILTERS: Final = {
    "availabilityZone": "availability-zone",
    "availabilityZoneId": "availability-zone-id",
    "cidrBlock": "cidr-block",
    "defaultForAz": "default-for-az",
    "state": "state",
    "vpcId": "vpc-id",
}


def vpc(args: Properties, config: Config, cloud: Cloud) -> Invoked:
    """One VPC. Raises ProviderError unless exactly one matches."""
    if cloud is None:
        return Invoked({**dict.fromkeys(VPC, UNKNOWN), "region": config.region_of(args), **args})
    call, region = cloud().call, config.region_of(args)
    found = _one("VPC", call("ec2", region, "DescribeVpcs", params_of(args, VPC_FILTERS, "VpcIds"))["Vpcs"], args)
    result = shapes.fields_from_api(found, VPC, VPC_RENAMES, "")
    for key, attribute in (("enableDnsHostnames", "EnableDnsHostnames"), ("enableDnsSupport", "EnableDnsSupport")):
        name = key  # DescribeVpcAttribute spells them as Pulumi does
        answer = call("ec2", region, "DescribeVpcAttribute", {"VpcId": result["id"], "Attribute": name})
        result[key] = answer[attribute]["Value"]
    result["arn"] = f"arn:aws:ec2:{region}:{result.get('ownerId', '')}:vpc/{result['id']}"
    filters = [{"Name": "vpc-id", "Values": [result["id"]]}, {"Name": "association.main", "Values": ["true"]}]
    tables = call("ec2", region, "DescribeRouteTables", {"Filters": filters})["RouteTables"]
    result["mainRouteTableId"] = tables[0]["RouteTableId"] if tables else ""
    return Invoked({**args, **result, "region": region})


def subnet(args: Properties, config: Config, cloud: Cloud) -> Invoked:
    """One subnet. Raises ProviderError unless exactly one matches."""
    if cloud is None:
        return Invoked({**dict.fromkeys(SUBNET, UNKNOWN), "region": config.region_of(args), **args})
    region = config.region_of(args)
    answer = cloud().call("ec2", region, "DescribeSubnets", params_of(args, SUBNET_FILTERS, "SubnetIds"))
    result = shapes.fields_from_api(_one("subnet", answer["Subnets"], args), SUBNET, SUBNET_RENAMES, "")
    return Invoked({**args, **result, "region": region})


def subnets(args: Properties, config: Config, cloud: Cloud) -> Invoked:
    """The ids of all subnets that match."""
    region = config.region_of(args)
    if cloud is None:
        return Invoked({**args, "id": region, "ids": UNKNOWN, "region": region})
    answer = cloud().listed("ec2", region, "DescribeSubnets", params_of(args, {}, None))
    return Invoked({**args, "id": region, "ids": [item["SubnetId"] for item in answer["Subnets"]], "region": region})


LOOKUPS: Final = {"vpc": vpc, "subnet": subnet, "subnets": subnets}


def params_of(args: Properties, filters: Mapping[str, str], ids: str | None) -> dict[str, Any]:
    """What EC2 is asked: filters of the arguments that ``filters`` names and of those given; ids where it has them."""

    def text(value: object) -> str:
        return str(value).lower() if isinstance(value, bool) else str(value)

    wanted = [{"Name": name, "Values": [text(args[key])]} for key, name in filters.items() if key in args]
    for key, value in cast("dict[str, Any]", args.get("tags") or {}).items():
        wanted.append({"Name": f"tag:{key}", "Values": [text(value)]})
    filtered = cast("list[dict[str, Any]]", args.get("filters") or [])
    wanted += [{"Name": item["name"], "Values": [text(value) for value in item["values"]]} for item in filtered]
    params: dict[str, Any] = {"Filters": wanted} if wanted else {}
    if ids and args.get("id"):
        params[ids] = [args["id"]]
    return params


def _one(what: str, found: list[dict[str, Any]], args: Properties) -> dict[str, Any]:
    if len(found) == 1:
        return found[0]
    seen = f"{len(found)} match" if found else "none matches"
    raise ProviderError(f"expected exactly one {what} for {args}: {seen}; give its id or narrower filters")
