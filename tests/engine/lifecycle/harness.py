"""Runs of the engine on programs that are values: no process, no gRPC, but real decisions, records and state files.

A program is a list of declarations. Each is registered as the SDK would do it: once what it takes from others is known,
all at the same time, or (the default, for an order that tests can name) one after the other.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Sequence
from dataclasses import dataclass, field, fields, replace
from functools import partial
from pathlib import Path
from typing import Any, Final

from engine import urn as urns
from engine.deployment import Deployment
from engine.events import Diagnostic, Event, Severity, StepDone, StepFailed, StepSkipped
from engine.execute import PlanViolated, RunCancelled
from engine.goals import Alias, Goal, ReadGoal
from engine.importing.code import Declared
from engine.importing.run import Importing
from engine.importing.wanted import Request, Wanted
from engine.plan import Op, Plan, Reason, Step
from engine.program import Program
from engine.provider_registry import Elsewhere, ProviderRegistry
from engine.recovery import recover
from engine.refresh import Refresh
from engine.run import Judging, Options, Outcome, Result, Run, Stack
from engine.run_state import Registered, RegistrationRefused
from engine.state.invariants import problems
from engine.state.model import ResourceState, Snapshot
from engine.state.recorder import Recorder
from engine.state.secrets import Keyring
from engine.state.storage import StackStore, open_stack
from engine.targets import Targets
from engine.values import UNKNOWN, Properties, Secret, Value
from engine.wire import UNKNOWN_STRING
from tests.engine.lifecycle.cloud import Cloud, CloudProvider

PROJECT: Final = "shop"
STACK: Final = "dev"
ROOT_NAME: Final = f"{PROJECT}-{STACK}"
ROOT: Final = urns.make(STACK, PROJECT, None, urns.STACK_TYPE, ROOT_NAME)
STUCK_SECONDS: Final = 60.0
MARKERS: Final = {
    Op.SAME: "=", Op.CREATE: "+", Op.UPDATE: "~", Op.DELETE: "-", Op.REPLACE: "±", Op.CREATE_REPLACEMENT: "++",
    Op.DELETE_REPLACED: "--", Op.READ: ">", Op.READ_REPLACEMENT: ">±", Op.IMPORT: "<", Op.IMPORT_REPLACEMENT: "<±",
    Op.REMOVE_PENDING_REPLACE: "-±", Op.DISCARD: "x", Op.DISCARD_REPLACED: "xx",
}  # fmt: skip


@dataclass(frozen=True)
class Out:
    """A value taken from another resource: one of its outputs, or its ``id``."""

    resource: str
    property: str = "arn"


@dataclass(frozen=True)
class Resource:
    """A declaration. ``options`` are fields of ``Goal``; those that name resources take the names used here."""

    name: str
    inputs: Properties = field(default_factory=dict[str, Value])
    type: str = "test:index:Thing"
    parent: str = ROOT_NAME
    depends_on: Sequence[str] = ()
    provider: str = ""
    deleted_with: str = ""
    replace_with: Sequence[str] = ()
    get: Value = None
    options: dict[str, Any] = field(default_factory=dict[str, Any])

    @property
    def custom(self) -> bool:
        return not self.type.startswith("shop:") and self.type != urns.STACK_TYPE


def thing(name: str, *, type: str = "Thing", **given: Any) -> Resource:
    """A resource of package ``test``: options by their names, whatever else is an input."""
    return _declared(name, f"test:index:{type}", given)


def component(name: str, *, type: str = "Part", **given: Any) -> Resource:
    return _declared(name, f"shop:index:{type}", given)


def provider(name: str, **given: Any) -> Resource:
    """An explicit provider; use it by name as ``provider=``."""
    return _declared(name, "pulumi:providers:test", given)


def get(name: str, id: Value, **given: Any) -> Resource:
    """``Resource.get``."""
    return _declared(name, "test:index:Thing", {**given, "get": id})


_OWN = {each.name for each in fields(Resource)} - {"name", "inputs", "type", "options"}
_OPTIONS = {each.name for each in fields(Goal)} - _OWN - {"type", "name", "inputs", "custom", "dependencies"}


def _declared(name: str, type_: str, given: dict[str, Any]) -> Resource:
    own = {key: value for key, value in given.items() if key in _OWN}
    options = {key: value for key, value in given.items() if key in _OPTIONS}
    inputs = {key: value for key, value in given.items() if key not in _OWN and key not in _OPTIONS}
    return Resource(name, inputs, type_, **own, options=options)


Body = Callable[["Registrar"], Coroutine[Any, Any, None]]


class Registrar:
    """Makes the registrations of one program on a deployment."""

    def __init__(self, deployment: Deployment) -> None:
        self.deployment = deployment
        self._answers: dict[str, asyncio.Task[Registered]] = {}

    def start(self, resource: Resource) -> asyncio.Task[Registered]:
        """Register ``resource`` as soon as what it names, which must have been started before, has an answer."""
        task = asyncio.create_task(self._register(resource))
        self._answers[resource.name] = task
        return task

    async def settle(self) -> None:
        """Let registrations that are under way end, as the engine does for a program that has ended."""
        await asyncio.gather(*self._answers.values(), return_exceptions=True)

    async def _register(self, resource: Resource) -> Registered:
        if resource.get is not None:
            return await self.deployment.read(await self._read_goal(resource))
        return await self.deployment.register(await self._goal(resource))

    async def _goal(self, resource: Resource) -> Goal:
        taken: dict[str, set[str]] = {}
        inputs = {
            key: await self.resolve(value, taken.setdefault(key, set())) for key, value in resource.inputs.items()
        }
        depends_on = {await self._urn(name) for name in resource.depends_on}
        return Goal(
            type=resource.type,
            name=resource.name,
            custom=resource.custom,
            inputs=inputs,
            parent=await self._urn(resource.parent) if resource.parent and resource.name != ROOT_NAME else "",
            dependencies=tuple(sorted(depends_on.union(*taken.values()))),
            property_dependencies={key: tuple(sorted(urns_)) for key, urns_ in taken.items()},
            provider=await self._reference(resource.provider),
            deleted_with=await self._urn(resource.deleted_with) if resource.deleted_with else "",
            replace_with=tuple([await self._urn(name) for name in resource.replace_with]),
            **resource.options,
        )

    async def _read_goal(self, resource: Resource) -> ReadGoal:
        taken: set[str] = set()
        return ReadGoal(
            resource.type, resource.name, await self.resolve(resource.get, taken), resource.inputs,
            await self._urn(resource.parent), tuple(sorted(taken)), await self._reference(resource.provider),
        )  # fmt: skip

    async def _urn(self, name: str) -> str:
        return name if name.startswith(urns.PREFIX) else (await self._answers[name]).urn

    async def _reference(self, name: str) -> str:
        if not name:
            return ""
        answer = await self._answers[name]
        return f"{answer.urn}::{answer.id or UNKNOWN_STRING}"

    async def resolve(self, value: Value, taken: set[str]) -> Value:
        if isinstance(value, Out):
            answer = await self._answers[value.resource]
            taken.add(answer.urn)
            if value.property == "id":
                return answer.id or UNKNOWN
            missing = UNKNOWN if self.deployment.preview or answer.result != "success" or answer.unknown else None
            return answer.outputs.get(value.property, missing)
        if isinstance(value, Secret):
            return Secret(await self.resolve(value.value, taken))
        if isinstance(value, dict):
            return {key: await self.resolve(item, taken) for key, item in value.items()}
        if isinstance(value, list):
            return [await self.resolve(item, taken) for item in value]
        return value


def declaring(resources: Sequence[Resource], outputs: Properties, *, concurrent: bool) -> Body:
    """The body of a program that declares ``resources`` and then the stack's outputs."""

    async def body(registrar: Registrar) -> None:
        root = await registrar.start(Resource(ROOT_NAME, type=urns.STACK_TYPE))
        tasks: list[asyncio.Task[Registered]] = []
        for resource in resources:
            tasks.append(registrar.start(resource))
            if not concurrent:
                await tasks[-1]
        await asyncio.gather(*tasks)
        values = {key: await registrar.resolve(value, set()) for key, value in outputs.items()}
        registrar.deployment.register_outputs(root.urn, values)

    return body


