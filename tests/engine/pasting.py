"""Generated code as a program: run under Pulumi's mocks, so that what it registers can be seen without an engine."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from unittest import mock

from pulumi.runtime.mocks import MockCallArgs, MockMonitor, MockResourceArgs, Mocks, set_mocks, test

from engine import wire
from engine.values import Properties
from tests.fresh_context import in_fresh_context

PROJECT, STACK = "tests", "case"


@dataclass(frozen=True)
class Registered:
    """One registration; the texts are the options that generated code gives."""

    type: str
    name: str
    inputs: Properties
    parent: str
    provider: str
    protect: bool


class _Cloud(Mocks):
    def __init__(self, ids: Mapping[str, str], outputs: Mapping[str, Properties]) -> None:
        self._ids, self._outputs = ids, outputs

    def new_resource(self, args: MockResourceArgs) -> tuple[str | None, dict[Any, Any]]:
        return self._ids.get(args.name, args.name), {**args.inputs, **self._outputs.get(args.name, {})}

    def call(self, args: MockCallArgs) -> Any:
        raise AssertionError(f"generated code calls {args.token}")


@dataclass
class _Engine(MockMonitor):
    cloud: _Cloud
    registered: list[Registered] = field(default_factory=list[Registered])

    def __post_init__(self) -> None:
        super().__init__(self.cloud)
        self._guard = threading.Lock()

    def RegisterResource(self, request: Any) -> Any:  # noqa: N802 - the protocol's name
        inputs = wire.decode(request.object)
        made = Registered(request.type, request.name, inputs, request.parent, request.provider, request.protect)
        with self._guard:
            self.registered.append(made)
        return super().RegisterResource(request)


def registered_by(
    code: str,
    *,
    secrets: Mapping[str, str] | None = None,
    ids: Mapping[str, str] | None = None,
    outputs: Mapping[str, Properties] | None = None,
    before: Callable[[], dict[str, Any]] = dict,
) -> list[Registered]:
    """What ``code`` registers, by the order; ``secrets`` is its configuration.

    ``ids`` and ``outputs`` (by name) are what its resources come to; ``before`` makes what the code finds in place.
    """
    engine = _Engine(_Cloud(ids or {}, outputs or {}))
    config = {f"{PROJECT}:{key}": value for key, value in (secrets or {}).items()}
    variables = {"PULUMI_CONFIG": json.dumps(config), "PULUMI_CONFIG_SECRET_KEYS": json.dumps(list(config))}

    def program() -> None:
        set_mocks(engine.cloud, project=PROJECT, stack=STACK, preview=False, monitor=engine)
        with mock.patch.dict(os.environ, variables):
            test(lambda: exec(compile(code, "pasted", "exec"), before()))()

    in_fresh_context(program)
    return [one for one in engine.registered if one.type != "pulumi:pulumi:Stack"]
