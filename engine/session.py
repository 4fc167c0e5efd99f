"""One stack of one project, opened for work: preview it, bring it up, refresh it, take it down.

Everything that changes the stack goes the same way: lock, load, recover what an interrupted run left, preview, ask,
apply under the plan, save. Raises StateError (lock, state, passphrase), ProjectError and ProviderError (recovery).
"""

from __future__ import annotations

import contextlib
from collections.abc import Awaitable, Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from engine import forewarnings, waiting_host
from engine.events import Consumer
from engine.kept_plans import as_planned, tell
from engine.plan import Op, Plan
from engine.previews import Previews
from engine.program import Program
from engine.project import StackConfig
from engine.provider_registry import ProviderRegistry
from engine.providers.base import ProviderError
from engine.recovery import recover
from engine.redaction import Redactor
from engine.run import Options, Outcome, Result, Run
from engine.state.errors import StateError
from engine.state.lock import by_whom
from engine.state.model import ResourceState, Snapshot
from engine.state.recorder import Recorder
from engine.state.storage import Update
from engine.stopwatch import Stopwatch

if TYPE_CHECKING:  # imported where something is imported
    from engine.importing.code import Declared
    from engine.importing.run import Importing
    from engine.importing.wanted import Request

Agree = Callable[[Outcome], bool]


