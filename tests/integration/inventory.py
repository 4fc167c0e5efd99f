"""What an emulator holds, asked through boto3: kind of resource -> names that do not depend on chance."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

Client = Callable[[str], Any]


def inventory(client: Client) -> dict[str, int]:
    """How many resources of each kind exist that somebody made; what AWS itself provides is left out."""
    counts = Counter({kind: len(list(find(client))) for kind, find in FINDERS.items()})
    return {kind: count for kind, count in sorted(counts.items()) if count}


def _vpcs(client: Client) -> list[str]:
    return [vpc["VpcId"] for vpc in client("ec2").describe_vpcs()["Vpcs"] if not vpc["IsDefault"]]


def _in_vpcs(client: Client, operation: str, key: str) -> Iterable[Mapping[str, Any]]:
    mine = set(_vpcs(client))
    return (item for item in getattr(client("ec2"), operation)()[key] if item.get("VpcId") in mine)


def _buckets(client: Client) -> list[str]:
    return [bucket["Name"] for bucket in client("s3").list_buckets()["Buckets"]]


def _versioned(client: Client) -> Iterable[str]:
    s3 = client("s3")
    return (name for name in _buckets(client) if s3.get_bucket_versioning(Bucket=name).get("Status") == "Enabled")


def _keys(client: Client) -> Iterable[str]:
    kms = client("kms")
    for key in kms.list_keys()["Keys"]:
        described = kms.describe_key(KeyId=key["KeyId"])["KeyMetadata"]
        if described["KeyState"] == "Enabled" and described["KeyManager"] == "CUSTOMER":
            yield key["KeyId"]


def _aliases(client: Client) -> Iterable[str]:
    aliases = client("kms").list_aliases()["Aliases"]
    return (alias["AliasName"] for alias in aliases if not alias["AliasName"].startswith("alias/aws/"))


def _associations(client: Client) -> Iterable[str]:
    for table in client("ec2").describe_route_tables()["RouteTables"]:
        yield from (each["RouteTableAssociationId"] for each in table["Associations"] if not each["Main"])


def _routes(client: Client) -> Iterable[str]:
    for table in _in_vpcs(client, "describe_route_tables", "RouteTables"):
        yield from (route["DestinationCidrBlock"] for route in table["Routes"] if route.get("GatewayId") != "local")


def _attachments(client: Client) -> Iterable[str]:
    iam = client("iam")
    for role in iam.list_roles()["Roles"]:
        yield from (
            each["PolicyArn"] for each in iam.list_attached_role_policies(RoleName=role["RoleName"])["AttachedPolicies"]
        )


def _tables(client: Client) -> Iterable[Any]:
    tables = _in_vpcs(client, "describe_route_tables", "RouteTables")
    return (table for table in tables if not any(each["Main"] for each in table["Associations"]))


def _groups(client: Client) -> Iterable[Any]:
    groups = _in_vpcs(client, "describe_security_groups", "SecurityGroups")
    return (group for group in groups if group["GroupName"] != "default")


def _gateways(client: Client) -> Iterable[Any]:
    mine = set(_vpcs(client))
    for gateway in client("ec2").describe_internet_gateways()["InternetGateways"]:
        if not gateway["Attachments"] or gateway["Attachments"][0]["VpcId"] in mine:
            yield gateway


FINDERS: Final[Mapping[str, Callable[[Client], Iterable[Any]]]] = {
    "vpc": _vpcs,
    "subnet": lambda client: _in_vpcs(client, "describe_subnets", "Subnets"),
    "route table": _tables,
    "route table association": _associations,
    "route": _routes,
    "security group": _groups,
    "internet gateway": _gateways,
    "address": lambda client: client("ec2").describe_addresses()["Addresses"],
    "key": _keys,
    "alias": _aliases,
    "bucket": _buckets,
    "versioned bucket": _versioned,
    "role": lambda client: client("iam").list_roles()["Roles"],
    "policy": lambda client: client("iam").list_policies(Scope="Local")["Policies"],
    "attachment": _attachments,
    "log group": lambda client: client("logs").describe_log_groups()["logGroups"],
    "topic": lambda client: client("sns").list_topics()["Topics"],
    "subscription": lambda client: client("sns").list_subscriptions()["Subscriptions"],
    "repository": lambda client: client("ecr").describe_repositories()["repositories"],
}
