"""How what exists differs from the state, by component: as lines, as JSON and as Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from cli.views import tree
from cli.views.change_document import change_document
from cli.views.changes import of_step
from cli.views.lines import Line, Style
from cli.views.markdown import escaped
from cli.views.markers import LOOKS, short_type
from engine import urn as urns
from engine.plan import Op, Plan, Reason, Step
from engine.run import Outcome

_TITLE = "drift: what exists is not what the state says"


def drifted(steps: Iterable[Step]) -> list[Step]:
    """Of a refresh's steps those that found something, by the names of their resources."""
    return sorted((step for step in steps if step.op is not Op.SAME), key=lambda step: (step.state.parent, step.urn))


def lines(plan: Plan, stack: str, *, width: int) -> list[Line]:
    """What a refresh has found before the plan was made; nothing where it found nothing."""
    if not plan.drift:
        return []
    found = tree.render(Plan(drifted(plan.drift)), stack, width=width)
    return [Line().add(f"  {_TITLE}", Style.STRONG).cut(width), *found, Line()]


def by_component(steps: Iterable[Step]) -> list[tuple[str, list[Step]]]:
    """What drifted below each component (its URN; "" for what has none), by name."""
    groups: dict[str, list[Step]] = {}
    for step in drifted(steps):
        parent = step.state.parent
        component = parent if parent and urns.type_of(parent) != urns.STACK_TYPE else ""
        groups.setdefault(component, []).append(step)
    return sorted(groups.items(), key=lambda group: (urns.name_of(group[0]) if group[0] else "", group[0]))


def document(steps: Iterable[Step]) -> list[dict[str, Any]]:
    """Drift as JSON: a member for each component."""
    return [
        {
            "component": urn,
            "name": urns.name_of(urn) if urn else "",
            "resources": [_resource(step) for step in found],
        }
        for urn, found in by_component(steps)
    ]


def _resource(step: Step) -> dict[str, Any]:
    return {
        "urn": step.urn,
        "type": step.type,
        "name": urns.name_of(step.urn),
        "id": step.state.id,
        "op": str(step.op),
        "reason": str(step.reason),
        "changes": [change_document(change) for change in of_step(step)],
    }


def markdown(stack: str, outcome: Outcome) -> str:
    """The report of a refresh, for a comment or a chat."""
    groups = by_component(outcome.plan.steps)
    count = sum(len(found) for _, found in groups)
    said = f"{count} of {len(outcome.plan.by_urn())} resources drifted" if count else "no drift"
    parts = [f"### {escaped(stack)}: {said}"]
    if outcome.result.value != "succeeded":
        parts.append(f"**{escaped(outcome.result)}**: not everything could be compared")
    for urn, found in groups:
        name = escaped(urns.name_of(urn)) if urn else "below no component"
        parts.append("\n".join([f"**{name}**", "", *(_bullet(step) for step in found)]))
    return "\n\n".join(parts) + "\n"


def _bullet(step: Step) -> str:
    head = f"- `{LOOKS[step.op].marker}` {escaped(urns.name_of(step.urn))} ({escaped(short_type(step.type))})"
    parts: Sequence[str] = [step.reason.value] if step.reason is Reason.GONE else tree.summary(step)
    return f"{head}: {escaped(', '.join(parts))}" if parts else head
