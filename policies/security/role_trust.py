"""Rules 30 and 32: who may assume a role: named principals, services for this account, and tokens of one workload."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

from policies import iam_actions
from policies.kit import Finding
from policies.security.pack import SECURITY
from policies.subjects.documents import TrustDocument
from policies.subjects.statements import Condition, Statement

# Keys that say whose a principal is. sts:ExternalId isn't one: it is no secret.
_WHOSE: Final = (
    "aws:PrincipalAccount",
    "aws:PrincipalArn",
    "aws:PrincipalOrgID",
    "aws:PrincipalOrgPaths",
    "aws:SourceAccount",
    "aws:SourceArn",
    "aws:SourceOrgID",
)
# Keys that say for whom a service acts.
_FOR_WHOM: Final = ("aws:SourceAccount", "aws:SourceArn", "aws:SourceOrgID", "aws:SourceOrgPaths")
# Services that act for resources of many accounts and say for which when they assume a role.
# Source: AWS, "Cross-service confused deputy prevention", in each service's guide, 2026-11. EKS Pod Identity
# (pods.eks.amazonaws.com) is not among them: it assumes roles for associations of the role's own account only.
_DEPUTIES: Final = frozenset(
    f"{service}.amazonaws.com"
    for service in (
        "airflow", "airflow-env", "bedrock", "bedrock-agentcore", "cloudtrail", "codebuild", "config", "eks",
        "firehose", "fsx", "scheduler", "sagemaker", "states", "transfer", "vpc-flow-logs",
    )
)  # fmt: skip
_ANYBODY: Final = {"Service": "any service", "Federated": "any identity provider"}
_ACCOUNT: Final = re.compile(r"(\d{12}|arn:[\w-]+:iam::(\d{12}|\*):root)")
_ANY_ACCOUNT: Final = re.compile(r"arn:[\w-]+:iam::\*:")
_WEB_IDENTITY: Final = "sts:AssumeRoleWithWebIdentity"
_PINNING: Final = re.compile(r"(ForAnyValue:)?(StringEquals(IgnoreCase)?|StringLike|ArnEquals|ArnLike)", re.IGNORECASE)
# Claims of GitHub's tokens that whoever asks for one can choose, as CKV_AWS_358 has them.
_CHOSEN_BY_THE_CALLER: Final = ("workflow", "environment", "ref", "context", "head_ref", "base_ref")


@SECURITY.rule(
    "iam-trust-no-wildcard",
    number=30,
    title="Roles are assumed by named principals only",
    severity="high",
    fix="Name the roles or services; where it must be *, give a condition on aws:PrincipalOrgID or aws:PrincipalArn.",
    frameworks=("AISF:IAM-05",),
    tags=("checkov:CKV_AWS_60",),
)
def iam_trust_no_wildcard(document: TrustDocument) -> Iterator[Finding]:
    """``Principal: *`` lets anybody with any AWS account assume the role; NotPrincipal lets everybody but some."""
    for statement in document.statements:
        if not statement.allows:
            continue
        if statement.not_principals:
            yield _finding(document, statement, "lets everybody assume the role but those in NotPrincipal")
        for kind, principal in statement.principals:
            if _is_open(kind, principal) and not _pinned(statement, _WHOSE):
                yield _finding(
                    document, statement, f"lets {_ANYBODY.get(kind, 'anybody')} assume the role ({kind}: {principal})"
                )


@SECURITY.rule(
    "iam-trust-no-whole-account",
    number=30,
    title="Roles are not assumed by whole accounts",
    severity="medium",
    fix="Name the roles that assume it, or give a condition on aws:PrincipalArn.",
    frameworks=("AISF:IAM-05",),
    tags=("checkov:CKV_AWS_61",),
)
def iam_trust_no_whole_account(document: TrustDocument) -> Iterator[Finding]:
    """An account as principal (its number, or its root) is whoever that account's own policies let in."""
    for statement in document.statements:
        for kind, principal in statement.principals if statement.allows else ():
            if kind == "AWS" and _ACCOUNT.fullmatch(principal) and not _pinned(statement, ("aws:PrincipalArn",)):
                yield _finding(document, statement, f"lets everybody in an account assume the role ({principal})")


