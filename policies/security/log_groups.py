"""Rule 52: logs are encrypted with a key of ours. How long they are kept is a rule of governance."""

from __future__ import annotations

from collections.abc import Iterator

from policies.kit import Finding, Resource
from policies.security.pack import SECURITY


@SECURITY.rule(
    "log-group-own-key",
    number=52,
    title="Log groups are encrypted with a key of ours",
    severity="low",
    fix="Set kmsKeyId to a key whose policy lets CloudWatch Logs use it.",
    tags=("checkov:CKV_AWS_158", "trivy:AWS-0017", "guard:cloudwatch_log_group_encrypted"),
    types=("aws:cloudwatch/logGroup:LogGroup",),
)
def log_group_own_key(group: Resource) -> Iterator[Finding]:
    """Logs hold what workloads print, prompts and answers among it: who reads them is for our key to say."""
    key = group.properties.get("kmsKeyId")
    if key.missing or (key.known and not key.text("")):
        yield Finding("is missing: AWS's own key is used", key.path)