@dataclass(kw_only=True)
class Session(Previews):
    """A stack that is open to be changed. Make one with ``open``; one verb at a time."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self._recorder: Recorder | None = None

    async def up(self, emit: Consumer, options: Options, agree: Agree) -> Outcome:
        """Bring the stack to what the program declares; ``agree`` sees the preview and may say no."""
        config = self._config(may_stay_sealed=False)
        options = replace(options, live_functions=True)  # what is applied is what the preview has seen
        async with self._with_processes():
            with self.locked(emit):
                forewarnings.of_attached(self.plugins, self.factories, emit)
                if options.skip_preview:
                    return await self._up_at_once(config, emit, options)
                return await self._up(config, emit, options, agree)

    async def _up_at_once(self, config: StackConfig, emit: Consumer, options: Options) -> Outcome:
        """As ``_up``, with no plan that it is held to; so nobody knows yet whether there are secrets to seal."""
        base = await self._recovered(emit)
        if self._cancelled:
            return _CANCELLED
        self.store.codec.require()
        program = self.project.program(self.stack, config)
        failed = await self._look(base, emit, options, program.shown_config)
        if failed is not None:
            return failed
        return await self._carry_out(program, base, config, emit, options)

    async def _up(self, config: StackConfig, emit: Consumer, options: Options, agree: Agree) -> Outcome:
        base = await self._recovered(emit)
        if self._cancelled:
            return _CANCELLED
        reviewed = self._plans.read(options.plan) if options.plan else None
        if reviewed is not None:
            options = as_planned(reviewed, options)
            if self._plans.is_stale(reviewed, options, emit):
                return Outcome(Result.PLAN_VIOLATED, Plan(()), 0.0)
        preview = await self._preview(base, config, emit, options, reviewed.seeds if reviewed else None)
        refused = forewarnings.refusal(preview, self.factories, self.plugins, emit)
        if refused is not None:
            return refused
        if reviewed is not None and tell(reviewed.differences(preview.plan), emit):
            return replace(preview, result=Result.PLAN_VIOLATED)
        if _nothing_to_do(preview.plan) and not self._has_news():
            return preview
        with waiting_host.started_ahead(self.project.python, self.project.root):
            if not agree(preview):
                return replace(preview, result=Result.CANCELLED)
            self.require_key(preview.plan)
            program = self.project.program(self.stack, config)
            seeds = self._run.deployment.seeds if isinstance(self._run, Run) else {}
            return await self._carry_out(
                program, base, config, emit, options, plan=preview.plan, seeds=seeds, reviewed=reviewed
            )

    async def destroy(self, emit: Consumer, options: Options, agree: Agree) -> Outcome:
        """Delete everything that the stack has."""
        async with self._with_processes():
            with self.locked(emit):
                forewarnings.of_attached(self.plugins, self.factories, emit)
                return await self._destroy(emit, options, agree)

    async def _destroy(self, emit: Consumer, options: Options, agree: Agree) -> Outcome:
        base = await self._recovered(emit)
        if self._cancelled:
            return _CANCELLED
        preview = await self._preview_destroy(base, emit, options)
        if preview.result is not Result.SUCCEEDED or not (preview.plan.has_changes or self._has_news()):
            return preview
        if not agree(preview):
            return replace(preview, result=Result.CANCELLED)
        return await self._apply(
            "destroy", base, lambda base, recorder: Run(
                self._described(base, StackConfig()), emit, options, record=recorder, plan=preview.plan
            ), lambda run: run.destroy(),
        )  # fmt: skip

    async def refresh(self, emit: Consumer, options: Options, agree: Agree) -> Outcome:
        """Bring the state to what exists; nothing that exists is changed."""
        async with self._with_processes():
            with self.locked(emit):
                return await self._refreshed(emit, options, agree)

    async def _refreshed(self, emit: Consumer, options: Options, agree: Agree) -> Outcome:
        base = await self._recovered(emit)
        if self._cancelled:
            return _CANCELLED
        refresh = self._start(self._refresh(base, emit, options))
        outcome = await refresh.look()
        if outcome.result is not Result.SUCCEEDED or not refresh.changes_state:
            return outcome
        if not agree(outcome):
            return replace(outcome, result=Result.CANCELLED)
        watch = Stopwatch()
        with self._recording(base) as recorder:
            refresh.record(recorder)
        self._remember("refresh", watch, outcome)
        return outcome

    async def import_resources(
        self, request: Request, emit: Consumer, options: Options, agree: Agree, *, only_preview: bool = False
    ) -> tuple[Outcome, Sequence[Declared]]:
        """Take what exists over into the state; nothing that exists is changed. Gives also what to declare of it."""
        config = self._config(may_stay_sealed=False)
        async with self._with_processes():
            with self.locked(emit):
                return await self._import(config, request, emit, options, agree, only_preview=only_preview)

    async def _import(
        self, config: StackConfig, request: Request, emit: Consumer, options: Options, agree: Agree, *,
        only_preview: bool,
    ) -> tuple[Outcome, Sequence[Declared]]:  # fmt: skip
        base = await self._recovered(emit)
        preview = partial(self._importing, base, config, request, emit, options)
        looked = preview()
        outcome = await looked.go()
        if outcome.result is not Result.SUCCEEDED or not outcome.plan.has_changes or only_preview:
            return outcome, looked.declared
        if not agree(outcome):
            return replace(outcome, result=Result.CANCELLED), ()
        self.require_key(outcome.plan)
        watch = Stopwatch()
        with self._recording(base) as recorder:
            done = preview(record=recorder, plan=outcome.plan, seeds=looked.seeds)
            outcome = await done.go()
        self._remember("resource-import", watch, outcome)
        return outcome, done.declared

    def _importing(
        self, base: Snapshot, config: StackConfig, request: Request, emit: Consumer, options: Options, **further: Any
    ) -> Importing:
        from engine.importing import sdk
        from engine.importing.run import Importing

        return self._start(
            Importing(
                self._described(base, config), request, emit, options,
                versions=partial(sdk.version_of, python=self.project.python), **further,
            )
        )  # fmt: skip

    def abandon(self) -> None:
        """Stop at once; what is in flight stays pending and the next run looks for it. For the second Ctrl-C."""
        if isinstance(self._run, Run):
            self._run.kill_program()
        if self.packs is not None:
            self.packs.kill()
        if self._recorder is not None:
            with contextlib.suppress(StateError):  # what a full disk did not take is still pending in the journal
                self._recorder.abandon()

    # Parts

    async def _carry_out(
        self, program: Program, base: Snapshot, config: StackConfig, emit: Consumer, options: Options, **held: Any
    ) -> Outcome:
        """Do what ``program`` declares, ``held`` to a plan where there is one."""
        return await self._apply(
            "update", base, lambda base, recorder: Run(
                self._described(base, config), emit, options, record=recorder,
                judging=self._judging(config, preview=False), **held,
            ), lambda run: run.up(program),
        )  # fmt: skip

    async def _apply(
        self, kind: str, base: Snapshot, make: Callable[[Snapshot, Recorder], Run],
        go: Callable[[Run], Awaitable[Outcome]],
    ) -> Outcome:  # fmt: skip
        """Change what is there, over ``base`` and what the refresh before it has found."""
        base = self._with_news(base)
        watch = Stopwatch()
        with self._recording(base) as recorder:
            outcome = await go(self._start(make(base, recorder)))
        self._remember(kind, watch, outcome)
        return replace(outcome, plan=replace(outcome.plan, drift=self._drift or ()))

    def _with_news(self, base: Snapshot) -> Snapshot:
        """``base`` once what was found has been written down."""
        if self._found is None or not self._found.changes_state:
            return base
        with self._recording(base) as recorder:
            self._found.record(recorder)
        return self.saved()

    async def _recovered(self, emit: Consumer) -> Snapshot:
        """The last state, with nothing pending: what an interrupted run had begun is looked for."""
        base = self.saved()
        if not base.pending_operations:
            return base
        forewarnings.of_pending(base, emit)
        redactor = Redactor([[state.inputs, state.outputs] for state in _known(base)])
        try:
            with self._recording(base) as recorder:
                registry = ProviderRegistry(self.factories, self.plugins)
                await recover(recorder, base, registry, redactor.wrap(emit), stopped=lambda: self._cancelled)
        except ProviderError as error:
            error.args = (redactor.redact(str(error)),)
            raise
        return self.saved()

    @contextmanager
    def _recording(self, base: Snapshot) -> Generator[Recorder]:
        self._recorder = recorder = Recorder(self.store, base)
        try:
            yield recorder
        finally:
            recorder.close()
            self._recorder = None

    def _remember(self, kind: str, watch: Stopwatch, outcome: Outcome) -> None:
        result = "succeeded" if outcome.result is Result.SUCCEEDED else "failed"
        environment = by_whom()
        changes = {str(op): count for op, count in outcome.counts.items()}
        self.store.add_to_history(Update(kind, watch.start, watch.end, result, self.message, environment, {}, changes))


_CANCELLED: Final = Outcome(Result.CANCELLED, Plan(()), 0.0)


def _known(base: Snapshot) -> Sequence[ResourceState]:
    return [*base.resources, *(operation.resource for operation in base.pending_operations)]


def _nothing_to_do(plan: Plan) -> bool:
    """Whether an apply would not even touch the state."""
    only_same = all(step.op is Op.SAME for step in plan.steps)
    return only_same and not plan.state_only_changes and plan.outputs_before == plan.outputs_after
