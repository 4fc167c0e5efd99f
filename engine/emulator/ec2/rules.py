"""Security groups and their rules: descriptions of every kind of rule, changes by rule id, refusal while in use."""

from __future__ import annotations

from typing import Any

from moto.ec2.exceptions import (
    EC2ClientError,
    InvalidParameterCombination,
    InvalidSecurityGroupNotFoundError,
    InvalidSecurityGroupRuleIdNotFoundError,
)
from moto.ec2.models import EC2Backend
from moto.ec2.models.security_groups import SecurityGroupRule

SOURCES = ("CidrIpv4", "CidrIpv6", "PrefixListId", "ReferencedGroupId")


def _description(rule: Any) -> str | None:
    """moto knows the description of CIDR rules only."""
    own = rule.__dict__.get("prefix_list_description")
    return rule.ip_range.get("Description") or rule.source_group.get("Description") or own


SecurityGroupRule.description = property(_description)  # type: ignore[assignment]  # a property for a property


class SecurityGroupRuleBackend(EC2Backend):
    def authorize_security_group_ingress(self, *args: Any, **kwargs: Any) -> Any:
        rules, group = super().authorize_security_group_ingress(*args, **kwargs)
        return _described(rules, _prefix_lists(args, kwargs)), group

    def authorize_security_group_egress(self, *args: Any, **kwargs: Any) -> Any:
        rules, group = super().authorize_security_group_egress(*args, **kwargs)
        return _described(rules, _prefix_lists(args, kwargs)), group

    def modify_security_group_rules(self, group_id: str, rules: dict[str, dict[str, Any]]) -> None:
        group: Any = self.get_security_group_by_name_or_id(group_id)
        if group is None:
            raise InvalidSecurityGroupNotFoundError(group_id)
        for rule_id, wanted in rules.items():
            rule = group.get_rule(rule_id)
            if rule is None:
                raise InvalidSecurityGroupRuleIdNotFoundError(rule_id)
            self._change(rule, wanted)

    def delete_security_group(self, name: str | None = None, group_id: str | None = None) -> None:
        if group_id and self._is_used(group_id):
            raise EC2ClientError("DependencyViolation", f"resource {group_id} has a dependent object")
        super().delete_security_group(name, group_id)

    def _change(self, rule: Any, wanted: dict[str, Any]) -> None:
        given = [source for source in SOURCES if wanted.get(source) is not None]
        if len(given) != 1:
            raise InvalidParameterCombination(f"Exactly one of {', '.join(SOURCES)} must be specified")
        if given[0] != _source_of(rule):
            message = f"Invalid rule type for security group rule '{rule.id}'. You may not change a rule's type."
            raise EC2ClientError("InvalidParameterValue", message)
        value, description = wanted[given[0]], wanted.get("Description")
        described = {"Description": description} if description else {}
        rule.ip_protocol = wanted.get("IpProtocol", rule.ip_protocol)
        open_to_all = rule.ip_protocol == "-1"
        rule.from_port = None if open_to_all else _port(wanted, "FromPort", rule.from_port)
        rule.to_port = None if open_to_all else _port(wanted, "ToPort", rule.to_port)
        if given[0] == "CidrIpv4":
            rule.ip_range = {"CidrIp": value} | described
        elif given[0] == "CidrIpv6":
            rule.ip_range = {"CidrIpv6": value} | described
        elif given[0] == "PrefixListId":
            rule.prefix_list_id, rule.prefix_list_description = value, description
        else:
            rule.source_group = {"GroupId": value, "UserId": self.account_id} | described

    def _is_used(self, group_id: str) -> bool:
        others = [
            group
            for groups in self.groups.values()
            for group in groups.values()
            if getattr(group, "id", None) != group_id
        ]
        if any(_refers(rule, group_id) for group in others for rule in (*group.ingress_rules, *group.egress_rules)):
            return True
        return any(group.id == group_id for eni in self.enis.values() for group in _groups(eni))


def _prefix_lists(args: tuple[Any, ...], kwargs: dict[str, Any]) -> list[dict[str, str]]:
    # The eighth parameter of both operations of moto.
    return kwargs.get("prefix_list_ids") or (args[7] if len(args) > 7 else None) or []


def _described(rules: list[Any], prefix_lists: list[dict[str, str]]) -> list[Any]:
    by_id = {item["PrefixListId"]: item.get("Description") for item in prefix_lists}
    for rule in rules:
        if rule.prefix_list_id in by_id:
            rule.prefix_list_description = by_id[rule.prefix_list_id]
    return rules


def _source_of(rule: Any) -> str:
    if "CidrIp" in rule.ip_range:
        return "CidrIpv4"
    if "CidrIpv6" in rule.ip_range:
        return "CidrIpv6"
    return "PrefixListId" if rule.prefix_list_id else "ReferencedGroupId"


def _port(wanted: dict[str, Any], name: str, current: int | None) -> int | None:
    return int(wanted[name]) if wanted.get(name) is not None else current


def _refers(rule: Any, group_id: str) -> bool:
    return rule.source_group.get("GroupId") == group_id


def _groups(interface: Any) -> list[Any]:
    if interface.instance is not None and interface.instance.state == "terminated":
        return []
    return list(interface.group_set)
