"""The address plan: subnets lie in their range, never overlap, and stay where they are when a zone is added."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Network
from itertools import combinations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from components.addresses import AddressPlan, Tier
from components.zones import REFUSED_BY_EKS, choose

PLAN = AddressPlan(IPv4Network("10.0.0.0/16"), IPv4Network("100.64.0.0/16"), 3, True, 24, 19, 18)


@st.composite
def plans(draw: st.DrawFn) -> AddressPlan:
    def block(first: int) -> IPv4Network:
        prefix = draw(st.integers(16, 24))
        return IPv4Network(((first << 24) | draw(st.integers(0, (1 << (prefix - 8)) - 1)) << (32 - prefix), prefix))

    lengths = st.integers(16, 28)
    return AddressPlan(
        vpc=block(10),
        pods=draw(st.sampled_from([block(100), block(10), None])),
        zones=draw(st.integers(1, 6)),
        public=draw(st.booleans()),
        public_prefix=draw(lengths),
        private_prefix=draw(lengths),
        pod_prefix=draw(lengths),
    )


@st.composite
def roomy_plans(draw: st.DrawFn) -> AddressPlan:
    """Plans that fit with seven zones: of those drawn at large most don't."""
    plan = draw(plans())
    pods = draw(st.sampled_from([IPv4Network("100.64.0.0/16"), IPv4Network("100.65.32.0/20"), None]))
    lengths = st.integers(plan.vpc.prefixlen + 4, 28)
    return replace(
        plan,
        pods=pods,
        public_prefix=draw(lengths),
        private_prefix=draw(lengths),
        pod_prefix=draw(st.integers(pods.prefixlen + 3 if pods else 16, 28)),
    )


@given(plans() | roomy_plans())
def test_a_plan_without_a_problem_has_no_overlaps(plan: AddressPlan) -> None:
    assume(plan.problem() is None)
    blocks = [block for tier in Tier for block in plan.blocks(tier)]
    assert not any(one.overlaps(other) for one, other in combinations(blocks, 2))
    ranges = {Tier.PUBLIC: plan.vpc, Tier.PRIVATE: plan.vpc, Tier.PODS: plan.pods}
    for tier in Tier:
        whole = ranges[tier]
        assert all(whole is not None and block.subnet_of(whole) for block in plan.blocks(tier))
    assert len(plan.blocks(Tier.PRIVATE)) == plan.zones
    assert len(plan.blocks(Tier.PUBLIC)) == plan.zones * plan.public
    assert len(plan.blocks(Tier.PODS)) == plan.zones * (plan.pods is not None)


@given(roomy_plans())
def test_one_zone_more_moves_no_subnet(plan: AddressPlan) -> None:
    more = replace(plan, zones=plan.zones + 1)
    assert plan.problem() is None
    assert more.problem() is None
    for tier in Tier:
        assert more.blocks(tier)[: len(plan.blocks(tier))] == plan.blocks(tier)


@given(plans())
def test_what_has_a_problem_really_does_not_fit(plan: AddressPlan) -> None:
    assume(plan.problem() is not None)
    sizes = 32 - plan.private_prefix, 32 - plan.public_prefix if plan.public else None
    needed = sum(plan.zones << size for size in sizes if size is not None)
    fits_vpc = needed <= plan.vpc.num_addresses and min(plan.private_prefix, plan.public_prefix) >= plan.vpc.prefixlen
    fits_pods = plan.pods is None or (
        plan.pod_prefix >= plan.pods.prefixlen and plan.zones << (32 - plan.pod_prefix) <= plan.pods.num_addresses
    )
    apart = plan.pods is None or not plan.pods.overlaps(plan.vpc)
    # Blocks of two sizes are aligned each to its own: up to one of the larger is lost between them.
    tight = needed + (1 << (32 - min(plan.private_prefix, plan.public_prefix))) > plan.vpc.num_addresses
    assert not (fits_vpc and fits_pods and apart) or tight


def test_the_defaults_are_the_blocks_that_the_documentation_names() -> None:
    assert [str(block) for block in PLAN.blocks(Tier.PRIVATE)] == ["10.0.0.0/19", "10.0.32.0/19", "10.0.64.0/19"]
    assert [str(block) for block in PLAN.blocks(Tier.PUBLIC)] == ["10.0.255.0/24", "10.0.254.0/24", "10.0.253.0/24"]
    assert [str(block) for block in PLAN.blocks(Tier.PODS)] == ["100.64.0.0/18", "100.64.64.0/18", "100.64.128.0/18"]


def test_public_and_private_that_meet_in_the_middle_are_refused() -> None:
    plan = replace(PLAN, zones=6, private_prefix=19, public_prefix=18, pods=None)
    assert plan.problem() == "6 public subnets of /18 don't fit in 10.0.0.0/16"
    plan = replace(PLAN, zones=6, private_prefix=19, public_prefix=19, pods=None)
    assert plan.problem() == "6 private and public subnets don't fit in 10.0.0.0/16"


def test_zones_that_eks_refuses_are_never_chosen() -> None:
    everywhere = ["use1-az1", "use1-az2", "use1-az3", "use1-az4", "usw1-az2", "cac1-az3"]
    assert choose(everywhere, 3) == ["use1-az1", "use1-az2", "use1-az4"]
    assert not set(choose(everywhere, 3)) & REFUSED_BY_EKS


def test_zones_are_chosen_by_id_whatever_order_they_come_in() -> None:
    assert choose(["b-az2", "b-az1", "b-az3"], 2) == choose(["b-az3", "b-az2", "b-az1"], 2) == ["b-az1", "b-az2"]


def test_too_few_zones_say_what_to_do() -> None:
    with pytest.raises(ValueError, match=r"expected 3 .* there are 1: usw1-az1; set network\.availability_zones lower"):
        choose(["usw1-az1", "usw1-az2"], 3)
