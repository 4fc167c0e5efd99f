"""Physical names: within limits, in the characters allowed, as different as their originals, the same on each run."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from components import names
from components.names import NameRule, Naming

RULES = [rule for rule in vars(names).values() if isinstance(rule, NameRule)]
# What Pulumi takes as project and stack names.
IDENTIFIERS = st.from_regex(r"[A-Za-z0-9_.-]{1,100}", fullmatch=True)


@given(st.sampled_from(RULES), IDENTIFIERS, IDENTIFIERS, IDENTIFIERS)
def test_any_name_fits_its_rule(rule: NameRule, project: str, stack: str, part: str) -> None:
    for name in (Naming(project, stack).dashed(rule, part), Naming(project, stack).path(rule, part)):
        assert 0 < len(name) <= rule.limit
        assert re.fullmatch(f"(?:{rule.allowed})+", name)


@given(st.sampled_from(RULES), IDENTIFIERS, IDENTIFIERS)
def test_different_names_stay_different(rule: NameRule, one: str, other: str) -> None:
    fitted = rule.fit(one), rule.fit(other)
    assert (fitted[0] == fitted[1]) == (one == other)


def test_a_name_that_fits_is_left_alone() -> None:
    assert Naming("bedplate", "dev").dashed(names.ROLE, "flow-logs") == "bedplate-dev-flow-logs"
    assert Naming("bedplate", "dev").path(names.LOG_GROUP, "flow-logs") == "bedplate/dev/flow-logs"


def test_a_cut_name_never_changes() -> None:
    # Written out: a change of this value would replace resources of those who have such a name.
    assert Naming("bedplate", "x" * 80).dashed(names.ROLE, "delivery") == f"bedplate-{'x' * 48}-013d6f"


def test_there_are_rules_to_check() -> None:
    assert len(RULES) > 10
