"""Rule 51: records are kept as long as somebody may ask for them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from policies.governance.pack import GOVERNANCE
from policies.kit import Resource

# The days that CloudWatch Logs takes. Source: Amazon CloudWatch Logs API Reference, PutRetentionPolicy, 2026-11.
_TAKEN: Final = (
    1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
)  # fmt: skip


def _keep(properties: dict[str, Any], parameters: Mapping[str, Any]) -> dict[str, Any] | None:
    enough = next((days for days in _TAKEN if days >= parameters["days"]), None)
    return None if enough is None else {**properties, "retentionInDays": enough}


@GOVERNANCE.rule(
    "log-retention",
    number=51,
    title="Log groups keep their records long enough, and not for ever",
    severity="medium",
    fix="Set retentionInDays to at least the policy's minimum.",
    frameworks=("AI-Act:Art 19", "AI-Act:Art 26"),
    tags=("checkov:CKV_AWS_66", "checkov:CKV_AWS_338", "guard:CW_LOGGROUP_RETENTION_PERIOD_CHECK"),
    types=("aws:cloudwatch/logGroup:LogGroup",),
    parameters={"days": {"type": "integer", "minimum": 1, "default": 183, "description": "The least days to keep."}},
    mend=_keep,
)
def log_retention(group: Resource, parameters: Mapping[str, Any]) -> Iterator[str]:
    """The EU AI Act has providers keep automatic logs for six months at least (Art 19)."""
    retention = group.properties.get("retentionInDays")
    if not retention.number(0):
        yield f"{retention.path} is not set: records are kept and paid for without end"
    elif retention.number(0) < parameters["days"]:
        yield f"{retention.path} is {retention.shown()}, less than {parameters['days']}"
