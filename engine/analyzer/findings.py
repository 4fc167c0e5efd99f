"""What policy packs say, as values: their policies, their findings, what they changed."""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import cached_property
from typing import Any, Final

from engine.values import Properties


class Level(enum.StrEnum):
    """What a finding of a policy does, by Pulumi's name for it."""

    ADVISORY = "advisory"
    MANDATORY = "mandatory"
    REMEDIATE = "remediate"
    DISABLED = "disabled"


class PolicyKind(enum.StrEnum):
    """What a policy judges; an older SDK does not say."""

    RESOURCE = "resource"
    STACK = "stack"
    UNKNOWN = "unknown"


JUDGES: Final = "judges:"  # begins the tag of a pack that lists, with commas, the types that it judges
SEVERITIES: Final = ("critical", "high", "medium", "low", "")  # gravest first; "" where none is given


@dataclass(frozen=True)
class PolicyInfo:
    """One policy of a pack, as the pack describes it. ``level`` is the one that it has now, after configuration.

    ``schema`` holds the JSON schema of each of its parameters, ``required`` the names of those that must be given.
    """

    name: str
    description: str
    level: Level
    kind: PolicyKind = PolicyKind.UNKNOWN
    display_name: str = ""
    severity: str = ""
    framework: str = ""
    tags: Sequence[str] = ()
    remediation_steps: str = ""
    url: str = ""
    schema: Mapping[str, Any] = field(default_factory=dict[str, Any])
    required: Sequence[str] = ()


@dataclass(frozen=True)
class PolicyConfig:
    """What a policy is configured with; ``level`` None leaves it its own."""

    level: Level | None = None
    properties: Mapping[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True)
class PackInfo:
    """A pack, as it describes itself; ``initial`` is the configuration that it brings along, by policy.

    ``folder`` is where it was started from. ``types`` are globs of the types that its resource policies judge, None for
    all: a pack may say so in a tag of its own (``JUDGES``), and is then spared questions about others.
    """

    name: str
    version: str
    policies: Sequence[PolicyInfo]
    folder: str = ""
    display_name: str = ""
    description: str = ""
    initial: Mapping[str, PolicyConfig] = field(default_factory=dict[str, PolicyConfig])
    configurable: bool = True
    types: Sequence[str] | None = None

    def judges(self, token: str) -> bool:
        """Whether it has to be asked about a resource of that type."""
        if self.types is None:
            return True
        if token not in self._judged:
            self._judged[token] = any(fnmatchcase(token, pattern) for pattern in self.types)
        return self._judged[token]

    @cached_property
    def _judged(self) -> dict[str, bool]:
        return {}

    def policy(self, name: str) -> PolicyInfo | None:
        return self._by_name.get(name)

    @cached_property
    def _by_name(self) -> Mapping[str, PolicyInfo]:
        return {policy.name: policy for policy in reversed(self.policies)}  # the first of a name counts

    def enabled(self, kind: PolicyKind) -> tuple[str, ...]:
        """The names of the policies that judge what is of ``kind`` and are not disabled, sorted."""
        return self._enabled[kind]

    @cached_property
    def _enabled(self) -> Mapping[PolicyKind, tuple[str, ...]]:
        on = [policy for policy in self.policies if policy.level is not Level.DISABLED]
        return {
            kind: tuple(sorted(policy.name for policy in on if policy.kind in (kind, PolicyKind.UNKNOWN)))
            for kind in PolicyKind
        }

    @cached_property
    def remediates(self) -> bool:
        """Whether any of its policies rewrites what it judges."""
        return any(policy.level is Level.REMEDIATE for policy in self.policies)


@dataclass(frozen=True)
class PolicyFinding:
    """A violation of a policy by a resource, or by the stack as a whole. ``level`` is advisory or mandatory."""

    pack: str
    policy: str
    level: Level
    message: str
    urn: str = ""
    severity: str = ""
    description: str = ""
    pack_version: str = ""

    @property
    def refuses(self) -> bool:
        return self.level is Level.MANDATORY


@dataclass(frozen=True)
class Remediated:
    """A policy has changed what a resource is made from: ``before`` to ``after``, all its inputs."""

    pack: str
    policy: str
    urn: str
    before: Properties
    after: Properties
    description: str = ""
    pack_version: str = ""


@dataclass(frozen=True)
class NotApplicable:
    """A policy had nothing to say, and why."""

    policy: str
    reason: str = ""


@dataclass(frozen=True)
class Analysis:
    """What a pack says about one resource, or about the stack."""

    findings: Sequence[PolicyFinding] = ()
    not_applicable: Sequence[NotApplicable] = ()


@dataclass(frozen=True)
class Remediation:
    """What a pack makes of one resource, in the order in which its policies did."""

    remediated: Sequence[Remediated] = ()
    findings: Sequence[PolicyFinding] = ()  # policies that could not, and why
    not_applicable: Sequence[NotApplicable] = ()


@dataclass(frozen=True)
class AnalyzedProvider:
    """The provider of a resource, as packs are told of it."""

    urn: str
    type: str
    properties: Properties


@dataclass(frozen=True)
class AnalyzedResource:
    """A resource as packs are told of it: inputs for a resource's policies, outputs for a stack's."""

    urn: str
    type: str
    name: str
    properties: Properties
    provider: AnalyzedProvider | None = None
    parent: str = ""
    dependencies: Sequence[str] = ()
    property_dependencies: Mapping[str, Sequence[str]] = field(default_factory=dict[str, Sequence[str]])
    protect: bool = False
    ignore_changes: Sequence[str] = ()
    delete_before_replace: bool | None = None
    additional_secret_outputs: Sequence[str] = ()
    aliases: Sequence[str] = ()
    timeouts: Mapping[str, float] = field(default_factory=dict[str, float])  # of create, update and delete, in seconds


@dataclass(frozen=True)
class Verdict:
    """What a run's packs have said: the packs that could be asked, their findings, what they changed.

    Findings are sorted, the gravest first. ``broken`` names the packs that could not be asked, or not about everything.
    """

    packs: Sequence[PackInfo] = ()
    # asyncio.run asks for the text of what it returns, to find who handles signals: not of thousands of findings.
    findings: Sequence[PolicyFinding] = field(default=(), repr=False)
    remediated: Sequence[Remediated] = field(default=(), repr=False)
    broken: Sequence[str] = ()

    def policy(self, finding: PolicyFinding) -> PolicyInfo | None:
        """The policy that a finding is of, as its pack describes it."""
        return next((pack.policy(finding.policy) for pack in self.packs if pack.name == finding.pack), None)

    @property
    def refuses(self) -> bool:
        return any(finding.refuses for finding in self.findings)

    @property
    def rules(self) -> int:
        """How many policies were asked."""
        return sum(policy.level is not Level.DISABLED for pack in self.packs for policy in pack.policies)
