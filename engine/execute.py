"""Carrying out single steps: the provider's call, its record, its events, its failure.

A preview goes the same way; it asks the provider for what would come of a step and records nothing durable.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections import Counter
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, ParamSpec, TypeVar

from engine.decide import secret_again
from engine.events import Consumer, Diagnostic, Severity, StepDone, StepFailed, StepStarted
from engine.hooks import HookFailed, Hooks, Moment
from engine.marks import handed, received
from engine.plan import Constraint, Op, Step
from engine.providers.base import Created, Provider, ProviderError
from engine.record import Record
from engine.running import Running, operation_token
from engine.state.model import OperationKind, ResourceState
from engine.state.storage import now
from engine.values import Properties

P = ParamSpec("P")
T = TypeVar("T")


class StepError(Exception):
    """A step failed; its events have been emitted already. ``exists``: what it was to make is there all the same."""

    exists = False


class RunCancelled(Exception):
    """The run is being stopped: nothing new starts."""


class PlanViolated(Exception):
    """A step is due that the plan does not have; the run stops."""


@dataclass
class Executor:
    """Carries out steps for one run, at most ``parallel`` operations at a time."""

    record: Record
    emit: Consumer
    preview: bool
    parallel: int = 16
    constraint: Constraint | None = None
    redact: Callable[[str], str] = str
    continue_on_error: bool = False
    steps: list[Step] = field(default_factory=list[Step])
    counts: Counter[Op] = field(default_factory=Counter[Op])
    cancelled: bool = False
    failures: int = 0
    failed: list[Step] = field(default_factory=list[Step])
    objections: int = 0  # what forbids an apply, seen by a preview that went on
    refusals: int = 0  # resources that a policy pack did not let pass

    def __post_init__(self) -> None:
        self._slots = asyncio.Semaphore(max(self.parallel, 1))
        self._threads = ThreadPoolExecutor(max(self.parallel, 1) + 4, thread_name_prefix="provider")
        self.hooks = Hooks(preview=self.preview)
        self.doubtful: set[str] = set()  # what was done, and a hook that followed has failed: nothing is built on it
        self.touched: set[int] = set()  # old states that a failed step has changed, or may have, by their identities
        self._incomplete: dict[str, tuple[Moment, ResourceState | None]] = {}  # components whose outputs are to come

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def call(self, provider: Provider, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Ask a provider something that neither changes nor awaits the cloud."""
        if provider.in_process:
            return function(*args, **kwargs)
        return await self.work(function, *args, **kwargs)

    async def work(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a blocking function in a worker thread."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, lambda: function(*args, **kwargs))

    async def apart(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a blocking function in a thread of its own: it ends after what others of this run do meanwhile."""
        loop = asyncio.get_running_loop()
        ended: asyncio.Future[T] = loop.create_future()

        def tell(settle: Callable[[Any], None], outcome: Any) -> None:
            with contextlib.suppress(RuntimeError):  # the loop was closed: nobody asks any more
                loop.call_soon_threadsafe(lambda: ended.done() or settle(outcome))

        def run() -> None:
            try:
                outcome = function(*args, **kwargs)
            except BaseException as error:  # noqa: BLE001 - whoever waits for it gets it
                tell(ended.set_exception, error)
            else:
                tell(ended.set_result, outcome)

        threading.Thread(target=run, name="a provider's program", daemon=True).start()
        return await ended

    def admit(self, step: Step) -> None:
        """Take note of ``step``. Raises RunCancelled when the run stops, PlanViolated when it is not planned."""
        if self.cancelled:
            raise RunCancelled
        objection = self.constraint.objection(step) if self.constraint else None
        if objection:
            self.cancelled = True  # what still waits must not start
            raise PlanViolated(
                f"{step.urn}: {objection}; nothing was done to it. Preview again and review what changed"
            )
        self.steps.append(step)
        self.emit(StepStarted(step))

    def done(self, step: Step, seconds: float = 0.0) -> None:
        self.counts[step.op] += 1
        self.emit(StepDone(step, seconds))

    def instant(self, step: Step) -> None:
        """A step that asks nothing of a provider."""
        self.admit(step)
        self.done(step)

    async def same(self, step: Step) -> ResourceState:
        assert step.new is not None and step.old is not None, "an unchanged resource has two states"
        state = secret_again(replace(step.new, id=step.old.id, outputs=step.old.outputs))
        self.instant(replace(step, new=state))
        self.record.put(state, step.old)
        return state

    async def create(
        self,
        step: Step,
        provider: Provider | None,
        old: ResourceState | None = None,
        amended: Sequence[tuple[ResourceState, ResourceState]] = (),
    ) -> ResourceState:
        """Create a resource. The new state takes the place of ``old``; each of ``amended`` stays, changed."""
        if provider is None:
            return await self._component(step, old, amended)
        new = self.stamped(_new(step), created=True)

        def create() -> Created:
            return provider.create(
                new.urn, new.type, handed(provider, new.inputs),
                timeout=new.custom_timeouts.create, preview=self.preview, token=operation_token(new),
            )  # fmt: skip

        async with Running(self, step, "creating", new, old, amended) as operation:
            await operation.prepare(Moment.BEFORE_CREATE, None, new)
            created = await operation.run(provider, create)
            state = replace(new, id=created.id, outputs=received(provider, created.outputs, new))
            state = operation.finish(self.stamped(state))
            await self._follow_up(Moment.AFTER_CREATE, None, state)
            return state

    async def update(self, step: Step, provider: Provider | None) -> ResourceState:
        new, old = _new(step), step.old
        assert old is not None, "an update has an old state"
        if provider is None:
            return await self._component(step, old)

        def update() -> Properties:
            return provider.update(
                new.urn, new.type, old.id, handed(provider, old.inputs), handed(provider, old.outputs),
                handed(provider, new.inputs), timeout=new.custom_timeouts.update, preview=self.preview,
            )  # fmt: skip

        step = replace(step, new=replace(new, id=old.id))  # what is planned says of which one
        new = replace(new, id=old.id, outputs=old.outputs)
        async with Running(self, step, "updating", new, old) as operation:
            await operation.prepare(Moment.BEFORE_UPDATE, old, new)
            outputs = await operation.run(provider, update)
            state = operation.finish(self.stamped(replace(new, outputs=received(provider, outputs, new))))
            await self._follow_up(Moment.AFTER_UPDATE, old, state)
            return state

    async def read(
        self,
        step: Step,
        provider: Provider,
        fetch: Callable[[], ResourceState | None],
        old: ResourceState | None,
        amended: Sequence[tuple[ResourceState, ResourceState]] = (),
    ) -> ResourceState:
        """Read or import a resource: ``fetch`` asks the provider; None means that there is no such resource."""
        new = _new(step)
        kind: OperationKind = "importing" if step.op in (Op.IMPORT, Op.IMPORT_REPLACEMENT) else "reading"
        async with Running(self, step, kind, new, old, amended) as operation:
            state = await operation.run(provider, fetch)
            if state is None:
                id_ = new.id or new.import_id
                raise operation.failed(f"{new.type} {id_!r} does not exist; check the id that was given")
            imported = kind == "importing"
            return operation.finish(self.stamped(state, created=True) if imported else self._as_read(state, step.old))

    async def delete(self, step: Step, provider: Provider | None, *, recreate: bool = False) -> None:
        """Delete a resource; with ``recreate`` its state stays, marked as waiting to be made again."""
        old = step.old
        assert old is not None, "a deletion has an old state"
        waiting = ((old, replace(old, pending_replacement=True)),) if recreate else ()

        def delete() -> None:
            assert provider is not None, "checked below"
            inputs, outputs = handed(provider, old.inputs), handed(provider, old.outputs)
            provider.delete(old.urn, old.type, old.id, inputs, outputs, timeout=old.custom_timeouts.delete)

        if step.op is Op.REMOVE_PENDING_REPLACE:  # it was deleted, with its hooks, when it was to be replaced
            self.instant(step)
            self.record.drop(old)
            return
        if provider is None or step.retained or self.preview:
            await self._forget(step, old, waiting)
            return
        async with Running(self, step, "deleting", old, None if recreate else old, waiting) as operation:
            await operation.prepare(Moment.BEFORE_DELETE, old, None)
            await operation.run(provider, delete)
            operation.finish(None)
            await self._follow_up(Moment.AFTER_DELETE, old, None)

    async def _forget(
        self, step: Step, old: ResourceState, waiting: Sequence[tuple[ResourceState, ResourceState]]
    ) -> None:
        """A deletion that asks nothing of a provider."""
        async with self._turn(old):
            self.admit(step)
            await self.prepare(step, Moment.BEFORE_DELETE, old, None, partial(self.report, step))
            self.done(step)
            if waiting:
                self.record.amend(*waiting[0])
            else:
                self.record.drop(old)
            await self._follow_up(Moment.AFTER_DELETE, old, None)

    def _turn(self, state: ResourceState) -> contextlib.AbstractAsyncContextManager[None]:
        """Hooks take a slot, as operations do."""
        return self._slots if state.resource_hooks else contextlib.nullcontext()

    async def _component(
        self,
        step: Step,
        old: ResourceState | None,
        amended: Sequence[tuple[ResourceState, ResourceState]] = (),
    ) -> ResourceState:
        state = self.stamped(replace(_new(step), outputs={}), created=old is None)  # its program has yet to give them
        step = replace(step, new=state)
        updated = step.old if step.op is Op.UPDATE else None
        async with self._turn(state):
            self.admit(step)
            before = Moment.BEFORE_UPDATE if updated else Moment.BEFORE_CREATE
            await self.prepare(step, before, updated, state, partial(self.report, step))
            self.done(step)
        self._incomplete[state.urn] = (Moment.AFTER_UPDATE if updated else Moment.AFTER_CREATE, updated)
        self.record.put(state, old)
        for each, changed in amended:
            self.record.amend(each, changed)
        return state

    async def completed(self, component: ResourceState) -> None:
        """``component`` has its outputs: run the hooks that follow what was done to it."""
        if component.urn in self._incomplete:
            moment, old = self._incomplete.pop(component.urn)
            async with self._turn(component):
                await self._follow_up(moment, old, component)

    async def prepare(
        self, step: Step, moment: Moment, old: ResourceState | None, new: ResourceState | None,
        failed: Callable[[str], StepError],
    ) -> None:  # fmt: skip
        """Run the hooks before ``step``. Raises what ``failed`` gives for what it is told when it is not to be."""
        try:
            await self.hooks.run(moment, old, new, lambda message: self._warn(message, step.urn))
        except HookFailed as failure:
            raise failed(str(failure)) from failure

    async def _follow_up(self, moment: Moment, old: ResourceState | None, new: ResourceState | None) -> None:
        """Run the hooks after something was done. When one fails, what was done stands, and the run has failed."""
        state = new or old
        assert state is not None, "something was done"
        try:
            await self.hooks.run(moment, old, new, lambda message: self._warn(message, state.urn))
        except HookFailed as failure:
            self.failures += 1
            self.emit(Diagnostic(Severity.ERROR, str(failure), state.urn))
            if not self.continue_on_error:
                self.doubtful.add(state.urn)

    def _warn(self, message: str, urn: str) -> None:
        self.emit(Diagnostic(Severity.WARNING, message, urn))

    def report(self, step: Step, message: str, seconds: float = 0.0) -> StepError:
        """Take note that ``step`` has failed, and give what to raise."""
        self.failures += 1
        self.failed.append(step)
        self.emit(StepFailed(step, message, seconds))
        self.emit(Diagnostic(Severity.ERROR, message, step.urn))
        return StepError(message)

    def stamped(self, state: ResourceState, *, created: bool = False) -> ResourceState:
        if self.preview:
            return state
        time_ = now()
        return replace(state, modified=time_, created=time_ if created or state.created is None else state.created)

    def _as_read(self, state: ResourceState, old: ResourceState | None) -> ResourceState:
        """What was only read was not made; it was changed where it differs from what was known of it."""
        if old is None:
            return replace(state, created=None, modified=None)
        same = (state.inputs, state.outputs) == (old.inputs, old.outputs)
        return replace(state, created=old.created, modified=old.modified if same or self.preview else now())

    @contextmanager
    def diagnosed(self, urn: str) -> Generator[None]:
        """Turn what a provider refuses into a diagnostic on ``urn`` and a StepError."""
        try:
            yield
        except ProviderError as error:
            self.failures += 1
            self.emit(Diagnostic(Severity.ERROR, str(error), urn))
            raise StepError(str(error)) from error

    @property
    def slots(self) -> asyncio.Semaphore:
        return self._slots


def _new(step: Step) -> ResourceState:
    assert step.new is not None, "this step leads to a state"
    return step.new