@SECURITY.rule(
    "iam-trust-for-this-account",
    number=30,
    title="Services assume a role for this account only",
    severity="medium",
    fix="Give a condition on aws:SourceAccount, and on aws:SourceArn where the resource is known.",
    frameworks=("AISF:IAM-05",),
)
def iam_trust_for_this_account(document: TrustDocument) -> Iterator[Finding]:
    """A service that works for many accounts can be asked by another one to use the role ("confused deputy").

    Only services that say for whom they act are asked to: with the others, such as EC2, the condition would never hold.
    """
    for statement in document.statements:
        if statement.allows and not _pinned(statement, _FOR_WHOM):
            for kind, principal in statement.principals:
                if kind == "Service" and principal.lower() in _DEPUTIES:
                    yield _finding(document, statement, f"lets {principal} assume the role for any account")


@SECURITY.rule(
    "iam-oidc-trust-pinned",
    number=32,
    title="Roles for web identities pin subject and audience",
    severity="high",
    fix="Give StringEquals conditions on the issuer's :sub (system:serviceaccount:NAMESPACE:NAME) and :aud "
    "(sts.amazonaws.com), or use EKS Pod Identity.",
    frameworks=("CISE:5.2.1",),
    tags=("checkov:CKV_AWS_358", "checkov:CKV_AWS_393"),
)
def iam_oidc_trust_pinned(document: TrustDocument) -> Iterator[Finding]:
    """Without a condition on ``sub``, every pod of the cluster (IRSA) or every repository of GitHub gets the role.

    Without one on ``aud``, a token that was made for something else does. A condition that also holds when the claim
    is absent (``IfExists``, ``ForAllValues``) pins nothing.
    """
    for statement in document.statements:
        if statement.allows and statement.covers(_WEB_IDENTITY):
            for kind, provider in statement.principals:
                if kind == "Federated":
                    for message in _loose_ends(statement, _issuer(provider)):
                        yield _finding(document, statement, message)


def _loose_ends(statement: Statement, issuer: str) -> Iterator[str]:
    # Cognito says in amr whether somebody signed in at all.
    subjects = ("sub", "amr") if issuer == "cognito-identity.amazonaws.com" else ("sub",)
    subject = [one for claim in subjects for one in _conditions(statement, issuer, claim)]
    audience = _conditions(statement, issuer, "aud")
    if not subject:
        yield f"does not pin {issuer}:sub, so every identity of {issuer} gets the role"
    for condition in subject:
        for value in condition.values:
            if reason := _too_wide(value, issuer):
                yield f"pins {condition.key} to {value!r}, which {reason}"
    if not audience or any(iam_actions.is_wild(value) for one in audience for value in one.values):
        yield f"does not pin {issuer}:aud, so a token that was made for something else gets the role"


def _too_wide(subject: str, issuer: str) -> str:
    """Why a pattern of subjects stands for more than one workload, or ""."""
    if iam_actions.is_wild(subject):
        return "is everybody"
    parts = subject.split(":")
    if parts[:2] == ["system", "serviceaccount"]:
        return (
            "" if len(parts) == 4 and not any(map(iam_actions.is_wild, parts)) else "is more than one service account"
        )
    if "githubusercontent.com" in issuer:
        return _too_wide_at_github(parts)
    return "begins with a wildcard" if subject.startswith(("*", "?")) else ""


def _too_wide_at_github(parts: list[str]) -> str:
    if len(parts) < 2:
        return "names no claim"
    if parts[0].startswith(_CHOSEN_BY_THE_CALLER):
        return f"rests on {parts[0]}, which any repository can choose"
    owner, slash, _ = parts[1].partition("/")
    if parts[0] == "repo" and (not slash or "*" in owner):
        return "is the repositories of every owner"
    return "is everybody" if iam_actions.is_wild(parts[1]) else ""


def _conditions(statement: Statement, issuer: str, claim: str) -> list[Condition]:
    """Conditions that hold only where the claim is there and matches."""
    return [one for one in statement.on(f"{issuer}:{claim}") if _PINNING.fullmatch(one.operator)]


def _issuer(provider: str) -> str:
    """``arn:aws:iam::123456789012:oidc-provider/HOST/PATH`` is known in conditions as ``HOST/PATH``."""
    return provider.partition(":oidc-provider/")[2] or provider


def _pinned(statement: Statement, keys: Iterable[str]) -> bool:
    """Whether a condition on one of the keys names something that isn't everything."""
    return any(
        _PINNING.fullmatch(one.operator) and one.values and not any(map(iam_actions.is_wild, one.values))
        for key in keys
        for one in statement.on(key)
    )


def _is_open(kind: str, principal: str) -> bool:
    if kind == "AWS":
        return iam_actions.is_wild(principal) or _ANY_ACCOUNT.match(principal) is not None
    return principal.startswith("*")


def _finding(document: TrustDocument, statement: Statement, message: str) -> Finding:
    return Finding(f"{statement.place} {message}", document.path)
