"""Rule 50: secrets of Secrets Manager have a key of ours, and change often."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from policies.kit import Finding, Resource, Stack
from policies.security.pack import SECURITY

_SECRET = "aws:secretsmanager/secret:Secret"  # noqa: S105 - a type's token
_ROTATION = "aws:secretsmanager/secretRotation:SecretRotation"
_RATE: Final = re.compile(r"rate\(\s*(\d+)\s+(day|hour|minute)s?\s*\)")
_PER_DAY: Final = {"day": 1, "hour": 24, "minute": 1440}


@SECURITY.rule(
    "secret-own-key",
    number=50,
    title="Secrets are encrypted with a key of ours",
    severity="low",
    fix="Set kmsKeyId to a key that the platform owns.",
    tags=("checkov:CKV_AWS_149", "trivy:AWS-0098"),
    types=(_SECRET,),
)
def secret_own_key(secret: Resource) -> Iterator[Finding]:
    """AWS's own key (aws/secretsmanager) can neither be withheld nor given to another account."""
    key = secret.properties.get("kmsKeyId")
    if not key.text("") or "alias/aws/" in key.text(""):
        yield Finding(f"is {key.shown()}: AWS's own key is used", key.path)


@SECURITY.rule(
    "secret-rotated",
    number=50,
    title="Every secret is rotated",
    severity="low",
    fix="Add an aws.secretsmanager.SecretRotation, or let RDS keep its own secret (manageMasterUserPassword).",
    frameworks=("FSBP:SecretsManager.1",),
    tags=("checkov:CKV2_AWS_57",),
)
def secret_rotated(stack: Stack) -> Iterator[Finding]:
    """A secret that never changes is known to everybody who ever saw it."""
    for secret in stack.of(_SECRET):
        if not any(stack.referring(secret, _ROTATION, "secretId")):
            yield Finding("has no rotation", resource=secret)


@SECURITY.rule(
    "secret-rotated-often",
    number=50,
    title="Secrets change at least every 90 days",
    severity="low",
    fix="Set rotationRules.automaticallyAfterDays, or a scheduleExpression, to 90 days or less.",
    frameworks=("FSBP:SecretsManager.4",),
    tags=("checkov:CKV_AWS_304",),
    types=(_ROTATION,),
    parameters={
        "maximum_days": {
            "description": "Days after which a secret has changed",
            "type": "integer",
            "minimum": 1,
            "default": 90,
        }
    },
)
def secret_rotated_often(rotation: Resource, parameters: Mapping[str, Any]) -> Iterator[Finding]:
    """The schedule may be in days, or a rate. A cron expression names days of each month or week, or months."""
    rules = rotation.properties.get("rotationRules")
    enabled = rotation.properties.get("rotationEnabled")
    days = _days(rules.get("automaticallyAfterDays").number(), rules.get("scheduleExpression").text(""))
    if not enabled.boolean(True):
        yield Finding("is false", enabled.path)
    elif days is None:
        yield Finding("names neither days nor a schedule that can be read", rules.path)
    elif days > parameters["maximum_days"]:
        yield Finding(f"changes it after {days:g} days, not after {parameters['maximum_days']:g}", rules.path)


def _days(after: float | None, schedule: str) -> float | None:
    """The longest time between two rotations, in days; None where it can't be read."""
    if after is not None:
        return after
    if rate := _RATE.fullmatch(schedule.strip()):
        return int(rate[1]) / _PER_DAY[rate[2]]
    if cron := re.fullmatch(r"cron\((.*)\)", schedule.strip()):
        return _days_of_cron(cron[1].split())
    return None


def _days_of_cron(fields: list[str]) -> float | None:
    """Minutes, hours, day of month, month, day of week, year: what repeats each month is at most 31 days apart."""
    if len(fields) != 6:
        return None
    month = fields[3]
    if month in ("*", "?"):
        return 31
    if every := re.fullmatch(r"(?:\*|\d+)/(\d+)", month):
        return 31 * int(every[1])
    named = month.count(",") + 1
    return 366 / named
