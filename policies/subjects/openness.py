"""Whether a statement of a resource's policy (of a key, repository or bucket) lets strangers in."""

from __future__ import annotations

import re
from typing import Final

from policies.subjects.statements import Condition, Statement

# Condition keys that say who calls, or from where, in a way that no stranger can meet.
# Source: Amazon S3 User Guide, "The meaning of 'public'"; IAM User Guide, "Global condition context keys", 2026-11.
# `aws:username` is not among them: every account may have a user of that name.
_NARROWING: Final = frozenset(
    {
        "aws:principalaccount",
        "aws:principalarn",
        "aws:principalorgid",
        "aws:principalorgpaths",
        "aws:sourceaccount",
        "aws:sourcearn",
        "aws:sourceip",
        "aws:sourceorgid",
        "aws:sourceorgpaths",
        "aws:sourceowner",
        "aws:sourcevpc",
        "aws:sourcevpce",
        "aws:userid",
        "aws:vpceaccount",
        "aws:vpceorgid",
        "aws:vpceorgpaths",
        "kms:calleraccount",
    }
)
# Operators by which a key must be there and equal something. With `ForAllValues:` or `...IfExists` a request without
# the key is let in. Source: IAM User Guide, "Single-valued vs. multivalued context keys", 2026-11.
_PINNING: Final = frozenset(
    {"stringequals", "stringequalsignorecase", "stringlike", "arnequals", "arnlike", "ipaddress"}
)
_ANY_ACCOUNT: Final = re.compile(r"arn:[^:]*:[^:]*:[^:]*:[*?]+:")


def speaks_of_everyone(statement: Statement) -> bool:
    """Whether its principal is ``*``, in any of the ways to write it, or everyone but somebody."""
    return bool(statement.not_principals) or any(who == "*" for _, who in statement.principals)


def is_public(statement: Statement) -> bool:
    """Whether it allows something to everyone, and no condition says who that may be."""
    return statement.allows and speaks_of_everyone(statement) and not any(map(_narrows, statement.conditions))


def _narrows(condition: Condition) -> bool:
    operator = condition.operator.lower().removeprefix("foranyvalue:")
    return operator in _PINNING and condition.key.lower() in _NARROWING and _pins(condition.values)


def _pins(values: tuple[str, ...]) -> bool:
    """Whether none of the values that are let in stands for everybody."""
    return bool(values) and not any(
        not value.strip("*?") or value.endswith("/0") or _ANY_ACCOUNT.match(value) for value in values
    )
