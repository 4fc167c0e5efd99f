"""Rules 33, 34 and 36: what the internet may reach, and what may reach the internet."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

from policies.kit import Finding, Resource, Stack, UnknownValue
from policies.mends import setting
from policies.security.pack import SECURITY
from policies.subjects.firewall import FirewallRule

_Answer = TypeVar("_Answer")
_PORTS = {"type": "array", "items": {"type": "integer", "minimum": 0, "maximum": 65535}}
_VPC = "aws:ec2/vpc:Vpc"
_DEFAULT_VPC = "aws:ec2/defaultVpc:DefaultVpc"
_DEFAULT_GROUP = "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup"
_FIX = "Name the networks or the security groups that may connect; people come through a VPN or Session Manager."


@SECURITY.rule(
    "sg-no-world-admin-ports",
    number=33,
    title="The internet reaches neither SSH, RDP, plain HTTP nor everything",
    severity="high",
    fix=_FIX,
    frameworks=("CIS:5.3", "CIS:5.4", "FSBP:EC2.13", "FSBP:EC2.14", "FSBP:EC2.18"),
    tags=("checkov:CKV_AWS_24", "checkov:CKV_AWS_25", "checkov:CKV_AWS_260", "checkov:CKV_AWS_277", "trivy:AWS-0107"),
    parameters={
        "ports": {
            "description": "Ports that the internet must not reach (22 SSH, 3389 RDP, 80 HTTP)",
            **_PORTS,
            "default": [22, 80, 3389],
        }
    },
)
def sg_no_world_admin_ports(rule: FirewallRule, parameters: Mapping[str, Any]) -> Iterator[Finding]:
    """A port that everybody reaches is tried by everybody, within minutes.

    IPv4 and IPv6, port ranges, "every protocol" and networks as wide as half of the internet count alike.
    """
    if rule.direction == "ingress":
        yield from _open_to_the_world(rule, parameters["ports"])


@SECURITY.rule(
    "sg-no-world-high-risk-ports",
    number=33,
    title="The internet reaches no database, broker or console",
    severity="high",
    fix=_FIX,
    frameworks=("FSBP:EC2.19",),
    parameters={
        "ports": {
            "description": "Ports of services that are attacked most, as EC2.19 lists them, beside SSH, RDP and HTTP",
            **_PORTS,
            "default": [
                20, 21, 23, 25, 110, 135, 143, 445, 1433, 1434, 3000, 3306, 4333, 5000, 5432, 5500, 5601, 8080, 8088,
                8888, 9200, 9300,
            ],
        }
    },
)  # fmt: skip
def sg_no_world_high_risk_ports(rule: FirewallRule, parameters: Mapping[str, Any]) -> Iterator[Finding]:
    """Databases, mail, file shares, notebooks and search engines are not for everybody."""
    findings = _open_to_the_world(rule, parameters["ports"]) if rule.direction == "ingress" else ()
    # Every port is a finding of the rule beside this one; it is asked of what is open, whose ports are known.
    yield from (finding for finding in findings if not rule.all_ports)


@SECURITY.rule(
    "sg-ingress-names-source",
    number=33,
    title="Ingress rules say from where",
    severity="medium",
    fix="Give networks, a prefix list, a security group or self.",
    tags=("checkov:CKV_AWS_24",),
)
def sg_ingress_names_source(rule: FirewallRule) -> Iterator[Finding]:
    """A rule without a source is either refused by AWS or not what was meant."""
    if rule.direction == "ingress" and rule.names_nobody:
        yield Finding("names no network, prefix list or security group", rule.path)


@SECURITY.rule(
    "sg-egress-restricted",
    number=34,
    title="Not everything may be sent to everywhere",
    severity="medium",
    fix="Name the ports, such as 443, or the networks; reach AWS through VPC endpoints.",
    tags=("checkov:CKV_AWS_382", "trivy:AWS-0104"),
)
def sg_egress_restricted(rule: FirewallRule) -> Iterator[Finding]:
    """What was broken into sends what it finds by whatever port is open; most workloads need one or two."""
    if rule.direction == "egress" and _if_open(rule, lambda: rule.all_ports):
        for network in rule.from_anywhere:
            yield Finding(f"lets everything out to {network}, on every port", rule.path)


@SECURITY.rule(
    "vpc-default-sg-empty",
    number=36,
    title="Default security groups have no rules",
    severity="low",
    fix="Declare aws.ec2.DefaultSecurityGroup without ingress and egress, and give each workload a group of its own.",
    frameworks=("CIS:5.5", "FSBP:EC2.2"),
    tags=("checkov:CKV2_AWS_12", "trivy:AWS-0173"),
    types=(_DEFAULT_GROUP,),
    mend=setting(ingress=[], egress=[]),
)
def vpc_default_sg_empty(group: Resource) -> Iterator[Finding]:
    """What names no group gets the default one, so it must let nothing through."""
    for direction in ("ingress", "egress"):
        rules = group.properties.get(direction)
        if len(rules):
            yield Finding(f"has {len(rules)} rule{'s' * (len(rules) > 1)} for {direction}", rules.path)


@SECURITY.rule(
    "vpc-default-sg-closed",
    number=36,
    title="Every VPC has its default security group closed",
    severity="low",
    fix="Declare aws.ec2.DefaultSecurityGroup with the VPC's vpcId and no rules.",
    frameworks=("CIS:5.5", "FSBP:EC2.2"),
    tags=("checkov:CKV2_AWS_12", "trivy:AWS-0173"),
)
def vpc_default_sg_closed(stack: Stack) -> Iterator[Finding]:
    """AWS gives each VPC a group that lets everything of its own in and everything out, until somebody closes it."""
    for vpc in stack.of(_VPC, _DEFAULT_VPC):
        if not any(stack.referring(vpc, _DEFAULT_GROUP, "vpcId")):
            yield Finding("its default security group is as AWS makes it, with rules", resource=vpc)


def _open_to_the_world(rule: FirewallRule, ports: list[int]) -> Iterator[Finding]:
    reached = _if_open(rule, lambda: rule.opens(ports)) or []
    for network in rule.from_anywhere if reached else ():
        yield Finding(f"{network} reaches {rule.shown_ports}, and so {_listed(reached)}", rule.path)


def _if_open(rule: FirewallRule, asked: Callable[[], _Answer]) -> _Answer | None:
    """What is asked of a rule's ports; None where they aren't known and the internet is on neither side of them."""
    try:
        return asked()
    except UnknownValue:
        if rule.from_anywhere:
            raise
        return None


def _listed(ports: list[int]) -> str:
    return ("port " if len(ports) == 1 else "ports ") + ", ".join(f"{port:g}" for port in ports)
