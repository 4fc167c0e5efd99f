"""Operations of a specification as calls: when they run, with which parameters, and what is waited for."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from engine.providers.aws import shapes
from engine.providers.aws.calls import ApiError, Caller
from engine.providers.aws.config import Config
from engine.providers.aws.expressions import Scope, evaluate, property_value, search, selections
from engine.providers.aws.hooks import HOOKS
from engine.providers.aws.spec import Operation, Spec, Wait
from engine.providers.base import ProviderError
from engine.values import Properties


class Runner:
    """Runs the operations of one type under one configuration."""

    def __init__(self, spec: Spec, caller: Caller, config: Config) -> None:
        self.spec = spec
        self.config = config
        self.caller = caller

    def run(self, operation: Operation, scope: Scope, deadline: float) -> None:
        """Run an operation, once or for each element, and wait as it says."""
        if operation.each:
            for item in property_value(operation.each, scope)[1] or []:
                self._run_once(operation, scope.with_(item=item), deadline)
            return
        chosen = selections(dict(operation.params))
        if chosen and all(property_value(selection, scope)[1] is None for selection in chosen):
            return
        self._run_once(operation, scope, deadline)

    def _run_once(self, operation: Operation, scope: Scope, deadline: float) -> None:
        if operation.hook:
            if operation.hook not in HOOKS:
                raise ProviderError(
                    f"{operation.hook!r} in the specification of {self.spec.type} is no hook of hooks.py"
                )
            HOOKS[operation.hook](self.caller, scope)
            return
        try:
            self.call(operation, scope, deadline)
        except ApiError as error:
            if error.code not in operation.missing:
                raise
        self.wait(operation, scope, deadline)

    def call(
        self, operation: Operation, scope: Scope, deadline: float | None, *, pages: bool = False
    ) -> dict[str, Any]:
        """The answer of an operation; with ``pages`` all of its pages. Raises what ``Caller.call`` does."""
        assert operation.operation is not None, "parse.py refuses an operation without a name"
        service = operation.service or self.spec.service
        params = self.params(operation.operation, operation.params, scope, service)
        if pages:
            return self.caller.listed(service, scope.region, operation.operation, params)
        repeatable = True if operation.idempotent or "'token'" in repr(operation.params) else None
        return self.caller.call(
            service,
            scope.region,
            operation.operation,
            params,
            repeatable=repeatable,
            passing=operation.retry,
            deadline=deadline,
        )

    def params(
        self, operation: str, params: Mapping[str, Any], scope: Scope, service: str | None = None
    ) -> dict[str, Any]:
        """Parameters in the API's form. Raises ProviderError when a property has no counterpart there."""
        shape = self.caller.input_shape(service or self.spec.service, scope.region, operation)
        try:
            return evaluate(dict(params), scope, shape) or {}
        except shapes.NoSuchMember as error:
            raise ProviderError(f"{operation}: {error}") from error

    def wait(self, operation: Operation, scope: Scope, deadline: float) -> None:
        """Wait as the operation says, if it does, until ``deadline`` at most."""
        if operation.wait is None:
            return
        left = max(1.0, deadline - time.monotonic())
        if operation.wait.waiter:
            params = evaluate(dict(operation.wait.params), scope)
            self.caller.wait(self.spec.service, scope.region, operation.wait.waiter, params, left)
        else:
            self._poll(operation.wait, scope, deadline)

    def _poll(self, wait: Wait, scope: Scope, deadline: float) -> None:
        """Look until the condition of ``wait`` holds. Raises ProviderError on failure and at the deadline."""
        look = Operation(operation=wait.operation, params=wait.params)
        while True:
            try:
                answer = self.call(look, scope, deadline)
            except ApiError as error:
                if error.code in (*wait.missing, *self.spec.missing):
                    return
                raise
            if wait.until and search(wait.until, answer):
                return
            if wait.fail and search(wait.fail, answer):
                raise ProviderError(f"{wait.operation}: {wait.fail}: {answer}")
            if time.monotonic() > deadline:
                raise ProviderError(f"{wait.operation}: timed out waiting for {wait.until}")
            time.sleep(0.1)

    def scope(self, *, inputs: Properties, **more: Any) -> Scope:
        """What expressions see: the inputs, whatever else is given, and the region that both lead to."""
        region = self.config.region_of(inputs if inputs.get("region") else more.get("outputs", {}))
        return Scope(
            inputs=inputs,
            region=region,
            renames=self.spec.renames,
            account=lambda: self.caller.account(region),
            **more,
        )
