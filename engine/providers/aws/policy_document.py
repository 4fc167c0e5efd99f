"""``aws.iam.getPolicyDocument``: statements as a JSON policy, in the text that pulumi_aws gives.

Source: the documentation of the data source ``aws_iam_policy_document``; the texts were compared with its examples.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping, Sequence
from typing import Any, cast

from engine.providers.base import CheckFailure
from engine.values import UNKNOWN, Properties, Value, has_unknown

DEFAULT_VERSION = "2012-10-17"
LISTS = {"actions": "Action", "notActions": "NotAction", "resources": "Resource", "notResources": "NotResource"}
PRINCIPALS = {"principals": "Principal", "notPrincipals": "NotPrincipal"}
KEY_ORDER = ("Sid", "Effect", *LISTS.values(), *PRINCIPALS.values(), "Condition")


def policy_document(args: Properties) -> tuple[Properties, list[CheckFailure]]:
    """The function's result (``json``, ``minifiedJson``, ``id``, its arguments) and what is wrong with those."""
    if has_unknown(args):
        return {**args, "id": UNKNOWN, "json": UNKNOWN, "minifiedJson": UNKNOWN}, []
    failures: list[CheckFailure] = []
    version = str(args.get("version") or DEFAULT_VERSION)
    document: dict[str, Any] = {"Version": version}
    if policy_id := args.get("policyId"):
        document["Id"] = policy_id
    own = [_statement(item, version) for item in _listed(args.get("statements"))]
    sources = _texts(args, "sourceJson", "sourcePolicyDocuments")
    overrides = _texts(args, "overrideJson", "overridePolicyDocuments")
    merged: list[dict[str, Any]] = []
    for place, text in sources:
        _merge(document, merged, _loaded(place, text, failures), override=False, place=place, failures=failures)
    for index, statement in enumerate(own):
        place = f"statements[{index}].sid"
        _merge(document, merged, {"Statement": [statement]}, override=False, place=place, failures=failures)
    for place, text in overrides:
        _merge(document, merged, _loaded(place, text, failures), override=True, place=place, failures=failures)
    if merged:
        document["Statement"] = merged
    text = _go_json(document, indent=2)
    result = {
        **args,
        "version": document["Version"],
        "id": str(zlib.crc32(text.encode())),
        "json": text,
        "minifiedJson": _go_json(document, indent=None),
    }
    return result, failures


def _statement(source: Mapping[str, Any], version: str) -> dict[str, Any]:
    statement: dict[str, Any] = {"Sid": source.get("sid") or None, "Effect": source.get("effect") or "Allow"}
    for key, member in LISTS.items():
        statement[member] = _one_or_many([_placeholders(item, version) for item in _listed(source.get(key))])
    for key, member in PRINCIPALS.items():
        statement[member] = _principals(_listed(source.get(key)), version)
    statement["Condition"] = _conditions(_listed(source.get("conditions")), version)
    return {key: statement[key] for key in KEY_ORDER if statement[key] is not None}


def _principals(blocks: Sequence[Mapping[str, Any]], version: str) -> Value:
    if not blocks:
        return None
    if len(blocks) == 1 and blocks[0]["type"] == "*" and list(blocks[0]["identifiers"]) == ["*"]:
        return "*"
    by_type: dict[str, list[str]] = {}
    for block in blocks:
        identifiers = [_placeholders(item, version) for item in block["identifiers"]]
        by_type.setdefault(str(block["type"]), []).extend(identifiers)
    return {kind: _one_or_many(by_type[kind]) for kind in sorted(by_type)}


def _conditions(blocks: Sequence[Mapping[str, Any]], version: str) -> Value:
    tests: dict[str, dict[str, Any]] = {}
    for block in blocks:
        values = [_placeholders(item, version) for item in block["values"]]
        test = tests.setdefault(str(block["test"]), {})
        held = test.get(str(block["variable"]))
        before: list[Any] = cast("list[Any]", held) if isinstance(held, list) else [] if held is None else [held]
        test[str(block["variable"])] = [*before, *values] if len(before) + len(values) != 1 else values[0]
    return {test: dict(sorted(tests[test].items())) for test in sorted(tests)} or None


def _one_or_many(values: list[str]) -> Value:
    if not values:
        return None
    return values[0] if len(values) == 1 else sorted(set(values), reverse=True)


def _placeholders(text: object, version: str) -> str:
    """``&{aws:username}`` stands for IAM's ``${aws:username}``, which programs can't always write."""
    return str(text).replace("&{", "${") if version == DEFAULT_VERSION else str(text)


def _texts(args: Properties, single: str, many: str) -> list[tuple[str, str]]:
    alone = [(single, args[single])] if args.get(single) else []
    return alone + [(f"{many}[{index}]", text) for index, text in enumerate(_listed(args.get(many))) if text]


def _loaded(place: str, text: str, failures: list[CheckFailure]) -> dict[str, Any]:
    try:
        document: Any = json.loads(text)
    except ValueError as error:
        failures.append(CheckFailure(place, f"contains invalid JSON: {error}"))
        return {}
    if isinstance(document, dict):
        return cast("dict[str, Any]", document)
    failures.append(CheckFailure(place, "expected a policy document, an object"))
    return {}


def _merge(
    document: dict[str, Any],
    merged: list[dict[str, Any]],
    other: Mapping[str, Any],
    *,
    override: bool,
    place: str,
    failures: list[CheckFailure],
) -> None:
    """Add the statements of ``other``; one with the Sid of an earlier one takes its place, where that is meant."""
    for key in ("Version", "Id"):
        if other.get(key):
            document[key] = other[key]
    statements = other.get("Statement", [])
    for statement in cast("list[dict[str, Any]]", statements if isinstance(statements, list) else [statements]):
        sid = statement.get("Sid")
        same = next((index for index, item in enumerate(merged) if sid and item.get("Sid") == sid), None)
        if same is None:
            merged.append(statement)
        elif override:
            merged[same] = statement
        else:
            failures.append(CheckFailure(place, f"duplicate Sid {sid!r}: remove one or make the Sids differ"))


def _go_json(document: Mapping[str, Any], *, indent: int | None) -> str:
    """JSON as Go writes it: ``<``, ``>`` and ``&`` are escaped."""
    text = json.dumps(document, indent=indent, ensure_ascii=False, separators=(",", ": " if indent else ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _listed(value: Value) -> list[Any]:
    return cast("list[Any]", value) if isinstance(value, list) else []
