"""Gateways, endpoints, addresses and load balancers."""

from __future__ import annotations

from policies.pricing.bill import Bill, Parts
from policies.pricing.model import HOURS_A_MONTH
from policies.pricing.reading import Inputs

_KINDS = {"application": "application load balancer", "network": "network load balancer"}
_BALANCER_CLASS = "service.beta.kubernetes.io/aws-load-balancer-type"
_SUBNET = "aws:ec2/subnet:Subnet"
_ZONES = ("availabilityZone", "availabilityZoneId")
_TO_INTERNET, _BETWEEN_ZONES = "to the internet", "between zones"
_SCHEME = "service.beta.kubernetes.io/aws-load-balancer-scheme"


def _nat(bill: Bill) -> None:
    bill.charge("vpc", "NAT gateway", HOURS_A_MONTH, f"1 gateway × {HOURS_A_MONTH:g} h")


def _nat_data(bill: Bill) -> None:
    bill.by_use("processed_gb", "vpc", "NAT gateway data")


def _nat_transfer(bill: Bill) -> None:
    """What leaves through a public gateway is paid for once more where it leaves AWS."""
    if bill.inputs.at("connectivityType").text("public") == "public":
        bill.by_transfer("internet_gb", _TO_INTERNET)


def _between_zones(bill: Bill) -> None:
    """What goes from a zone to another is paid for on both sides: the subnets say whether a network has several."""
    subnets = bill.around.referring(_SUBNET, "vpcId", bill.item)
    named = (Inputs(one.properties).at(name).value for one in subnets for name in _ZONES)
    zones = {zone for zone in named if isinstance(zone, str)}  # whatever else stands there, a check will refuse
    if len(zones) > 1:
        bill.by_transfer("between_zones_gb", _BETWEEN_ZONES)


def _endpoint(bill: Bill) -> None:
    """Interface endpoints pay in each zone; gateway endpoints (S3, DynamoDB) are free."""
    if bill.inputs.at("vpcEndpointType").text("Gateway") == "Gateway":
        return
    zones = max(len(list(bill.inputs.at("subnetIds").items())), 1)
    working = f"{zones} zone{'s' if zones > 1 else ''} × {HOURS_A_MONTH:g} h"
    bill.charge("vpc", "interface endpoint per AZ", zones * HOURS_A_MONTH, working)


def _endpoint_data(bill: Bill) -> None:
    if bill.inputs.at("vpcEndpointType").text("Gateway") == "Interface":
        bill.by_use("processed_gb", "vpc", "interface endpoint data")


def _address(bill: Bill) -> None:
    """A public address costs the same whether it is in use or not. Source: VPC pricing, since 2024-02."""
    bill.charge("vpc", "public IPv4 address", 1, "1 address")


# Load balancers


def _balancer(bill: Bill) -> None:
    kind = bill.inputs.at("loadBalancerType").text("application")
    if kind not in _KINDS:
        bill.lack(f"load balancer of type {kind}", "no price is known for it")
        return
    _by_the_hour(bill, kind)


def _balancer_units(bill: Bill) -> None:
    kind = bill.inputs.at("loadBalancerType").text("application")
    if kind in _KINDS:
        _units(bill, kind)


def _balancer_transfer(bill: Bill) -> None:
    if bill.inputs.at("loadBalancerType").text("application") in _KINDS and not bill.inputs.at("internal").flag():
        bill.by_transfer("internet_gb", _TO_INTERNET)


def _balancer_addresses(bill: Bill) -> None:
    """A balancer that faces the internet has a public address in each zone."""
    inputs = bill.inputs
    if inputs.at("internal").flag():
        return
    zones = len(list(inputs.at("subnets").items())) or len(list(inputs.at("subnetMappings").items()))
    if not zones:
        bill.lack("public IPv4 addresses", "subnets is not given: in how many zones it has one is not known")
        return
    bill.charge("vpc", "public IPv4 address", zones, f"{zones} zones × 1 address")


def _service(bill: Bill) -> None:
    """A Service of type LoadBalancer: the AWS load balancer controller, or the cloud provider, makes one for it."""
    spec = bill.inputs.at("spec")
    if spec.at("type").text("ClusterIP") != "LoadBalancer":
        return
    _by_the_hour(bill, "network")
    _units(bill, "network")
    annotations = bill.inputs.at("metadata", "annotations")
    if annotations.at(_SCHEME).text("internal") != "internal":
        bill.lack("public IPv4 addresses", "in how many zones the load balancer has one is not known")
        bill.by_transfer("internet_gb", _TO_INTERNET)


def _ingress(bill: Bill) -> None:
    """An Ingress of class alb: the AWS load balancer controller makes a load balancer for it, or for its group."""
    annotations = bill.inputs.at("metadata", "annotations")
    name = bill.inputs.at("spec", "ingressClassName").text(annotations.at("kubernetes.io/ingress.class").text())
    group = annotations.at("alb.ingress.kubernetes.io/group.name")
    if name != "alb" or (group.present and _first_of_group(bill, group) != bill.item.urn):
        return
    _by_the_hour(bill, "application")
    _units(bill, "application")
    if annotations.at("alb.ingress.kubernetes.io/scheme").text("internal") != "internal":
        bill.by_transfer("internet_gb", _TO_INTERNET)


def _first_of_group(bill: Bill, group: Inputs) -> str:
    """Ingresses of one group share a load balancer: the first one is charged for it."""
    path = ("metadata", "annotations", "alb.ingress.kubernetes.io/group.name")
    name, own = group.text(), bill.item.urn
    others = (one for one in bill.around.of(bill.item.type) if Inputs(one.properties).at(*path).value == name)
    return min([own, *(one.urn for one in others)])


def _by_the_hour(bill: Bill, kind: str) -> None:
    bill.charge("elb", _KINDS[kind], HOURS_A_MONTH, f"1 load balancer × {HOURS_A_MONTH:g} h")


def _units(bill: Bill, kind: str) -> None:
    bill.by_use("capacity_units", "elb", f"{_KINDS[kind]} LCU", times=HOURS_A_MONTH)


PARTS: Parts = {
    "aws:ec2/natGateway:NatGateway": [_nat, _nat_data, _nat_transfer],
    "aws:ec2/vpc:Vpc": [_between_zones],
    "aws:ec2/vpcEndpoint:VpcEndpoint": [_endpoint, _endpoint_data],
    "aws:ec2/eip:Eip": [_address],
    "aws:lb/loadBalancer:LoadBalancer": [_balancer, _balancer_units, _balancer_transfer, _balancer_addresses],
    "aws:alb/loadBalancer:LoadBalancer": [_balancer, _balancer_units, _balancer_transfer, _balancer_addresses],
    "kubernetes:core/v1:Service": [_service],
    "kubernetes:networking.k8s.io/v1:Ingress": [_ingress],
}
