"""What the policy packs say, as JSON."""

from __future__ import annotations

from typing import Any

from cli.views.change_document import change_document
from cli.views.changes import between
from engine import urn as urns
from engine.analyzer.findings import PackInfo, PolicyFinding, Remediated, Verdict


def policy_document(verdict: Verdict | None) -> dict[str, Any] | None:
    """A verdict as a document; None where nothing was judged."""
    if verdict is None:
        return None
    return {
        "rules": verdict.rules,
        "mandatory": sum(one.refuses for one in verdict.findings),
        "advisory": sum(not one.refuses for one in verdict.findings),
        "packs": [_pack(one) for one in verdict.packs],
        "broken": list(verdict.broken),
        "findings": [_finding(one, verdict) for one in verdict.findings],
        "remediated": [_remediated(one) for one in verdict.remediated],
    }


def _pack(info: PackInfo) -> dict[str, Any]:
    return {"name": info.name, "version": info.version, "folder": info.folder}


def _finding(one: PolicyFinding, verdict: Verdict) -> dict[str, Any]:
    policy = verdict.policy(one)
    return {
        "pack": one.pack,
        "policy": one.policy,
        "level": str(one.level),
        "severity": one.severity,
        "urn": one.urn,
        "name": urns.name_of(one.urn) if one.urn else "",
        "message": one.message,
        "description": one.description,
        "title": policy.display_name if policy else "",
        "fix": policy.remediation_steps if policy else "",
        "url": policy.url if policy else "",
        "framework": policy.framework if policy else "",
        "tags": list(policy.tags) if policy else [],
    }


def _remediated(one: Remediated) -> dict[str, Any]:
    changes = [change_document(change) for change in between(one.before, one.after)]
    return {"pack": one.pack, "policy": one.policy, "urn": one.urn, "changes": changes}
