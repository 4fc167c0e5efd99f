"""Numbers with their unit, as Grafana writes them, and round numbers for an axis."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

_SIZES: Final = ((1e9, "B"), (1e6, "M"), (1e3, "K"))
_BINARY: Final = ((1024.0**4, "TiB"), (1024.0**3, "GiB"), (1024.0**2, "MiB"), (1024.0, "KiB"))
_TIMES: Final = ((86400.0, "d"), (3600.0, "h"), (60.0, "min"), (1.0, "s"), (1e-3, "ms"), (1e-6, "µs"))
_SUFFIXES: Final = {"celsius": " °C", "watt": " W", "reqps": " req/s", "ops": " ops/s", "percent": "%"}
# Steps of an axis in seconds, from half a minute on, where tens are not round.
_STEPS_OF_TIME: Final = (30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400, 172800, 604800)
_TICKS: Final = 4


def written(value: float, unit: str) -> str:
    """``value`` in ``unit`` (Grafana's name of it), as short as says what matters."""
    if value < 0:
        return f"−{written(-value, unit)}"
    if unit == "percentunit":
        return f"{_percent(value * 100)}%"
    if unit == "s":
        return _scaled(value, _TIMES, " ", "0 s")
    if unit in ("bytes", "decbytes"):
        return _scaled(value, _BINARY, " ", f"{value:.0f} B")
    if unit.startswith("currency"):
        return f"${_scaled(value, _SIZES, '', _plain(value))}"
    if unit == "watt" and value >= 1000:
        return f"{_plain(value / 1000)} kW"
    return f"{_scaled(value, _SIZES, '', _plain(value))}{_SUFFIXES.get(unit, '')}"


def mark(value: float, unit: str) -> str:
    """A round number of an axis, with all of its digits."""
    return f"{round(value * 100, 6):g}%" if unit == "percentunit" else written(value, unit)


def _percent(value: float) -> str:
    if 98 < value < 100:
        return f"{value:.2f}".rstrip("0").rstrip(".")
    return f"{value:.2g}" if value < 10 else f"{value:.0f}"


def _plain(value: float) -> str:
    if value == 0 or value >= 100:
        return f"{value:.0f}"
    return f"{value:.3g}" if value >= 1 else f"{value:.2g}"


def _scaled(value: float, sizes: Sequence[tuple[float, str]], gap: str, small: str) -> str:
    for size, name in sizes:
        if value >= size * 0.9995:
            return f"{_plain(value / size)}{gap}{name}"
    return small


def ticks(low: float, high: float, unit: str) -> list[float]:
    """Round numbers from at most ``low`` to at least ``high``, evenly spaced: the first and the last are the ends."""
    if high <= low:
        high = low + (abs(low) * 0.1 or 1.0)
    step = _step((high - low) / _TICKS, unit)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [index * step for index in range(first, last + 1)]


def _step(wanted: float, unit: str) -> float:
    """The smallest round step of at least ``wanted``."""
    if unit == "s" and wanted > 15:
        return next((float(step) for step in _STEPS_OF_TIME if step >= wanted), math.ceil(wanted / 604800) * 604800.0)
    base = next((size for size, _ in _BINARY if wanted >= size), 1.0) if unit == "bytes" else 1.0
    power = 10 ** math.floor(math.log10(wanted / base))
    return base * power * next(step for step in (1, 2, 2.5, 5, 10) if power * step >= wanted / base * (1 - 1e-9))
