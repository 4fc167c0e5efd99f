"""Findings with their places: what all forms of them are written from."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from cli.findings.places import Place, Places
from engine import urn as urns
from engine.analyzer.findings import PackInfo, PolicyFinding, PolicyInfo, Verdict

_ABSOLUTE: Final = ("https://", "http://")


@dataclass(frozen=True)
class Found:
    """One finding, where it is shown, and a fingerprint that stays the same from run to run."""

    finding: PolicyFinding
    policy: PolicyInfo | None
    place: Place
    fingerprint: str

    @property
    def resource(self) -> str:
        """The name of the resource, "" for the stack."""
        return urns.name_of(self.finding.urn) if self.finding.urn else ""

    @property
    def title(self) -> str:
        return (self.policy and self.policy.display_name) or self.finding.description or self.finding.policy

    @property
    def message(self) -> str:
        """What is wrong; a rule need not say more than what it is about."""
        return self.finding.message.strip() or self.finding.description

    @property
    def advice(self) -> str:
        return self.policy.remediation_steps if self.policy else ""


@dataclass(frozen=True)
class FindingsReport:
    """What the packs found in one environment, or in files.

    ``rules_url`` is the address below which the pages of rules lie that are told from the repository's root; '' where
    nobody has said so.
    """

    subject: str
    packs: Sequence[PackInfo]
    found: Sequence[Found]
    broken: Sequence[str]
    rules_url: str = ""

    @classmethod
    def of(cls, verdict: Verdict, places: Places, subject: str, rules_url: str = "") -> FindingsReport:
        """The findings of ``verdict`` at their ``places``; ``subject`` says what was judged."""
        return cls(subject, verdict.packs, tuple(_found(verdict, places)), verdict.broken, rules_url)

    def address_of(self, policy: PolicyInfo) -> str:
        """Where a rule is explained, as an absolute URI; '' where that is not known."""
        if policy.url.startswith(_ABSOLUTE) or not policy.url:
            return policy.url
        return f"{self.rules_url.rstrip('/')}/{policy.url.lstrip('/')}" if self.rules_url else ""

    @property
    def mandatory(self) -> int:
        return sum(one.finding.refuses for one in self.found)

    @property
    def advisory(self) -> int:
        return len(self.found) - self.mandatory


def by_rule(found: Iterable[Found]) -> Mapping[tuple[str, str], Sequence[Found]]:
    """Findings by pack and policy, in their order: there may be tens of thousands."""
    groups: dict[tuple[str, str], list[Found]] = {}
    for one in found:
        groups.setdefault((one.finding.pack, one.finding.policy), []).append(one)
    return groups


def _found(verdict: Verdict, places: Places) -> Iterator[Found]:
    seen: dict[str, int] = {}
    for finding in verdict.findings:
        key = "\0".join((finding.pack, finding.policy, finding.urn))
        seen[key] = seen.get(key, 0) + 1  # a rule may have more than one thing to say of a resource
        fingerprint = hashlib.sha256(f"{key}\0{seen[key]}".encode()).hexdigest()[:32]
        yield Found(finding, verdict.policy(finding), places.of(finding.urn, finding.policy), fingerprint)
