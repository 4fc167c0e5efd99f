"""One stack of one project, opened for work: preview it, bring it up, refresh it, take it down.

Everything that changes the stack goes the same way: lock, load, recover what an interrupted run left, preview, ask,
apply under the plan, save. Raises StateError (lock, state, passphrase), ProjectError and ProviderError (recovery).
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, Final, TypeVar

from engine import prior_state, waiting_host
from engine import urn as urns
from engine.analyzer.environment import StackFacts
from engine.analyzer.packs import Packs
from engine.backend import STATE_FOLDER, compresses, kept_passphrase, new_passphrase, whereabouts
from engine.events import Consumer, Diagnostic, Severity
from engine.kept_plans import KeptPlans, as_planned, tell
from engine.plan import Op, Plan, Step
from engine.project import Project, ProjectError, StackConfig, UnknownStack
from engine.provider_registry import ProviderFactory, ProviderRegistry
from engine.providers.base import ProviderError
from engine.providers.remote.plugins import Plugins
from engine.recovery import recover
from engine.redaction import Redactor
from engine.refresh import Refresh
from engine.run import Judging, Options, Outcome, Result, Run, Stack
from engine.state import history, interchange
from engine.state.buckets import Folder
from engine.state.errors import StateError
from engine.state.history import Past
from engine.state.lock import StackLock, by_whom
from engine.state.model import ResourceState, Snapshot
from engine.state.recorder import Recorder
from engine.state.remote import RemoteStore
from engine.state.secrets import Keyring, SecretCodec, passphrase_from
from engine.state.storage import StackStore, Update, open_stack
from engine.stopwatch import Stopwatch
from engine.values import Properties, has_secret

if TYPE_CHECKING:  # imported where something is imported
    from engine.importing.code import Declared
    from engine.importing.run import Importing
    from engine.importing.wanted import Request

Agree = Callable[[Outcome], bool]
R = TypeVar("R", Run, Refresh, "Importing")


@dataclass
class Session:
    """A stack that is open. Make one with ``open``; one verb at a time.

    ``keyring`` opens the configuration's secrets, ``sealing`` the state's. ``out_of_reach`` is the URL of a backend
    that only the Pulumi CLI can change, "" where the state lies in files; ``remote`` is the stack there, if that can be
    read. ``packs`` judge what previews and applies declare; they are ended when the verb is.
    """

    project: Project
    stack: str
    store: StackStore
    keyring: Keyring
    sealing: Keyring
    factories: Mapping[str, ProviderFactory]
    message: str = ""
    out_of_reach: str = ""
    remote: RemoteStore | None = None
    packs: Packs | None = None

    plugins: Plugins | None = None

    def __post_init__(self) -> None:
        self._run: Run | Refresh | Importing | None = None
        self._found: Refresh | None = None  # what the refresh before a run has found
        self._recorder: Recorder | None = None
        self._cancelled = False

    @classmethod
    def open(
        cls,
        project: Project,
        stack: str,
        factories: Mapping[str, ProviderFactory],
        *,
        environment: Mapping[str, str] | None = None,
        message: str = "",
    ) -> Session:
        """Open ``stack``, whose state lies where PULUMI_BACKEND_URL says (a file URL), else in ``.bedplate/state``.

        What lies in an S3 bucket can be looked at. With another URL a preview is all that can be had: it compares with
        what lies in ``.bedplate/state``.
        """
        environment = os.environ if environment is None else environment
        ours = project.root / STATE_FOLDER
        root, url, bucket = whereabouts(project, environment)
        keyring = Keyring(stack, passphrase_from(environment), project.salt(stack))
        sealing = keyring
        if keyring.passphrase is None and root == ours:
            # The configuration's salt proves the user's passphrase, never the one that is kept beside the state.
            sealing = Keyring(stack, kept_passphrase(root))
        store = open_stack(root, project.name, stack, sealing, gzip=compresses(environment))
        remote = RemoteStore(bucket, project.name, stack, SecretCodec(keyring)) if bucket else None
        if not store.exists():
            _require(project, stack, remote)
        plugins = Plugins(project.surroundings(environment))
        return cls(project, stack, store, keyring, sealing, factories, message, url, remote, plugins=plugins)

    @property
    def engine(self) -> str:
        return "embedded"

    @property
    def where(self) -> str:
        """Which engine it is, and where the state lies, in a few words."""
        if self.remote is not None:
            return f"embedded engine, state in {self.remote.bucket.name}"
        ours = self.store.root == self.project.root / STATE_FOLDER
        return f"embedded engine, state in {STATE_FOLDER if ours else self.store.root}"

    # Looking

    def snapshot(self) -> Snapshot:
        """The stack as it was last saved, for looking; empty when it was never brought up."""
        self._require_reach()
        return prior_state.looked_at(self._source, self.sealing)

    def saved(self) -> Snapshot:
        """The same for whoever changes it: every secret is open. Raises WrongPassphrase where that can't be."""
        self.check_own()
        return self.store.load() or Snapshot()

    def history(self) -> tuple[list[Past], list[str]]:
        """What was done to the stack, newest first, and a line about each record that can't be read."""
        self._require_reach()
        bucket = self.remote.bucket if self.remote is not None else Folder(self.store.root)
        return history.read(bucket, self.project.name, self.stack)

    def outputs(self) -> Properties:
        """The stack's outputs, secrets marked."""
        return self.snapshot().outputs

    def exported(self, *, reveal: bool = False) -> str:
        """The state as ``pulumi stack import`` takes it; with ``reveal`` with its secrets in clear."""
        self._require_reach()
        return interchange.export(self._source, reveal=reveal)

    async def preview(self, emit: Consumer, options: Options) -> Outcome:
        """What ``up`` would do. Needs no lock, no network and no credentials; changes nothing."""
        config = self.configuration
        base = prior_state.for_preview(self._source, self.store, self.sealing, STATE_FOLDER, emit)
        if self.out_of_reach and self.remote is None:
            text = (
                f"the state is at {self.out_of_reach}, which the embedded engine cannot read: this preview compares "
                f"with {STATE_FOLDER}, not with what is deployed"
            )
            emit(Diagnostic(Severity.WARNING, text))
        for key in config.sealed:
            how = "no passphrase is set" if self.keyring.salt else "not with a passphrase"
            emit(Diagnostic(Severity.INFO, f"{key} is encrypted and {how}: it counts as unknown"))
        self._warn_of_pending(base, emit)
        async with self._with_processes():
            return await self._preview(base, config, emit, options)

    async def preview_destroy(self, emit: Consumer, options: Options) -> Outcome:
        """What ``destroy`` would do."""
        async with self._with_processes():
            return await self._preview_destroy(self.snapshot(), emit, options)

    async def preview_refresh(self, emit: Consumer, options: Options) -> Outcome:
        """How what exists differs from the state."""
        async with self._with_processes():
            return await self._start(self._refresh(self.snapshot(), emit, options)).look()

    async def _preview(
        self, base: Snapshot, config: StackConfig, emit: Consumer, options: Options, seeds: dict[str, str] | None = None
    ) -> Outcome:
        program = self.project.program(self.stack, config)
        failed = await self._look(base, emit, options, program.shown_config)
        if failed is not None:
            return failed
        judging = self._judging(config, preview=True)
        stack = self._described(self._as_found(base), config)
        run = self._start(Run(stack, emit, options, seeds=seeds, judging=judging, drift=self._drift))
        return await run.up(program)

    async def _preview_destroy(self, base: Snapshot, emit: Consumer, options: Options) -> Outcome:
        failed = await self._look(base, emit, options, {})
        if failed is not None:
            return failed
        stack = self._described(self._as_found(base), StackConfig())
        return await self._start(Run(stack, emit, options, drift=self._drift)).destroy()

    # Plans that are kept

    def plan_text(self, outcome: Outcome, options: Options) -> str:
        """The file of the plan that the last preview has made. Raises StateError where a secret can't be encrypted."""
        plan = outcome.plan
        seeds = self._run.deployment.seeds if isinstance(self._run, Run) else {}
        inputs = [step.new.inputs for step in plan.steps if step.new is not None]
        if has_secret([inputs, plan.outputs_after]):
            self._make_key()
        return self._plans.text(plan, seeds, options)

    @property
    def _plans(self) -> KeptPlans:
        return KeptPlans(self.project, self.store, self.sealing)

    def _make_key(self) -> None:
        """See to it that what ``.bedplate/state`` keeps can be encrypted, where the user has set no passphrase."""
        if self.sealing.passphrase is None and self.store.root == self.project.root / STATE_FOLDER:
            self.sealing = Keyring(self.stack, new_passphrase(self.store.root))
            self.store = self.store.with_keyring(self.sealing)

    # Comparing with what exists

    async def _look(
        self, base: Snapshot, emit: Consumer, options: Options, config: Mapping[str, str]
    ) -> Outcome | None:
        """Refresh before a run where that is asked for; an outcome says why that failed."""
        self._found = None
        if not options.refresh:
            return None
        refresh = self._start(self._refresh(base, emit, options, config))
        outcome = await refresh.look()
        if outcome.result is not Result.SUCCEEDED:
            return outcome
        self._found = refresh
        return None

    def _refresh(
        self, base: Snapshot, emit: Consumer, options: Options, config: Mapping[str, str] | None = None
    ) -> Refresh:
        return Refresh(base, ProviderRegistry(self.factories, self.plugins), emit, options, config)

    @property
    def _drift(self) -> Sequence[Step] | None:
        return None if self._found is None else self._found.drift

    def _as_found(self, base: Snapshot) -> Snapshot:
        """``base`` as the refresh before the run has found it, not written down yet."""
        return base if self._found is None else self._found.refreshed()

    def _has_news(self) -> bool:
        """Whether the state has to be written for what the refresh before a run has found."""
        return self._found is not None and self._found.changes_state

    def _with_news(self, base: Snapshot) -> Snapshot:
        """``base`` once what was found has been written down."""
        if self._found is None or not self._found.changes_state:
            return base
        with self._recording(base) as recorder:
            self._found.record(recorder)
        return self.saved()

    # Changing

    async def up(self, emit: Consumer, options: Options, agree: Agree) -> Outcome:
        """Bring the stack to what the program declares; ``agree`` sees the preview and may say no."""
        config = self._config(may_stay_sealed=False)
        options = replace(options, live_functions=True)  # what is applied is what the preview has seen
        async with self._with_processes():
            with self.locked(emit):
                self._warn_of_attached(emit)
                return await self._up(config, emit, options, agree)

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
        refused = self._refusal(preview, emit)
        if refused is not None:
            return refused
        if reviewed is not None and tell(reviewed.differences(preview.plan), emit):
            return replace(preview, result=Result.PLAN_VIOLATED)
        if _nothing_to_do(preview.plan) and not self._has_news():
            return preview
        with waiting_host.started_ahead(self.project.python, self.project.root):
            if not agree(preview):
                return replace(preview, result=Result.CANCELLED)
            self._require_key(preview.plan)
            program = self.project.program(self.stack, config)
            seeds = self._run.deployment.seeds if isinstance(self._run, Run) else {}
            return await self._apply(
                    "update", base, preview.plan, lambda base, recorder: Run(
                        self._described(base, config), emit, options, record=recorder, plan=preview.plan, seeds=seeds,
                        reviewed=reviewed,
                        judging=self._judging(config, preview=False),
                    ), lambda run: run.up(program),
                )  # fmt: skip

    async def destroy(self, emit: Consumer, options: Options, agree: Agree) -> Outcome:
        """Delete everything that the stack has."""
        async with self._with_processes():
            with self.locked(emit):
                self._warn_of_attached(emit)
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
            "destroy", base, preview.plan, lambda base, recorder: Run(
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
        self._require_key(outcome.plan)
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

    async def _apply(
        self, kind: str, base: Snapshot, agreed: Plan, make: Callable[[Snapshot, Recorder], Run],
        go: Callable[[Run], Awaitable[Outcome]],
    ) -> Outcome:  # fmt: skip
        """Carry out what was ``agreed`` to, over ``base`` and what the refresh before it has found."""
        base = self._with_news(base)
        watch = Stopwatch()
        with self._recording(base) as recorder:
            outcome = await go(self._start(make(base, recorder)))
        self._remember(kind, watch, outcome)
        return replace(outcome, plan=replace(outcome.plan, drift=agreed.drift))

    def cancel(self) -> None:
        """Stop starting things; what is in flight is finished and saved. For the first Ctrl-C."""
        self._cancelled = True
        if self._run is not None:
            self._run.cancel()

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

    @asynccontextmanager
    async def _with_processes(self) -> AsyncGenerator[None]:
        """The policy packs and plugins that run within end with it."""
        try:
            yield
        finally:
            if self.packs is not None:
                await self.packs.close()
            if self.plugins is not None:
                await asyncio.to_thread(self.plugins.close)

    def _judging(self, config: StackConfig, *, preview: bool) -> Judging | None:
        if self.packs is None:
            return None
        facts = StackFacts(self.project.name, self.stack, preview, config.texts, config.secret_keys)
        return partial(self.packs.judging, facts)

    @property
    def _source(self) -> prior_state.Source:
        return self.store if self.remote is None else self.remote

    def _require_reach(self) -> None:
        if self.out_of_reach and self.remote is None:
            raise ProjectError(
                f"PULUMI_BACKEND_URL is {self.out_of_reach!r}: the embedded engine keeps state in files only; "
                "unset it, or give a file:// URL"
            )

    def check_own(self) -> None:
        """Raise ProjectError where the state is not the embedded engine's to change."""
        self._require_reach()
        if self.remote is not None:
            raise ProjectError(
                f"PULUMI_BACKEND_URL is {self.out_of_reach!r}, which the embedded engine only reads: it previews what "
                "is there and keeps state in files only\n  change it with the Pulumi CLI (`--engine pulumi`), or unset "
                "the variable, or give a file:// URL, to work on another copy"
            )

    def _start(self, run: R) -> R:
        self._run = run
        if self._cancelled:  # between the preview and the apply
            run.cancel()
        return run

    @cached_property
    def configuration(self) -> StackConfig:
        """The stack's configuration, as a preview has it: what is sealed and cannot be opened is unknown."""
        return self._config(may_stay_sealed=True)

    def _config(self, *, may_stay_sealed: bool) -> StackConfig:
        return self.project.config(self.stack, self.keyring, may_stay_sealed=may_stay_sealed)

    def _described(self, base: Snapshot, config: StackConfig) -> Stack:
        return Stack(
            self.project.name, self.stack, base, self.factories, config.values, self._outputs_of, self.plugins
        )  # fmt: skip

    def _outputs_of(self, name: str) -> Properties | None:
        """The outputs of a stack by ``STACK``, ``PROJECT/STACK`` or ``ORGANIZATION/PROJECT/STACK``."""
        parts = name.split("/")
        project = parts[-2] if len(parts) > 1 else self.project.name
        keyring = replace(self.sealing, stack=parts[-1])
        if self.remote is None:
            snapshot = open_stack(self.store.root, project, parts[-1], keyring).load()
        else:
            other = self.remote.other(project, parts[-1], keyring)
            snapshot = prior_state.looked_at(other, keyring) if other.exists() else None
        return None if snapshot is None else snapshot.outputs

    @contextmanager
    def locked(self, emit: Consumer) -> Generator[None]:
        """Hold the stack, with a passphrase to seal its secrets with. Raises LockedBy, ProjectError out of reach."""
        self.check_own()
        with held(self.store, emit):
            self._make_key()
            yield

    async def _recovered(self, emit: Consumer) -> Snapshot:
        """The last state, with nothing pending: what an interrupted run had begun is looked for."""
        base = self.saved()
        if not base.pending_operations:
            return base
        self._warn_of_pending(base, emit)
        redactor = Redactor([[state.inputs, state.outputs] for state in _known(base)])
        try:
            with self._recording(base) as recorder:
                registry = ProviderRegistry(self.factories, self.plugins)
                await recover(recorder, base, registry, redactor.wrap(emit), stopped=lambda: self._cancelled)
        except ProviderError as error:
            error.args = (redactor.redact(str(error)),)
            raise
        return self.saved()

    def _require_key(self, plan: Plan) -> None:
        """Raise WrongPassphrase now, where the apply would have to seal a secret and could not."""
        states = [step.new for step in plan.steps if step.new is not None]
        if has_secret([[state.inputs, state.outputs] for state in states]) or has_secret(plan.outputs_after):
            self.store.codec.require()

    @contextmanager
    def _recording(self, base: Snapshot) -> Generator[Recorder]:
        self._recorder = recorder = Recorder(self.store, base)
        try:
            yield recorder
        finally:
            recorder.close()
            self._recorder = None

    def _refusal(self, preview: Outcome, emit: Consumer) -> Outcome | None:
        if preview.result is not Result.SUCCEEDED:
            return preview
        if not preview.plan.unknown_types:
            return None
        types = ", ".join(preview.plan.unknown_types)
        emit(
            Diagnostic(
                Severity.ERROR,
                f"nothing was changed: the embedded engine can preview but not create {types}; "
                f"bring this stack up with the Pulumi CLI, or leave these resources out{self._ways_out(preview.plan)}",
            )
        )
        return replace(preview, result=Result.UNSUPPORTED)

    def _ways_out(self, plan: Plan) -> str:
        """How to get the providers of the types that nobody here knows."""
        packages = sorted({urns.package_of(type_) for type_ in plan.unknown_types} - set(self.factories))
        return "".join(f"\n  {one}: {self.plugins.how_to_get(one)}" for one in packages if self.plugins is not None)

    def _warn_of_attached(self, emit: Consumer) -> None:
        """Say it where what is changed is not held to sandboxes, since the user has attached a provider himself."""
        unheld = [] if self.plugins is None else self.plugins.unheld(self.factories)
        if unheld:
            emit(
                Diagnostic(
                    Severity.WARNING,
                    f"{' and '.join(unheld)}: attached by PULUMI_DEBUG_PROVIDERS, and so not held to sandboxes: "
                    "whatever it is configured for is changed, also real AWS",
                )
            )

    def _warn_of_pending(self, base: Snapshot, emit: Consumer) -> None:
        for operation in base.pending_operations:
            urn = operation.resource.urn
            text = f"an earlier run was interrupted while {operation.kind} {urn}; `up` looks for it first"
            emit(Diagnostic(Severity.WARNING, text, urn))

    def _remember(self, kind: str, watch: Stopwatch, outcome: Outcome) -> None:
        result = "succeeded" if outcome.result is Result.SUCCEEDED else "failed"
        environment = by_whom()
        changes = {str(op): count for op, count in outcome.counts.items()}
        self.store.add_to_history(Update(kind, watch.start, watch.end, result, self.message, environment, {}, changes))


@contextmanager
def held(store: StackStore, emit: Consumer) -> Generator[None]:
    """Hold the lock of a stack, and tell what it has to say."""
    with StackLock(store.lock_folder, store.qualified_name) as lock:
        for note in lock.notes:
            emit(Diagnostic(Severity.WARNING, note))
        yield


def _require(project: Project, stack: str, remote: RemoteStore | None) -> None:
    try:
        project.require(stack)
    except UnknownStack:
        if remote is None or not remote.exists():
            raise


_CANCELLED: Final = Outcome(Result.CANCELLED, Plan(()), 0.0)


def _known(base: Snapshot) -> Sequence[ResourceState]:
    return [*base.resources, *(operation.resource for operation in base.pending_operations)]


def _nothing_to_do(plan: Plan) -> bool:
    """Whether an apply would not even touch the state."""
    only_same = all(step.op is Op.SAME for step in plan.steps)
    return only_same and not plan.state_only_changes and plan.outputs_before == plan.outputs_after
