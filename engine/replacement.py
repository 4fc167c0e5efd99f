"""What must be replaced along with a resource that is deleted before its replacement is made.

A dependent goes along when its provider, asked to compare it with everything unknown that it takes from a condemned
resource, says that it would have to be replaced. Source: Pulumi's documentation of ``deleteBeforeReplace``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

from engine.decide import decide
from engine.goals import Goal
from engine.graph import DependencyGraph
from engine.marks import handed
from engine.plan import Op
from engine.provider_registry import split_reference
from engine.providers.base import Diff, Provider
from engine.state.model import ResourceState
from engine.values import UNKNOWN, Properties


class AskDiff(Protocol):
    """Calls a provider's diff wherever the run makes its calls."""

    async def __call__(
        self,
        provider: Provider,
        function: Callable[[str, str, str, Properties, Properties, Properties], Diff],
        /,
        *args: object,
    ) -> Diff: ...


class Dependent(NamedTuple):
    """A dependent that is replaced along with another, and those of its properties that force it."""

    state: ResourceState
    keys: Sequence[str]


async def dependents_to_replace(
    root: ResourceState,
    resources: Sequence[ResourceState],
    registered: set[str],
    provider_of: Callable[[ResourceState], Provider],
    ask: AskDiff,
) -> list[Dependent]:
    """The dependents of ``root`` that are replaced with it, what is depended on first; then what names it as its fate.

    ``registered`` are the URNs that this run has come to already: they cannot depend on ``root`` any more.
    """
    place = next((index for index, state in enumerate(resources) if state is root), None)
    if place is None:
        return []  # it was imported just now: nothing can depend on it
    graph = DependencyGraph(resources, parents=False)
    replaced = {root.urn}
    found: list[Dependent] = []
    for index in graph.dependents(place):
        dependent = resources[index]
        if dependent.urn in registered or not dependent.custom or dependent.external:
            continue
        keys = () if _bound(dependent, replaced) else await _would_replace(dependent, replaced, provider_of, ask)
        if keys is not None:
            replaced.add(dependent.urn)
            found.append(Dependent(dependent, keys))
    fated = [each for each in resources if _shares_fate(each, root) and each.urn not in registered]
    named = {each.urn for each in fated}
    return [each for each in found if each.state.urn not in named] + [Dependent(each, ()) for each in fated]


def _shares_fate(state: ResourceState, root: ResourceState) -> bool:
    """Whether ``state``, a component even, says itself that it is replaced or deleted with ``root``."""
    return not state.delete and (root.urn in state.replace_with or state.deleted_with == root.urn)


def _bound(dependent: ResourceState, replaced: set[str]) -> bool:
    """Whether the dependent's provider, or what it is deleted with, is replaced: then nobody need be asked."""
    provider = split_reference(dependent.provider)[0] if dependent.provider else ""
    return provider in replaced or dependent.deleted_with in replaced


async def _would_replace(
    dependent: ResourceState,
    replaced: set[str],
    provider_of: Callable[[ResourceState], Provider],
    ask: AskDiff,
) -> Sequence[str] | None:
    """The properties that would force a replacement; None where there would be none."""
    taken = {key for key, urns in dependent.property_dependencies.items() if replaced.intersection(urns)}
    if not taken.intersection(dependent.inputs):
        return None
    provider = provider_of(dependent)
    old_inputs = handed(provider, dependent.inputs)
    inputs = {key: UNKNOWN if key in taken else value for key, value in old_inputs.items()}
    diff = await ask(
        provider, provider.diff, dependent.urn, dependent.type, dependent.id, old_inputs,
        handed(provider, dependent.outputs), inputs,
    )  # fmt: skip
    goal = Goal(dependent.type, "", True, inputs, replace_on_changes=dependent.replace_on_changes)
    decision = decide(dependent, goal, diff)
    return decision.replace_keys if decision.op is Op.REPLACE else None
