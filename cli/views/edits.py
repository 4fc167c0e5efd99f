"""What an edit does to a state: as lines and as a document."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from cli.views.lines import Line, Style
from engine.state.model import ResourceState, Snapshot
from engine.state.repair import Pruned

SHOWN = 50  # resources of a kind that are listed


def changes(before: Snapshot, after: Snapshot) -> list[Line]:
    """A line for each resource that goes, comes or changes; URNs in full, so that they can be pasted."""
    of = difference(before, after)
    groups = [
        ("-", Style.RED, of["deleted"]), ("+", Style.GREEN, of["added"]), ("~", Style.YELLOW, of["changed"]),
    ]  # fmt: skip
    lines = [line for marker, style, urns in groups for line in _group(marker, style, urns)]
    if of["reordered"]:
        lines.append(Line().add("  ~ the order of the resources", Style.YELLOW))
    return lines + [Line().add("  - pending: ", Style.RED).add(one) for one in of["pendingDropped"]]


def _group(marker: str, style: Style, urns: Sequence[str]) -> list[Line]:
    lines = [Line().add(f"  {marker} ", style).add(urn) for urn in urns[:SHOWN]]
    if len(urns) > SHOWN:
        lines.append(Line().add(f"  {marker} and {len(urns) - SHOWN} more", style))
    return lines


def summary(before: Snapshot, after: Snapshot) -> str:
    """In one line what was done."""
    of = difference(before, after)
    counted = [f"{len(of[kind])} {kind}" for kind in ("deleted", "added", "changed") if of[kind]]
    if of["pendingDropped"]:
        counted.append(f"{len(of['pendingDropped'])} pending operations dropped")
    if of["reordered"]:
        counted.append("put in order")
    return ", ".join(counted) or "changed"


def document(before: Snapshot, after: Snapshot) -> dict[str, Any]:
    """The same for JSON."""
    return difference(before, after)


def difference(before: Snapshot, after: Snapshot) -> dict[str, Any]:
    """URNs of what went, came and changed; whether only the order did; operations that are pending no more."""
    old, new = _by_key(before.resources), _by_key(after.resources)
    stay = [key for key in old if key in new]
    moved = stay != [key for key in new if key in old]
    left = {(one.kind, one.resource.urn) for one in after.pending_operations}
    dropped = [(one.kind, one.resource.urn) for one in before.pending_operations]
    return {
        "deleted": [key[0] for key in old if key not in new],
        "added": [key[0] for key in new if key not in old],
        "changed": [key[0] for key in stay if old[key] != new[key]],
        "reordered": moved,
        "pendingDropped": [f"{kind} {urn}" for kind, urn in dropped if (kind, urn) not in left],
    }


def _by_key(resources: Sequence[ResourceState]) -> dict[tuple[str, str, bool], ResourceState]:
    return {(one.urn, one.id, one.delete): one for one in resources}


def pruned(found: Sequence[Pruned]) -> list[Line]:
    """What resources lose when a state is mended."""
    lines: list[Line] = []
    for one in found:
        lines += [
            Line().add("  ~ ", Style.YELLOW).add(f"{one.urn} loses its {what} {urn}, which is not there")
            for what, urn in one.lost
        ]
        if one.new_urn != one.urn:
            lines.append(Line().add("  ~ ", Style.YELLOW).add(f"{one.urn} is called {one.new_urn} then"))
    return lines


def pruned_document(found: Sequence[Pruned]) -> list[dict[str, Any]]:
    """The same for JSON."""
    return [
        {"urn": one.urn, "newUrn": one.new_urn, "lost": [{"what": what, "urn": urn} for what, urn in one.lost]}
        for one in found
    ]
