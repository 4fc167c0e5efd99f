"""Property diffs in full: each changed resource with what is added, removed and changed in it."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from typing import Final

from cli.views.changes import PropertyChange, between, of_step, parsed_json
from cli.views.lines import Line, Style
from cli.views.markers import LOOKS, headline, is_default_provider, short_type
from cli.views.values import HIDDEN, MAX_LINES, block, scalar
from engine import paths
from engine import urn as urns
from engine.differ import ABSENT
from engine.plan import Op, Plan, Reason, Step
from engine.providers.base import DiffKind
from engine.values import Properties

_LOOKS: Final[Mapping[DiffKind, tuple[str, Style]]] = {
    DiffKind.ADD: ("+", Style.GREEN),
    DiffKind.DELETE: ("-", Style.RED),
    DiffKind.UPDATE: ("~", Style.YELLOW),
}
_CONTEXT: Final = 1  # unchanged lines shown around a change within a text
_SILENT: Final = frozenset({Reason.NEW, Reason.CHANGED, Reason.DESTROYED, Reason.READ, Reason.IMPORTED})


def render(plan: Plan, *, full: bool = False) -> list[Line]:
    """Every changed resource, in the order of the plan. With ``full`` no string is cut."""
    lines: list[Line] = []
    for urn, steps in plan.by_urn().items():
        step = headline(steps)
        if step.op is not Op.SAME and not is_default_provider(urn):
            lines += [*_resource(step, full), Line()]
    return lines


def _resource(step: Step, full: bool) -> Iterator[Line]:
    look = LOOKS[step.op]
    head = Line().add("  ").add(f"{look.marker} {urns.name_of(step.urn)}", look.style)
    yield head.add(f"  {short_type(step.type)}", Style.DIM).add(
        f"  {step.state.id}" if step.state.id else "", Style.DIM
    )
    if step.reason not in _SILENT:
        keys = f": {', '.join(step.replace_keys)}" if step.replace_keys else ""
        yield Line().add(f"      because {step.reason.value}{keys}", Style.DIM)
    if step.retained:
        yield Line().add("      only forgotten: what exists is kept", Style.DIM)
    for change in of_step(step):
        yield from entry(change, "      ", full)


def outputs(before: Properties, after: Properties, *, full: bool = False) -> list[Line]:
    """How the stack's outputs change; nothing when they don't."""
    return [one for change in between(before, after) for one in entry(change, "      ", full)]


def entry(change: PropertyChange, indent: str, full: bool) -> Iterator[Line]:
    """One property change as lines."""
    marker, style = _LOOKS[change.kind]
    name = paths.join(change.path) or "(all)"
    note = "  (forces replacement)" if change.replaces else ""
    head = Line().add(indent).add(f"{marker} {name}: ", style)
    if change.kind is not DiffKind.UPDATE:
        yield from _whole(change.old if change.new is ABSENT else change.new, head, indent, note, style, full)
    elif change.old is HIDDEN or change.new is HIDDEN:
        yield head.add("[secret] → [secret] (changed)").add(note, Style.MAGENTA)
    elif _is_text(change.old) and _is_text(change.new):
        yield head.add("text").add(note, Style.MAGENTA)
        yield from _text(change.old, change.new, indent, full)
    elif isinstance(change.old, dict | list) or isinstance(change.new, dict | list):
        yield head.add(note.strip(), Style.MAGENTA)
        yield from (Line().add(f"{indent}  ").add(f"- {one}", Style.RED) for one in block(change.old, full=full))
        yield from (Line().add(f"{indent}  ").add(f"+ {one}", Style.GREEN) for one in block(change.new, full=full))
    else:
        old = "(none)" if change.old is ABSENT else scalar(change.old, full=full)
        new = "(none)" if change.new is ABSENT else scalar(change.new, full=full)
        yield head.add(old, Style.RED).add(" → ", Style.DIM).add(new, Style.GREEN).add(note, Style.MAGENTA)


def _whole(value: object, head: Line, indent: str, note: str, style: Style, full: bool) -> Iterator[Line]:
    document = parsed_json(value)
    shown = value if document is None else document
    lines = block(shown, full=full)
    if len(lines) == 1 and not (isinstance(shown, dict | list) and shown):
        yield head.add(lines[0], style).add(note, Style.MAGENTA)
        return
    yield head.add("(JSON)" if document is not None else "", Style.DIM).add(note, Style.MAGENTA)
    yield from (Line().add(f"{indent}    {one}", style) for one in lines)


def _is_text(value: object) -> bool:
    return isinstance(value, str) and "\n" in value.rstrip("\n")


def _text(old: str, new: str, indent: str, full: bool) -> Iterator[Line]:
    """A text's changed lines with a little context; every line with ``full``."""
    before, after = old.splitlines(), new.splitlines()
    context = len(before) + len(after) if full else _CONTEXT
    changed = list(difflib.unified_diff(before, after, n=context, lineterm=""))[2:]
    limit = len(changed) if full else 8 * MAX_LINES
    for one in changed[:limit]:
        style = {"+": Style.GREEN, "-": Style.RED}.get(one[:1], Style.DIM)
        yield Line().add(f"{indent}    ").add(one, style)
    if len(changed) > limit:
        yield Line().add(f"{indent}    {len(changed) - limit} more lines; --diff full shows them", Style.DIM)
