"""JMESPath as specifications use it: the language of botocore, with functions that it lacks.

items(object) -> [[key, value], ...]    from_items([[key, value], ...]) -> object    (as JMESPath Community has them)
split(text, separator) -> [text, ...]   from_json(text) -> value
format_time(time, format) -> text       UTC; ``format`` as strftime has it
inline_rules(rules, known, group, egress) -> [rule, ...]    and
inline_routes(routes, known) -> [route, ...]                what EC2 answers in a program's form (inline.py)
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import jmespath
from jmespath import exceptions, functions

from engine.providers.aws import inline
from engine.providers.base import ProviderError


class _Functions(functions.Functions):
    @functions.signature({"types": ["object"]})
    def _func_items(self, value: dict[str, Any]) -> list[list[Any]]:
        return [[key, item] for key, item in value.items()]

    @functions.signature({"types": ["array"]})
    def _func_from_items(self, pairs: list[list[Any]]) -> dict[str, Any]:
        return {str(key): item for key, item in pairs}

    @functions.signature({"types": ["string"]}, {"types": ["string"]})
    def _func_split(self, text: str, separator: str) -> list[str]:
        return text.split(separator)

    @functions.signature({"types": ["string"]})
    def _func_from_json(self, text: str) -> Any:
        return json.loads(text)

    @functions.signature({"types": []}, {"types": ["string"]})
    def _func_format_time(self, time: datetime, form: str) -> str:
        return time.astimezone(UTC).strftime(form)

    @functions.signature(
        {"types": ["array"]}, {"types": ["array", "null"]}, {"types": ["string"]}, {"types": ["boolean"]}
    )
    def _func_inline_rules(
        self, rules: list[dict[str, Any]], known: list[dict[str, Any]] | None, group: str, egress: bool
    ) -> list[dict[str, Any]]:
        return inline.rules(inline.granted(rules, egress=egress), known or [], group)

    @functions.signature({"types": ["array"]}, {"types": ["array", "null"]})
    def _func_inline_routes(
        self, routes: list[dict[str, Any]], known: list[dict[str, Any]] | None
    ) -> list[dict[str, Any]]:
        return inline.routes(routes, known or [])


_OPTIONS = jmespath.Options(custom_functions=_Functions())


def query(expression: str, document: Any) -> Any:
    """What ``expression`` finds in ``document``; None when there is nothing. Raises ProviderError when it is wrong."""
    try:
        return jmespath.search(expression, document, _OPTIONS)
    except exceptions.JMESPathError as error:
        raise ProviderError(f"{expression!r} in the specification of this type: {error}") from error
