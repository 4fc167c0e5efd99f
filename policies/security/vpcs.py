"""Rule 35: what a network does is written down."""

from __future__ import annotations

from collections.abc import Iterator

from policies.kit import Finding, Resource, Stack
from policies.mends import setting
from policies.security.pack import SECURITY

_VPCS = ("aws:ec2/vpc:Vpc", "aws:ec2/defaultVpc:DefaultVpc")
_FLOW_LOG = "aws:ec2/flowLog:FlowLog"


@SECURITY.rule(
    "vpc-flow-logs",
    number=35,
    title="Every VPC has flow logs",
    severity="medium",
    fix="Add an aws.ec2.FlowLog with the VPC's vpcId and trafficType ALL.",
    frameworks=("CIS:3.7", "FSBP:EC2.6"),
    tags=("checkov:CKV2_AWS_11", "trivy:AWS-0178"),
)
def vpc_flow_logs(stack: Stack) -> Iterator[Finding]:
    """Who talked to whom can't be found out afterwards."""
    for vpc in stack.of(*_VPCS):
        if not any(stack.referring(vpc, _FLOW_LOG, "vpcId")):
            yield Finding("has no flow log", resource=vpc)


@SECURITY.rule(
    "flow-logs-rejected-traffic",
    number=35,
    title="Flow logs record what was refused",
    severity="medium",
    fix="Set trafficType to ALL, or REJECT where only that is wanted.",
    frameworks=("CIS:3.7", "FSBP:EC2.6"),
    types=(_FLOW_LOG,),
    mend=setting(trafficType="ALL"),
    mend_risk="replaces the flow log; the records that it has written stay",
)
def flow_logs_rejected_traffic(log: Resource) -> Iterator[Finding]:
    """An attack shows in what was refused before it shows in what was let through."""
    traffic = log.properties.get("trafficType")
    # Flow logs of transit gateways take no trafficType: they record everything.
    if traffic.text("ALL") not in ("ALL", "REJECT"):
        yield Finding(f"is {traffic.shown()}: what was refused is not recorded", traffic.path)
