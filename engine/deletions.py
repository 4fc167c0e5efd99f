"""The end of a run: deleting what the program does not declare any more and what was replaced.

A resource goes once all that depends on it has gone; what does not depend on one another goes at the same time. After
a failure nothing is deleted (``Run.up``), unless the user wants it (``continue_on_error``): what the program renamed,
say, and could not make, would be lost.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterable, Mapping
from typing import TypeAlias

from engine.deployment import Deployment
from engine.events import Diagnostic, Severity, StepFailed, StepSkipped
from engine.execute import RunCancelled, StepError
from engine.graph import DependencyGraph
from engine.plan import Op, Reason, Step
from engine.state.model import ResourceState
from engine.targets import Targets

# What goes, by its place in the base snapshot.
Condemned: TypeAlias = Mapping[int, tuple[ResourceState, Op, Reason]]


async def delete_leftovers(deployment: Deployment, reason: Reason = Reason.NOT_DECLARED) -> None:
    """Delete everything in the base snapshot that this run has replaced, or has not come to."""
    graph = DependencyGraph(deployment.base.resources)
    condemned = dict(_condemned(deployment, reason))
    chosen = _chosen(deployment, graph, condemned)
    for place, (old, op, _) in condemned.items():
        if place not in chosen and op is not Op.DELETE_REPLACED:
            deployment.executor.instant(Step(Op.SAME, old.urn, old.type, Reason.NOT_TARGETED, old, old))
    condemned = chosen
    condemned = _needed_by_none_that_failed(deployment, graph, condemned)
    deployment.going.update(id(state) for state, _, _ in condemned.values())
    await _delete_all(deployment, graph, condemned)


def _needed_by_none_that_failed(deployment: Deployment, graph: DependencyGraph, condemned: Condemned) -> Condemned:
    """``condemned`` without what a resource needs that could not be changed, or was skipped: it stands as it was."""
    failed = {id(step.old) for step in deployment.executor.failed if step.old is not None}
    failed.update(id(deployment.olds[urn]) for urn in deployment.unavailable if urn in deployment.olds)
    places = [place for place, old in enumerate(graph.resources) if id(old) in failed]
    needed = set[int]().union(*(graph.requirements(place) for place in places))
    return {place: entry for place, entry in condemned.items() if place not in needed}


def _condemned(deployment: Deployment, reason: Reason) -> Iterable[tuple[int, tuple[ResourceState, Op, Reason]]]:
    """What goes where no targets are set, by its place in the base snapshot."""
    for place, old in enumerate(deployment.base.resources):
        if id(old) in deployment.kept:
            continue
        waiting = deployment.deleted_early.get(old.urn) is old  # of several of one URN, one waits for its replacement
        if id(old) in deployment.condemned_early and not waiting:
            continue
        if old.delete or id(old) in deployment.outlived:
            yield place, (old, Op.DELETE_REPLACED, Reason.REPLACED)
        elif deployment.declares(old.urn) and not _was_to_be_adopted(deployment, old):
            continue
        elif old.pending_replacement or waiting:
            yield place, (old, Op.REMOVE_PENDING_REPLACE, reason)
        else:
            yield place, (old, Op.DELETE, reason)


def _was_to_be_adopted(deployment: Deployment, old: ResourceState) -> bool:
    """Whether ``old`` was only read, and what should be managed in its stead could not be made: it is let go of."""
    return old.external and old.urn in deployment.to_manage and old.urn in deployment.unavailable


def _chosen(deployment: Deployment, graph: DependencyGraph, condemned: Condemned) -> Condemned:
    """What of ``condemned`` goes given the targets; nothing, where it would take along what they do not name."""
    targets, resources = deployment.targets, graph.resources
    if targets.only:
        named = {place for place, old in enumerate(resources) if targets.name(old.urn)}
        along = named.union(*(graph.dependents(place) for place in named))
        condemned = {place: entry for place, entry in condemned.items() if place in along}
        unnamed = [] if targets.dependents else [place for place in condemned if place not in named]
        for place in unnamed:
            message = (
                "would be deleted along with what it needs, but is not among the targets; add it with --target, or all "
                "like it with --target-dependents"
            )
            deployment.executor.failures += 1
            deployment.executor.emit(Diagnostic(Severity.ERROR, message, resources[place].urn))
        return {} if unnamed and not deployment.preview else condemned
    if targets.exclude:
        spared = _spared(graph, targets)
        return {place: entry for place, entry in condemned.items() if place not in spared}
    return condemned


def _spared(graph: DependencyGraph, targets: Targets) -> set[int]:
    """Places of what stays: what is excluded and all that it needs; where that was said, also what needs any of it."""
    frontier = [place for place, old in enumerate(graph.resources) if targets.spare(old.urn)]
    spared = set(frontier)
    while frontier:
        place = frontier.pop()
        further = graph.needs(place) | (graph.needed_by(place) if targets.exclude_dependents else set())
        frontier += further - spared
        spared |= further
    return spared


async def _delete_all(
    deployment: Deployment,
    graph: DependencyGraph,
    condemned: Condemned,
) -> None:
    gone = {place: asyncio.get_running_loop().create_future() for place in condemned}

    async def delete(place: int) -> None:
        state, op, reason = condemned[place]
        dependents = [other for other in graph.needed_by(place) if other in gone]
        outcome = False
        try:
            results = await asyncio.gather(*(gone[other] for other in dependents))
            if all(results):
                outcome = await _delete_one(deployment, state, op, reason)
            else:
                # The first by name: the order of a snapshot depends on which resource was ready first.
                left = [condemned[other][0].urn for other, went in zip(dependents, results, strict=True) if not went]
                deployment.executor.emit(StepSkipped(state.urn, min(left), still_needed=True))
        finally:
            gone[place].set_result(outcome)

    # The last of the snapshot first: with one slot, dependents still go before what they depend on.
    deletions = (delete(place) for place in sorted(condemned, reverse=True))
    results = await asyncio.gather(*deletions, return_exceptions=True)  # all: what one has begun must be recorded
    for result in results:
        if result is not None:
            raise result


async def _delete_one(deployment: Deployment, state: ResourceState, op: Op, reason: Reason) -> bool:
    if state.protect and op is Op.DELETE:
        deployment.executor.failures += 1
        message = (
            "cannot be deleted, because it is protected; remove protect from it in the program and run `up` first, "
            "or keep it with --exclude"
        )
        step = Step(op, state.urn, state.type, reason, state)
        with contextlib.suppress(RunCancelled):
            deployment.executor.admit(step)
        if not deployment.preview:
            deployment.executor.emit(StepFailed(step, message, 0.0))
        deployment.executor.emit(Diagnostic(Severity.ERROR, message, state.urn))
        return False
    try:
        await deployment.delete(state, op, reason)
    except StepError:
        return False
    except RunCancelled:
        return False
    return True
