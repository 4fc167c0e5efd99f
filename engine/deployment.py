"""One pass over a stack: takes registrations as the program makes them, decides each, has it carried out.

The questions are asked in the order in which Pulumi's engine asks them. All of it runs on one event loop, so that what
stands between two ``await`` needs no lock.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from engine import paths
from engine import urn as urns
from engine.aliases import AliasError, PriorStates
from engine.decide import (
    Decision,
    annotate_secrets,
    component_diff,
    decide,
    forced_replacement,
    new_state,
    same_state,
    wants_import,
)
from engine.differ import equal
from engine.events import Diagnostic, OutputsRegistered, Severity, StepSkipped
from engine.execute import Executor, StepError
from engine.goals import Goal, ReadGoal
from engine.graph import named_dependencies
from engine.plan import Op, Reason, Step
from engine.provider_registry import ProviderRegistry, by_reference, split_reference
from engine.provider_resources import ProviderResources
from engine.providers.base import Checked, Found, Invoked, Provider, ProviderError
from engine.providers.builtin import BuiltinProvider
from engine.providers.generic import GenericProvider
from engine.replacement import dependents_to_replace
from engine.state.model import ResourceState, Snapshot
from engine.targets import Targets
from engine.values import UNKNOWN, Properties, Value, reveal
from engine.wire import UNKNOWN_STRING


@dataclass(frozen=True)
class Registered:
    """The answer to a registration. ``result`` is ``success``, ``fail`` or ``skip``; an unknown id is ""."""

    urn: str
    id: str = ""
    outputs: Properties = field(default_factory=dict[str, Value])
    result: str = "success"
    unknown: bool = False
    stables: Sequence[str] = ()


class RegistrationRefused(Exception):
    """The program asked for something that cannot be; it is told so and fails."""


@dataclass
class Deployment:
    """What one run knows; ``config`` holds the stack's configuration, ``seeds`` the plan's seeds of automatic names.

    With ``live_functions`` a preview asks the cloud for what functions answer, and falls back to what is known without.
    """

    stack: str
    project: str
    base: Snapshot
    registry: ProviderRegistry
    builtin: BuiltinProvider
    executor: Executor
    config: Mapping[str, Value]
    learn_secret: Callable[[Value], None]
    live_functions: bool = False
    targets: Targets = field(default_factory=Targets)
    seeds: dict[str, str] = field(default_factory=dict[str, str])
    news: dict[str, ResourceState] = field(default_factory=dict[str, ResourceState])
    notes: list[str] = field(default_factory=list[str])
    unknown_types: list[str] = field(default_factory=list[str])
    state_only_changes: bool = False

    def __post_init__(self) -> None:
        self.olds = {old.urn: old for old in self.base.resources if not old.delete}
        self.learn_secret([[old.inputs, old.outputs] for old in self.base.resources])
        self.prior = PriorStates(self.stack, self.project, self.olds)
        self.seen: set[str] = set()
        self.replaced: set[str] = set()
        self.unavailable: set[str] = set()  # failed or skipped: what depends on them is skipped
        self.not_created: set[str] = set()  # not among the targets, so not created
        self.deleted_early: dict[str, ResourceState] = {}  # deleted before their replacement, which is still to come
        self.condemned_early: set[int] = set()
        self.kept: set[int] = set()  # states of the base that are not among the targets, with all that they need
        self.outlived: set[int] = set()  # states of the base whose replacement exists: they go at the end of the run
        self.going: set[str] = set()  # URNs being deleted in this run: deleted_with asks for them
        self.root = ""
        self.stack_outputs: Properties | None = None
        self._old_providers = by_reference(self.base.resources)
        self._positions: dict[str, str] = {}
        self._provider_resources = ProviderResources(self.registry)
        self._default_providers: dict[tuple[str, str, str], asyncio.Task[str]] = {}

    @property
    def preview(self) -> bool:
        return self.executor.preview

    # Registrations

    async def register(self, goal: Goal) -> Registered:
        """Register a resource: decide what becomes of it and do it. Raises RegistrationRefused for the program."""
        urn = self._claim(goal.parent, goal.type, goal.name, goal.source_position)
        self.learn_secret(goal.inputs)
        if goal.type == urns.STACK_TYPE:
            self.root = urn
        blocker = self._blocker(goal)
        if blocker:
            return self._skip(urn, blocker)
        try:
            if goal.custom and not goal.provider and not urns.is_provider_type(goal.type):
                goal = replace(
                    goal, provider=await self.default_provider(goal.type, goal.version, goal.plugin_download_url)
                )
            try:
                old = self.prior.claim(urn, goal, self.seen)
            except AliasError as error:
                raise self._refused(urn, str(error)) from error
            return await self._register(urn, goal, old)
        except StepError:
            self.unavailable.add(urn)
            return Registered(urn, result="fail")

    async def _register(self, urn: str, goal: Goal, old: ResourceState | None) -> Registered:
        state = new_state(goal, urn, old)
        provider = self._provider_of(state)
        if not self.targets.include(urn):
            return self._untargeted(urn, old, goal.custom)
        if provider and not provider.knows(goal.type):
            self._note_unknown(goal.type)
        if wants_import(goal, old):
            assert provider is not None, "only custom resources are imported"
            state, old = await self._import(state, goal, old, provider)
        recreating = self.deleted_early.pop(urn, None)
        fresh = old is None or recreating is not None or old.external or old.taint
        inputs = goal.inputs if old is None else self._ignoring(urn, goal, old)
        if provider is not None:
            inputs = await self._checked(state, provider, None if fresh else old, goal.inputs if fresh else inputs)
        state = replace(state, inputs=inputs)
        if old is None:
            return self._answer(await self._create(state, provider))
        if recreating is not None:
            return self._answer(await self._recreate(state, recreating, provider))
        if old.external:
            return self._answer(await self._adopt(state, old, provider))
        return self._answer(await self._change(state, old, goal, provider))

    def _claim(self, parent: str, type_: str, name: str, position: str) -> str:
        if parent and parent not in self.seen:
            raise self._refused(parent, f"{type_} {name!r} names a parent that is not registered: {parent}")
        urn = urns.make(self.stack, self.project, parent, type_, name)
        if urn in self.seen:
            where = [place for place in (self._positions.get(urn), position) if place]
            places = f" (declared at {' and '.join(where)})" if where else ""
            raise self._refused(
                urn, f"Duplicate resource URN '{urn}'{places}; give each resource of a type its own name"
            )
        self.seen.add(urn)
        if position:
            self._positions[urn] = position
        return urn

    def _refused(self, urn: str, message: str) -> RegistrationRefused:
        self.executor.failures += 1
        self.executor.emit(Diagnostic(Severity.ERROR, message, urn))
        return RegistrationRefused(message)

    def _blocker(self, goal: Goal | ReadGoal) -> str | None:
        """A dependency of ``goal`` that failed or was skipped, if any."""
        if not self.unavailable and not self.not_created:
            return None
        needed = [*goal.dependencies, goal.parent]
        if goal.provider:
            needed.append(split_reference(goal.provider)[0])
        if isinstance(goal, Goal):
            needed += [goal.deleted_with, *goal.replace_with]
        return next((urn for urn in needed if urn in self.unavailable or urn in self.not_created), None)

    def _skip(self, urn: str, because: str) -> Registered:
        if because in self.not_created:
            if not self.targets.include(urn):
                self.not_created.add(urn)
                return Registered(urn, unknown=True)
            message = f"needs {because}, which is new and not among the targets; add it with --target"
            self.executor.failures += 1
            self.executor.emit(Diagnostic(Severity.ERROR, message, urn))
        self.unavailable.add(urn)
        self.executor.emit(StepSkipped(urn, because))
        return Registered(urn, result="skip")

    def _answer(self, state: ResourceState) -> Registered:
        self.news[state.urn] = state
        self.learn_secret(state.outputs)
        return Registered(state.urn, state.id, state.outputs if state.custom else {})

    # Deciding

    def _ignoring(self, urn: str, goal: Goal, old: ResourceState) -> Properties:
        try:
            return paths.ignore_changes(goal.ignore_changes, old.inputs, goal.inputs)
        except ValueError as error:
            raise self._refused(urn, f"ignore_changes: {error}") from error

    async def _checked(
        self, state: ResourceState, provider: Provider, old: ResourceState | None, inputs: Properties
    ) -> Properties:
        """The inputs as the provider wants them stored. Raises StepError when it refuses them, saying why."""
        seed = self.seeds.setdefault(state.urn, secrets.token_hex(8))
        with self.executor.diagnosed(state.urn):
            checked: Checked = await self.executor.call(
                provider, provider.check, state.urn, state.type, None if old is None else reveal(old.inputs),
                reveal(inputs), seed=seed,
            )  # fmt: skip
        for failure in checked.failures:
            place = f"{failure.property}: " if failure.property else ""
            self.executor.emit(Diagnostic(Severity.ERROR, f"{place}{failure.reason}", state.urn))
        if checked.failures:
            self.executor.failures += 1
            raise StepError(f"{state.urn} is not valid")
        return annotate_secrets(checked.inputs, replace(state, inputs=inputs, additional_secret_outputs=()))

    async def _change(
        self, state: ResourceState, old: ResourceState, goal: Goal, provider: Provider | None
    ) -> ResourceState:
        decision = await self._decision(state, old, goal, provider)
        # While the comparison was awaited, it may have been deleted to make way for another's replacement.
        recreating = self.deleted_early.pop(state.urn, None)
        if recreating is not None:
            return await self._recreate(state, recreating, provider)
        if decision.op is Op.SAME:
            if not same_state(old, state):
                self.state_only_changes = True
            return await self.executor.same(self._step(decision, state, old))
        if decision.op is Op.UPDATE:
            return await self.executor.update(self._step(decision, state, old), provider)
        return await self._replace(decision, state, old, goal, provider)

    async def _decision(
        self, state: ResourceState, old: ResourceState, goal: Goal, provider: Provider | None
    ) -> Decision:
        forced = forced_replacement(old, state, self.replaced)
        if forced is None and await self._provider_replaced(old, state):
            forced = Decision(Op.REPLACE, Reason.PROVIDER_REPLACED, replace_keys=("provider",))
        if forced is not None:
            return replace(forced, delete_before_replace=bool(goal.delete_before_replace))
        if provider is None:
            return decide(old, goal, component_diff(old, state))
        with self.executor.diagnosed(state.urn):
            diff = await self.executor.call(
                provider, provider.diff, state.urn, state.type, old.id, reveal(old.inputs), reveal(old.outputs),
                reveal(state.inputs),
            )  # fmt: skip
            return decide(old, goal, diff)

    async def _provider_replaced(self, old: ResourceState, new: ResourceState) -> bool:
        """Whether the resource moved to a provider that cannot manage what the other one made."""
        if old.provider == new.provider or not old.provider:
            return False
        old_urn, new_urn = split_reference(old.provider)[0], split_reference(new.provider)[0]
        if self.prior.claimed(old_urn) == new_urn:
            return False
        before, after = self.olds.get(old_urn), self.news.get(new_urn)
        if before is None or after is None:
            return False
        diff = self._provider_resources.compare(after.type, reveal(before.inputs), reveal(after.inputs))
        return bool(diff.replaces) or any(kind.replaces for kind in diff.detailed.values())

    # Carrying out

    def _step(self, decision: Decision, new: ResourceState, old: ResourceState | None, op: Op | None = None) -> Step:
        return Step(op or decision.op, new.urn, new.type, decision.reason, old, new, decision.detailed,
                    tuple(decision.replace_keys))  # fmt: skip

    async def _create(self, state: ResourceState, provider: Provider | None) -> ResourceState:
        return await self.executor.create(self._step(Decision(Op.CREATE, Reason.NEW), state, None), provider)

    async def _adopt(self, state: ResourceState, old: ResourceState, provider: Provider | None) -> ResourceState:
        """Create what was only read so far; what was read is forgotten at the end of the run, as it isn't ours."""
        decision = Decision(Op.REPLACE, Reason.ADOPTED)
        step = self._step(decision, state, old, Op.CREATE_REPLACEMENT)
        return self._outlive(step, await self.executor.create(step, provider, amended=_condemning(old)))

    def _outlive(self, step: Step, created: ResourceState) -> ResourceState:
        """``step`` has led to ``created``: what stood in its place goes at the end of the run."""
        assert step.old is not None, "a replacement has an old state"
        self.outlived.add(id(step.old))
        self.executor.instant(replace(step, op=Op.REPLACE, new=created))
        return created

    async def _recreate(self, state: ResourceState, old: ResourceState, provider: Provider | None) -> ResourceState:
        decision = Decision(Op.REPLACE, Reason.REPLACED_DEPENDENCY)
        self.replaced.add(state.urn)
        return await self._make_again(decision, state, old, provider)

    async def _make_again(
        self, decision: Decision, state: ResourceState, old: ResourceState, provider: Provider | None
    ) -> ResourceState:
        """The second half of a replacement whose first half, the deletion, has been done."""
        self.executor.instant(self._step(decision, state, old))
        return await self.executor.create(self._step(decision, state, old, Op.CREATE_REPLACEMENT), provider, old)

    async def _replace(
        self, decision: Decision, state: ResourceState, old: ResourceState, goal: Goal, provider: Provider | None
    ) -> ResourceState:
        self._refuse_replacing(decision, old, goal)
        self.replaced.add(state.urn)
        if provider is not None:
            state = replace(state, inputs=await self._checked(state, provider, None, goal.inputs))
        if not old.pending_replacement:
            if not decision.delete_before_replace:
                create = self._step(decision, state, old, Op.CREATE_REPLACEMENT)
                return self._outlive(create, await self.executor.create(create, provider, amended=_condemning(old)))
            await self._delete_dependents(old)
            await self.delete(old, Op.DELETE_REPLACED, decision.reason, recreate=True)
        return await self._make_again(decision, state, old, provider)

    def _refuse_replacing(self, decision: Decision, old: ResourceState, goal: Goal) -> None:
        message = ""
        if old.protect and goal.protect:
            message = (
                f"cannot be replaced ({decision.reason}: {', '.join(decision.replace_keys)}), because it is protected; "
                "remove protect from it in the program and run `up` first"
            )
        elif goal.import_id:
            message = "cannot be replaced while the program still says import_; remove import_ from it"
        if message:
            self.executor.failures += 1
            self.executor.emit(Diagnostic(Severity.ERROR, message, old.urn))
            raise StepError(message)

    async def _delete_dependents(self, root: ResourceState) -> None:
        """Delete what would be replaced along with ``root`` and so must go before it, the last dependent first."""
        dependents = await dependents_to_replace(
            root, self.base.resources, self.seen, self.provider_for, self.executor.call
        )
        for dependent in reversed(dependents):
            if id(dependent) in self.condemned_early:
                continue
            if dependent.protect:
                message = f"cannot be replaced along with {root.urn}, because it is protected; unprotect it first"
                self.executor.failures += 1
                self.executor.emit(Diagnostic(Severity.ERROR, message, dependent.urn))
                raise StepError(message)
            await self.delete(dependent, Op.DELETE_REPLACED, Reason.REPLACED_DEPENDENCY, recreate=not dependent.delete)
            if not dependent.delete:
                self.deleted_early[dependent.urn] = dependent

    async def delete(self, old: ResourceState, op: Op, reason: Reason, *, recreate: bool = False) -> None:
        """Delete one resource, or only forget it where its options or its nature say so."""
        self.condemned_early.add(id(old))
        self.going.add(old.urn)
        step = Step(op, old.urn, old.type, reason, old, None, retained=self._retained(old))
        provider = None
        if old.custom and not step.retained:
            with self.executor.diagnosed(old.urn):
                provider = self.provider_for(old)
        await self.executor.delete(step, provider, recreate=recreate)

    def _retained(self, old: ResourceState) -> bool:
        return old.external or old.retain_on_delete or (old.deleted_with != "" and old.deleted_with in self.going)

    async def _import(
        self, state: ResourceState, goal: Goal, old: ResourceState | None, provider: Provider
    ) -> tuple[ResourceState, ResourceState]:
        """Bring an existing resource into the state; gives the new state and what it is compared with from here on."""
        op = Op.IMPORT if old is None else Op.IMPORT_REPLACEMENT
        wanted = replace(state, id=goal.import_id)

        def fetch() -> ResourceState | None:
            guess = Found(goal.import_id, goal.inputs, goal.inputs)
            found = self._found(provider, wanted, {}, guess)
            if found is None:
                return None
            inputs, outputs = annotate_secrets(found.inputs, state), annotate_secrets(found.outputs, state)
            return replace(wanted, id=found.id, inputs=inputs, outputs=outputs)

        step = Step(op, state.urn, state.type, Reason.IMPORTED, old, wanted)
        imported = await self.executor.read(step, provider, fetch, None, _condemning(old))
        if old is not None:
            self._outlive(step, imported)
        return replace(state, id=imported.id), imported

    # Reading and asking

    async def read(self, goal: ReadGoal) -> Registered:
        """Read a resource that exists already (``Resource.get``)."""
        urn = self._claim(goal.parent, goal.type, goal.name, goal.source_position)
        blocker = self._blocker(goal)
        if blocker:
            return self._skip(urn, blocker)
        try:
            reference = goal.provider or await self.default_provider(goal.type, goal.version, goal.plugin_download_url)
            return self._answer(await self._read(urn, replace(goal, provider=reference)))
        except StepError:
            self.unavailable.add(urn)
            return Registered(urn, result="fail")

    async def _read(self, urn: str, goal: ReadGoal) -> ResourceState:
        old = self.prior.claim(urn, Goal(goal.type, goal.name, True, {}, goal.parent), self.seen)
        id_ = "" if goal.id is UNKNOWN else str(reveal(goal.id))
        state = ResourceState(
            urn=urn, type=goal.type, custom=True, id=id_, inputs=goal.inputs, parent=goal.parent,
            provider=goal.provider,
            dependencies=goal.dependencies, external=True, additional_secret_outputs=goal.additional_secret_outputs,
            aliases=(old.urn,) if old and old.urn != urn else (),
            created=old.created if old else None, source_position=goal.source_position,
        )  # fmt: skip
        provider = self._provider_of(state)
        assert provider is not None, "a resource that is read has a provider"

        def fetch() -> ResourceState | None:
            known = old.outputs if old and old.id == id_ else {}
            found = self._found(provider, state, reveal(goal.inputs), Found(id_, {}, {**known, **goal.inputs}))
            return found and replace(state, id=found.id, outputs=annotate_secrets(found.outputs, state))

        if old is None or old.external or old.id == id_:  # of the same id: it is let go of, and stays
            return await self.executor.read(
                Step(Op.READ, urn, goal.type, Reason.READ, old, state), provider, fetch, old
            )
        self.replaced.add(urn)
        step = Step(Op.READ_REPLACEMENT, urn, goal.type, Reason.READ, old, state)
        return self._outlive(step, await self.executor.read(step, provider, fetch, None, _condemning(old)))

    def _found(self, provider: Provider, state: ResourceState, known: Properties, guess: Found) -> Found | None:
        """What the provider reads; in a preview that cannot ask it, or asks in vain, the ``guess``."""
        elsewhere = not isinstance(provider, BuiltinProvider)
        if self.preview and elsewhere and (not self.live_functions or not state.id):
            return guess
        try:
            return provider.read(state.urn, state.type, state.id, known, known)
        except ProviderError:
            if self.preview and elsewhere:
                return guess
            raise

    async def invoke(self, token: str, args: Properties, reference: str, version: str, url: str) -> Invoked:
        """Answer a provider's function. Raises ProviderError."""
        reference = reference or await self.default_provider(token, version, url)
        provider = self._lookup(reference, urns.package_of(token))
        if not provider.knows_function(token):
            raise ProviderError(
                f"the embedded engine cannot answer the function {token!r}; pass the value as configuration instead, "
                "or use the Pulumi CLI for this program"
            )
        if self.live_functions or not self.preview:
            with contextlib.suppress(ProviderError) if self.preview else contextlib.nullcontext():
                return await self.executor.work(provider.invoke, token, reveal(args), preview=False)
        return await self.executor.call(provider, provider.invoke, token, reveal(args), preview=True)

    def register_outputs(self, urn: str, outputs: Properties) -> None:
        """Take a component's outputs, or the stack's."""
        state = self.news.get(urn)
        if state is None:
            if urn in self.seen:
                return  # it failed, was skipped or is not among the targets
            raise RegistrationRefused(f"outputs for {urn}, which is not registered")
        old = self.olds.get(urn)
        if urn == self.root:
            self.stack_outputs = outputs
            if self.unavailable:  # what could not be computed this time keeps its last value
                known = {key: value for key, value in outputs.items() if value is not UNKNOWN}
                outputs = {**(old.outputs if old else {}), **known}
        elif old is not None and not equal(old.outputs, outputs):
            self.state_only_changes = True
        new = replace(state, outputs=outputs)
        self.news[urn] = new
        self.executor.record.amend(state, new)
        self.executor.emit(OutputsRegistered(Step(Op.SAME, urn, new.type, Reason.UNCHANGED, old, new)))

    # Providers

    def _provider_of(self, state: ResourceState) -> Provider | None:
        if not state.custom:
            return None
        with self.executor.diagnosed(state.urn):
            return self.provider_for(state)

    def provider_for(self, state: ResourceState) -> Provider:
        """The provider that manages ``state``. Raises ProviderError when there is none."""
        if urns.is_provider_type(state.type):
            return self._provider_resources
        provider = self._lookup(state.provider, urns.package_of(state.type))
        return provider if provider.knows(state.type) else GenericProvider(urns.package_of(state.type))

    def _lookup(self, reference: str, package: str) -> Provider:
        return self.builtin if package == "pulumi" else self.registry.get(reference, self._old_providers)

    async def default_provider(self, token: str, version: str, url: str) -> str:
        """The reference of the provider that serves ``token`` when none was named; registers it the first time."""
        package = urns.package_of(token)
        if package == "pulumi":
            return ""
        key = (package, version, url)
        if key not in self._default_providers:
            self._default_providers[key] = asyncio.create_task(self._register_default(package, version, url))
        reference = await asyncio.shield(self._default_providers[key])
        if not reference:
            raise StepError(f"the default provider of {package} failed")
        return reference

    async def _register_default(self, package: str, version: str, url: str) -> str:
        inputs: Properties = {
            key.split(":", 1)[1]: value for key, value in self.config.items() if key.startswith(f"{package}:")
        }
        name = "default"
        if version:
            inputs["version"] = version
            name += "_" + version.replace(".", "_").replace("-", "_").replace("+", "_")
        if url:
            inputs["pluginDownloadURL"] = url
            name += "_" + hashlib.sha256(url.encode()).hexdigest()[:8]
        goal = Goal(type=urns.PROVIDER_TYPE_PREFIX + package, name=name, custom=True, inputs=inputs)
        registered = await self.register(goal)
        return "" if registered.result != "success" else f"{registered.urn}::{registered.id or UNKNOWN_STRING}"

    # Notes

    def declares(self, urn: str) -> bool:
        """Whether the program has registered ``urn`` in this run, under this name or one that it is an alias of."""
        return urn in self.seen or self.prior.claimed(urn) is not None

    def _note_unknown(self, type_: str) -> None:
        if type_ not in self.unknown_types:
            self.unknown_types.append(type_)

    def _untargeted(self, urn: str, old: ResourceState | None, custom: bool) -> Registered:
        """A resource that is not among the targets: as it was, or not there yet."""
        if old is None:
            self.not_created.add(urn)
            return Registered(urn, unknown=True)
        self.executor.instant(Step(Op.SAME, urn, old.type, Reason.NOT_TARGETED, old, old))
        self._keep(old)
        self.news[urn] = old
        return Registered(urn, old.id, old.outputs if custom else {})

    def _keep(self, old: ResourceState) -> None:
        """Keep a state as it is, behind all that it needs, of which the program may not say anything any more."""
        if id(old) in self.kept:
            return
        self.kept.add(id(old))
        for needed in self._needed(old):
            self._keep(needed)
        self.executor.record.put(old, old)

    def _needed(self, old: ResourceState) -> Iterator[ResourceState]:
        """What ``old`` needs and this run has not registered; its provider also where another has taken its place."""
        provider = self._old_providers.get(old.provider)
        for state in (provider, *(self.olds.get(urn) for urn in named_dependencies(old))):
            if state is None or self.prior.claimed(state.urn) is not None:
                continue
            registered = self.news.get(state.urn)
            if registered is None or (state is provider and registered.id != state.id):
                yield state


def _condemning(old: ResourceState | None) -> tuple[tuple[ResourceState, ResourceState], ...]:
    """What becomes of a state whose resource is to be deleted at the end of the run."""
    return () if old is None else ((old, replace(old, delete=True)),)
