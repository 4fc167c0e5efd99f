"""What policy packs say, in the form of Pulumi's engine events (``apitype.PolicyEvent`` and its kin, 3.260)."""

from __future__ import annotations

from typing import Any, Final, TypeAlias

from cli.event_values import masked_properties
from engine.events import PoliciesLoading, PoliciesSummed, PolicyRemediated, PolicyViolated, Summed

PolicyEvent: TypeAlias = PoliciesLoading | PolicyViolated | PolicyRemediated | PoliciesSummed
POLICY_EVENTS: Final = (PoliciesLoading, PolicyViolated, PolicyRemediated, PoliciesSummed)
_SUMMARIES: Final[dict[Summed, str]] = {
    "analyze": "policyAnalyzeSummaryEvent",
    "remediate": "policyRemediateSummaryEvent",
    "stack": "policyAnalyzeStackSummaryEvent",
}


def policy_event(event: PolicyEvent) -> dict[str, Any]:
    """An event's payload under its name."""
    if isinstance(event, PolicyViolated):
        return {"policyEvent": _violation(event)}
    if isinstance(event, PolicyRemediated):
        return {"policyRemediationEvent": _remediation(event)}
    if isinstance(event, PoliciesSummed):
        return {_SUMMARIES[event.kind]: _summary(event)}
    return {"policyLoadEvent": {}}


def _violation(event: PolicyViolated) -> dict[str, Any]:
    finding = event.finding
    text = "\n".join(part for part in (finding.description, finding.message) if part)
    return {
        **({"resourceUrn": finding.urn} if finding.urn else {}),
        "message": text + "\n",
        "color": "never",
        "policyName": finding.policy,
        **_pack(finding.pack, finding.pack_version),
        "enforcementLevel": str(finding.level),
        **({"severity": finding.severity} if finding.severity else {}),
    }


def _remediation(event: PolicyRemediated) -> dict[str, Any]:
    done = event.remediated
    return {
        "resourceUrn": done.urn,
        "color": "never",
        "policyName": done.policy,
        **_pack(done.pack, done.pack_version),
        "before": masked_properties(done.before),
        "after": masked_properties(done.after),
    }


def _summary(event: PoliciesSummed) -> dict[str, Any]:
    return {
        **({} if event.kind == "stack" else {"resourceUrn": event.urn}),
        **_pack(event.pack, event.pack_version),
        **({"passed": list(event.passed)} if event.passed else {}),
        **({"failed": list(event.failed)} if event.failed else {}),
    }


def _pack(name: str, version: str) -> dict[str, Any]:
    return {"policyPackName": name, "policyPackVersion": version, "policyPackVersionTag": version}
