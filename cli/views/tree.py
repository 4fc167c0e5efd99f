"""The tree of a plan: components as branches, resources as leaves, what stays as it is folded into a count."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from cli.views.changes import PropertyChange, of_step
from cli.views.lines import ELLIPSIS, Line, Style, cells
from cli.views.markers import LOOKS, headline, is_default_provider, type_within
from cli.views.telling import telling
from cli.views.values import brief
from engine import paths
from engine import urn as urns
from engine.differ import ABSENT
from engine.plan import DELETIONS, Op, Plan, Reason, Step
from engine.providers.base import DiffKind

NAME_COLUMNS: Final = 40  # a longer name is cut
TYPE_COLUMNS: Final = 28  # a longer type is cut, and in a narrow terminal before the properties are
BEGUN_COLUMNS: Final = 12  # with less of it, a property that is cut says nothing
TYPE_SHARE: Final = 0.4  # of the columns beside the names
_SELF_EVIDENT: Final = frozenset(
    {Reason.NEW, Reason.CHANGED, Reason.UNCHANGED, Reason.IMMUTABLE, Reason.NOT_DECLARED, Reason.DESTROYED, Reason.READ,
     Reason.IMPORTED, Reason.DRIFTED, Reason.REPLACED}
)  # fmt: skip

_PLACES: Final = {op: place for place, op in enumerate(LOOKS)}


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

    def changes(self) -> Counter[Op]:
        """How many resources below this one are created, updated and so on."""
        tally: Counter[Op] = Counter()
        for child in self.children:
            tally += child.changes()
            if child.step is not None and not child.same:
                tally[child.step.op] += 1
        return tally

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
    for parent in sorted({parent for parent in parents.values() if parent and parent not in nodes}):
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
        return sorted(roots, key=_place)
    stack.children += [node for node in roots if node is not stack]
    return [stack]


@dataclass(frozen=True)
class Row:
    """One line of the tree before it is laid out: branches, node, and how many unchanged resources it stands for.

    ``parent`` is the name of the component above, where the node's own name need not repeat it.
    """

    branches: str
    node: Node | None
    folded: int = 0
    parent: str = ""

    @property
    def type(self) -> str:
        """The type, where it says something: not of components, whose names do, nor of what stays as it is."""
        step = self.node.step if self.node else None
        return step.type if step and step.state.custom and step.op is not Op.SAME and not self.folded else ""

    @property
    def name(self) -> str:
        """``…ecr.api`` below ``network-endpoints`` is ``network-endpoints-ecr.api``."""
        name = self.node.name if self.node else ""
        own = name.removeprefix(f"{self.parent}-")
        return f"{ELLIPSIS}{own}" if self.parent and own not in ("", name) else name


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
    parent = "" if urns.type_of(node.urn) == urns.STACK_TYPE else node.name  # the stack is shown by another name
    folded = len(node.children) - len(shown)
    for index, child in enumerate(shown):
        last = index == len(shown) - 1 and not folded
        branch, below = ("└─ ", "   ") if last else ("├─ ", "│  ")
        if child.unchanged():
            yield Row(indent + branch, child, child.size(), parent)
        else:
            yield Row(indent + branch, child, parent=parent)
            yield from _below(child, indent + below)
    if folded:
        yield Row(indent + "└─ ", None, folded)


def render(plan: Plan, stack: str, *, width: int) -> list[Line]:
    """The tree in lines of at most ``width`` columns."""
    all_rows = rows(build(plan))
    labels = [_label(row, stack) for row in all_rows]
    column = min(max((label.width for label in labels), default=0), max(NAME_COLUMNS, width // 2)) + 2
    room = min(TYPE_COLUMNS, max(int((width - column) * TYPE_SHARE), 12))
    type_column = min(max((cells(type_within(row.type, room)) for row in all_rows), default=0), room)
    lines: list[Line] = []
    for row, label in zip(all_rows, labels, strict=True):
        line = label.cut(column - 2)
        detail = _detail(row, type_column, width - column)
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
    return line.add(stack if is_stack else row.name, Style.STRONG if row.node.children else Style.PLAIN)


def _detail(row: Row, type_column: int, room: int) -> Line:
    """What is said beside a row's name, in ``room`` columns; the type may have all of them where it stands alone."""
    line = Line()
    if row.node is None:
        return line
    if row.folded:
        return line.add(f"{row.folded} unchanged", Style.DIM)
    if row.node.children and not row.type:
        return _sum(row.node, room)
    step = row.node.step
    parts = [] if step is None or row.node.same else summary(step)
    if row.type:
        columns = type_column if parts else room
        line.add(Line().add(type_within(row.type, columns)).cut(columns).plain, Style.DIM)
        if parts:
            line.pad(type_column + 2)
    return line.add(_joined(parts, room - line.width))


def _joined(parts: Sequence[str], room: int) -> str:
    """As many of ``parts`` as fit in whole; one more is begun only where it has room to say something."""
    text = ", ".join(parts)
    if cells(text) <= room:
        return text
    some = [f"{', '.join(parts[:count])}, {ELLIPSIS}" for count in range(len(parts) - 1, 0, -1)]
    whole = next((one for one in some if cells(one) <= room), "")
    return whole if whole and room - cells(whole) < BEGUN_COLUMNS else text


def _sum(node: Node, room: int) -> Line:
    """``+ 12  ~ 1``: what happens below a component, so that whoever reads the top knows where to look."""
    line = Line()
    changes = node.changes()
    for op in sorted(changes, key=lambda op: _PLACES.get(op, len(_PLACES))):
        count = changes[op]
        line.add("  " if line.pieces else "").add(f"{LOOKS[op].marker} {count}", LOOKS[op].style)
    parts = [] if node.step is None or node.same else summary(node.step)
    if parts:
        line.add("  " if line.pieces else "").add(_joined(parts, room - line.width - 2))
    return line


def summary(step: Step) -> list[str]:
    """What happens to a resource, in short parts: why it is replaced, then its properties."""
    if step.op in DELETIONS:
        if step.retained:
            return ["kept, only forgotten"]
        return [] if step.reason in _SELF_EVIDENT else [step.reason.value]
    parts = [] if step.reason in _SELF_EVIDENT else [step.reason.value]
    if step.op in (Op.CREATE, Op.IMPORT, Op.READ):
        return parts + (telling(step.state.inputs)[:4] if step.state.custom else [])
    return parts + [changed(change) for change in sorted(of_step(step), key=lambda one: not one.replaces)]


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
