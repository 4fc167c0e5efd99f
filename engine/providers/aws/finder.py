"""Finding what a create made whose run died: by its id, the operation's token among its tags, or its natural keys."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final, cast

from engine.providers.aws import shapes
from engine.providers.aws.calls import ApiError
from engine.providers.aws.expressions import Scope, evaluate, filled, id_parts, search
from engine.providers.aws.reader import Reader
from engine.providers.aws.runner import Runner
from engine.providers.aws.schema import STRING, MapOf
from engine.providers.aws.spec import OPERATION_TAG
from engine.providers.base import CannotTell, Found
from engine.values import Properties

TAG_LISTS: Final = ("Tags", "TagSet", "TagList", "tags", "tagList")


class Finder:
    """Finds resources of one type."""

    def __init__(self, runner: Runner, reader: Reader) -> None:
        self.spec = runner.spec
        self._runner = runner
        self._reader = reader

    def find(self, inputs: Properties, *, token: str, known_ids: frozenset[str]) -> Found | None:
        """What a create with ``inputs`` and ``token`` may have made; None when it made nothing.

        Raises CannotTell for a type that nobody can find.
        """
        if self.spec.find.by == "nobody":
            raise CannotTell(
                f"whether a {self.spec.name} was created before that run ended can't be told from what there is: look"
                " for one that nobody knows and delete it; another is created"
            )
        scope = self._runner.scope(inputs=inputs, token=token)
        for id_ in self._candidates(scope, token, known_ids):
            if id_ not in known_ids and (found := self._reader.read(id_, inputs, {})):
                return found
        return None

    def _candidates(self, scope: Scope, token: str, known_ids: frozenset[str]) -> Iterable[str]:
        find = self.spec.find
        if find.by == "id":
            id_ = evaluate(self.spec.id, scope)
            if isinstance(id_, str) and id_ not in known_ids and self._is_ours(id_, scope, token):
                yield id_
            return
        assert find.operation and find.id, "parse.py refuses a specification without them"
        params = self._runner.params(find.operation, find.params, scope)
        answer = self._runner.caller.listed(self.spec.service, scope.region, find.operation, params)
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
                answer = self._runner.call(find.tags, scope.with_(item=item), None)
            except ApiError:
                return False  # an item that we may not look at is none of ours
            listed = search(find.tags.result, answer) if find.tags.result else answer
        carried = cast("dict[str, str]", shapes.from_api(listed or [], MapOf(STRING), {}))
        return carried.get(OPERATION_TAG) == token

    def _is_ours(self, id_: str, scope: Scope, token: str) -> bool:
        """Whether what has this id was made by the create that carried ``token``; without tags the id has to do."""
        tagged = any("tagsAll" in repr(operation.params) for operation in self.spec.create)
        if not tagged or "tagsAll" not in self.spec.properties:
            return True
        parts = id_parts(self.spec.id, id_) or {}
        here = scope.with_(id=id_, id_parts=parts)
        document = self._reader.document(here)
        if document is None:
            return False
        carried = evaluate(self.spec.properties["tagsAll"], here.with_(answer=document))
        found = cast("dict[str, str]", shapes.from_api(carried or [], MapOf(STRING), {}))
        # Where tags are a call of their own, a run may have died before it: then there are none at all.
        return found.get(OPERATION_TAG) == token or (not found and not self.spec.tags_at_birth)
