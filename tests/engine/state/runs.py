"""Runs of an engine as hypothesis draws them: what it would tell the recorder, in an order that a real one could."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from hypothesis import strategies as st

from engine.state.ledger import Entry, Ledger
from engine.state.model import Operation, OperationKind, ResourceState, Snapshot
from tests.engine.state.stacks import component, provider_state, root_state

NAMES = [f"r{number}" for number in range(8)]


@st.composite
def snapshots(draw: st.DrawFn) -> Snapshot:
    """A valid stack of components that depend on some of those before them."""
    states = [root_state(), provider_state()]
    for name in draw(st.lists(st.sampled_from(NAMES), unique=True)):
        states.append(_goal(draw, name, states[2:]))
    return Snapshot(tuple(states))


def _goal(draw: st.DrawFn, name: str, before: list[ResourceState]) -> ResourceState:
    urns = [state.urn for state in before if not state.delete]
    parents = st.sampled_from([*urns, root_state().urn]) if urns else st.just(root_state().urn)
    some = st.lists(st.sampled_from(urns), unique=True, max_size=3) if urns else st.just([])
    dependencies = tuple(draw(some))
    # The URN must not change with the parent here: aliases have a test of their own.
    return component(
        name,
        parent=draw(parents),
        dependencies=dependencies,
        property_dependencies={"x": dependencies[:1]},
        inputs={"n": draw(st.integers(0, 3))},
    )


@st.composite
def runs(draw: st.DrawFn) -> tuple[Snapshot, list[Entry]]:
    """A base and a run on it: resources registered in a valid order, then what was not registered deleted."""
    base = draw(snapshots())
    return base, list(_run(draw, base))


def _run(draw: st.DrawFn, base: Snapshot) -> Iterator[Entry]:
    numbers = {state.urn: number for number, state in enumerate(base.resources)}
    yield Entry(keep=0)
    yield Entry(keep=1)
    registered: list[ResourceState] = []
    replaced: list[tuple[int, ResourceState]] = []
    turn = _Turn(len(base.resources))
    for name in draw(st.lists(st.sampled_from(NAMES), unique=True)):
        goal = _goal(draw, name, registered)
        old = numbers.pop(goal.urn, None)
        yield from turn.register(draw, goal, None if old is None else (old, base.resources[old]), replaced)
        registered.append(goal)
    for number, state in reversed(replaced):
        yield from turn.operate("deleting", state, Entry(remove=number))
    for number in sorted(numbers.values(), reverse=True):
        if number > 1:
            yield from turn.operate("deleting", base.resources[number], Entry(remove=number))


class _Turn:
    """Counts as the ledger does."""

    def __init__(self, next_resource: int) -> None:
        self._operation = 0
        self._resource = next_resource

    def operate(self, kind: OperationKind, state: ResourceState, outcome: Entry) -> Iterator[Entry]:
        yield Entry(begin=Operation(state, kind))
        yield replace(outcome, end=self._operation)
        self._operation += 1

    def register(
        self,
        draw: st.DrawFn,
        goal: ResourceState,
        old: tuple[int, ResourceState] | None,
        replaced: list[tuple[int, ResourceState]],
    ) -> Iterator[Entry]:
        if old is None:
            yield from self.operate("creating", goal, Entry(add=goal))
        else:
            yield from self._change(draw, goal, old, replaced)
        if old is None or old[1] != goal:
            yield Entry(amend=((self._resource, replace(goal, outputs={"registered": True})),))
            self._resource += 1

    def _change(
        self,
        draw: st.DrawFn,
        goal: ResourceState,
        old: tuple[int, ResourceState],
        replaced: list[tuple[int, ResourceState]],
    ) -> Iterator[Entry]:
        number, before = old
        if before == goal:
            yield Entry(keep=number)
            return
        how = draw(st.sampled_from(["update", "fail then update", "create before delete", "delete before create"]))
        if how == "fail then update":
            yield from self.operate("updating", goal, Entry())
        if how == "create before delete":
            waiting = replace(before, delete=True)
            replaced.append((number, waiting))
            yield from self.operate("creating", goal, Entry(add=goal, amend=((number, waiting),)))
            return
        if how == "delete before create":
            yield from self.operate(
                "deleting", before, Entry(amend=((number, replace(before, pending_replacement=True)),))
            )
            yield from self.operate("creating", goal, Entry(add=goal, remove=number))
            return
        yield from self.operate("updating", goal, Entry(add=goal, remove=number))


def prefixes(base: Snapshot, entries: list[Entry]) -> Iterator[Snapshot]:
    """The snapshot before any of ``entries``, after the first, after the second ..."""
    ledger = Ledger(base)
    yield ledger.snapshot()
    for entry in entries:
        ledger.apply(entry)
        yield ledger.snapshot()
