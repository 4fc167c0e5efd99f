"""What policy packs say in a run of the CLI, from its events: the verdict that our own engine would have of it.

Events name what has happened; how a pack describes its policies is asked of the pack itself.
(Source of the forms: Pulumi 3.260, ``apitype.PolicyEvent`` and its kin.)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from engine.analyzer.findings import SEVERITIES, Level, PackInfo, PolicyFinding, PolicyInfo, Remediated, Verdict
from engine.events import Consumer, PoliciesLoading, PoliciesSummed, PolicyRemediated, PolicyViolated, Summed
from engine.pulumi_cli.states import Encoded, values

_SUMMARIES: Final[Mapping[str, Summed]] = {
    "policyAnalyzeSummaryEvent": "analyze",
    "policyRemediateSummaryEvent": "remediate",
    "policyAnalyzeStackSummaryEvent": "stack",
}


class Findings:
    """Collects what the packs say. ``packs`` describe themselves; None where none was asked."""

    def __init__(self, packs: Sequence[PackInfo] | None = None, broken: Sequence[str] = ()) -> None:
        self._packs = packs
        self._broken = broken
        self._findings: list[PolicyFinding] = []
        self._remediated: list[Remediated] = []

    @property
    def refuses(self) -> bool:
        return any(finding.refuses for finding in self._findings)

    def takers(self, emit: Consumer) -> Mapping[str, Callable[[Encoded], None]]:
        """What takes each of the packs' events, by its name on the wire."""

        def violated(payload: Encoded) -> None:
            finding = self._finding(payload)
            self._findings.append(finding)
            emit(PolicyViolated(finding))

        def remediated(payload: Encoded) -> None:
            one = self._change(payload)
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

    def _finding(self, payload: Encoded) -> PolicyFinding:
        pack, policy, urn = (
            _text(payload, "policyPackName"),
            _text(payload, "policyName"),
            _text(payload, "resourceUrn"),
        )
        level = Level.MANDATORY if payload.get("enforcementLevel") == Level.MANDATORY else Level.ADVISORY
        described = self._described(pack, policy)
        description = described.description if described else ""
        message = _text(payload, "message").strip("\n")
        if description and message.startswith(description):  # the CLI puts them together
            message = message.removeprefix(description).strip("\n")
        severity = _text(payload, "severity")
        return PolicyFinding(
            pack, policy, level, message, urn, severity, description, _text(payload, "policyPackVersion")
        )

    def _described(self, pack: str, policy: str) -> PolicyInfo | None:
        return next((info.policy(policy) for info in self._packs or () if info.name == pack), None)

    def _change(self, payload: Encoded) -> Remediated:
        pack, policy = _text(payload, "policyPackName"), _text(payload, "policyName")
        described = self._described(pack, policy)
        return Remediated(
            pack, policy, _text(payload, "resourceUrn"), values(payload.get("before")), values(payload.get("after")),
            described.description if described else "", _text(payload, "policyPackVersion"),
        )  # fmt: skip

    def verdict(self) -> Verdict | None:
        """What was said so far, the gravest first; None where no pack was asked."""
        if self._packs is None and not self._findings:
            return None
        order = {pack.name: at for at, pack in enumerate(self._packs or ())}

        def rank(finding: PolicyFinding) -> tuple[Any, ...]:
            severity = SEVERITIES.index(finding.severity) if finding.severity in SEVERITIES else len(SEVERITIES)
            return (not finding.refuses, severity, order.get(finding.pack, 0), finding.policy, finding.urn)

        findings = sorted(dict.fromkeys(self._findings), key=rank)
        return Verdict(tuple(self._packs or ()), tuple(findings), tuple(self._remediated), tuple(self._broken))


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
