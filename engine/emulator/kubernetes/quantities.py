"""Quantities of resources: ``500m``, ``2Gi``, ``1e3``.

Source: k8s.io/apimachinery 0.35, pkg/api/resource: which suffixes there are, and the one form that each value has.
"""

from __future__ import annotations

import re
from decimal import ROUND_CEILING, Decimal

_BINARY = {"Ki": 1, "Mi": 2, "Gi": 3, "Ti": 4, "Pi": 5, "Ei": 6}
_DECIMAL = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_FORM = re.compile(r"(?P<number>[+-]?(?:\d+\.?\d*|\.\d+))(?P<suffix>[KMGTPE]i|[numkMGTPE]?|[eE][+-]?\d+)")


def value(quantity: str | float | None) -> Decimal:
    """The number, in the base unit. Raises ValueError for what is no quantity."""
    number, suffix = _parts(quantity)
    if suffix in _BINARY:
        return number * 1024 ** _BINARY[suffix]
    return number.scaleb(int(suffix[1:]) if suffix[:1] in ("e", "E") and suffix[1:] else _DECIMAL[suffix])


def canonical(quantity: str | float) -> str | float:
    """The form in which the API gives it back: no fraction, the greatest suffix that allows that."""
    try:
        _, suffix = _parts(quantity)
        amount = value(quantity)
    except ValueError:
        return quantity
    if suffix in _BINARY and amount == amount.to_integral_value() and (not amount or abs(amount) >= 1024):
        return _greatest(amount, [(name, Decimal(1024) ** power) for name, power in _BINARY.items()])
    if suffix[:1] in ("e", "E") and suffix[1:]:
        exponents = [(f"e{power}", Decimal(10) ** power) for power in range(3, 19, 3)]
        return _greatest(amount, exponents)
    smallest = Decimal(10) ** -9
    rounded = (amount / smallest).to_integral_value(ROUND_CEILING) * smallest
    return _greatest(rounded, [(name, Decimal(10) ** power) for name, power in _DECIMAL.items()])


def _greatest(amount: Decimal, units: list[tuple[str, Decimal]]) -> str:
    if not amount:
        return "0"
    for name, unit in sorted(units, key=lambda each: each[1], reverse=True):
        count = amount / unit
        if count == count.to_integral_value():
            return f"{int(count)}{name}"
    return format(amount.normalize(), "f")


def _parts(quantity: str | float | None) -> tuple[Decimal, str]:
    found = _FORM.fullmatch(str(quantity).strip())
    if not found:
        raise ValueError(f"{quantity!r} is no quantity: expected a number with a suffix such as m, k, Mi or Gi")
    return Decimal(found["number"]), found["suffix"]


def shown(amount: Decimal) -> str:
    """An amount without a unit of its own, as quotas add them up."""
    return str(canonical(format(amount, "f")))
