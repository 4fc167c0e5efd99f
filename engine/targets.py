"""Which resources a run is about: ``--target`` and ``--exclude``, as URNs with ``*`` and ``**`` as wildcards."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from engine import urn as urns


@dataclass(frozen=True)
class Targets:
    """With no target everything is meant; providers and the stack itself always are."""

    only: Sequence[str] = ()
    exclude: Sequence[str] = ()
    dependents: bool = False
    exclude_dependents: bool = False

    def include(self, urn: str) -> bool:
        """Whether the resource ``urn`` is meant."""
        if not self.only and not self.exclude:
            return True
        type_ = urns.type_of(urn)
        if type_ == urns.STACK_TYPE or urns.is_provider_type(type_):
            return True
        if _matches(self.exclude, urn):
            return False
        return not self.only or _matches(self.only, urn)

    def name(self, urn: str) -> bool:
        """Whether a target names ``urn`` itself."""
        return _matches(self.only, urn)

    def spare(self, urn: str) -> bool:
        """Whether ``--exclude`` names ``urn`` itself."""
        return _matches(self.exclude, urn)

    @property
    def constrained(self) -> bool:
        return bool(self.only or self.exclude)

    def unmatched(self, known: Iterable[str]) -> list[str]:
        """Targets that name nothing in ``known``: mistyped ones, most likely."""
        known = list(known)
        return [glob for glob in self.only if not any(_pattern(glob).fullmatch(urn) for urn in known)]


def _matches(globs: Sequence[str], urn: str) -> bool:
    return any(_pattern(glob).fullmatch(urn) for glob in globs)


@functools.cache
def _pattern(glob: str) -> re.Pattern[str]:
    """``*`` stops at a colon or ``$``, ``**`` does not; a word without ``::`` means the resources of that name."""
    if "::" not in glob and "*" not in glob:
        return re.compile(".*::" + re.escape(glob))
    parts = re.split(r"(\*\*|\*)", glob)
    return re.compile("".join({"**": ".*", "*": "[^:$]*"}.get(part) or re.escape(part) for part in parts))
