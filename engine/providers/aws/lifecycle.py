"""Create, update and delete: a specification carried out through botocore."""

from __future__ import annotations

import time
from typing import Final

from engine.providers.aws.calls import ApiError, Caller
from engine.providers.aws.config import Config
from engine.providers.aws.difference import changed
from engine.providers.aws.expressions import Scope, evaluate, holds
from engine.providers.aws.finder import Finder
from engine.providers.aws.reader import Reader
from engine.providers.aws.runner import Runner
from engine.providers.aws.spec import OPERATION_TAG, Operation, Spec
from engine.providers.base import Created, OperationUncertain, PartialFailure, ProviderError, timeout_or
from engine.values import Properties

DEFAULT_TIMEOUT: Final = 1200.0  # seconds, for creating, changing or deleting one resource
LOOKS_AFTER_CREATE: Final = 5  # AWS may take a moment until a read sees what a create made


class Lifecycle:
    """The life of resources of one type, under one configuration; ``reader`` and ``finder`` share what it runs on."""

    def __init__(self, spec: Spec, caller: Caller, config: Config) -> None:
        self.spec = spec
        self._runner = Runner(spec, caller, config)
        self.reader = Reader(self._runner)
        self.finder = Finder(self._runner, self.reader)

    def create(self, inputs: Properties, *, token: str, timeout: float) -> Created:
        """Create and complete. Raises PartialFailure once the resource exists and something after that fails."""
        deadline = time.monotonic() + timeout_or(DEFAULT_TIMEOUT, timeout)
        given = dict(inputs)
        if self.spec.taggable:
            given["tagsAll"] = {**(inputs.get("tagsAll") or {}), OPERATION_TAG: token}
        scope = self._runner.scope(inputs=given, token=token)
        first, *rest = self.spec.create
        scope = self._make(first, scope, deadline, token)
        assert scope.id is not None, "_make sets it"
        told = {key: evaluate(expression, scope) for key, expression in self.spec.told_once.items()}
        try:
            self._runner.wait(first, scope, deadline)
            for operation in rest:
                given_here = [key for key in operation.when if given.get(key) is not None]
                if (given_here or not operation.when) and holds(operation.conditions, scope):
                    self._runner.run(operation, scope, deadline)
            return Created(scope.id, self._outputs_after(scope.id, inputs, told))
        except ProviderError as error:
            outputs = {**inputs, **self._outputs_if_there(scope.id, inputs, told)}
            raise PartialFailure(scope.id, outputs, [f"{self._title(scope.id)} was created, but {error}"]) from error

    def update(
        self, id_: str, old_inputs: Properties, old_outputs: Properties, inputs: Properties, *, timeout: float
    ) -> Properties:
        """Run the operations whose properties changed. Raises PartialFailure when some had run before one failed."""
        deadline = time.monotonic() + timeout_or(DEFAULT_TIMEOUT, timeout)
        differing = changed(self.spec, old_inputs, old_outputs, inputs)
        kept = {k: v for k, v in old_outputs.items() if k in self.spec.outputs or self._stays(k, differing)}
        kept.pop("tagsAll", None)
        scope = self._runner.scope(id=id_, inputs=inputs, outputs=kept, old=old_inputs)
        done = 0
        try:
            for operation in self.spec.update:
                if differing.intersection(operation.when) and holds(operation.conditions, scope):
                    self._runner.run(operation, scope, deadline)
                    done += 1
            return self._outputs_after(id_, inputs, old_outputs)
        except ProviderError as error:
            if not done:
                raise
            outputs = {**old_outputs, **self._outputs_if_there(id_, inputs, old_outputs)}
            raise PartialFailure(id_, outputs, [f"{self._title(id_)} was changed in part: {error}"]) from error

    def delete(self, id_: str, inputs: Properties, outputs: Properties, *, timeout: float) -> None:
        """Delete and wait until gone; whatever is gone already is a success."""
        deadline = time.monotonic() + timeout_or(DEFAULT_TIMEOUT, timeout)
        scope = self._runner.scope(id=id_, inputs=inputs, outputs=outputs)
        for operation in self.spec.delete:
            if not holds(operation.conditions, scope):
                continue
            try:
                self._runner.run(operation, scope, deadline)
            except ApiError as error:
                if error.code not in self.spec.missing:
                    raise

    def _stays(self, key: str, differing: frozenset[str]) -> bool:
        """Whether AWS filled ``key`` in, and nothing is changed that it follows."""
        return self.reader.is_computed(key) and not differing.intersection(self.spec.changes_with.get(key, ()))

    def _make(self, first: Operation, scope: Scope, deadline: float, token: str) -> Scope:
        """Run the operation that makes the resource; the scope with its answer and the id."""
        try:
            answer = self._runner.call(first, scope, deadline)
        except OperationUncertain as uncertain:
            # Perhaps it did happen: what carries our token is ours.
            try:
                found = self.finder.find(scope.inputs, token=token, known_ids=frozenset())
            except ProviderError as error:  # it can't be told now either: the next run must look
                raise OperationUncertain(f"{uncertain}; looking for it: {error}") from error
            if found is None or self.spec.find.by == "keys":
                raise
            return scope.with_(id=found.id)
        scope = scope.with_(answer=answer)
        id_ = evaluate(self.spec.id, scope)
        if not isinstance(id_, str) or not id_:
            raise ProviderError(f"{first.title} answered without {self.spec.id}: {answer!r}")
        return scope.with_(id=id_)

    def _outputs_after(self, id_: str, inputs: Properties, old_outputs: Properties) -> Properties:
        for attempt in range(LOOKS_AFTER_CREATE):
            live = self.reader.live(id_, inputs, old_outputs)
            if live is not None:
                return self.reader.with_tags(self.reader.outputs(inputs, live), inputs)
            time.sleep(0.05 * 2**attempt)
        raise ProviderError(f"{self._title(id_)} can't be found by {self.spec.read[0].title}")

    def _outputs_if_there(self, id_: str, inputs: Properties, old_outputs: Properties) -> Properties:
        """The outputs as far as they can be told, for a resource that is not as it should be."""
        try:
            live = self.reader.live(id_, inputs, {k: v for k, v in old_outputs.items() if k in self.spec.told_once})
        except ProviderError:
            return {}
        return self.reader.outputs(inputs, live) if live else {}

    def _title(self, id_: str) -> str:
        return f"{self.spec.name} {id_!r}"
