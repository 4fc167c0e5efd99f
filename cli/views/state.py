"""The state for reading: all resources as a tree, one resource in full."""

from __future__ import annotations

from collections.abc import Sequence

from cli.views.lines import Line, Style
from cli.views.markers import short_type
from cli.views.tree import natural
from cli.views.values import block, masked
from engine import urn as urns
from engine.state.model import Operation, ResourceState
from engine.values import Properties
from engine.values import reveal as revealed


def listing(resources: Sequence[ResourceState], pending: Sequence[Operation], *, width: int) -> list[Line]:
    """Every resource below its parent: name, type, id. Then the operations that nobody saw end."""
    if not resources and not pending:
        return [Line().add("  the stack has no resources", Style.DIM)]
    children: dict[str, list[ResourceState]] = {}
    there = {one.urn for one in resources}
    for one in resources:
        children.setdefault(one.parent if one.parent in there and one.parent != one.urn else "", []).append(one)
    for siblings in children.values():
        siblings.sort(key=lambda one: natural(urns.name_of(one.urn)))
    rows = [row for root in children.get("", []) for row in _rows(root, children, "", "")]
    column = min(max((label.width for label, _ in rows), default=0), width // 2) + 2
    lines = [_joined(label, one, column).cut(width) for label, one in rows]
    for operation in pending:
        text = f"  pending: {operation.kind} {urns.name_of(operation.resource.urn)}"
        lines.append(Line().add(text, Style.YELLOW).cut(width))
    return lines


def _rows(
    one: ResourceState, children: dict[str, list[ResourceState]], branch: str, indent: str
) -> list[tuple[Line, ResourceState]]:
    label = (
        Line().add("  ").add(branch, Style.DIM).add(urns.name_of(one.urn), Style.PLAIN if one.custom else Style.STRONG)
    )
    rows = [(label, one)]
    below = [] if one.delete else children.get(one.urn, [])
    for index, child in enumerate(below):
        last = index == len(below) - 1
        rows += _rows(child, children, indent + ("└─ " if last else "├─ "), indent + ("   " if last else "│  "))
    return rows


def _joined(label: Line, one: ResourceState, column: int) -> Line:
    said = {
        "protected": one.protect,
        "to be deleted": one.delete,
        "external": one.external,
        "not ready": one.init_errors,
    }
    marks = [word for word, is_so in said.items() if is_so]
    line = label.cut(column - 2).pad(column).add(short_type(one.type), Style.DIM)
    line.add(f"  {one.id}" if one.custom else "").add(f"  ({', '.join(marks)})" if marks else "", Style.YELLOW)
    return line


def details(state: ResourceState, *, reveal: bool) -> list[Line]:
    """One resource with its inputs and outputs."""
    facts = [
        ("urn", state.urn), ("type", state.type), ("id", state.id), ("parent", state.parent),
        ("provider", state.provider), ("created", state.created or ""), ("modified", state.modified or ""),
        ("protected", "yes" if state.protect else ""), ("to be deleted", "yes" if state.delete else ""),
        ("not ready", "; ".join(state.init_errors)),
    ]  # fmt: skip
    lines = [Line().add(f"  {name:<14}", Style.CYAN).add(value) for name, value in facts if value]
    lines += [Line().add("  depends on    " if index == 0 else " " * 16, Style.CYAN).add(urn)
              for index, urn in enumerate(state.dependencies)]  # fmt: skip
    return lines + _section("inputs", state.inputs, reveal) + _section("outputs", state.outputs, reveal)


def _section(title: str, values: Properties, reveal: bool) -> list[Line]:
    if not values:
        return []
    shown = block(revealed(values) if reveal else masked(values), full=True)
    return [Line().add(f"  {title}", Style.STRONG), *(Line().add(f"    {one}") for one in shown)]
