"""The statements of an IAM policy document: what they speak of, and how far."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from policies import iam_actions
from policies.iam_actions import Action


@dataclass(frozen=True)
class Condition:
    """One condition: an operator such as ``StringLike``, a key such as ``aws:SourceArn``, and the values it takes."""

    operator: str
    key: str
    values: tuple[str, ...]


@dataclass(frozen=True)
class Statement:
    """``place`` is where it stands in its document. Principals are pairs such as ``("AWS", "*")``, as ``*`` is too."""

    place: str
    effect: str
    actions: tuple[str, ...] = ()
    not_actions: tuple[str, ...] = ()
    resources: tuple[str, ...] = ()
    not_resources: tuple[str, ...] = ()
    principals: tuple[tuple[str, str], ...] = ()
    not_principals: tuple[tuple[str, str], ...] = ()
    conditions: tuple[Condition, ...] = ()
    unknown: str = ""  # the place of a part that is not known yet: whom it speaks of, of what, or to what effect
    unknown_reach: str = ""  # the same of its resources and conditions, which may only narrow what it speaks of

    @property
    def allows(self) -> bool:
        """Whether its effect is to allow. AWS takes nothing but ``Allow`` and ``Deny``; what is neither may allow."""
        return not self.denies

    @property
    def denies(self) -> bool:
        """Whether its effect is to deny."""
        return self.effect.lower() == "deny"

    @property
    def everywhere(self) -> bool:
        """Whether no resource is named: ``*``, all buckets, or everything but some (NotResource)."""
        return bool(self.not_resources) or any(reaches_everything(resource) for resource in self.resources)

    @property
    def unconstrained(self) -> bool:
        """Whether it names neither resources nor conditions."""
        return self.everywhere and not self.conditions

    def covers(self, action: str) -> bool:
        """Whether it speaks of ``action``, such as ``iam:PassRole``, by name, by a pattern, or by not excepting it."""
        if self.not_actions:
            return not any(iam_actions.matches(action, pattern) for pattern in self.not_actions)
        return any(iam_actions.matches(action, pattern) for pattern in self.actions)

    def covered(self) -> Sequence[Action]:
        """All actions of AWS that it speaks of."""
        if self.not_actions:
            return [action for action in iam_actions.matching("*") if self.covers(action.name)]
        return [action for pattern in self.actions for action in iam_actions.matching(pattern)]

    def on(self, key: str) -> Iterator[Condition]:
        """The conditions on a key, such as ``aws:SourceArn``, in any case."""
        return (condition for condition in self.conditions if condition.key.lower() == key.lower())


@dataclass(frozen=True, eq=False)
class Statements:
    """A document's statements, and what AWS would refuse of it."""

    statements: tuple[Statement, ...]
    faults: tuple[str, ...]

    @cached_property
    def unlimited(self) -> tuple[Action, ...]:
        """The actions allowed on everything without a condition and not denied again, which could be limited."""
        found = {
            action.name: action
            for statement in self._unlimited_statements
            for action in statement.covered()
            if action.restrictable
        }
        return tuple(action for name, action in sorted(found.items()) if name not in self._denied)

    def unlimited_statement(self, action: str) -> Statement | None:
        """The statement that allows an action on everything without a condition, unless another denies it."""
        allowing = next((one for one in self._unlimited_statements if one.covers(action)), None)
        return None if allowing is None or self.denied(action) else allowing

    def denied(self, action: str) -> bool:
        """Whether a statement denies an action always and everywhere."""
        return any(one.covers(action) for one in self._denying)

    @cached_property
    def _unlimited_statements(self) -> tuple[Statement, ...]:
        return tuple(one for one in self.statements if one.allows and one.unconstrained and not one.unknown_reach)

    @cached_property
    def _denying(self) -> tuple[Statement, ...]:
        return tuple(
            one
            for one in self.statements
            if one.denies and not one.conditions and any(map(iam_actions.is_wild, one.resources))
        )

    @cached_property
    def _denied(self) -> frozenset[str]:
        """The names of denied actions that AWS has: thousands are asked for at once."""
        return frozenset(action.name for one in self._denying for action in one.covered())


def reaches_everything(resource: str) -> bool:
    """``*``, an ARN that names not even a service, or all buckets.

    An ARN that names only a service, such as all log groups, counts as a limit, as it does for other scanners.
    """
    if iam_actions.is_wild(resource):
        return True
    parts = resource.split(":", 5)
    if parts[0] != "arn":
        return False
    service = parts[2] if len(parts) > 2 else "*"
    rest = parts[5] if len(parts) > 5 else "*"
    return iam_actions.is_wild(service) or (service == "s3" and not rest.strip("*/"))
