"""Prices that were agreed with AWS: what an hour of an instance type costs whoever has asked, by the stack's settings.

They stand for the list price, and where AWS has none, as for what it sells by reservation only.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Final, cast

from policies.pricing.prices import MalformedPrices

SETTING: Final = "bedplate:cost.prices"


def agreed_prices(section: object) -> Mapping[str, float]:
    """USD an hour by instance type, of what the settings have in ``bedplate:cost``. Raises MalformedPrices."""
    given = cast("Mapping[object, object]", section).get("prices") if isinstance(section, Mapping) else None
    if given is None:
        return {}
    if not isinstance(given, Mapping):
        raise MalformedPrices(f"{SETTING}: expected USD an hour by instance type, seen {given!r}")
    found = cast("Mapping[object, object]", given)
    return {str(kind): _usd(f"{SETTING}.{kind}", usd) for kind, usd in found.items()}


def _usd(place: str, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < math.inf:
        raise MalformedPrices(f"{place}: expected USD an hour above 0, seen {value!r}")
    return float(value)
