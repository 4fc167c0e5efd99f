"""Create, read, update, delete and find: a specification carried out through botocore."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from typing import Any, Final, cast

from engine.providers.aws import overlay, shapes, tags
from engine.providers.aws.calls import ApiError, Caller
from engine.providers.aws.config import Config
from engine.providers.aws.difference import changed
from engine.providers.aws.expressions import (
    Scope,
    evaluate,
    filled,
    holds,
    id_parts,
    property_value,
    search,
    selections,
)
from engine.providers.aws.hooks import HOOKS
from engine.providers.aws.schema import STRING, MapOf
from engine.providers.aws.spec import OPERATION_TAG, Operation, Spec, Wait
from engine.providers.base import Created, Found, OperationUncertain, PartialFailure, ProviderError, timeout_or
from engine.values import Properties

DEFAULT_TIMEOUT: Final = 1200.0  # seconds, for creating, changing or deleting one resource
LOOKS_AFTER_CREATE: Final = 5  # AWS may take a moment until a read sees what a create made
TAG_LISTS: Final = ("Tags", "TagSet", "TagList", "tags", "tagList")


class Lifecycle:
    """The life of resources of one type, under one configuration."""

    def __init__(self, spec: Spec, caller: Caller, config: Config) -> None:
        self.spec = spec
        self._caller = caller
        self._config = config

    def create(self, inputs: Properties, *, token: str, timeout: float) -> Created:
        """Create and complete. Raises PartialFailure once the resource exists and something after that fails."""
        deadline = time.monotonic() + timeout_or(DEFAULT_TIMEOUT, timeout)
        given = dict(inputs)
        if self.spec.taggable:
            given["tagsAll"] = {**(inputs.get("tagsAll") or {}), OPERATION_TAG: token}
        scope = self._scope(inputs=given, token=token)
        first, *rest = self.spec.create
        scope = self._make(first, scope, deadline, token)
        assert scope.id is not None, "_make sets it"
        try:
            self._wait(first, scope, deadline)
            for operation in rest:
                given_here = [key for key in operation.when if given.get(key) is not None]
                if (given_here or not operation.when) and holds(operation.conditions, scope):
                    self._run(operation, scope, deadline)
            return Created(scope.id, self._outputs_after(scope.id, inputs, {}))
        except ProviderError as error:
            outputs = {**inputs, **self._outputs_if_there(scope.id, inputs)}
            raise PartialFailure(scope.id, outputs, [f"{self._title(scope.id)} was created, but {error}"]) from error

    def update(
        self, id_: str, old_inputs: Properties, old_outputs: Properties, inputs: Properties, *, timeout: float
    ) -> Properties:
        """Run the operations whose properties changed. Raises PartialFailure when some had run before one failed."""
        deadline = time.monotonic() + timeout_or(DEFAULT_TIMEOUT, timeout)
        differing = changed(self.spec, old_inputs, old_outputs, inputs)
        kept = {k: v for k, v in old_outputs.items() if k in self.spec.outputs or self._is_computed(k)}
        kept.pop("tagsAll", None)
        scope = self._scope(id=id_, inputs=inputs, outputs=kept, old=old_inputs)
        done = 0
        try:
            for operation in self.spec.update:
                if differing.intersection(operation.when) and holds(operation.conditions, scope):
                    self._run(operation, scope, deadline)
                    done += 1
            return self._outputs_after(id_, inputs, old_outputs)
        except ProviderError as error:
            if not done:
                raise
            outputs = {**old_outputs, **self._outputs_if_there(id_, inputs)}
            raise PartialFailure(id_, outputs, [f"{self._title(id_)} was changed in part: {error}"]) from error

    def delete(self, id_: str, inputs: Properties, outputs: Properties, *, timeout: float) -> None:
        """Delete and wait until gone; whatever is gone already is a success."""
        deadline = time.monotonic() + timeout_or(DEFAULT_TIMEOUT, timeout)
        scope = self._scope(id=id_, inputs=inputs, outputs=outputs)
        for operation in self.spec.delete:
            if not holds(operation.conditions, scope):
                continue
            try:
                self._run(operation, scope, deadline)
            except ApiError as error:
                if error.code not in self.spec.missing:
                    raise

    def read(self, id_: str, inputs: Properties, outputs: Properties) -> Found | None:
        """The resource as it is now; None when there is none."""
        id_, region = self._id_and_region(id_)
        known = {**inputs, "region": region} if region else inputs
        live = self._live(id_, known, outputs)
        if live is None:
            return None
        # Its tags apart from the defaults are what the resource itself was given.
        found = overlay.inputs(self.spec, self._config, inputs, outputs, live)
        if region:
            found["region"] = region
        return Found(id_, found, self._with_tags(overlay.outputs(self.spec, inputs, live), found))

    def find(self, inputs: Properties, *, token: str, known_ids: frozenset[str]) -> Found | None:
        """What a create with ``inputs`` and ``token`` may have made; None when it made nothing."""
        scope = self._scope(inputs=inputs, token=token)
        for id_ in self._candidates(scope, token, known_ids):
            if id_ not in known_ids and (found := self.read(id_, inputs, {})):
                return found
        return None

    # --- creating -----------------------------------------------------------------------------------------------

    def _make(self, first: Operation, scope: Scope, deadline: float, token: str) -> Scope:
        """Run the operation that makes the resource; the scope with its answer and the id."""
        try:
            answer = self._call(first, scope, deadline)
        except OperationUncertain:
            # Perhaps it did happen: what carries our token is ours.
            found = self.find(scope.inputs, token=token, known_ids=frozenset())
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
            live = self._live(id_, inputs, old_outputs)
            if live is not None:
                return self._with_tags(overlay.outputs(self.spec, inputs, live), inputs)
            time.sleep(0.05 * 2**attempt)
        raise ProviderError(f"{self._title(id_)} can't be found by {self.spec.read[0].title}")

    def _outputs_if_there(self, id_: str, inputs: Properties) -> Properties:
        """The outputs as far as they can be told, for a resource that is not as it should be."""
        try:
            live = self._live(id_, inputs, {})
        except ProviderError:
            return {}
        return overlay.outputs(self.spec, inputs, live) if live else {}

    # --- reading ------------------------------------------------------------------------------------------------

    def _live(self, id_: str, inputs: Properties, outputs: Properties) -> Properties | None:
        """Every declared property as AWS has it, in Pulumi's form; what AWS doesn't know is taken from ``inputs``."""
        parts = id_parts(self.spec.id, id_)
        if parts is None:
            raise ProviderError(f"{id_!r} is not an id of a {self.spec.name}: expected the form {self.spec.id[1:]}")
        scope = self._scope(id=id_, inputs=inputs, outputs=outputs, id_parts=parts)
        answer = self._document(scope)
        if answer is None:
            return None
        live = {key: inputs[key] for key in self.spec.local if inputs.get(key) is not None}
        for key in self.spec.local - live.keys():
            if self._is_computed(key) and outputs.get(key) is not None:
                live[key] = outputs[key]
        live.update(self._properties(scope.with_(answer=answer), answer, live))
        if self.spec.taggable:
            live.pop("tags", None)  # an answer's Tags are all of them, not the resource's own
            live["tagsAll"] = tags.visible(self._config, cast("dict[str, str]", live.get("tagsAll") or {}))
        if self.spec.regional:
            live["region"] = scope.region
        return live

    def _document(self, scope: Scope) -> dict[str, Any] | None:
        """The answers of all read operations in one: the first's at the top, the others' under their places."""
        document: dict[str, Any] = {}
        for operation in self.spec.read:
            if not holds(operation.conditions, scope.with_(answer=document)):
                continue
            if operation.each and operation.place:
                document[operation.place] = self._answers(operation, scope.with_(answer=document))
                continue
            try:
                answer = self._call(operation, scope.with_(answer=document), None, pages=True)
                result = search(filled(operation.result, scope), answer) if operation.result else answer
            except ApiError as error:
                if error.code in operation.missing:
                    continue
                if error.code in self.spec.missing:
                    return None
                raise
            if operation.place:
                document[operation.place] = result
            elif result is None or result == []:
                return None
            else:
                document.update(result if isinstance(result, dict) else {"result": result})
        return None if self.spec.gone and search(self.spec.gone, document) else document

    def _answers(self, operation: Operation, scope: Scope) -> list[dict[str, Any]]:
        """The answers of a read operation that is made for each of several items, with the item."""
        assert operation.each is not None, "the caller has looked"
        items = property_value(operation.each, scope)[1] or []
        return [{"item": item, "answer": self._call(operation, scope.with_(item=item), None)} for item in items]

    def _properties(self, scope: Scope, answer: Mapping[str, Any], local: Properties) -> Properties:
        declared = {**self.spec.inputs, **self.spec.outputs}
        by_name = {k: f for k, f in declared.items() if k not in self.spec.local and k not in self.spec.properties}
        # A place for a read operation's answer is not a member of the resource's own.
        places = {operation.place for operation in self.spec.read}
        members = {key: value for key, value in answer.items() if key not in places}
        live = {**local}
        for key, field in by_name.items():
            name = self.spec.renames.get(key) or shapes.member_of(key, members)
            value = shapes.from_api(members.get(name), field.type, self.spec.renames, key) if name else None
            if value is not None:
                live[key] = value
        for key, expression in self.spec.properties.items():
            value = evaluate(
                expression, scope.with_(outputs={**scope.outputs, **live}, inputs={**scope.inputs, **live})
            )
            converted = shapes.from_api(value, declared[key].type, self.spec.renames, key)
            if converted is not None:
                live[key] = converted
        return live

    def _with_tags(self, outputs: Properties, inputs: Properties) -> Properties:
        if self.spec.taggable and inputs.get("tags") is not None:
            outputs["tags"] = inputs["tags"]
        return outputs

    # --- finding ------------------------------------------------------------------------------------------------

    def _candidates(self, scope: Scope, token: str, known_ids: frozenset[str]) -> Iterable[str]:
        find = self.spec.find
        if find.by == "id":
            id_ = evaluate(self.spec.id, scope)
            if isinstance(id_, str) and id_ not in known_ids and self._is_ours(id_, scope, token):
                yield id_
            return
        assert find.operation and find.id, "parse.py refuses a specification without them"
        params = self._params(find.operation, find.params, scope)
        answer = self._caller.listed(self.spec.service, scope.region, find.operation, params)
        items = (search(find.items, answer) or []) if find.items else [answer]
        for item in items:
            id_ = search(filled(find.id, scope), item)
            if isinstance(id_, str) and id_ not in known_ids and self._matches(item, scope, token):
                yield id_

    def _matches(self, item: Any, scope: Scope, token: str) -> bool:
        find = self.spec.find
        if any(search(filled(path, scope), item) != evaluate(wanted, scope) for path, wanted in find.match.items()):
            return False
        if find.by != "token" or not find.items:
            return True
        if find.tags is None:
            listed = next((item[key] for key in TAG_LISTS if item.get(key)), [])
        else:
            try:
                answer = self._call(find.tags, scope.with_(item=item), None)
            except ApiError:
                return False  # an item that we may not look at is none of ours
            listed = search(find.tags.result, answer) if find.tags.result else answer
        carried = cast("dict[str, str]", shapes.from_api(listed or [], MapOf(STRING), {}))
        return carried.get(OPERATION_TAG) == token

    def _is_ours(self, id_: str, scope: Scope, token: str) -> bool:
        """Whether what has this id was made by the create that carried ``token``; without tags the id has to do."""
        if not self.spec.tags_at_birth or "tagsAll" not in self.spec.properties:
            return True
        parts = id_parts(self.spec.id, id_) or {}
        here = scope.with_(id=id_, id_parts=parts)
        document = self._document(here)
        if document is None:
            return False
        carried = evaluate(self.spec.properties["tagsAll"], here.with_(answer=document))
        found = cast("dict[str, str]", shapes.from_api(carried or [], MapOf(STRING), {}))
        return found.get(OPERATION_TAG) == token

    # --- calling ------------------------------------------------------------------------------------------------

    def _run(self, operation: Operation, scope: Scope, deadline: float) -> None:
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
            HOOKS[operation.hook](self._caller, scope)
            return
        try:
            self._call(operation, scope, deadline)
        except ApiError as error:
            if error.code not in operation.missing:
                raise
        self._wait(operation, scope, deadline)

    def _call(
        self, operation: Operation, scope: Scope, deadline: float | None, *, pages: bool = False
    ) -> dict[str, Any]:
        assert operation.operation is not None, "parse.py refuses an operation without a name"
        service = operation.service or self.spec.service
        params = self._params(operation.operation, operation.params, scope, service)
        if pages:
            return self._caller.listed(service, scope.region, operation.operation, params)
        repeatable = True if operation.idempotent or "'token'" in repr(operation.params) else None
        return self._caller.call(
            service,
            scope.region,
            operation.operation,
            params,
            repeatable=repeatable,
            passing=operation.retry,
            deadline=deadline,
        )

    def _params(
        self, operation: str, params: Mapping[str, Any], scope: Scope, service: str | None = None
    ) -> dict[str, Any]:
        shape = self._caller.input_shape(service or self.spec.service, scope.region, operation)
        try:
            return evaluate(dict(params), scope, shape) or {}
        except shapes.NoSuchMember as error:
            raise ProviderError(f"{operation}: {error}") from error

    def _wait(self, operation: Operation, scope: Scope, deadline: float) -> None:
        if operation.wait is None:
            return
        left = max(1.0, deadline - time.monotonic())
        if operation.wait.waiter:
            params = evaluate(dict(operation.wait.params), scope)
            self._caller.wait(self.spec.service, scope.region, operation.wait.waiter, params, left)
        else:
            self._poll(operation.wait, scope, deadline)

    def _poll(self, wait: Wait, scope: Scope, deadline: float) -> None:
        """Look until the condition of ``wait`` holds. Raises ProviderError on failure and at the deadline."""
        look = Operation(operation=wait.operation, params=wait.params)
        while True:
            try:
                answer = self._call(look, scope, deadline)
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

    def _scope(self, *, inputs: Properties, **more: Any) -> Scope:
        region = self._config.region_of(inputs if inputs.get("region") else more.get("outputs", {}))
        return Scope(
            inputs=inputs,
            region=region,
            renames=self.spec.renames,
            account=lambda: self._caller.account(region),
            **more,
        )

    def _id_and_region(self, id_: str) -> tuple[str, str | None]:
        """An id to import may name its region behind an ``@``, as pulumi_aws 7 has it."""
        bare, at, region = id_.rpartition("@")
        if self.spec.regional and at and region.count("-") >= 2 and region[-1:].isdigit():
            return bare, region
        return id_, None

    def _is_computed(self, key: str) -> bool:
        return key in self.spec.inputs and self.spec.inputs[key].computed

    def _title(self, id_: str) -> str:
        return f"{self.spec.name} {id_!r}"
