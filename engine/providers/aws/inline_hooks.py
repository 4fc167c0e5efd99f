"""Steps that bring a security group's own rules and a route table's own routes to what a program says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from engine.providers.aws import inline
from engine.providers.aws.calls import ApiError, Caller
from engine.providers.aws.expressions import Scope
from engine.providers.base import ProviderError

DUPLICATE: Final = "InvalidPermission.Duplicate"


def change_ingress(caller: Caller, scope: Scope) -> None:
    """Revoke and authorise what differs between ``ingress`` as it was and as it is to be."""
    _change(caller, scope, "ingress")


def change_egress(caller: Caller, scope: Scope) -> None:
    """Revoke and authorise what differs between ``egress`` as it was and as it is to be."""
    _change(caller, scope, "egress")


def revoke_rules(caller: Caller, scope: Scope) -> None:
    """Revoke every rule of the group ``scope.id``, whoever made it: groups that name each other can go only so."""
    for direction in ("ingress", "egress"):
        ids = list(_granted(caller, scope, direction).values())
        _revoke(caller, scope, direction, ids)


def _change(caller: Caller, scope: Scope, direction: str) -> None:
    rules: list[Mapping[str, Any]] = _listed(scope.inputs.get(direction))
    _refuse_incomplete(rules, direction, str(scope.id))
    wanted = set(inline.grants(rules, str(scope.id)))
    before = set(inline.grants(_before(scope, direction), str(scope.id)))
    live = _granted(caller, scope, direction)
    # First revoked, then authorised: another description on the same source would be a duplicate.
    _revoke(caller, scope, direction, [rule for grant, rule in live.items() if grant in before - wanted])
    missing = sorted(wanted - live.keys())
    if not missing:
        return
    params = {"GroupId": scope.id, "IpPermissions": [inline.permission(grant) for grant in missing]}
    try:
        caller.call("ec2", scope.region, f"AuthorizeSecurityGroup{direction.title()}", params)
    except ApiError as error:
        # A repeated call finds what the first one did, whose answer was lost.
        if error.code != DUPLICATE or wanted - _granted(caller, scope, direction).keys():
            raise


def _refuse_incomplete(rules: list[Mapping[str, Any]], direction: str, group_id: str) -> None:
    """Raise ProviderError for what the real provider refuses too."""
    for index, rule in enumerate(rules):
        own = inline.grants([rule], group_id)
        if not own:
            raise ProviderError(f"{direction}[{index}]: expected one of {', '.join((*inline.SOURCES, 'self'))}")
        if own[0].protocol == inline.ALL and (rule["fromPort"], rule["toPort"]) not in ((0, 0), (-1, -1)):
            ports = f"{rule['fromPort']} and {rule['toPort']}"
            raise ProviderError(f"{direction}[{index}]: with all protocols fromPort and toPort must be 0, got {ports}")


def _granted(caller: Caller, scope: Scope, direction: str) -> dict[inline.Grant, str]:
    params = {"Filters": [{"Name": "group-id", "Values": [scope.id]}]}
    answer = caller.listed("ec2", scope.region, "DescribeSecurityGroupRules", params)
    return inline.granted(answer["SecurityGroupRules"], egress=direction == "egress")


def _revoke(caller: Caller, scope: Scope, direction: str, ids: list[str]) -> None:
    if ids:
        params = {"GroupId": scope.id, "SecurityGroupRuleIds": ids}
        caller.call("ec2", scope.region, f"RevokeSecurityGroup{direction.title()}", params)


def change_routes(caller: Caller, scope: Scope) -> None:
    """Delete, replace and create what differs between ``routes`` as they were and as they are to be."""
    table = {"RouteTableId": scope.id}
    answer = caller.call("ec2", scope.region, "DescribeRouteTables", {"RouteTableIds": [scope.id]})
    written = _listed(scope.inputs.get("routes"))
    wanted = {_destination(route, index): inline.target(route) for index, route in enumerate(written)}
    before = {inline.destination(route) for route in _before(scope, "routes")}
    told = [inline.route(item) for item in answer["RouteTables"][0]["Routes"]]
    live = {inline.destination(route): inline.target(route) for route in told}
    for place in before - wanted.keys():
        if place in live and live[place].get("GatewayId") != inline.LOCAL:
            assert place is not None, "what is live has a destination"
            caller.call("ec2", scope.region, "DeleteRoute", {**table, place[0]: place[1]})
    for place, through in wanted.items():
        if place not in live:
            caller.call("ec2", scope.region, "CreateRoute", {**table, place[0]: place[1], **through}, repeatable=True)
        elif live[place] != through:
            by = {"LocalTarget": True} if through.get("GatewayId") == inline.LOCAL else through
            caller.call("ec2", scope.region, "ReplaceRoute", {**table, place[0]: place[1], **by})


def _destination(route: Mapping[str, Any], index: int) -> tuple[str, str]:
    place = inline.destination(route)
    if place is None or len(inline.target(route)) != 1:
        raise ProviderError(
            f"routes[{index}]: expected one of {', '.join(inline.DESTINATIONS)} and one of {', '.join(inline.TARGETS)}"
        )
    return place


def _before(scope: Scope, key: str) -> list[Mapping[str, Any]]:
    """What the program said before or, if it said nothing, what was there when it was imported."""
    old = scope.old.get(key)
    return _listed(scope.outputs.get(key) if old is None else old)


def _listed(value: Any) -> list[Mapping[str, Any]]:
    return value or []
