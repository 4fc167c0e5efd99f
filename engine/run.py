"""One run over a stack, from the program's start to its last deletion: a preview, an apply or a destroy.

A run never raises for what goes wrong in the stack: it ends with an ``Outcome`` that says so, after its events have
told the story.
"""

from __future__ import annotations

import asyncio
import contextlib
import enum
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, TypeAlias

from engine.analyzer.judgement import Judgement
from engine.deletions import delete_leftovers
from engine.deployment import Deployment
from engine.events import Cancelled, Consumer, Diagnostic, ProgramOutput, RunEnded, RunStarted, Severity
from engine.execute import Executor, PlanViolated, RunCancelled
from engine.hooks import needing_the_program
from engine.monitor import Monitor, serving
from engine.plan import Constraint, Op, Plan, Reason, Reviewed, Step
from engine.program import FAILED_AND_SAID_SO, Program, ProgramProcess
from engine.provider_registry import Elsewhere, ProviderFactory, ProviderRegistry
from engine.providers.builtin import BuiltinProvider
from engine.record import NoRecord, Record
from engine.redaction import Redactor
from engine.rendezvous import monitor_address
from engine.state.errors import StateError
from engine.state.model import ResourceState, Snapshot
from engine.state.sealed import comparable_outputs
from engine.targets import Targets
from engine.values import Properties, Value

DEFAULT_SILENCE_SECONDS: Final = 600.0
Judging: TypeAlias = Callable[[Consumer, Callable[[str], str]], Judgement]


class Result(enum.StrEnum):
    """How a run ended."""

    SUCCEEDED = "succeeded"
    RESOURCE_FAILED = "resource failed"
    PROGRAM_FAILED = "program failed"
    PLAN_VIOLATED = "plan violated"
    CANCELLED = "cancelled"
    TIMED_OUT = "timed out"
    STATE_FAILED = "the state could not be written"
    REFUSED = "refused by policy"
    UNJUDGED = "a policy pack failed"
    UNSUPPORTED = "a type that no provider here knows"
    BROKEN = "broken"


@dataclass(frozen=True)
class Outcome:
    """What a run came to. ``plan`` holds the steps that were decided, up to where it stopped."""

    result: Result
    plan: Plan = field(repr=False)  # asyncio.run asks for the text of what it returns, and plans are large
    seconds: float
    counts: Mapping[Op, int] = field(default_factory=dict[Op, int])


@dataclass(frozen=True)
class Options:
    """How to run.

    ``silence_seconds``: how long a program may ask for nothing before it is given up; 0 for ever. ``live_functions``: a
    preview may ask the cloud for what functions answer (an apply always does). ``refresh``: the state is compared with
    what exists first. ``plan``: the file of a reviewed plan, which is applied as it is or not at all.
    ``skip_preview``: nothing is looked at first, and nobody asked; what is decided is done at once.
    ``continue_on_error``: after a failure, too, what the program does not declare is deleted; what does not depend on a
    failure goes on in any case.
    """

    parallel: int = 16
    targets: Targets = field(default_factory=Targets)
    silence_seconds: float = DEFAULT_SILENCE_SECONDS
    live_functions: bool = False
    refresh: bool = False
    plan: Path | None = None
    skip_preview: bool = False
    continue_on_error: bool = False
    debug: bool = False


@dataclass(frozen=True)
class Stack:
    """The stack that a run is about. ``config`` has typed values (secrets as ``Secret``), by full key."""

    project: str
    name: str
    base: Snapshot
    factories: Mapping[str, ProviderFactory]
    config: Mapping[str, Value] = field(default_factory=dict[str, Value])
    outputs_of: Callable[[str], Properties | None] = lambda _name: None
    elsewhere: Elsewhere | None = None


