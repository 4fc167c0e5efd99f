"""The few steps that a specification can't write: named functions, each for one type."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias

from engine.providers.aws.calls import ApiError, Caller
from engine.providers.aws.expressions import Scope
from engine.providers.aws.inline_hooks import change_egress, change_ingress, change_routes, revoke_rules
from engine.providers.base import ProviderError

Hook: TypeAlias = Callable[[Caller, Scope], None]
MOST_POLICY_VERSIONS: Final = 5  # of one managed policy; IAM's quotas
MOST_PER_REQUEST: Final = 1000  # keys in one DeleteObjects; S3's API reference
# Of a user: operation, member of its answer, member of an item that tells it, operation that deletes it.
CREDENTIALS: Final = (
    ("ListAccessKeys", "AccessKeyMetadata", "AccessKeyId", "DeleteAccessKey"),
    ("ListSigningCertificates", "Certificates", "CertificateId", "DeleteSigningCertificate"),
    ("ListSSHPublicKeys", "SSHPublicKeys", "SSHPublicKeyId", "DeleteSSHPublicKey"),
    ("ListMFADevices", "MFADevices", "SerialNumber", "DeactivateMFADevice"),
)


def empty_bucket(caller: Caller, scope: Scope) -> None:
    """Delete every version and delete marker of the bucket ``scope.id``; governance-mode locks are bypassed."""
    _delete_versions(caller, scope, str(scope.id), None)


def delete_object(caller: Caller, scope: Scope) -> None:
    """Delete the object ``key`` with all of its versions."""
    _delete_versions(caller, scope, str(scope.lookup("bucket")), str(scope.lookup("key")))


def _delete_versions(caller: Caller, scope: Scope, name: str, key: str | None) -> None:
    bucket = {"Bucket": name}
    params = {**bucket, "Prefix": key} if key else bucket
    answer = caller.listed("s3", scope.region, "ListObjectVersions", params)
    entries = [*answer.get("Versions", ()), *answer.get("DeleteMarkers", ())]
    keys = [{"Key": item["Key"], "VersionId": item["VersionId"]} for item in entries if key in (None, item["Key"])]
    for start in range(0, len(keys), MOST_PER_REQUEST):
        batch = {"Objects": keys[start : start + MOST_PER_REQUEST], "Quiet": True}
        params = {**bucket, "Delete": batch, "BypassGovernanceRetention": True}
        if errors := caller.call("s3", scope.region, "DeleteObjects", params).get("Errors"):
            first: dict[str, Any] = errors[0]
            raise ProviderError(
                f"emptying bucket {name}: {len(errors)} objects can't be deleted; the first is {first.get('Key')}:"
                f" {first.get('Code')} {first.get('Message', '')}"
            )


def detach_role_policies(caller: Caller, scope: Scope) -> None:
    """Detach every policy from the role ``scope.id`` and delete those that it holds itself, whoever put them there."""
    role = {"RoleName": str(scope.id)}
    for item in caller.listed("iam", scope.region, "ListAttachedRolePolicies", role)["AttachedPolicies"]:
        caller.call("iam", scope.region, "DetachRolePolicy", {**role, "PolicyArn": item["PolicyArn"]})
    for name in caller.listed("iam", scope.region, "ListRolePolicies", role)["PolicyNames"]:
        caller.call("iam", scope.region, "DeleteRolePolicy", {**role, "PolicyName": name})


def leave_groups(caller: Caller, scope: Scope) -> None:
    """Take the user ``scope.id`` out of every group: IAM deletes no member of one."""
    user = {"UserName": str(scope.id)}
    for item in caller.listed("iam", scope.region, "ListGroupsForUser", user)["Groups"]:
        caller.call("iam", scope.region, "RemoveUserFromGroup", {**user, "GroupName": item["GroupName"]})


def delete_credentials(caller: Caller, scope: Scope) -> None:
    """Delete the access keys, the password, the certificates, the SSH keys and the MFA devices of a user."""
    user = {"UserName": str(scope.id)}
    for listing, items, key, deletion in CREDENTIALS:
        for item in caller.listed("iam", scope.region, listing, user)[items]:
            caller.call("iam", scope.region, deletion, {**user, key: item[key]})
    try:
        caller.call("iam", scope.region, "DeleteLoginProfile", user)
    except ApiError as error:
        if error.code != "NoSuchEntity":
            raise


def make_room_for_policy_version(caller: Caller, scope: Scope) -> None:
    """Delete the oldest version of the policy ``scope.id`` when it has as many as IAM allows."""
    versions = _other_versions(caller, scope)
    if len(versions) + 1 >= MOST_POLICY_VERSIONS:
        _delete_version(caller, scope, min(versions, key=lambda version: version["CreateDate"]))


def delete_policy_versions(caller: Caller, scope: Scope) -> None:
    """Delete every version of the policy ``scope.id`` but the default one, which goes with the policy."""
    for version in _other_versions(caller, scope):
        _delete_version(caller, scope, version)


def _other_versions(caller: Caller, scope: Scope) -> list[dict[str, Any]]:
    answer = caller.listed("iam", scope.region, "ListPolicyVersions", {"PolicyArn": str(scope.id)})
    return [version for version in answer["Versions"] if not version["IsDefaultVersion"]]


def _delete_version(caller: Caller, scope: Scope, version: Mapping[str, Any]) -> None:
    params = {"PolicyArn": str(scope.id), "VersionId": version["VersionId"]}
    caller.call("iam", scope.region, "DeletePolicyVersion", params)


def replace_route_table_association(caller: Caller, scope: Scope) -> None:
    """Give the subnet or gateway of the association another route table."""
    params = {"AssociationId": _association(caller, scope), "RouteTableId": str(scope.lookup("routeTableId"))}
    caller.call("ec2", scope.region, "ReplaceRouteTableAssociation", params)


def disassociate_route_table(caller: Caller, scope: Scope) -> None:
    """Take the route table from the association's subnet or gateway."""
    caller.call("ec2", scope.region, "DisassociateRouteTable", {"AssociationId": _association(caller, scope)})


