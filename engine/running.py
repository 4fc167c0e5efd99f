"""One operation in progress at a provider: its slot, its record, its hooks, and what is told when it fails."""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final, TypeVar

from engine.events import Diagnostic, Severity, from_any_thread
from engine.hooks import ON_ERROR, HookFailed, Moment
from engine.marks import received
from engine.plan import Step
from engine.providers.base import OperationUncertain, PartialFailure, Provider, ProviderError
from engine.providers.notes import taking_notes
from engine.state.model import OperationKind, ResourceState

if TYPE_CHECKING:
    from engine.execute import Executor, StepError

T = TypeVar("T")
_FALLIBLE: Final[Mapping[OperationKind, str]] = {"creating": "create", "updating": "update", "deleting": "delete"}
_MOST_ATTEMPTS: Final = 100  # as many as Pulumi makes


class Running:
    """One operation in progress: holds a slot, is recorded before it starts, reports how it failed.

    When it has happened, in full or in part, what it led to takes the place of ``old``; ``amended`` change.
    """

    def __init__(
        self,
        executor: Executor,
        step: Step,
        kind: OperationKind,
        state: ResourceState,
        old: ResourceState | None,
        amended: Sequence[tuple[ResourceState, ResourceState]] = (),
    ) -> None:
        self.step = step
        self._executor = executor
        self._kind: OperationKind = kind
        self._state = state
        self._old = old
        self._amended = amended
        self._number: int | None = None
        self._seconds = 0.0
        self._notes: list[str] = []

    async def __aenter__(self) -> Running:
        executor = self._executor
        await executor.slots.acquire()
        try:
            executor.admit(self.step)
            if not executor.preview:
                begun = executor.record.begin(self._kind, self._state)
                await asyncio.wrap_future(begun.durable)
                self._number = begun.number
        except BaseException:
            executor.slots.release()
            raise
        return self

    async def __aexit__(self, *exception: object) -> None:
        self._executor.slots.release()

    async def prepare(self, moment: Moment, old: ResourceState | None, new: ResourceState | None) -> None:
        """Run the hooks before the operation. Raises StepError when it is not to be."""
        await self._executor.prepare(self.step, moment, old, new, self.failed)

    async def run(self, provider: Provider, action: Callable[[], T]) -> T:
        """Call the provider. Raises StepError after recording and reporting what went wrong."""
        try:
            return await self._timed(provider, action)
        except PartialFailure as error:
            self._keep(error, provider)
            failure = self._touched(str(error))
            failure.exists = True
            raise failure from error
        except OperationUncertain as error:
            raise self._touched(str(error)) from error  # it stays pending: the next run looks for it
        except ProviderError as error:
            raise self.failed(str(error)) from error
        except Exception as error:  # a provider broke: whether the operation happened is not known, so it stays pending
            raise self._touched(f"the provider broke: {type(error).__name__}: {error}") from error

    async def _timed(self, provider: Provider, action: Callable[[], T]) -> T:
        started = time.monotonic()
        try:
            return await self._tried(provider, action)
        finally:
            self._seconds = time.monotonic() - started

    async def _tried(self, provider: Provider, action: Callable[[], T]) -> T:
        """Call the provider until it succeeds, or no hook of the resource wants it tried again."""
        errors: list[str] = []
        while True:
            try:
                return await self._attempt(provider, action)
            except Exception as error:
                errors.insert(0, str(error))
                if not await self._again(error, errors):
                    raise
            finally:
                self._tell_notes()

    async def _attempt(self, provider: Provider, action: Callable[[], T]) -> T:
        executor = self._executor
        if provider.in_process and executor.preview and self._kind not in ("reading", "importing"):
            return self._noted(action)
        # Shielded: even when this task is cancelled, what was sent to the cloud must be recorded.
        return await asyncio.shield(asyncio.ensure_future(executor.work(self._noted, action, self._teller())))

    async def _again(self, error: Exception, errors: Sequence[str]) -> bool:
        """Whether the operation is tried again, which has failed as ``errors`` say, the newest first."""
        operation = _FALLIBLE.get(self._kind)
        if operation is None or not self._state.resource_hooks.get(ON_ERROR):
            return False
        if len(errors) == _MOST_ATTEMPTS:
            self._warn(f"{operation} is not tried again: it was tried {_MOST_ATTEMPTS} times")
            return False
        deletes = self._kind == "deleting"
        old = self._state if deletes else self._old if self._kind == "updating" else None
        try:
            wanted = await self._executor.hooks.tries_again(operation, old, None if deletes else self._state, errors)
        except HookFailed as failure:
            self._executor.emit(Diagnostic(Severity.ERROR, str(failure), self.step.urn))
            return False
        if wanted and operation == "create" and not _is_certain(error):
            self._warn("create is not tried again, though a hook wants it: there would be two where it was made")
            return False
        if wanted:
            self._warn(f"{operation} is tried again, as a hook wants ({len(errors)} of {_MOST_ATTEMPTS}): {errors[0]}")
        return wanted and not self._executor.cancelled

    def _noted(self, action: Callable[[], T], tell: Callable[[str], None] | None = None) -> T:
        with taking_notes(tell) as self._notes:
            return action()

    def _teller(self) -> Callable[[str], None]:
        """What the thread of the operation calls with what it waits for."""
        emit, urn = from_any_thread(self._executor.emit), self.step.urn
        return lambda reason: emit(Diagnostic(Severity.INFO, reason, urn, ephemeral=True))

    def _tell_notes(self) -> None:
        for message in self._notes:
            self._warn(message)

    def _warn(self, message: str) -> None:
        self._executor.emit(Diagnostic(Severity.WARNING, message, self.step.urn))

    def _keep(self, error: PartialFailure, provider: Provider) -> None:
        outputs = received(provider, error.outputs, self._state)
        reasons = tuple(map(self._executor.redact, error.reasons))  # the state keeps them in clear
        kept = replace(self._state, id=error.id, outputs=outputs, init_errors=reasons)
        if self._kind == "updating" and self._old is not None:
            kept = replace(self._executor.stamped(kept), inputs=self._old.inputs)  # it is not what the new ones ask for
        self._close(kept, self._old, self._amended)

    def finish(self, state: ResourceState | None) -> ResourceState:
        """The operation has led to ``state`` (None: to nothing)."""
        self._close(state, self._old, self._amended)
        self._executor.done(replace(self.step, new=state) if state else self.step, self._seconds)
        return state or self._state

    def failed(self, message: str) -> StepError:
        """Record and report that the operation did not happen, and give what to raise."""
        self._close(None, None)
        return self._report(message)

    def _touched(self, message: str) -> StepError:
        """Report a failure that has changed something, or may have."""
        if self.step.old is not None:
            self._executor.touched.add(id(self.step.old))
        return self._report(message)

    def _report(self, message: str) -> StepError:
        return self._executor.report(self.step, message, self._seconds)

    def _close(
        self,
        new: ResourceState | None,
        old: ResourceState | None,
        amended: Sequence[tuple[ResourceState, ResourceState]] = (),
    ) -> None:
        if self._number is not None:
            self._executor.record.finish(self._number, new=new, old=old, amended=amended)


def _is_certain(error: Exception) -> bool:
    """Whether what failed so has certainly not been done."""
    return isinstance(error, ProviderError) and not isinstance(error, PartialFailure | OperationUncertain)


def operation_token(begun: ResourceState) -> str:
    """The mark by which what one create has made is recognised after a crash: of this attempt, not of the resource.

    ``begun`` is the state that the operation was recorded with, whose time of creation no other attempt shares.
    """
    attempt = f"{begun.urn} {begun.created}"
    return "bedplate-" + hashlib.sha256(attempt.encode()).hexdigest()[:32]
