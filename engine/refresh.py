"""Comparing the state with what exists: each resource is read, and the state follows it if the user agrees.

A refresh stands alone, or goes before a run, which then starts from what was found (``--refresh``).
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from engine import paths
from engine import urn as urns
from engine.differ import property_changes
from engine.events import Cancelled, Consumer, Diagnostic, RunEnded, RunStarted, Severity, StepFailed, StepStarted
from engine.execute import Executor, RunCancelled, StepError
from engine.graph import named_dependencies
from engine.marks import handed, received, received_inputs
from engine.paths import join
from engine.plan import Op, Plan, Reason, Step
from engine.provider_registry import ProviderRegistry, by_reference
from engine.providers.base import (
    BlindToReadiness,
    Diff,
    DiffKind,
    Found,
    PartialFailure,
    Provider,
    ProviderError,
)
from engine.record import NoRecord
from engine.redaction import Redactor
from engine.run import Options, Outcome, Result
from engine.state.ledger import Entry, merge
from engine.state.model import ResourceState, Snapshot
from engine.state.recorder import Recorder
from engine.state.storage import now
from engine.targets import Targets

_INVERSE: Mapping[DiffKind, DiffKind] = {
    DiffKind.ADD: DiffKind.DELETE, DiffKind.ADD_REPLACE: DiffKind.DELETE_REPLACE,
    DiffKind.DELETE: DiffKind.ADD, DiffKind.DELETE_REPLACE: DiffKind.ADD_REPLACE,
}  # fmt: skip


class Refresh:
    """One refresh over ``base``: ``look`` reads everything, ``record`` writes down what was found.

    With a ``config`` (as ``RunStarted`` has it) it is the beginning of a run, which tells the rest of the story.
    """

    def __init__(
        self,
        base: Snapshot,
        registry: ProviderRegistry,
        emit: Consumer,
        options: Options,
        config: Mapping[str, str] | None = None,
    ) -> None:
        self._base = base
        self._registry = registry
        self._options = options
        self._config = config
        self._providers = by_reference(base.resources)
        redactor = Redactor([[state.inputs, state.outputs] for state in base.resources])
        self._redact = redactor.redact
        self._emit = redactor.wrap(emit)
        registry.listen(self._emit)
        self._executor = Executor(NoRecord(), self._emit, preview=True, parallel=options.parallel)

    def cancel(self) -> None:
        """Read nothing more."""
        if not self._executor.cancelled:
            self._executor.cancelled = True
            self._emit(Cancelled())
            self._registry.cancel()

    async def look(self) -> Outcome:
        """Read every resource that is among the targets; nothing changes, neither what exists nor the state."""
        started = time.monotonic()
        self._emit(RunStarted(self._config or {}, preview=True))
        try:
            meant = chosen(self._base.resources, self._options.targets)
            await asyncio.gather(*(self._one(old) for old in meant))
        finally:
            self._executor.close()
        result, word = Result.SUCCEEDED, "succeeded"
        if self._executor.failures:
            result, word = Result.RESOURCE_FAILED, "failed"
        if self._executor.cancelled:
            result, word = Result.CANCELLED, "cancelled"
        elapsed, counts = time.monotonic() - started, dict(self._executor.counts)
        if self._config is None or result is not Result.SUCCEEDED:
            self._emit(RunEnded(True, elapsed, counts, word))
        plan = Plan(tuple(self._executor.steps), state_only_changes=any(map(_is_quiet, self._executor.steps)))
        return Outcome(result, plan, elapsed, counts)

    @property
    def drift(self) -> Sequence[Step]:
        """What differs from the state."""
        return tuple(step for step in self._executor.steps if step.op is not Op.SAME)

    @property
    def changes_state(self) -> bool:
        """Whether there is anything to write down; of what has not drifted, outputs may have moved all the same."""
        return bool(self.drift) or any(map(_is_quiet, self._executor.steps))

    def record(self, recorder: Recorder) -> None:
        """Take what ``look`` found over into the state."""
        for old, new in self._found():
            if new is None:
                recorder.drop(old, refresh=True)
            else:
                recorder.amend(old, new)

    def refreshed(self) -> Snapshot:
        """The base as ``record`` would leave it."""
        numbers = {id(state): number for number, state in enumerate(self._base.resources)}
        entries = (
            Entry(remove=numbers[id(old)], refresh=True) if new is None else Entry(amend=((numbers[id(old)], new),))
            for old, new in self._found()
        )
        return merge(self._base, entries)

    def _found(self) -> Iterator[tuple[ResourceState, ResourceState | None]]:
        for step in self._executor.steps:
            assert step.old is not None, "what is refreshed has a state"
            if step.op is Op.DELETE or step.new != step.old:
                yield step.old, step.new

    def _is_read(self, old: ResourceState) -> bool:
        # What the engine itself provides (a reference to another stack) is read anew whenever the program runs.
        ours = urns.is_provider_type(old.type) or urns.package_of(old.type) == "pulumi"
        return old.custom and not ours and not old.pending_replacement

    async def _one(self, old: ResourceState) -> None:
        begun = Step(Op.REFRESH, old.urn, old.type, Reason.UNCHANGED, old, old)
        try:
            async with self._executor.slots:
                if self._executor.cancelled:
                    return
                self._emit(StepStarted(begun))
                step = await self._compared(old) if self._is_read(old) else replace(begun, op=Op.SAME)
        except StepError as error:
            self._emit(StepFailed(begun, str(error), 0.0))
            return
        except RunCancelled:
            return
        self._executor.steps.append(step)
        self._executor.done(step if self._config is None else replace(step, op=Op.REFRESH, new=step.new or old))

    async def _compared(self, old: ResourceState) -> Step:
        with self._executor.diagnosed(old.urn):
            provider = self._registry.managing(old, self._providers)
            try:
                found, reasons = await self._read(provider, old)
                diff = None if found is None or old.external else await self._diff(provider, old, found)
            except ProviderError:
                raise
            except Exception as error:  # it broke over one resource; the others are read all the same
                raise ProviderError(f"the provider broke: {type(error).__name__}: {error}") from error
        if found is None:
            return Step(Op.DELETE, old.urn, old.type, Reason.GONE, old)
        inputs, outputs = received_inputs(provider, found.inputs, old), received(provider, found.outputs, old)
        new = replace(old, id=found.id, inputs=inputs, outputs=outputs, init_errors=reasons)
        if (new.inputs, new.outputs) != (old.inputs, old.outputs):
            new = replace(new, modified=now())
        detailed = _by_outputs(old, new) if diff is None else _inverted(diff)
        if not (detailed if diff is None else diff.changes):
            return Step(Op.SAME, old.urn, old.type, Reason.UNCHANGED, old, new)
        return Step(Op.UPDATE, old.urn, old.type, Reason.DRIFTED, old, new, detailed)

    async def _read(self, provider: Provider, old: ResourceState) -> tuple[Found | None, tuple[str, ...]]:
        """What there is, and why it is not ready."""
        try:
            found = await self._executor.work(
                provider.read, old.urn, old.type, old.id, handed(provider, old.inputs), handed(provider, old.outputs)
            )
        except PartialFailure as failure:
            message = f"it exists and is not ready: {failure}"
            self._emit(Diagnostic(Severity.WARNING, message, old.urn))
            found = Found(failure.id, failure.inputs or handed(provider, old.inputs), failure.outputs)
            return found, tuple(map(self._redact, failure.reasons))
        return found, old.init_errors if isinstance(provider, BlindToReadiness) else ()

    async def _diff(self, provider: Provider, old: ResourceState, found: Found) -> Diff:
        """What an ``up`` of an unchanged program would have to change back; what it ignores is no drift."""
        before = found.inputs
        wanted = paths.ignored(old.ignore_changes, before, handed(provider, old.inputs))
        return await self._executor.call(
            provider, provider.diff, old.urn, old.type, found.id, before, found.outputs, wanted
        )  # fmt: skip


def chosen(resources: Sequence[ResourceState], targets: Targets) -> list[ResourceState]:
    """Those of ``resources`` that are refreshed; what depends on what is named goes along where that was said."""
    spares, along = bool(targets.exclude), targets.exclude_dependents if targets.exclude else targets.dependents
    named: set[str] = set()
    for old in resources:
        by_name = targets.spare(old.urn) if spares else targets.name(old.urn)
        if by_name or (along and not named.isdisjoint(named_dependencies(old, providers=False))):
            named.add(old.urn)
    wanted = targets.constrained and not spares
    return [old for old in resources if not old.view_of and (not targets.constrained or (old.urn in named) is wanted)]


def _is_quiet(step: Step) -> bool:
    """Whether a resource that counts as unchanged has another state than before."""
    return step.op is Op.SAME and step.new != step.old


def _inverted(diff: Diff) -> dict[str, DiffKind]:
    """From the state to what exists: the provider has compared the other way round."""
    return {path: _INVERSE.get(kind, kind) for path, kind in diff.detailed.items()}


def _by_outputs(old: ResourceState, new: ResourceState) -> dict[str, DiffKind]:
    return {join(change.path): change.kind for change in property_changes(old.outputs, new.outputs)}
