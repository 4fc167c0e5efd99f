"""Numbers with a unit, as people write them: ``99.9%``, ``300ms``, ``85C``.

A number without its unit is refused: 0.9 could be ninety percent or not even one, 300 seconds or milliseconds.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Any, Final

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

_PERCENT: Final = {"%": Decimal("0.01")}
_SECONDS: Final = {
    unit: Decimal(size) for unit, size in (("ms", "0.001"), ("s", "1"), ("m", "60"), ("h", "3600"), ("d", "86400"))
}
_CELSIUS: Final = {"C": Decimal(1)}


@dataclass(frozen=True, eq=False)  # a type's annotation has to be hashable, and each is like no other
class Measure:
    """How a text becomes a number: ``units`` with what one of each is worth in the number's own unit.

    ``least`` and ``most`` are texts, too, and as such are shown; ``below_most`` leaves ``most`` itself out, because of
    ``reason``.
    """

    what: str
    example: str
    units: Mapping[str, Decimal]
    least: str
    most: str
    below_most: bool = False
    reason: str = ""

    def read(self, text: object) -> float:
        """The number that ``text`` stands for. Raises PydanticCustomError where it is none or beyond the range."""
        number = self._number(text)
        if number is None:
            raise PydanticCustomError("measure", "{text}", {"text": f"should be {self.what}, such as '{self.example}'"})
        least, most = self._number(self.least), self._number(self.most)
        assert least is not None and most is not None, "the bounds are written as the values are"
        if number < least or number > most or (self.below_most and number == most):
            raise PydanticCustomError("measure_range", "{text}", {"text": self._range()})
        return float(number)

    def text(self, number: float) -> str:
        """``number`` as it is written in a settings file, in the largest unit that gives a whole number."""
        exact = Decimal(str(number))
        whole = [unit for unit, size in self.units.items() if exact / size == int(exact / size)]
        unit = whole[-1] if whole else next(iter(self.units))
        return f"{(exact / self.units[unit]).normalize():f}{unit}"

    def _range(self) -> str:
        upper = f"below {self.most}" if self.below_most else f"at most {self.most}"
        return f"should be at least {self.least} and {upper}{', ' if self.reason else ''}{self.reason}"

    def _pattern(self) -> str:
        return rf"^([0-9]+(?:\.[0-9]+)?)({'|'.join(self.units)})$"

    def _number(self, text: object) -> Decimal | None:
        found = re.match(self._pattern(), text) if isinstance(text, str) else None
        return Decimal(found[1]) * self.units[found[2]] if found else None

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(
            self.read, serialization=core_schema.plain_serializer_function_ser_schema(self.text, when_used="json")
        )

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {"type": "string", "pattern": self._pattern(), "examples": [self.example]}


def _percentage(least: str, most: str, example: str, *, below_most: bool = False, reason: str = "") -> Measure:
    what = "a percentage with its unit"
    return Measure(what, example, _PERCENT, least, most, below_most, reason)


def _duration(least: str, most: str, example: str) -> Measure:
    return Measure("a duration with its unit (ms, s, m, h or d)", example, _SECONDS, least, most)


def duration(seconds: float) -> str:
    """``seconds`` as a settings file has them."""
    return _duration("0s", "0s", "0s").text(seconds)


# Each is a number in the program: ratios 0 to 1, seconds, degrees Celsius.
Target = Annotated[
    float, _percentage("1%", "100%", "99.9%", below_most=True, reason="which would leave no error that may happen")
]
Ratio = Annotated[float, _percentage("0%", "100%", "92%")]
Increase = Annotated[float, _percentage("1%", "1000%", "20%")]
Latency = Annotated[float, _duration("1ms", "1h", "300ms")]
Delay = Annotated[float, _duration("1m", "90d", "48h")]
Waiting = Annotated[float, _duration("0s", "30d", "10m")]
Temperature = Annotated[float, Measure("a temperature in degrees Celsius", "85C", _CELSIUS, "30C", "110C")]
