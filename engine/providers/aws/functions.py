"""The functions (data sources) that programs call: computed where possible, from tables, or asked of the endpoint.

In a preview nothing is asked: what only the cloud knows is UNKNOWN.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final, TypeAlias, cast

from engine.providers.aws.config import Config
from engine.providers.aws.policy_document import policy_document
from engine.providers.aws.regions import regions
from engine.providers.base import CheckFailure, Invoked
from engine.values import UNKNOWN, Properties, Secret

if TYPE_CHECKING:
    from engine.providers.aws.calls import Caller

# How to reach the cloud; None in a preview.
Cloud: TypeAlias = "Callable[[], Caller] | None"
Function: TypeAlias = "Callable[[Properties, Config, Cloud], Invoked]"


def invoke(token: str, args: Properties, config: Config, cloud: Cloud) -> Invoked:
    """Answer the function ``token``, one of FUNCTIONS."""
    given = {key: value for key, value in args.items() if value is not None}
    return FUNCTIONS[token](given, config, cloud)


def _caller_identity(args: Properties, config: Config, cloud: Cloud) -> Invoked:
    if cloud is None:
        return Invoked({**args, **dict.fromkeys(("accountId", "arn", "id", "userId"), UNKNOWN)})
    answer = cloud().call("sts", config.region_of({}), "GetCallerIdentity", {})
    account = str(answer["Account"])
    return Invoked({"accountId": account, "arn": answer["Arn"], "id": account, "userId": answer["UserId"]})


def _session_context(args: Properties, config: Config, cloud: Cloud) -> Invoked:
    """The role behind a session of it; anything else stands for itself."""
    arn = args.get("arn")
    if not isinstance(arn, str):
        return Invoked({}, (CheckFailure("arn", "is required and missing"),))
    service, _, path = arn.split(":", 2)[2].partition(":")
    kind, _, session = path.rpartition(":")[2].partition("/")
    if (service, kind) != ("sts", "assumed-role"):
        return Invoked({"arn": arn, "id": arn, "issuerArn": arn, "issuerId": "", "issuerName": "", "sessionName": ""})
    name, _, session_name = session.partition("/")
    known = {"arn": arn, "id": arn, "issuerName": name, "sessionName": session_name}
    if cloud is None:
        return Invoked({**known, "issuerArn": UNKNOWN, "issuerId": UNKNOWN})
    role = cloud().call("iam", config.region_of({}), "GetRole", {"RoleName": name})["Role"]
    return Invoked({**known, "issuerArn": role["Arn"], "issuerId": role["RoleId"]})


def _region(args: Properties, config: Config, cloud: Cloud) -> Invoked:
    del cloud  # known beforehand
    name = str(args.get("name") or args.get("region") or config.region_of({}))
    if name not in regions():
        return Invoked({}, (CheckFailure("region", f"no region {name!r}"),))
    endpoint = f"ec2.{name}.{partition(name)['dnsSuffix']}"
    described = regions()[name]["description"]
    return Invoked({"description": described, "endpoint": endpoint, "id": name, "name": name, "region": name})


def _partition(args: Properties, config: Config, cloud: Cloud) -> Invoked:
    del args, cloud  # known beforehand
    return Invoked(partition(config.region_of({})))


def partition(region: str) -> Properties:
    """The partition of a region. Source: botocore's endpoints.json."""
    if region.startswith("cn-"):
        return _partition_result("aws-cn", "amazonaws.com.cn", "cn.com.amazonaws")
    if region.startswith("us-gov-"):
        return _partition_result("aws-us-gov", "amazonaws.com", "com.amazonaws")
    return _partition_result("aws", "amazonaws.com", "com.amazonaws")


def _partition_result(name: str, suffix: str, reverse: str) -> Properties:
    return {"dnsSuffix": suffix, "id": name, "partition": name, "reverseDnsPrefix": reverse}


