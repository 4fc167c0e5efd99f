"""The tree of a plan: components as branches, resources as leaves, what stays as it is folded into a count."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from cli.views.changes import PropertyChange, of_step, telling
from cli.views.lines import Line, Style, cells
from cli.views.markers import LOOKS, headline, is_default_provider, short_type
from cli.views.values import brief
from engine import paths
from engine import urn as urns
from engine.differ import ABSENT
from engine.plan import Op, Plan, Reason, Step
from engine.providers.base import DiffKind

NAME_COLUMNS: Final = 40  # a longer name is cut
TYPE_COLUMNS: Final = 26
_SELF_EVIDENT: Final = frozenset(
    {Reason.NEW, Reason.CHANGED, Reason.UNCHANGED, Reason.IMMUTABLE, Reason.NOT_DECLARED, Reason.DESTROYED, Reason.READ,
     Reason.IMPORTED, Reason.DRIFTED, Reason.REPLACED}
)  # fmt: skip


@dataclass
class Node:
    """A resource in the tree; ``step`` is None for a parent that the plan itself does not mention."""

    urn: str
    step: Step | None = None
    children: list[Node] = field(default_factory=list["Node"])

    @property
    def same(self) -> bool:
        return self.step is None or self.step.op is Op.SAME

    @property
    def name(self) -> str:
        return urns.name_of(self.urn)

    def size(self) -> int:
        """How many resources the subtree holds."""
        return (self.step is not None) + sum(child.size() for child in self.children)

    def unchanged(self) -> bool:
        """Whether nothing in the subtree changes."""
        return self.same and all(child.unchanged() for child in self.children)


def build(plan: Plan) -> list[Node]:
    """The plan's resources below their parents; those without one are at the top."""
    nodes: dict[str, Node] = {}
    parents: dict[str, str] = {}
    for urn, steps in plan.by_urn().items():
        if is_default_provider(urn):
            continue
        nodes[urn] = Node(urn, headline(steps))
        parents[urn] = headline(steps).state.parent
    for parent in {parent for parent in parents.values() if parent and parent not in nodes}:
        nodes[parent] = Node(parent)
    for urn, parent in parents.items():
        if parent and parent != urn:
            nodes[parent].children.append(nodes[urn])
    for node in nodes.values():
        node.children.sort(key=_place)
    roots = [node for urn, node in nodes.items() if not parents.get(urn)]
    return _one_root(roots)


def _place(node: Node) -> tuple[list[tuple[int, str]], str]:
    """Siblings stand by name, numbers in it by size: the order of the plan is that in which calls happened to end."""
    return natural(node.name), node.urn


def natural(name: str) -> list[tuple[int, str]]:
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"(\d+)", name)]


def _one_root(roots: list[Node]) -> list[Node]:
    """What has no parent stands below the stack, where the stack is shown: deletions may outlive their parents."""
    stack = next((node for node in roots if urns.type_of(node.urn) == urns.STACK_TYPE), None)
    if stack is None:
        return roots
    stack.children += [node for node in roots if node is not stack]
    return [stack]


@dataclass(frozen=True)
class Row:
    """One line of the tree before it is laid out: branches, node, and how many unchanged resources it stands for."""

    branches: str
    node: Node | None
    folded: int = 0


def rows(roots: list[Node]) -> list[Row]:
    """The tree's rows, top down."""
    found: list[Row] = []
    for root in roots:
        if root.unchanged():
            found.append(Row("", root, root.size() - (root.step is not None)))
        else:
            found.append(Row("", root))
            found += _below(root, "")
    return found


def _below(node: Node, indent: str) -> Iterator[Row]:
    shown = [child for child in node.children if child.children or not child.unchanged()]
    folded = len(node.children) - len(shown)
    for index, child in enumerate(shown):
        last = index == len(shown) - 1 and not folded
        branch, below = ("└─ ", "   ") if last else ("├─ ", "│  ")
        if child.unchanged():
            yield Row(indent + branch, child, child.size())
        else:
            yield Row(indent + branch, child)
            yield from _below(child, indent + below)
    if folded:
        yield Row(indent + "└─ ", None, folded)


