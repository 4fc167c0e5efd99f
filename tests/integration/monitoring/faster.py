"""The one change that tests make to the configuration and the rules that are deployed: a minute becomes a second.

Every duration is divided by 60, in the configurations (intervals, timeouts), in the rules (``for``, ``interval``) and
inside their expressions (ranges, subqueries, offsets). What is measured per second keeps its value, so a rate is what
it would be; an hour's window is full after a minute. Only scrapes come no faster than once a second, for which they
may take their time: a machine that runs other tests, too, is no faster than it is.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

TIMES: Final = 60
# Prometheus looks five minutes back for a sample, sends alerts again after a minute, and waits ten minutes with an
# alert's state after a restart.
FLAGS: Final = (
    "--query.lookback-delta=5s",
    "--rules.alert.resend-delay=1s",
    "--rules.alert.for-grace-period=10s",
)
_SCRAPES: Final = "1s"
_DURATION: Final = re.compile(r"(?:\d+(?:ms|[smhdwy]))+")
_PART: Final = re.compile(r"(\d+)(ms|[smhdwy])")
_MILLISECONDS: Final = {
    "ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000, "y": 31_536_000_000,
}  # fmt: skip
_QUOTED: Final = re.compile(r"""("(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|`[^`]*`)""")
_TIMED: Final = re.compile(r"\[[^\]]*\]|\boffset\s+-?\s*[0-9a-z]+")


def faster(value: Any, key: str = "") -> Any:
    """A configuration or a file of rules with every duration divided; ``key`` is where ``value`` was found."""
    if isinstance(value, Mapping):
        made = {name: faster(each, name) for name, each in value.items()}  # pyright: ignore[reportUnknownVariableType]
        if "scrape_interval" in made:
            made |= {"scrape_interval": _SCRAPES, "scrape_timeout": _SCRAPES}
        return made  # pyright: ignore[reportUnknownVariableType]
    if isinstance(value, list):
        return [faster(each, key) for each in value]  # pyright: ignore[reportUnknownVariableType]
    if not isinstance(value, str):
        return value
    if key == "expr":
        return faster_expression(value)
    return faster_duration(value) if _is_duration(key, value) else value


def _is_duration(key: str, value: str) -> bool:
    named = key.endswith(("interval", "timeout", "_wait", "deadline", "_backoff")) or key in ("for", "keep_firing_for")
    return named and _DURATION.fullmatch(value) is not None


def faster_duration(duration: str) -> str:
    """Such as ``5m`` in, ``5s`` out; never less than a millisecond, which is Prometheus's least."""
    total = sum(int(count) * _MILLISECONDS[unit] for count, unit in _PART.findall(duration))
    return f"{max(1, round(total / TIMES))}ms" if total else duration


def faster_expression(expression: str) -> str:
    """A PromQL expression with its ranges, subqueries and offsets divided; what is quoted is left alone."""
    parts = _QUOTED.split(expression)
    return "".join(part if number % 2 else _TIMED.sub(_divided, part) for number, part in enumerate(parts))


def _divided(found: re.Match[str]) -> str:
    return _DURATION.sub(lambda duration: faster_duration(duration[0]), found[0])
