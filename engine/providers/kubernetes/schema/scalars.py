"""What is wrong with a single value of a scalar type, in words."""

from __future__ import annotations

import base64
import binascii
import difflib
import re
from collections.abc import Mapping, Sequence
from typing import Final

from engine.kubernetes import Schema, Shape
from engine.values import Archive, Asset, ResourceRef, Value

EXPECTED: Final[Mapping[Shape, str]] = {
    Shape.STRING: "a text",
    Shape.INTEGER: "a whole number",
    Shape.NUMBER: "a number",
    Shape.BOOLEAN: "true or false",
    Shape.BYTES: "a text in base64",
    Shape.TIME: "a time such as '2026-11-25T22:00:00Z'",
    Shape.QUANTITY: "a quantity such as 2, '500m' or '1Gi'",
    Shape.INT_OR_STRING: "a whole number or a text",
}

# Source: k8s.io/apimachinery pkg/api/resource/quantity.go, the grammar in the comment of type Quantity.
_QUANTITY: Final = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([KMGTPE]i|[numkMGTPE]|[eE][+-]?\d+)?")
_TIME: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")
_RANGES: Final = {"int32": 2**31, "int64": 2**63}


def fault(schema: Schema, value: Value) -> str:
    """Why ``value`` is not what a scalar ``schema`` takes; "" when it is."""
    if schema.shape not in EXPECTED:  # ANY
        return ""
    if not _fits(schema.shape, value):
        return f"expected {EXPECTED[schema.shape]}, got {seen(value)}{_advice(schema.shape, value)}"
    if schema.enum and value != "" and value not in schema.enum:  # an empty word counts as none given
        return _not_among(schema.enum, str(value))
    limit = _RANGES.get(schema.format, 0)
    if limit and isinstance(value, int | float) and not -limit <= value < limit:
        return f"expected a number of {schema.format[3:]} bits ({-limit} to {limit - 1}), got {seen(value)}"
    return ""


def seen(value: Value) -> str:
    """A value in a message: as JSON has it, long ones by their type."""
    match value:
        case Asset() | Archive() | ResourceRef():
            return f"a {type(value).__name__.lower()}"
        case dict():
            return "an object"
        case list():
            return "a list"
        case bool():
            return "true" if value else "false"
        case str() if len(value) > 60:
            return f"a text of {len(value)} characters"
        case _:
            return repr(value)


def _fits(shape: Shape, value: Value) -> bool:
    whole = isinstance(value, int | float) and not isinstance(value, bool) and float(value).is_integer()
    match shape:
        case Shape.STRING:
            return isinstance(value, str)
        case Shape.BOOLEAN:
            return isinstance(value, bool)
        case Shape.INTEGER:
            return whole
        case Shape.NUMBER:
            return isinstance(value, int | float) and not isinstance(value, bool)
        case Shape.INT_OR_STRING:
            return whole or isinstance(value, str)
        case Shape.QUANTITY:
            return _is_quantity(value)
        case Shape.TIME:
            return isinstance(value, str) and _TIME.fullmatch(value) is not None
        case _:
            return isinstance(value, str) and _is_base64(value)


def _is_quantity(value: Value) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return False
    return _QUANTITY.fullmatch(str(value)) is not None


def _is_base64(value: str) -> bool:
    try:
        base64.b64decode(value.replace("\n", "").replace("\r", ""), validate=True)
    except (binascii.Error, ValueError):
        return False
    return True


def _advice(shape: Shape, value: Value) -> str:
    """What to write instead, where that can be said."""
    if shape is Shape.STRING and isinstance(value, bool):
        return f'; write "{"true" if value else "false"}"'
    if shape is Shape.STRING and isinstance(value, int | float):
        return f'; write "{int(value) if float(value).is_integer() else value}"'
    if shape is Shape.INTEGER and isinstance(value, str) and re.fullmatch(r"-?\d+", value):
        return f"; write {value} without quotes"
    if shape is Shape.BOOLEAN and value in ("true", "false"):
        return f"; write {value} without quotes"
    if shape is Shape.QUANTITY and isinstance(value, str):
        return _quantity_advice(value)
    if shape is Shape.BYTES and isinstance(value, str):
        return "; stringData takes texts as they are"
    return ""


def _quantity_advice(value: str) -> str:
    match = re.fullmatch(r"\s*([\d.]+)\s*([A-Za-z]+)\s*", value)
    if match is None:
        return ""
    unit = match[2].removesuffix("B").removesuffix("b")
    for right in (unit, unit[:1].upper() + unit[1:], unit.lower()):
        if _QUANTITY.fullmatch(match[1] + right):
            return f"; did you mean '{match[1]}{right}'?"
    return "; the units are n, u, m, k, M, G, T, P, E and Ki, Mi, Gi, Ti, Pi, Ei"


def _not_among(words: Sequence[str], value: str) -> str:
    known = [word for word in words if word]
    by_lower = {word.lower(): word for word in known}
    close = [by_lower[value.lower()]] if value.lower() in by_lower else difflib.get_close_matches(value, known, n=1)
    hint = f" (did you mean {close[0]!r}?)" if close else ""
    return f"expected one of {', '.join(known)}, got {seen(value)}{hint}"