def render(plan: Plan, stack: str, *, width: int) -> list[Line]:
    """The tree in lines of at most ``width`` columns."""
    all_rows = rows(build(plan))
    labels = [_label(row, stack) for row in all_rows]
    column = min(max((label.width for label in labels), default=0), max(NAME_COLUMNS, width // 2)) + 2
    type_column = min(max((cells(_type(row)) for row in all_rows), default=0), TYPE_COLUMNS)
    lines: list[Line] = []
    for row, label in zip(all_rows, labels, strict=True):
        line = label.cut(column - 2)
        detail = _detail(row, type_column)
        if detail.pieces:
            line.pad(column)
            line.pieces += detail.pieces
        lines.append(line.cut(width))
    return lines


def _label(row: Row, stack: str) -> Line:
    line = Line().add("  ").add(row.branches, Style.DIM)
    if row.node is None:
        return line.add(f"{row.folded} unchanged", Style.DIM)
    is_stack = urns.type_of(row.node.urn) == urns.STACK_TYPE
    look = LOOKS[row.node.step.op] if row.node.step else LOOKS[Op.SAME]
    if look.marker.strip() and not (is_stack and look.marker == "~"):
        line.add(f"{look.marker} ", look.style)
    return line.add(stack if is_stack else row.node.name, Style.STRONG if row.node.children else Style.PLAIN)


def _detail(row: Row, type_column: int) -> Line:
    line = Line()
    if row.node is None:
        return line
    if row.folded:
        return line.add(f"{row.folded} unchanged", Style.DIM)
    step = row.node.step
    said = Line() if step is None or row.node.same else summary(step)
    if _type(row):
        line.add(Line().add(_type(row)).cut(type_column).plain, Style.DIM)
        if said.plain:
            line.pad(type_column + 2)
    line.pieces += said.pieces
    return line


def _type(row: Row) -> str:
    """What is said of a row's type: a component's name says enough, and so does what stays as it is."""
    step = row.node.step if row.node else None
    return short_type(step.type) if step and step.state.custom and step.op is not Op.SAME and not row.folded else ""


def summary(step: Step) -> Line:
    """What happens to a resource, on one line: why it is replaced, then its properties."""
    line = Line()
    if step.op in (Op.DELETE, Op.DELETE_REPLACED, Op.REMOVE_PENDING_REPLACE):
        text = "kept, only forgotten" if step.retained else ""
        return line.add(text or ("" if step.reason in _SELF_EVIDENT else step.reason.value), Style.DIM)
    parts: list[str] = []
    if step.reason not in _SELF_EVIDENT:
        parts.append(step.reason.value)
    if step.op in (Op.CREATE, Op.IMPORT, Op.READ):
        new = step.state
        parts += [f"{key} {brief(value, 24)}" for key, value in telling(new.inputs)[:4]] if new.custom else []
    else:
        parts += [changed(change) for change in sorted(of_step(step), key=lambda one: not one.replaces)]
    return line.add(", ".join(parts), Style.PLAIN)


def _last_name(change: PropertyChange) -> str:
    """The end of a property's path, which says enough on one line: ``ebs.volumeSize``, ``tags.Team``."""
    names = [index for index, part in enumerate(change.path) if isinstance(part, str)]
    return paths.join(change.path[names[-2] if len(names) > 1 else 0 :])


def changed(change: PropertyChange) -> str:
    """``release 1.35.3 → 1.35.4``."""
    name = _last_name(change)
    if change.kind is DiffKind.ADD or change.old is ABSENT:
        return f"+ {name} {brief(change.new)}"
    if change.kind is DiffKind.DELETE or change.new is ABSENT:
        return f"- {name}"
    return f"{name} {brief(change.old)} → {brief(change.new)}"
