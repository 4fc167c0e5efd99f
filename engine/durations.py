"""Durations as Go writes them (``1h15m30.5s``), which is how the SDK sends custom timeouts."""

from __future__ import annotations

import re
from typing import Final

_UNITS: Final = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "ns": 1e-9}
_PART: Final = re.compile(r"(\d+(?:\.\d+)?)(ms|us|µs|ns|h|m|s)")


def seconds(text: str) -> float:
    """``text`` in seconds; "" is 0. Raises ValueError when it is no duration."""
    if not text:
        return 0.0
    parts = _PART.findall(text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        raise ValueError(f"not a duration: {text!r} (expected a number and a unit, such as '5m' or '1h30m')")
    return sum(float(number) * _UNITS[unit] for number, unit in parts)


def text(value: float) -> str:
    """A duration in seconds as Go writes it; "" for 0."""
    minutes, rest = divmod(value, 60)
    hours, minutes = divmod(int(minutes), 60)
    parts = [f"{hours}h"] if hours else []
    parts += [f"{minutes}m"] if minutes or hours else []
    return "".join([*parts, f"{rest:g}s"]) if value else ""
