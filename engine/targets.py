"""Which resources a run is about: ``--target`` and ``--exclude``, as URNs with ``*`` and ``**`` as wildcards."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from engine import urn as urns


@dataclass(frozen=True)
class Targets:
    """With no target everything is meant; providers and the stack itself always are.

    ``dependents``: what depends on a target is meant, too. ``exclude_dependents``: what depends on what is excluded is
    excluded, too. ``replace`` names what is to be replaced, whether it changed or not.
    """

    only: Sequence[str] = ()
    exclude: Sequence[str] = ()
    dependents: bool = False
    exclude_dependents: bool = False
    replace: Sequence[str] = ()

    def name(self, urn: str) -> bool:
        """Whether a target names ``urn`` itself."""
        return _matches(self.only, urn)

    def spare(self, urn: str) -> bool:
        """Whether ``--exclude`` names ``urn`` itself."""
        return _matches(self.exclude, urn)

    def renew(self, urn: str) -> bool:
        """Whether ``--replace`` names ``urn``."""
        return _matches(self.replace, urn)

    @property
    def remedy(self) -> str:
        """What brings in what was left out."""
        return "exclude this one, too" if self.exclude else "add it with --target"

    @property
    def constrained(self) -> bool:
        return bool(self.only or self.exclude)

    def unmatched(self, known: Iterable[str]) -> list[str]:
        """Targets that name nothing in ``known``: mistyped ones, most likely."""
        return _unmatched(self.only, list(known))

    def unmatched_exclusions(self, known: Iterable[str]) -> list[str]:
        """What ``--exclude`` names outright and ``known`` does not have; a pattern may match nothing."""
        return _unmatched([glob for glob in self.exclude if "*" not in glob], list(known))

    def unmatched_replacements(self, known: Iterable[str]) -> list[str]:
        """What ``--replace`` names and ``known`` does not have."""
        return _unmatched(self.replace, list(known))


class Selection:
    """Which resources a run means, as it comes to them: what depends on others has those behind it.

    The rules, and the moments at which they apply, are those of Pulumi's step generator (3.260).
    """

    def __init__(self, targets: Targets) -> None:
        self._targets = targets
        self._meant: set[str] = set()
        self._spared: set[str] = set()

    def means(self, urn: str, needs: Iterable[str]) -> bool:
        """Whether ``urn``, which depends on ``needs``, is meant."""
        return _always_meant(urn) or self._named(urn, needs)

    def remember(self, urn: str, needs: Iterable[str], *, meant: bool) -> None:
        """Take note of what ``means`` said of ``urn``, for those that depend on it."""
        if self._targets.exclude and not meant:
            self._spared.add(urn)
        elif self._targets.only and meant and self._named(urn, needs):
            self._meant.add(urn)

    def _named(self, urn: str, needs: Iterable[str]) -> bool:
        targets = self._targets
        if targets.only:
            return targets.name(urn) or (targets.dependents and any(map(self._is_target, needs)))
        if targets.exclude:
            return not (targets.spare(urn) or (targets.exclude_dependents and any(map(self._is_spared, needs))))
        return True

    def _is_target(self, urn: str) -> bool:
        return urn in self._meant or self._targets.name(urn)

    def _is_spared(self, urn: str) -> bool:
        return urn in self._spared or self._targets.spare(urn)


def _always_meant(urn: str) -> bool:
    """Whether ``urn`` is the stack's or a provider's."""
    type_ = urns.type_of(urn)
    return type_ == urns.STACK_TYPE or urns.is_provider_type(type_)


def _unmatched(globs: Sequence[str], known: Sequence[str]) -> list[str]:
    return [glob for glob in globs if not any(_pattern(glob).fullmatch(urn) for urn in known)]


def _matches(globs: Sequence[str], urn: str) -> bool:
    return any(_pattern(glob).fullmatch(urn) for glob in globs)


@functools.cache
def _pattern(glob: str) -> re.Pattern[str]:
    """``*`` stops at a colon, ``**`` does not; a word without ``::`` means the resources of that name."""
    if "::" not in glob and "*" not in glob:
        return re.compile(".*::" + re.escape(glob))
    parts = re.split(r"(\*\*|\*)", glob)
    return re.compile("".join({"**": ".*", "*": "[^:]*"}.get(part) or re.escape(part) for part in parts))