class Run:
    """One run; ``cancel`` may be called from the event loop (a signal handler) at any time."""

    def __init__(
        self,
        stack: Stack,
        emit: Consumer,
        options: Options,
        *,
        record: Record | None = None,
        plan: Plan | None = None,
        seeds: dict[str, str] | None = None,
        judging: Judging | None = None,
        drift: Sequence[Step] | None = None,
        reviewed: Reviewed | None = None,
    ) -> None:
        """Without a ``record`` this is a preview. ``plan`` and ``seeds`` come from the preview that was agreed to.

        ``judging`` gives what the run is judged by, told where its events go and what masks secrets in them. ``drift``
        is what a refresh has found, with which the run has begun. ``reviewed`` holds it to properties as well.
        """
        self._redactor = Redactor(stack.config.values())
        self._emit = self._redactor.wrap(emit)
        self._options = options
        self._executor = Executor(
            record or NoRecord(), self._emit, preview=record is None, parallel=options.parallel,
            constraint=Constraint(plan, reviewed) if plan else None, redact=self._redactor.redact,
            continue_on_error=options.continue_on_error,
        )  # fmt: skip
        self._drift = drift
        self._judgement = judging(self._emit, self._redactor.redact) if judging else None
        news: dict[str, ResourceState] = {}
        self.deployment = Deployment(
            stack.name, stack.project, stack.base, ProviderRegistry(stack.factories, stack.elsewhere),
            BuiltinProvider(stack.outputs_of, news), self._executor, stack.config, self._redactor.learn,
            options.live_functions,
            options.targets, dict(seeds or {}), news, judgement=self._judgement,
        )  # fmt: skip
        self.deployment.registry.listen(self._emit)
        self._process: ProgramProcess | None = None
        self._waiting: tuple[Monitor, contextlib.AsyncExitStack] | None = None  # a program that has hooks
        self._stop = asyncio.Event()
        self._started = time.monotonic()

    def cancel(self) -> None:
        """Start nothing new; what is in flight is finished and recorded."""
        if not self._executor.cancelled:
            self._executor.cancelled = True
            self._emit(Cancelled())
            self.deployment.registry.cancel()
            self._executor.hooks.cancel()
            if self._judgement:
                self._judgement.cancel()
            self._stop.set()

    def kill_program(self) -> None:
        """End the program and all that it has started, where it runs; for an engine that is about to end itself."""
        if self._process is not None:
            self._process.kill()

    async def up(self, program: Program) -> Outcome:
        """Run the program, then delete what it does not declare."""
        if self._drift is None:
            self._emit(RunStarted(program.shown_config, self._executor.preview))
        with contextlib.closing(self._executor):
            if self._judgement is None:
                return self._end(await self._declared(program))
            self._judgement.begin()
            try:
                return self._end(await self._with_verdict(await self._declared(program)))
            finally:
                await self._judgement.end()

    async def _declared(self, program: Program) -> Result:
        result = await self._program(program)
        try:
            result = await self._undeclared(result)
        finally:
            ended = await self._program_over()
        result = ended if result is Result.SUCCEEDED and ended else result
        if result is not Result.SUCCEEDED:
            self.deployment.keep_outputs()
        return result

    async def _undeclared(self, result: Result) -> Result:
        """Delete what a program did not declare that came to ``result``, unless it may have been cut short."""
        failed = result is not Result.SUCCEEDED and self._executor.failures + self._executor.refusals > 0
        declared = result in (Result.SUCCEEDED, Result.RESOURCE_FAILED, Result.REFUSED)
        declared = declared and not self.deployment.incomplete
        ended_well = declared and (self._options.continue_on_error or not failed)
        return await self._deletions(Reason.NOT_DECLARED) if ended_well else result

    async def _with_verdict(self, result: Result) -> Result:
        """What a run that came to ``result`` comes to once the policy packs have said everything."""
        assert self._judgement is not None, "asked where there is one"
        try:
            await self._judgement.settle()
            if result is Result.SUCCEEDED:
                await self.deployment.judge_stack()
        except RunCancelled:
            return Result.CANCELLED
        if result is not Result.SUCCEEDED:
            return result
        verdict = self._judgement.verdict()
        if verdict.refuses:
            return Result.REFUSED
        return Result.UNJUDGED if verdict.broken else result

    async def destroy(self) -> Outcome:
        """Delete everything; the program is not asked."""
        if self._drift is None:
            self._emit(RunStarted({}, self._executor.preview))
        with contextlib.closing(self._executor):
            if self._needs_the_program():
                return self._end(Result.RESOURCE_FAILED)
            return self._end(await self._deletions(Reason.DESTROYED))

    def _needs_the_program(self) -> bool:
        """Tell of what has hooks for its deletion, of which only the program knows what they do."""
        found = list(needing_the_program(self.deployment.base.resources))
        for state, names in found:
            message = (
                f"cannot be deleted without the program, which has its delete hooks ({', '.join(names)}): take it out "
                "of the program and run `up`; or take the hooks out, run `up`, and then destroy"
            )
            self._emit(Diagnostic(Severity.ERROR, message, state.urn))
        return bool(found)

    async def _deletions(self, reason: Reason) -> Result:
        if not self._executor.cancelled:
            try:
                await delete_leftovers(self.deployment, reason)
            except (PlanViolated, StateError) as error:
                return self._fatal(error)
        return self._verdict()

    def _verdict(self) -> Result:
        if self._executor.cancelled:
            return Result.CANCELLED
        if self._executor.failures or self._executor.objections:
            return Result.RESOURCE_FAILED
        return Result.REFUSED if self._executor.refusals else Result.SUCCEEDED

    def _end(self, result: Result) -> Outcome:
        elapsed = time.monotonic() - self._started
        word = {Result.SUCCEEDED: "succeeded", Result.CANCELLED: "cancelled"}.get(result, "failed")
        plan = self.plan()
        packs = {f"{pack.name}|local|{pack.folder}": pack.version for pack in plan.policy.packs} if plan.policy else {}
        self._emit(RunEnded(self._executor.preview, elapsed, dict(self._executor.counts), word, packs))
        return Outcome(result, plan, elapsed, dict(self._executor.counts))

    def plan(self) -> Plan:
        """What was decided so far."""
        deployment = self.deployment
        old_root = next((old for old in deployment.base.resources if old.urn == deployment.root), None)
        before = old_root.outputs if old_root else {}
        after = before if deployment.stack_outputs is None else deployment.stack_outputs
        if deployment.base.sealed:
            before, after = comparable_outputs(before, after)
        return Plan(
            tuple(self._executor.steps), before, after, tuple(deployment.notes), tuple(deployment.unknown_types),
            deployment.state_only_changes, self._judgement.verdict() if self._judgement else None, self._drift or (),
        )  # fmt: skip

    # The program

    async def _program(self, program: Program) -> Result:
        config, keys = dict(program.config), list(program.secret_keys)
        monitor = Monitor(self.deployment, config, keys, program.folder)
        process = self._process = ProgramProcess(program, lambda line, stderr: self._emit(ProgramOutput(line, stderr)))
        async with contextlib.AsyncExitStack() as running:
            address = running.enter_context(monitor_address(program.root))
            served = await running.enter_async_context(serving(monitor, address))
            running.push_async_callback(self._ended, process, monitor)
            try:
                await process.start(
                    served,
                    monitor,
                    preview=self._executor.preview,
                    parallel=self._options.parallel,
                    debug=self._options.debug,
                )
                result = await self._watch(process, monitor)
            except OSError as error:
                return self._failed(f"the program could not be started: {error}")
            if monitor.waits.is_set():
                self._waiting = (monitor, running.pop_all())
            return result

    async def _ended(self, process: ProgramProcess, monitor: Monitor) -> None:
        monitor.over.set()
        await process.stop()
        if self.deployment.apart:  # nobody waits any more for what a provider constructs
            self.deployment.registry.end_programs()
        await monitor.settled()

    async def _program_over(self) -> Result | None:
        """Let a program end that has waited for the deletions; gives how it has ended."""
        if self._waiting is None or self._process is None:
            return None
        monitor, running = self._waiting
        async with running:
            monitor.waits.clear()
            monitor.last_request = time.monotonic()  # while it waited, it was not to ask for anything
            monitor.over.set()
            return await self._watch(self._process, monitor)

    async def _watch(self, process: ProgramProcess, monitor: Monitor) -> Result:
        """Wait for the program's end or that it waits for ours, a cancellation, a fatal error or too long a silence."""
        ended = asyncio.create_task(process.wait())
        stopped = asyncio.create_task(self._stop.wait())
        broken = asyncio.create_task(monitor.broken.wait())
        waits = asyncio.create_task(monitor.waits.wait())
        try:
            while True:
                await asyncio.wait(
                    {ended, stopped, broken, waits},
                    timeout=self._patience(monitor),
                    return_when=asyncio.FIRST_COMPLETED,
                )
                if ended.done():
                    return self._judged(ended.result(), monitor)
                if stopped.done():
                    return Result.CANCELLED
                if monitor.fatal is not None:
                    return self._fatal(monitor.fatal)
                if waits.done():
                    return self._judged(0, monitor)
                if self._silent(monitor):
                    return self._gave_up()
        finally:
            for task in (ended, stopped, broken, waits):
                task.cancel()

    def _patience(self, monitor: Monitor) -> float:
        limit = self._options.silence_seconds
        return 1.0 if not limit else max(0.05, min(1.0, limit - (time.monotonic() - monitor.last_request)))

    def _silent(self, monitor: Monitor) -> bool:
        limit = self._options.silence_seconds
        return bool(limit) and monitor.in_flight == 0 and time.monotonic() - monitor.last_request >= limit

    def _gave_up(self) -> Result:
        self._emit(
            Diagnostic(
                Severity.ERROR,
                f"the program asked for nothing for {self._options.silence_seconds:g} s and was ended: it may wait for "
                "something that never comes (a dependency cycle, a lock, an endless loop); "
                "allow it more with --program-timeout SECONDS, 0 for no limit",
            )
        )
        return Result.TIMED_OUT

    def _fatal(self, error: BaseException) -> Result:
        if isinstance(error, RunCancelled):
            return Result.CANCELLED
        if isinstance(error, PlanViolated):
            self._emit(Diagnostic(Severity.ERROR, str(error)))
            return Result.PLAN_VIOLATED
        if isinstance(error, StateError):
            self._emit(Diagnostic(Severity.ERROR, str(error)))
            return Result.STATE_FAILED
        self._emit(Diagnostic(Severity.ERROR, f"the engine broke (a bug of ours): {type(error).__name__}: {error}"))
        return Result.BROKEN

    def _judged(self, code: int, monitor: Monitor) -> Result:
        if monitor.fatal is not None:
            return self._fatal(monitor.fatal)
        if code == 0 and self.deployment.stack_outputs is None:
            return self._failed(
                "the program ended before it had run to its end (did it call os._exit?); nothing is deleted"
            )
        if code == FAILED_AND_SAID_SO:
            if not monitor.failed_log:
                return self._failed("the program failed without saying why")
            return Result.PROGRAM_FAILED
        if code < 0:
            return self._failed(f"the program was ended by signal {-code}")
        if code > 0:
            return self._failed(f"the program exited with code {code}")
        return self._verdict()

    def _failed(self, message: str) -> Result:
        self._emit(Diagnostic(Severity.ERROR, message))
        return Result.PROGRAM_FAILED
