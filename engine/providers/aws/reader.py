"""Reading: what the API says of a resource, as the properties that a program sees."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from engine.providers.aws import overlay, shapes, tags
from engine.providers.aws.calls import ApiError
from engine.providers.aws.expressions import Scope, evaluate, filled, holds, id_parts, property_value, search
from engine.providers.aws.runner import Runner
from engine.providers.aws.spec import Operation
from engine.providers.base import Found, ProviderError
from engine.values import Properties, secret


class Reader:
    """Reads resources of one type."""

    def __init__(self, runner: Runner) -> None:
        self.spec = runner.spec
        self._runner = runner

    def read(self, id_: str, inputs: Properties, outputs: Properties) -> Found | None:
        """The resource as it is now; None when there is none."""
        id_, region = self._id_and_region(id_)
        known = {**inputs, "region": region} if region else inputs
        live = self.live(id_, known, outputs)
        if live is None:
            return None
        # Its tags apart from the defaults are what the resource itself was given.
        found = overlay.inputs(self.spec, self._runner.config, inputs, outputs, live)
        if region:
            found["region"] = region
        shown = self.with_tags(self.outputs(inputs, live), found)
        if not inputs and not outputs:  # an import: else whoever asks knows what is secret
            found, shown = self._marked(found), self._marked(shown)
        return Found(id_, found, shown)

    def outputs(self, inputs: Properties, live: Properties) -> Properties:
        """What the program sees of ``live``; what AWS tells once is secret, whoever asks."""
        shown = overlay.outputs(self.spec, inputs, live)
        return {key: secret(value) if key in self.spec.told_once else value for key, value in shown.items()}

    def _marked(self, properties: Properties) -> Properties:
        return {key: secret(value) if key in self.spec.secret else value for key, value in properties.items()}

    def live(self, id_: str, inputs: Properties, outputs: Properties) -> Properties | None:
        """Every declared property as AWS has it, in Pulumi's form; what AWS doesn't know is taken from ``inputs``."""
        parts = id_parts(self.spec.id, id_)
        if parts is None:
            raise ProviderError(f"{id_!r} is not an id of a {self.spec.name}: expected the form {self.spec.id[1:]}")
        scope = self._runner.scope(id=id_, inputs=inputs, outputs=outputs, id_parts=parts)
        answer = self.document(scope)
        if answer is None:
            return None
        live = {key: inputs[key] for key in self.spec.local if inputs.get(key) is not None}
        live.update({key: outputs[key] for key in self.spec.told_once if outputs.get(key) is not None})
        for key in self.spec.local - live.keys():
            if self.is_computed(key) and outputs.get(key) is not None:
                live[key] = outputs[key]
        live.update(self._properties(scope.with_(answer=answer), answer, live))
        if self.spec.taggable:
            live.pop("tags", None)  # an answer's Tags are all of them, not the resource's own
            live["tagsAll"] = tags.visible(self._runner.config, cast("dict[str, str]", live.get("tagsAll") or {}))
        if self.spec.regional:
            live["region"] = scope.region
        return live

    def document(self, scope: Scope) -> dict[str, Any] | None:
        """The answers of all read operations in one: the first's at the top, the others' under their places."""
        document: dict[str, Any] = {}
        for operation in self.spec.read:
            if not holds(operation.conditions, scope.with_(answer=document)):
                continue
            if operation.each and operation.place:
                document[operation.place] = self._answers(operation, scope.with_(answer=document))
                continue
            try:
                answer = self._runner.call(operation, scope.with_(answer=document), None, pages=True)
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
        return [{"item": item, "answer": self._runner.call(operation, scope.with_(item=item), None)} for item in items]

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

    def with_tags(self, outputs: Properties, inputs: Properties) -> Properties:
        if self.spec.taggable and inputs.get("tags") is not None:
            outputs["tags"] = inputs["tags"]
        return outputs

    def _id_and_region(self, id_: str) -> tuple[str, str | None]:
        """An id to import may name its region behind an ``@``, as pulumi_aws 7 has it."""
        bare, at, region = id_.rpartition("@")
        if self.spec.regional and at and region.count("-") >= 2 and region[-1:].isdigit():
            return bare, region
        return id_, None

    def is_computed(self, key: str) -> bool:
        return key in self.spec.inputs and self.spec.inputs[key].computed
