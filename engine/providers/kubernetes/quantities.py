"""Quantities (``500m``, ``1Gi``): the API gives them back in a form of its own, and they mean what they meant.

Source: Kubernetes' API reference, "Quantity".
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal
from typing import Final

from engine.kubernetes import Schema, Shape
from engine.values import Value

_QUANTITY: Final = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+))(?:([eE][+-]?\d+)|(Ki|Mi|Gi|Ti|Pi|Ei|n|u|m|k|M|G|T|P|E))?")
_FACTORS: Final = {
    "n": Decimal("1e-9"), "u": Decimal("1e-6"), "m": Decimal("1e-3"), "k": Decimal(10**3), "M": Decimal(10**6),
    "G": Decimal(10**9), "T": Decimal(10**12), "P": Decimal(10**15), "E": Decimal(10**18),
    **{f"{letter}i": Decimal(1024**power) for power, letter in enumerate("KMGTPE", 1)},
}  # fmt: skip


def is_quantity(schema: Schema | None, path: Sequence[str | int]) -> bool:
    """Whether the value at ``path`` of an object of type ``schema`` is a quantity."""
    for step in path:
        schema = within(schema, step)
    return schema is not None and schema.shape is Shape.QUANTITY


def within(schema: Schema | None, step: str | int) -> Schema | None:
    """The type of a member or an item of what is of type ``schema``; None where nothing is known of it."""
    if schema is None:
        return None
    return schema.type().fields.get(str(step)) if schema.shape is Shape.OBJECT else schema.item


def same(one: Value, other: Value) -> bool:
    """Whether two values are the same amount, or the same number."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if one == other:
        return True
    amount = _amount(one)
    return amount is not None and amount == _amount(other)


def _amount(value: Value) -> Decimal | None:
    if not isinstance(value, str | int | float):
        return None
    match = _QUANTITY.fullmatch(str(value))
    if match is None:
        return None
    number = Decimal(match[1] + (match[2] or ""))
    return number * _FACTORS[match[3]] if match[3] else number
