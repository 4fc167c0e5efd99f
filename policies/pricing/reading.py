"""Reading a resource's inputs: numbers that are numbers, within reason, and known; else it is said what is wrong.

NotGiven     what the price depends on is declared elsewhere, or nowhere
NotKnown     a value that the price depends on will only be known after the apply
NotReadable  a value is not of the kind that it has to be, or no quantity that anybody can have meant
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Final, cast

from policies.pricing.model import UNKNOWN

MOST: Final = 1e12  # whatever is counted: more of it is a slip of the keyboard
_TRUE, _FALSE = ("true", "True"), ("false", "False")
_QUANTITY: Final = re.compile(r"([0-9]*\.?[0-9]+(?:[eE][+-]?[0-9]+)?)([numkMGTPE]i?|Ki)?")
# Source: Kubernetes API conventions, resource.Quantity.
_FACTORS: Final[Mapping[str, Fraction]] = {
    "n": Fraction(1, 10**9), "u": Fraction(1, 10**6), "m": Fraction(1, 1000), "": Fraction(1),
    **{letter: Fraction(1000) ** power for power, letter in enumerate("kMGTPE", 1)},
    **{f"{letter}i": Fraction(1024) ** power for power, letter in enumerate("KMGTPE", 1)},
}  # fmt: skip
GIB: Final = Fraction(1024) ** 3


class NotPriceable(Exception):
    """Why no figure can be given; the message says what would settle it."""


class NotGiven(NotPriceable):
    """Nobody says what it is: it may be of any price."""


class NotKnown(NotPriceable):
    def __init__(self, path: str) -> None:
        super().__init__(f"{path} is unknown until it is applied")


class NotReadable(NotPriceable):
    def __init__(self, path: str, expected: str, seen: object) -> None:
        super().__init__(f"{path}: expected {expected}, found {seen!r}"[:200])


@dataclass(frozen=True)
class Inputs:
    """A part of a resource's inputs, at ``path``; what is absent reads as None or as the default given."""

    value: object
    path: str = ""

    def at(self, *names: str) -> Inputs:
        """The part below ``names``. Raises NotKnown where something on the way is unknown."""
        found = self
        for name in names:
            value = found._known()
            below = cast("Mapping[str, object]", value).get(name) if isinstance(value, Mapping) else None
            if value is not None and not isinstance(value, Mapping):
                raise NotReadable(found.path, "an object", value)
            found = Inputs(below, f"{found.path}.{name}" if found.path else name)
        return found

    def first(self, *names: str) -> Inputs:
        """The part below ``names``; where that is a list, as older schemas have it, its first element."""
        found = self.at(*names)
        return next(found.items(), Inputs(None, found.path)) if isinstance(found.value, list | tuple) else found

    @property
    def unknown(self) -> bool:
        return self.value is UNKNOWN

    @property
    def present(self) -> bool:
        """Whether it is given, known or not."""
        return self.value is not None

    def items(self) -> Iterator[Inputs]:
        """The elements of a list. Raises NotKnown where the whole list is unknown."""
        value = self._known()
        if value is None:
            return
        if not isinstance(value, Sequence) or isinstance(value, str):
            raise NotReadable(self.path, "a list", value)
        for index, one in enumerate(cast("Sequence[object]", value)):
            yield Inputs(one, f"{self.path}[{index}]")

    def entries(self) -> Iterator[tuple[str, Inputs]]:
        """The properties of an object."""
        value = self._known()
        if isinstance(value, Mapping):
            for key, one in cast("Mapping[str, object]", value).items():
                yield key, Inputs(one, f"{self.path}.{key}")

    def text(self, default: str = "") -> str:
        value = self._known()
        if value is None:
            return default
        if isinstance(value, Mapping | list | tuple):
            raise NotReadable(self.path, "a text", cast("object", value))
        return str(value)

    def flag(self, *, default: bool = False) -> bool:
        value = self._known()
        if value is None or value == "":
            return default
        if isinstance(value, bool):
            return value
        if value in _TRUE or value in _FALSE:
            return value in _TRUE
        raise NotReadable(self.path, "true or false", value)

    def number(self, default: float | None = None) -> float:
        """A quantity: not negative, finite, and within reason. Texts such as "200" count, as Pulumi takes them."""
        value = self._known()
        if value is None:
            if default is None:
                raise NotReadable(self.path, "a number", None)
            return default
        number = _number(value)
        if number is None or not 0 <= number <= MOST:
            raise NotReadable(self.path, f"a number from 0 to {MOST:.0e}", value)
        return number

    def quantity(self, default: Fraction | None = None) -> Fraction:
        """A quantity as Kubernetes writes it: ``500m``, ``64Gi``, 2."""
        value = self._known()
        if value is None and default is not None:
            return default
        match = _QUANTITY.fullmatch(str(value)) if isinstance(value, str | int | float) else None
        found = None if match is None else Fraction(match[1]) * _FACTORS[match[2] or ""]
        if found is None or isinstance(value, bool) or found > Fraction(MOST) * GIB:
            raise NotReadable(self.path, "a quantity such as 500m or 64Gi", value)
        return found

    def _known(self) -> object:
        if self.value is UNKNOWN:
            raise NotKnown(self.path or "everything about it")
        return self.value


def _number(value: object) -> float | None:
    if isinstance(value, bool):
        return None
    try:
        number = float(value) if isinstance(value, int | float | str) else math.nan
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None
