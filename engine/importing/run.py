"""One import: reads what exists through its provider and takes it over into the state.

It asks what Pulumi's import asks, in its order: what the stack has stays; the stack and default providers are made
where they are missing; a parent is there before its children; what is read is checked as a program's inputs would be,
and what the provider would then find to change is a warning. (Source: Pulumi 3.260, ``pkg/resource/deploy/import.go``.)
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Final

from engine import urn as urns
from engine.deployment import Deployment
from engine.events import Cancelled, Consumer, Diagnostic, RunEnded, RunStarted, Severity, StepSkipped
from engine.execute import Executor, PlanViolated, RunCancelled, StepError
from engine.goals import Goal
from engine.importing import sdk
from engine.importing.code import Declared
from engine.importing.saying import to_say
from engine.importing.wanted import Request, Wanted
from engine.marks import handed, received
from engine.packages import Plugin
from engine.plan import Constraint, Op, Plan, Reason, Step
from engine.provider_choice import default_name
from engine.provider_registry import ProviderRegistry, by_reference
from engine.providers.base import Checked, Diff, Provider, ProviderError
from engine.providers.builtin import BuiltinProvider
from engine.record import NoRecord, Record
from engine.redaction import Redactor
from engine.run import Options, Outcome, Result, Stack
from engine.run_state import RegistrationRefused
from engine.state.errors import StateError
from engine.state.model import ResourceState
from engine.values import Properties, Secret, reveal, secret
from engine.wire import UNKNOWN_STRING

_SHOWN_PATHS: Final = 8  # of those that the provider would change


class Importing:
    """One run of an import."""

    def __init__(
        self,
        stack: Stack,
        request: Request,
        emit: Consumer,
        options: Options,
        *,
        record: Record | None = None,
        plan: Plan | None = None,
        seeds: dict[str, str] | None = None,
        versions: Callable[[str], str] = lambda _package: "",
    ) -> None:
        """Without a ``record`` this is a preview.

        ``versions`` tells which version of a package's SDK the program has, and so which default provider it will ask
        for.
        """
        redactor = Redactor(stack.config.values())
        self._emit = redactor.wrap(emit)
        self._request = request
        self._versions = versions
        self._executor = Executor(
            record or NoRecord(), self._emit, preview=record is None, parallel=options.parallel,
            constraint=Constraint(plan) if plan else None, redact=redactor.redact,
        )  # fmt: skip
        news: dict[str, ResourceState] = {}
        self._deployment = Deployment(
            stack.name, stack.project, stack.base, ProviderRegistry(stack.factories, stack.elsewhere),
            BuiltinProvider(stack.outputs_of, news), self._executor, stack.config, redactor.learn, True,
            seeds=dict(seeds or {}), news=news,
        )  # fmt: skip
        self._deployment.registry.listen(self._emit)
        self._read: dict[str, asyncio.Task[bool]] = {}
        self._providers: dict[str, str] = {}  # references by URN
        self._said: dict[str, Properties] = {}  # inputs that a program has to say, by URN
        self._started = time.monotonic()

    @property
    def seeds(self) -> dict[str, str]:
        return self._deployment.seeds

    @property
    def declared(self) -> list[Declared]:
        """What was asked for and is in the state now, in the order of the request, with what a program has to say."""
        news, said = self._deployment.news, self._said
        return [
            Declared(one, news[one.urn], said.get(one.urn, news[one.urn].inputs))
            for one in self._request.resources if one.urn in news
        ]  # fmt: skip

    def cancel(self) -> None:
        """Start nothing new; what is in flight is finished and recorded."""
        if not self._executor.cancelled:
            self._executor.cancelled = True
            self._emit(Cancelled())
            self._deployment.registry.cancel()

    async def go(self) -> Outcome:
        """Do it: everything that was asked for is read, and recorded if this is no preview."""
        self._emit(RunStarted({}, self._executor.preview))
        with contextlib.closing(self._executor):
            try:
                await self._all()
                result = Result.RESOURCE_FAILED if self._executor.failures else Result.SUCCEEDED
            except (StepError, RegistrationRefused):
                result = Result.RESOURCE_FAILED
            except RunCancelled:
                result = Result.CANCELLED
            except PlanViolated as error:
                self._emit(Diagnostic(Severity.ERROR, str(error)))
                result = Result.PLAN_VIOLATED
            except StateError as error:
                self._emit(Diagnostic(Severity.ERROR, str(error)))
                result = Result.STATE_FAILED
        if self._executor.cancelled and result is not Result.PLAN_VIOLATED:
            result = Result.CANCELLED
        return self._ended(result)

    def _ended(self, result: Result) -> Outcome:
        elapsed, counts = time.monotonic() - self._started, dict(self._executor.counts)
        word = {Result.SUCCEEDED: "succeeded", Result.CANCELLED: "cancelled"}.get(result, "failed")
        self._emit(RunEnded(self._executor.preview, elapsed, counts, word))
        news = self._deployment.news
        steps = (replace(one, new=news.get(one.urn, one.new)) for one in self._executor.steps)
        return Outcome(result, Plan(tuple(steps)), elapsed, counts)

    async def _all(self) -> None:
        self._keep_what_is_there()
        root = await self._root()
        for one in self._request.resources:
            if one.is_provider:
                await self._make_provider(one)
        for one in self._request.resources:
            if not one.is_provider:
                self._read[one.urn] = asyncio.create_task(self._one(one, root))
        # To the end of each, even where one fails: what was read must be recorded.
        results = await asyncio.gather(*self._read.values(), return_exceptions=True)
        failed = [result for result in results if isinstance(result, BaseException)]
        if failed:
            raise failed[0]

    def _keep_what_is_there(self) -> None:
        deployment = self._deployment
        for old in deployment.base.resources:
            if old.delete:
                continue
            self._executor.instant(Step(Op.SAME, old.urn, old.type, Reason.UNCHANGED, old, old))
            self._executor.record.put(old, old)
            deployment.seen.add(old.urn)
            deployment.news[old.urn] = old
            if old.type == urns.STACK_TYPE and not old.parent:
                deployment.root = old.urn
        self._providers = {state.urn: reference for reference, state in by_reference(deployment.news.values()).items()}

    async def _root(self) -> str:
        deployment = self._deployment
        if not deployment.root:
            name = f"{deployment.project}-{deployment.stack}"
            await deployment.register(Goal(urns.STACK_TYPE, name, False, {}))
            deployment.register_outputs(deployment.root, {})
        return deployment.root

    # Providers

    async def _make_provider(self, one: Wanted) -> None:
        """A provider that the file declares, unless the stack has it."""
        if one.urn in self._deployment.seen:
            return
        inputs: Properties = {**one.inputs, **({"version": one.version} if one.version else {})}
        made = await self._deployment.register(Goal(one.type, one.name, True, inputs, one.parent))
        if made.result != "success":
            raise StepError(f"{one.urn} could not be made")
        self._providers[one.urn] = f"{made.urn}::{made.id or UNKNOWN_STRING}"

    async def _provider_of(self, one: Wanted) -> str:
        """The reference of the provider that reads ``one``. Raises StepError after saying why there is none."""
        if not one.provider:
            return await self._default_provider(one)
        reference = self._providers.get(one.provider)
        if reference is None:
            raise self._wrong(one, f"its provider {one.provider} is not in the stack; name one that `up` has made")
        return reference

    async def _default_provider(self, one: Wanted) -> str:
        version = one.version or self._versions(urns.package_of(one.type))
        name = default_name(version, one.plugin_download_url)
        package = urns.PROVIDER_TYPE_PREFIX + urns.package_of(one.type)
        there = self._providers.get(urns.make(self._deployment.stack, self._deployment.project, None, package, name))
        return there or await self._deployment.default_provider(one.type, Plugin(version, one.plugin_download_url))

    # Resources

    async def _one(self, one: Wanted, root: str) -> bool:
        """Import one resource; whether it is in the state now."""
        try:
            return await self._imported(one, root)
        except StepError:
            return False

    async def _imported(self, one: Wanted, root: str) -> bool:
        parent = one.parent or root
        if parent in self._read and not await self._read[parent]:
            self._emit(StepSkipped(one.urn, parent))
            return False
        old = self._deployment.olds.get(one.urn)
        if old is not None:
            if one.id and one.id in (old.import_id or old.id, old.id):
                provider = self._deployment.provider_for(old) if old.custom else None
                if provider is not None:
                    self._said[one.urn] = await self._executor.work(self._to_say, old, provider)
                return True
            seen = f" as {old.id!r}" if old.id else ""
            raise self._wrong(one, f"the stack has {urns.name_of(one.urn)!r} already{seen}; import under another name")
        if parent not in self._deployment.news:
            advice = "import it too, or name one that is in the stack"
            raise self._wrong(one, f"its parent {parent} is not in the stack; {advice}")
        state = ResourceState(
            one.urn, one.type, not one.component, one.id, one.inputs, parent=parent, protect=one.protect
        )
        self._deployment.news[one.urn] = await (self._component(state) if one.component else self._resource(one, state))
        return True

    async def _component(self, state: ResourceState) -> ResourceState:
        step = Step(Op.IMPORT, state.urn, state.type, Reason.IMPORTED, None, state)
        self._executor.instant(step)
        self._executor.record.put(state)
        return state

    async def _resource(self, one: Wanted, state: ResourceState) -> ResourceState:
        state = replace(state, provider=await self._provider_of(one))
        with self._executor.diagnosed(one.urn):
            provider = self._deployment.provider_for(state)
        if not provider.knows(one.type):
            raise self._wrong(one, sdk.advice(one.type))

        def fetch() -> ResourceState | None:
            if one.outputs:
                return replace(state, outputs=one.outputs)
            found = provider.read(state.urn, state.type, one.id, {}, {})
            if found is None:
                return None
            inputs = _chosen(_merged(marked(found.inputs, one.type), one.inputs), one.properties)
            read = replace(state, inputs=inputs)
            return replace(read, id=found.id, outputs=received(provider, found.outputs, read))

        step = Step(Op.IMPORT, state.urn, state.type, Reason.IMPORTED, None, state)
        imported = await self._executor.read(step, provider, fetch, None)
        self._deployment.learn_secret([imported.inputs, imported.outputs])
        await self._executor.work(self._check, one, imported, provider)
        return imported

    def _check(self, one: Wanted, state: ResourceState, provider: Provider) -> None:
        """Find what a program has to say, and warn of what the provider would not take of it, or would change."""
        try:
            said = self._said[state.urn] = self._to_say(state, provider)
            if not self._executor.preview:
                return  # what there is to warn of, the preview has told
            checked = self._checked(state, provider, said)
            diff = self._diff(state, provider, checked.inputs)
        except ProviderError as error:
            self._warn(state.urn, f"it can be imported, but not checked: {error}")
            return
        why = "other --properties may do" if one.properties else "a fault of the provider"
        for failure in checked.failures:
            place = f"{failure.property}: " if failure.property else ""
            self._warn(state.urn, f"{place}{failure.reason} ({why}); the code has to be mended after it is pasted")
        if diff.changes and not checked.failures:
            listed = sorted(diff.detailed)[:_SHOWN_PATHS]
            self._warn(state.urn, f"`up` would change {', '.join(listed) or 'it'} of what was read ({why})")

    def _to_say(self, state: ResourceState, provider: Provider) -> Properties:
        return to_say(
            state.inputs, partial(self._checked, state, provider),
            lambda inputs: self._diff(state, provider, inputs).changes,
        )  # fmt: skip

    def _checked(self, state: ResourceState, provider: Provider, inputs: Properties) -> Checked:
        seed = self.seeds.setdefault(state.urn, secrets.token_hex(8))
        return provider.check(state.urn, state.type, None, handed(provider, inputs), seed=seed)

    def _diff(self, state: ResourceState, provider: Provider, inputs: Properties) -> Diff:
        return provider.diff(
            state.urn, state.type, state.id, handed(provider, state.inputs), handed(provider, state.outputs),
            handed(provider, inputs),
        )  # fmt: skip

    def _warn(self, urn: str, message: str) -> None:
        if self._executor.preview:  # once is enough, and before anything is agreed to
            self._emit(Diagnostic(Severity.WARNING, message, urn))

    def _wrong(self, one: Wanted, message: str) -> StepError:
        self._executor.failures += 1
        self._emit(Diagnostic(Severity.ERROR, message, one.urn))
        return StepError(message)


def _chosen(inputs: Properties, names: tuple[str, ...]) -> Properties:
    return {key: value for key, value in inputs.items() if not names or key in names}


def marked(inputs: Properties, type_: str) -> Properties:
    """``inputs`` with those marked secret that the SDK would mark in a program."""
    names = sdk.secret_inputs(type_)
    return {key: secret(value) if key in names else value for key, value in inputs.items()}


def _merged(found: Properties, supplied: Properties) -> Properties:
    """What was read, with what was supplied where nothing was read; what was supplied as a secret stays one."""
    merged = dict(found)
    for key, value in supplied.items():
        if merged.get(key) is None:
            merged[key] = value
        elif isinstance(value, Secret):
            merged[key] = secret(reveal(merged[key]))
    return merged
