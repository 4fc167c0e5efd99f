"""What policy packs say in a run of the CLI, from its events: the verdict that our own engine would have of it.

Events name what has happened; how a pack describes its policies is asked of the pack itself.
(Source of the forms: Pulumi 3.260, ``apitype.PolicyEvent`` and its kin.)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from engine.analyzer.findings import SEVERITIES, Level, PackInfo, PolicyFinding, Remediated, Verdict
from engine.events import Consumer, PoliciesLoading, PoliciesSummed, PolicyRemediated, PolicyViolated, Summed
from engine.pulumi_cli.states import Encoded, values

_SUMMARIES: Final[Mapping[str, Summed]] = {
    "policyAnalyzeSummaryEvent": "analyze",
    "policyRemediateSummaryEvent": "remediate",
    "policyAnalyzeStackSummaryEvent": "stack",
}


class Findings:
    """Collects what the packs say.

    ``packs`` describe themselves, which may be known only when all is said; None where none was asked.
    """

    def __init__(self) -> None:
        self.packs: Sequence[PackInfo] | None = None
        self._findings: list[PolicyFinding] = []
        self._remediated: list[Remediated] = []

    @property
    def refuses(self) -> bool:
        return any(finding.refuses for finding in self._findings)

    def takers(self, emit: Consumer) -> Mapping[str, Callable[[Encoded], None]]:
        """What takes each of the packs' events, by its name on the wire."""

        def violated(payload: Encoded) -> None:
            finding = _finding(payload)
            self._findings.append(finding)
            emit(PolicyViolated(finding))

        def remediated(payload: Encoded) -> None:
            one = _change(payload)
            self._remediated.append(one)
            emit(PolicyRemediated(one))

        def summed(kind: Summed) -> Callable[[Encoded], None]:
            return lambda payload: emit(_summary(kind, payload))

        return {
            "policyEvent": violated,
            "policyRemediationEvent": remediated,
            "policyLoadEvent": lambda _: emit(PoliciesLoading()),
            **{name: summed(kind) for name, kind in _SUMMARIES.items()},
        }

    def verdict(self) -> Verdict | None:
        """What was said so far, the gravest first; None where no pack was asked."""
        if self.packs is None and not self._findings:
            return None
        packs = tuple(self.packs or ())
        order = {pack.name: at for at, pack in enumerate(packs)}

        def rank(finding: PolicyFinding) -> tuple[Any, ...]:
            severity = SEVERITIES.index(finding.severity) if finding.severity in SEVERITIES else len(SEVERITIES)
            return (not finding.refuses, severity, order.get(finding.pack, 0), finding.policy, finding.urn)

        findings = sorted(dict.fromkeys(_with_description(one, packs) for one in self._findings), key=rank)
        remediated = [replace(one, description=_description(one, packs)) for one in self._remediated]
        return Verdict(packs, tuple(findings), tuple(remediated))


def _finding(payload: Encoded) -> PolicyFinding:
    """A finding; how its policy is described stands before its message, as the CLI puts them together."""
    level = Level.MANDATORY if payload.get("enforcementLevel") == Level.MANDATORY else Level.ADVISORY
    return PolicyFinding(
        _text(payload, "policyPackName"), _text(payload, "policyName"), level, _text(payload, "message").strip("\n"),
        _text(payload, "resourceUrn"), _text(payload, "severity"), "", _text(payload, "policyPackVersion"),
    )  # fmt: skip


def _change(payload: Encoded) -> Remediated:
    return Remediated(
        _text(payload, "policyPackName"), _text(payload, "policyName"), _text(payload, "resourceUrn"),
        values(payload.get("before")), values(payload.get("after")), "", _text(payload, "policyPackVersion"),
    )  # fmt: skip


def _description(said: PolicyFinding | Remediated, packs: Sequence[PackInfo]) -> str:
    described = next((pack.policy(said.policy) for pack in packs if pack.name == said.pack), None)
    return described.description if described else ""


def _with_description(finding: PolicyFinding, packs: Sequence[PackInfo]) -> PolicyFinding:
    description = _description(finding, packs)
    if not description or not finding.message.startswith(description):
        return replace(finding, description=description)
    return replace(finding, description=description, message=finding.message.removeprefix(description).strip("\n"))


def _summary(kind: Summed, payload: Encoded) -> PoliciesSummed:
    return PoliciesSummed(
        kind, "" if kind == "stack" else _text(payload, "resourceUrn"), _text(payload, "policyPackName"),
        _text(payload, "policyPackVersion"), _texts(payload.get("passed")), _texts(payload.get("failed")),
    )  # fmt: skip


def _text(payload: Encoded, key: str) -> str:
    value = payload.get(key)
    return value if isinstance(value, str) else ""


def _texts(value: Any) -> tuple[str, ...]:
    return tuple(map(str, value)) if isinstance(value, list) else ()