def _association(caller: Caller, scope: Scope) -> str:
    """The id that the association has now: AWS gives it another one with another route table."""
    subnet, gateway = scope.lookup("subnetId"), scope.lookup("gatewayId")
    for table in caller.listed("ec2", scope.region, "DescribeRouteTables", {})["RouteTables"]:
        for item in table["Associations"]:
            if (subnet and item.get("SubnetId") == subnet) or (gateway and item.get("GatewayId") == gateway):
                return str(item["RouteTableAssociationId"])
    return str(scope.id)


def change_retention(caller: Caller, scope: Scope) -> None:
    """Have the stream ``scope.id`` keep records for ``retentionPeriod`` hours: more and less are calls of their own."""
    stream = {"StreamARN": str(scope.id)}
    summary = caller.call("kinesis", scope.region, "DescribeStreamSummary", stream)["StreamDescriptionSummary"]
    hours = int(str(scope.lookup("retentionPeriod")))
    if difference := hours - int(summary["RetentionPeriodHours"]):
        operation = f"{'Increase' if difference > 0 else 'Decrease'}StreamRetentionPeriod"
        caller.call("kinesis", scope.region, operation, {**stream, "RetentionPeriodHours": hours})


HOOKS: Final[Mapping[str, Hook]] = {
    "change_egress": change_egress,
    "change_ingress": change_ingress,
    "change_retention": change_retention,
    "change_routes": change_routes,
    "delete_credentials": delete_credentials,
    "delete_object": delete_object,
    "delete_policy_versions": delete_policy_versions,
    "detach_role_policies": detach_role_policies,
    "disassociate_route_table": disassociate_route_table,
    "empty_bucket": empty_bucket,
    "leave_groups": leave_groups,
    "make_room_for_policy_version": make_room_for_policy_version,
    "replace_route_table_association": replace_route_table_association,
    "revoke_rules": revoke_rules,
}