class ProgramRun(Run):
    """A run whose program is a coroutine instead of a process."""

    body: Body

    async def _program(self, program: Program) -> Result:
        registrar = Registrar(self.deployment)
        try:
            await self.body(registrar)
        except RegistrationRefused:
            return Result.PROGRAM_FAILED
        except PlanViolated as error:
            self._emit(Diagnostic(Severity.ERROR, str(error)))
            return Result.PLAN_VIOLATED
        except RunCancelled:
            return Result.CANCELLED
        finally:
            await registrar.settle()
        return self._verdict()


@dataclass
class Report:
    """What a run came to, for asserting on it."""

    outcome: Outcome
    events: Sequence[Event]
    snapshot: Snapshot

    @property
    def result(self) -> Result:
        return self.outcome.result

    @property
    def plan(self) -> Plan:
        return self.outcome.plan

    @property
    def steps(self) -> list[Step]:
        return [step for step in self.plan.steps if not _boring(step)]

    @property
    def all_operations(self) -> list[str]:
        """Every step as ``MARKER NAME``, in the order in which they were decided, unchanged resources included."""
        return [f"{MARKERS[step.op]} {urns.name_of(step.urn)}" for step in self.steps]

    @property
    def operations(self) -> list[str]:
        """Every step that changes something."""
        return [operation for operation in self.all_operations if not operation.startswith("=")]

    def reason(self, name: str) -> Reason:
        """Why the last step on ``name`` that changes something is due."""
        found = [step for step in self.steps if urns.name_of(step.urn) == name and step.op is not Op.SAME]
        return found[-1].reason

    @property
    def errors(self) -> list[str]:
        return self._said(Severity.ERROR)

    @property
    def warnings(self) -> list[str]:
        return self._said(Severity.WARNING)

    def _said(self, severity: Severity) -> list[str]:
        return [event.message for event in self.events if isinstance(event, Diagnostic) and event.severity is severity]

    @property
    def failed(self) -> list[str]:
        return [urns.name_of(event.step.urn) for event in self.events if isinstance(event, StepFailed)]

    @property
    def skipped(self) -> list[str]:
        return sorted(urns.name_of(event.urn) for event in self.events if isinstance(event, StepSkipped))

    def state(self, name: str) -> ResourceState:
        """The one live state of ``name``."""
        (found,) = [each for each in self.states(name) if not each.delete]
        return found

    def states(self, name: str) -> list[ResourceState]:
        return [state for state in self.snapshot.resources if urns.name_of(state.urn) == name]

    @property
    def names(self) -> list[str]:
        """Names of what the state holds, but for the stack itself and default providers, in the state's order."""
        return [
            urns.name_of(state.urn) + ("!" if state.delete else "?" if state.pending_replacement else "")
            for state in self.snapshot.resources
            if state.type != urns.STACK_TYPE and not _default_provider(state.urn)
        ]


