"""Which resources of a stack somebody means by a URN or a name."""

from __future__ import annotations

import difflib
from collections.abc import Sequence

from cli.exits import UsageError
from engine import urn as urns
from engine.state.model import ResourceState
from engine.state.references import SEPARATOR


def all_of(resources: Sequence[ResourceState], wanted: str, stack: str) -> list[ResourceState]:
    """The resources that a URN, ``URN::ID`` or a name means. Raises UsageError where there are none."""
    found = [one for one in resources if wanted in (one.urn, f"{one.urn}{SEPARATOR}{one.id}")]
    found = found or [one for one in resources if urns.name_of(one.urn) == wanted]
    if not found:
        near = difflib.get_close_matches(wanted, [urns.name_of(one.urn) for one in resources], n=1)
        hint = f"did you mean '{near[0]}'?" if near else f"`bedplate state list {stack}` shows those there are"
        raise UsageError(f"{stack} has no resource '{wanted}'; {hint}")
    return found


def one_of(resources: Sequence[ResourceState], wanted: str, stack: str) -> ResourceState:
    """The one resource that ``wanted`` means. Raises UsageError where there is none, or several."""
    found = all_of(resources, wanted, stack)
    if len(found) == 1:
        return found[0]
    same = len({one.urn for one in found}) == 1
    listed = "\n".join(f"    {one.urn}{f'{SEPARATOR}{one.id}' if same else ''}" for one in found)
    raise UsageError(f"'{wanted}' means {len(found)} resources of {stack}; say which one\n{listed}")
