"""Amounts as Kubernetes writes them: ``500m``, ``1.5Gi``, ``8``, ``1e3``.

Source: k8s.io/apimachinery, api/resource/quantity.go.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Final

from policies.kit import Value, WrongType

_QUANTITY: Final = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+))(?:([eE][+-]?\d+)|(n|u|m|k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei))?")
_UNITS: Final = {
    "n": Decimal("1e-9"),
    "u": Decimal("1e-6"),
    "m": Decimal("1e-3"),
    **{unit: Decimal(1000) ** power for power, unit in enumerate("kMGTPE", start=1)},
    **{f"{unit}i": Decimal(1024) ** power for power, unit in enumerate("KMGTPE", start=1)},
}


def amount(value: Value) -> Decimal | None:
    """The amount; None where it is missing. Raises UnknownValue, or WrongType where it is no amount."""
    if value.missing:
        return None
    text = str(value.number()) if value.kind == "a number" else value.text("")
    found = _QUANTITY.fullmatch(text)
    if found is None:
        raise WrongType(value.path, "an amount such as 500m or 2Gi", f"the text {value.shown()}", value.owner)
    number, exponent, unit = found.groups()
    return Decimal(number + (exponent or "")) * _UNITS.get(unit, Decimal(1))
