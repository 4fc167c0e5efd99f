"""Amounts of resources as Kubernetes writes them: ``500m``, ``64Gi``, ``1e3``.

Source: Kubernetes, apimachinery's ``resource.Quantity``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from fractions import Fraction
from typing import Any, Final, TypeAlias

Resources: TypeAlias = Mapping[str, Fraction]  # by resource name; CPU in cores, memory and storage in bytes

GIB: Final = 1024**3
_DECIMAL: Final = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_BINARY: Final = {"Ki": 10, "Mi": 20, "Gi": 30, "Ti": 40, "Pi": 50, "Ei": 60}
_FORM: Final = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+))(?:[eE]([+-]?\d+)|([numkMGTPE]|[KMGTPE]i)?)")


def parse(value: object) -> Fraction:
    """A quantity as a number. Raises ValueError when it is none."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return Fraction(str(value))
    found = _FORM.fullmatch(value.strip()) if isinstance(value, str) else None
    if found is None:
        raise ValueError(f"not a quantity: {value!r} (expected a number and a suffix, such as 500m, 2 or 64Gi)")
    number, exponent, suffix = found.groups()
    if exponent:
        return Fraction(number) * Fraction(10) ** int(exponent)
    if suffix in _BINARY:
        return Fraction(number) * 2 ** _BINARY[suffix]
    return Fraction(number) * Fraction(10) ** _DECIMAL[suffix or ""]


def resources(given: Mapping[str, Any]) -> dict[str, Fraction]:
    """A Kubernetes ``requests``, ``allocatable`` and the like as numbers."""
    return {name: parse(value) for name, value in given.items()}


def shown(name: str, amount: Fraction) -> str:
    """An amount of the resource ``name`` for people: ``1.5``, ``64 GiB``, ``8``."""
    if name == "memory" or name.endswith("storage"):
        return f"{_short(amount / GIB)} GiB"
    return _short(amount)


def written(name: str, amount: Fraction) -> str:
    """An amount as a manifest has it: CPU in millicores, everything else in whole units."""
    return f"{int(amount * 1000)}m" if name == "cpu" else str(int(amount))


def _short(amount: Fraction) -> str:
    number = round(float(amount), 2 if abs(amount) < 10 else 1 if abs(amount) < 100 else 0)
    return f"{number:.2f}".rstrip("0").rstrip(".")