def _unjudged(_preview: bool) -> Judging | None:
    """No policy packs."""
    return None


def _boring(step: Step) -> bool:
    return step.type == urns.STACK_TYPE or _default_provider(step.urn)


def _default_provider(urn: str) -> bool:
    return urns.is_provider_type(urns.type_of(urn)) and urns.name_of(urn).startswith("default")


class Engine:
    """A stack with its cloud. Each verb previews and then applies under that plan, as ``engine.session`` does.

    ``judging`` gives the policy packs of a preview or an apply; their processes live as long as the loop of ``runner``.
    """

    runner: asyncio.Runner | None = None

    def __init__(
        self, root: Path, cloud: Cloud | None = None, *, in_process: bool = True, elsewhere: Elsewhere | None = None
    ) -> None:
        """The provider is one of ours, unless there is one ``elsewhere``."""
        self.cloud = cloud or Cloud()
        self.root = root
        self.elsewhere = elsewhere
        self._in_process = in_process
        self.running: ProgramRun | None = None
        self.declared: list[Declared] = []
        self.judging: Callable[[bool], Judging | None] = _unjudged

    def preview(self, *resources: Resource, outputs: Properties | None = None, **options: Any) -> Report:
        body = declaring(resources, outputs or {}, concurrent=options.pop("concurrent", False))
        return self._run(self._previewed(body, options_of(**options), self.store().load() or Snapshot()))

    def look(self, body: Body, **options: Any) -> Report:
        """``preview`` of a program that is more than a list."""
        return self._run(self._previewed(body, options_of(**options), self.store().load() or Snapshot()))

    def up(
        self,
        *resources: Resource,
        outputs: Properties | None = None,
        concurrent: bool = False,
        expect: Result | None = Result.SUCCEEDED,
        planned: bool = True,
        **options: Any,
    ) -> Report:
        """Bring the stack to ``resources``; ``planned=False`` applies without a preview before."""
        body = declaring(resources, outputs or {}, concurrent=concurrent)
        report = self._run(self.apply(body, options_of(**options), planned=planned))
        assert expect in (None, report.result), f"{report.result}: {report.errors}"
        return report

    def run(self, body: Body, *, expect: Result | None = Result.SUCCEEDED, **options: Any) -> Report:
        """``up`` of a program that is more than a list."""
        report = self._run(self.apply(body, options_of(**options)))
        assert expect in (None, report.result), f"{report.result}: {report.errors}"
        return report

    def destroy(self, *, expect: Result | None = Result.SUCCEEDED, **options: Any) -> Report:
        report = self._run(self._destroyed(options_of(**options)))
        assert expect in (None, report.result), f"{report.result}: {report.errors}"
        return report

    def refresh(self, **options: Any) -> Report:
        return self._run(self._refreshed(options_of(**options)))

    def take_over(
        self, *wanted: Wanted, apply: bool = True, version: str = "", cancel_after: str = "", **options: Any
    ) -> Report:
        """Import what exists; ``declared`` of the engine says then what a program has to say of it.

        ``cancel_after`` is the name of what is the last to be imported before the run is cancelled.
        """
        named = [replace(one, urn=urns.make(STACK, PROJECT, one.parent, one.type, one.name)) for one in wanted]
        request = Request(tuple(named), {one.urn: one.name for one in named})
        return self._run(
            self._taken_over(request, options_of(**options), apply=apply, version=version, last=cancel_after)
        )

    async def _taken_over(self, request: Request, options: Options, *, apply: bool, version: str, last: str) -> Report:
        base = await self._recovered()
        events: list[Event] = []
        applying: list[Importing] = []

        def emit(event: Event) -> None:
            events.append(event)
            if applying and isinstance(event, StepDone) and urns.name_of(event.step.urn) == last:
                applying[0].cancel()

        make = partial(Importing, self._stack(base), request, emit, options, versions=lambda _package: version)
        looking = make()
        outcome = await looking.go()
        self.declared = looking.declared
        if not apply or outcome.result is not Result.SUCCEEDED:
            return Report(outcome, events, base)
        recorder = Recorder(self.store(), base)
        done = make(record=recorder, plan=outcome.plan, seeds=looking.seeds)
        applying.append(done)
        outcome = await done.go()
        self.declared = done.declared
        return self._report(outcome, events, recorder)

    async def apply(self, body: Body, options: Options, *, planned: bool = True) -> Report:
        base = await self._recovered()
        looking = replace(options, live_functions=True)
        previewed = await self._previewed(body, looking, base) if planned else None
        if previewed is not None and previewed.result is not Result.SUCCEEDED:
            return previewed
        store = self.store()
        base = store.load() or Snapshot()
        events: list[Event] = []
        recorder = Recorder(store, base)
        plan = previewed.plan if previewed else None
        run = ProgramRun(
            self._stack(base), events.append, options, record=recorder, plan=plan, judging=self.judging(False)
        )
        run.body = body
        self.running = run
        outcome = await run.up(self._program())
        return self._report(outcome, events, recorder)

    async def _previewed(self, body: Body, options: Options, base: Snapshot) -> Report:
        events: list[Event] = []
        before = list(self.cloud.calls)
        run = ProgramRun(self._stack(base), events.append, options, judging=self.judging(True))
        self.running = run
        run.body = body
        outcome = await run.up(self._program())
        made = [call for call in self.cloud.calls[len(before) :] if call.verb != "read"]
        assert made == [], "a preview must not change the cloud"
        return Report(outcome, events, base)

    async def _destroyed(self, options: Options) -> Report:
        base = await self._recovered()
        events: list[Event] = []
        preview = await Run(self._stack(base), events.append, options).destroy()
        store = self.store()
        base = store.load() or Snapshot()
        if preview.result is not Result.SUCCEEDED:
            return Report(preview, events, base)
        recorder = Recorder(store, base)
        outcome = await Run(
            self._stack(base), events.append, options, record=recorder, plan=preview.plan
        ).destroy()  # fmt: skip
        return self._report(outcome, events, recorder)

    async def _refreshed(self, options: Options) -> Report:
        base = await self._recovered()
        store = self.store()
        base = store.load() or Snapshot()
        events: list[Event] = []
        refresh = Refresh(base, ProviderRegistry(self._factories(), self.elsewhere), events.append, options)
        outcome = await refresh.look()
        recorder = Recorder(store, base)
        if outcome.result is Result.SUCCEEDED:
            refresh.record(recorder)
        return self._report(outcome, events, recorder)

    async def _recovered(self) -> Snapshot:
        store = self.store()
        base = store.load() or Snapshot()
        if not base.pending_operations:
            return base
        recorder = Recorder(store, base)
        await recover(recorder, base, ProviderRegistry(self._factories(), self.elsewhere), lambda _event: None)
        return recorder.close()

    def _report(self, outcome: Outcome, events: Sequence[Event], recorder: Recorder) -> Report:
        recorder.close()
        saved = self.store().load() or Snapshot()
        assert problems(saved) == []
        assert self.cloud.wrongs == []
        return Report(outcome, events, saved)

    def store(self) -> StackStore:
        return open_stack(self.root, PROJECT, STACK, Keyring(STACK, "correct horse"))

    def _factories(self) -> dict[str, Callable[[], CloudProvider]]:
        return {"test": lambda: CloudProvider(self.cloud, in_process=self._in_process)}

    def _stack(self, base: Snapshot) -> Stack:
        return Stack(PROJECT, STACK, base, self._factories(), elsewhere=self.elsewhere)

    def _program(self) -> Program:
        return Program(self.root, self.root, ".", PROJECT, STACK, {})

    def _run(self, work: Coroutine[Any, Any, Report]) -> Report:
        """``work``'s result; a run that waits for itself is an error, not a hang."""
        limited = asyncio.wait_for(work, STUCK_SECONDS)
        return asyncio.run(limited) if self.runner is None else self.runner.run(limited)


def options_of(**given: Any) -> Options:
    given = {"parallel": 1, **given}
    targets = Targets(
        tuple(given.pop("targets", ())), tuple(given.pop("exclude", ())), given.pop("target_dependents", False),
        given.pop("exclude_dependents", False),
    )  # fmt: skip
    return replace(Options(targets=targets), **given)


def urn(name: str, type_: str = "test:index:Thing", parent: str | None = None) -> str:
    """The URN of a resource of the test stack."""
    return urns.make(STACK, PROJECT, parent or ROOT, type_, name)


def old_names(*names: str) -> tuple[Alias, ...]:
    return tuple(Alias(name=name) for name in names)


def sequences(operations: Iterable[str], *expected: str) -> bool:
    """Whether ``expected`` occur among ``operations`` in this order."""
    rest = iter(operations)
    return all(operation in rest for operation in expected)
