"""Why pods are not made, from what API servers say. Most cases are a file."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Final

import pytest
import yaml

from engine.simulation.reasons import Reason
from engine.simulation.refusals import Refused, refusal
from tests.engine.simulation.machines import CASES

MESSAGES: Final[list[Mapping[str, str]]] = yaml.safe_load((CASES / "refusals.yaml").read_text())
QUOTA: Final = (
    'Error creating: pods "llm-x" is forbidden: exceeded quota: gpu, requested: requests.nvidia.com/gpu=4, '
    "used: requests.nvidia.com/gpu=8, limited: requests.nvidia.com/gpu=8"
)


def test_a_quota_that_is_used_up_has_to_grow_by_all_pods_that_wait() -> None:
    found = refusal(QUOTA, Refused("team-a", 2))
    assert found.reason is Reason.QUOTA
    assert found.text == "quota gpu of namespace team-a allows no more nvidia.com/gpu: 8 of 8 used, 4 more asked for"
    assert found.advice == "raise requests.nvidia.com/gpu to 16 in quota gpu"
    assert found.said == QUOTA


@pytest.mark.parametrize("case", MESSAGES, ids=lambda case: case["message"][:60])
def test_what_the_api_server_minds(case: Mapping[str, str]) -> None:
    found = refusal(case["message"], Refused("a"))
    assert (found.reason, found.text, found.advice) == (case["reason"], case["text"], case["advice"])


def test_what_a_quota_counts_in_the_end_is_said_not_what_it_counted_then() -> None:
    found = refusal(
        QUOTA.replace("=8, limited", "=5, limited"), Refused("a", 1, {"gpu": {"requests.nvidia.com/gpu": Fraction(7)}})
    )
    assert "7 of 8 used" in found.text
    assert "to 11" in found.advice