def _availability_zones(args: Properties, config: Config, cloud: Cloud) -> Invoked:
    """The zones of a region, from a table: a preview and its apply must agree."""
    del cloud
    region = config.region_of(args)
    if region not in regions():
        return Invoked({}, (CheckFailure("region", f"no region {region!r}"),))
    if args.get("state") not in (None, "available"):
        return Invoked({**args, "id": region, "names": [], "zoneIds": [], "groupNames": [], "region": region})
    zones = _filtered_zones(cast("Mapping[str, str]", regions()[region]["zones"]), args, region)
    if isinstance(zones, CheckFailure):
        return Invoked({}, (zones,))
    listed = {"names": list(zones), "zoneIds": list(zones.values()), "groupNames": [f"{region}-zg-1"] if zones else []}
    return Invoked({**args, **listed, "id": region, "region": region})


def _filtered_zones(zones: Mapping[str, str], args: Properties, region: str) -> dict[str, str] | CheckFailure:
    left = {
        name: id_
        for name, id_ in zones.items()
        if name not in args.get("excludeNames", ()) and id_ not in args.get("excludeZoneIds", ())
    }
    for index, item in enumerate(cast("list[dict[str, Any]]", args.get("filters", []))):
        values = item["values"]
        match item["name"]:
            case "zone-name":
                left = {name: id_ for name, id_ in left.items() if name in values}
            case "zone-id":
                left = {name: id_ for name, id_ in left.items() if id_ in values}
            case "opt-in-status" | "zone-type" | "region-name" | "state":
                # The table holds zones that need no opting in, of type availability-zone, all available.
                if not {"opt-in-not-required", "availability-zone", region, "available"}.intersection(values):
                    left = {}
            case other:
                known = "zone-name, zone-id, zone-type, opt-in-status, region-name, state"
                return CheckFailure(
                    f"filters[{index}].name", f"{other!r} is not supported here; expected one of {known}"
                )
    return left


def _parameter(args: Properties, config: Config, cloud: Cloud) -> Invoked:
    """A parameter of SSM, decrypted unless the program says otherwise."""
    region, name = config.region_of(args), args.get("name")
    if not isinstance(name, str):
        return Invoked({}, (CheckFailure("name", "is required and missing"),))
    known = {"id": name, "name": name, "region": region, "withDecryption": args.get("withDecryption", True)}
    if cloud is None:
        return Invoked({**known, **dict.fromkeys(("arn", "insecureValue", "type", "value", "version"), UNKNOWN)})
    params = {"Name": name, "WithDecryption": known["withDecryption"]}
    found = cloud().call("ssm", region, "GetParameter", params)["Parameter"]
    open_value = "" if found["Type"] == "SecureString" else found["Value"]
    told = {"arn": found["ARN"], "insecureValue": open_value, "type": found["Type"]}
    return Invoked({**known, **told, "value": Secret(found["Value"]), "version": found["Version"]})


def _policy_document(args: Properties, config: Config, cloud: Cloud) -> Invoked:
    del config, cloud  # pure
    result, failures = policy_document(args)
    return Invoked(result, tuple(failures))


def _lookup(name: str) -> Function:
    def answer(args: Properties, config: Config, cloud: Cloud) -> Invoked:
        from engine.providers.aws.ec2_lookups import LOOKUPS  # here, because only these need its types

        return LOOKUPS[name](args, config, cloud)

    return answer


def _image(args: Properties, config: Config, cloud: Cloud) -> Invoked:
    from engine.providers.aws.ec2_images import image  # here, because only this needs its types

    return image(args, config, cloud)


FUNCTIONS: Final[Mapping[str, Function]] = {
    "aws:index/getCallerIdentity:getCallerIdentity": _caller_identity,
    "aws:index/getRegion:getRegion": _region,
    "aws:iam/getSessionContext:getSessionContext": _session_context,
    "aws:index/getPartition:getPartition": _partition,
    "aws:index/getAvailabilityZones:getAvailabilityZones": _availability_zones,
    "aws:iam/getPolicyDocument:getPolicyDocument": _policy_document,
    "aws:ssm/getParameter:getParameter": _parameter,
    "aws:ec2/getAmi:getAmi": _image,
    "aws:ec2/getVpc:getVpc": _lookup("vpc"),
    "aws:ec2/getSubnet:getSubnet": _lookup("subnet"),
    "aws:ec2/getSubnets:getSubnets": _lookup("subnets"),
}
