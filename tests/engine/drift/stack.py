"""A stack of what a table declares, brought up, refreshed and repaired by the engine over the emulator."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, cast

from engine import urn as urns
from engine.plan import Op, Step
from engine.providers.aws import registry
from engine.providers.aws.schema import Scalar
from engine.state.secrets import Keyring
from engine.state.storage import StackStore, open_stack
from engine.values import UNKNOWN, Properties, Secret, reveal
from tests.engine.aws.cases import documents_as_text, resolved
from tests.engine.drift.table import Calls, Declared
from tests.engine.drift.wire import DirectCaller, DirectProvider
from tests.engine.lifecycle.harness import (
    PROJECT,
    ROOT_NAME,
    STACK,
    Body,
    Engine,
    Registrar,
    Report,
    Resource,
    options_of,
    urn,
)

REGION = "us-east-1"
Found = dict[str, list[str]]  # by name: the paths that differ, or what became of it


class Aws(Engine):
    """The engine of the lifecycle tests, with our AWS provider instead of the toy."""

    def __init__(self, root: Path, caller: DirectCaller) -> None:
        super().__init__(root)
        self._caller = caller
        self._keyring = Keyring(STACK, "correct horse")  # one for all: a key is derived slowly

    def apply_program(self, program: Body, *, planned: bool) -> Report:
        return self._run(self.apply(program, options_of(), planned=planned))

    def store(self) -> StackStore:
        return open_stack(self.root, PROJECT, STACK, self._keyring)

    def _factories(self) -> Any:
        return {"aws": lambda: DirectProvider(self._caller)}


class Stack:
    """What is declared, and what the engine says of it."""

    def __init__(self, root: Path, caller: DirectCaller, declared: Iterable[Declared]) -> None:
        self.engine = Aws(root, caller)
        self.declared = {one.name: one for one in declared}
        self._caller = caller
        self._answers: dict[str, Any] = {}  # of calls behind the stack's back, by operation: ${CreateX.X.XId}

    async def _program(self, registrar: Registrar) -> None:
        await registrar.start(Resource(ROOT_NAME, type=urns.STACK_TYPE))
        await registrar.start(Resource("aws", {"region": REGION}, type="pulumi:providers:aws"))
        known: dict[str, Any] = {}
        for one in self.declared.values():
            inputs = _given(one, known)
            answer = await registrar.start(Resource(one.name, inputs, one.type, provider="aws"))
            known[one.name] = {**reveal(answer.outputs), "id": answer.id or UNKNOWN}

    def up(self, *, planned: bool = True) -> Found:
        """Bring the stack to what is declared; what that changed."""
        report = self.engine.apply_program(self._program, planned=planned)
        assert report.result == "succeeded", report.errors
        return _by_name(report, lambda step: [str(step.op)])

    def refresh(self, *names: str) -> tuple[Found, Report]:
        """What has drifted among ``names`` (none: among all), taken over into the state."""
        targets = tuple(urn(name, self.declared[name].type) for name in names)
        report = self.engine.refresh(targets=targets)
        assert report.result == "succeeded", report.errors
        return _by_name(report, lambda step: ["deleted"] if step.op is Op.DELETE else sorted(step.detailed)), report

    def behind(self, *changes: tuple[str, Calls]) -> None:
        """Make calls, each list about the resource of a name, past the engine."""
        snapshot = self.engine.store().load()
        assert snapshot is not None
        known = {urns.name_of(one.urn): {**reveal(one.outputs), "id": one.id} for one in snapshot.resources}
        for name, calls in changes:
            for service, operation, params in calls:
                given = _as_text(resolved(dict(params), {**known[name], **known, **self._answers}))
                client = self._caller.client(service, REGION)
                self._answers[operation] = client._make_api_call(operation, given)


def _given(one: Declared, known: Mapping[str, Any]) -> Properties:
    spec = registry.load(one.type)
    assert spec is not None, f"{one.name}: there is no {one.type}"
    documents = frozenset(key for key, field in spec.inputs.items() if field.type == Scalar("json"))
    given = documents_as_text(resolved(dict(one.inputs), known), documents)
    return {key: Secret(value) if key in one.secret else value for key, value in given.items()}


def _by_name(report: Report, said: Callable[[Step], list[str]]) -> Found:
    steps = [step for step in report.plan.steps if step.op is not Op.SAME and step.type != urns.STACK_TYPE]
    return {urns.name_of(step.urn): said(step) for step in steps}


def _as_text(value: Any, *, top: bool = True) -> Any:
    """Documents that a table writes as YAML under a member that ends in Document, Policy or Text become texts."""
    if isinstance(value, dict):
        mapping = cast("dict[str, Any]", value)
        if "Version" in mapping and "Statement" in mapping and not top:
            return json.dumps(mapping)
        return {key: _as_text(item, top=False) for key, item in mapping.items()}
    if isinstance(value, list):
        return [_as_text(item, top=False) for item in cast("list[Any]", value)]
    return value
