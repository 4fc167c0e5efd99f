"""The EC2 backend that moto is given instead of its own."""

from __future__ import annotations

from typing import Any

from engine.emulator.ec2.capacity import CapacityBackend
from engine.emulator.ec2.endpoints import VpcEndpointBackend
from engine.emulator.ec2.flow_logs import FlowLogBackend
from engine.emulator.ec2.gateways import NatGatewayBackend
from engine.emulator.ec2.network import NetworkBackend
from engine.emulator.ec2.rules import SecurityGroupRuleBackend


class ExtendedEC2Backend(
    CapacityBackend,
    NetworkBackend,
    NatGatewayBackend,
    VpcEndpointBackend,
    SecurityGroupRuleBackend,
    FlowLogBackend,
):
    """``answered`` keeps the answers to creations that carried a client token, by operation and token."""

    def __init__(self, region_name: str, account_id: str) -> None:
        self.answered: dict[tuple[str, str], tuple[dict[str, Any], Any]] = {}
        super().__init__(region_name, account_id)
