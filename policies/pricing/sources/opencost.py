"""What the cluster has cost by OpenCost's measure: its allocation API, by namespace, idle capacity with it.

Source: OpenCost's documentation, "API", ``/allocation``, 2026-08: window, aggregate, accumulate, includeIdle.
"""

from __future__ import annotations

import json
import math
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, cast

from policies.pricing.model import HOURS_A_MONTH
from policies.pricing.sources.errors import NoAnswer, NotAllowed

IDLE: Final = "__idle__"
_WINDOW: Final = "7d"
_SECONDS: Final = 30
_LARGEST: Final = 64 * 2**20  # bytes of an answer
_PARTS: Final = ("cpuCost", "gpuCost", "ramCost", "pvCost", "networkCost", "loadBalancerCost")


@dataclass(frozen=True)
class Allocation:
    """USD a month of one namespace, if it goes on as in the window; ``parts`` by OpenCost's names."""

    name: str
    monthly: float
    parts: Mapping[str, float]


@dataclass(frozen=True)
class ClusterCost:
    """What was measured over ``window``, brought to a month."""

    url: str
    window: str
    allocations: tuple[Allocation, ...]

    @property
    def monthly(self) -> float:
        return math.fsum(one.monthly for one in self.allocations)

    @property
    def idle(self) -> float:
        """Capacity that nothing asked for."""
        return math.fsum(one.monthly for one in self.allocations if one.name == IDLE)


def read(url: str, window: str = _WINDOW) -> ClusterCost:
    """Ask OpenCost at ``url``. Raises NotAllowed and NoAnswer."""
    query = {"window": window, "aggregate": "namespace", "accumulate": "true", "includeIdle": "true"}
    content = _answer(f"{url.rstrip('/')}/allocation?{urllib.parse.urlencode(query)}")
    try:
        sets = content["data"]
        found = [_allocation(one) for each in sets for one in (each or {}).values()]
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise NoAnswer(f"OpenCost at {url}: expected allocations by namespace, found {str(content)[:120]}") from error
    return ClusterCost(url, window, tuple(sorted(found, key=lambda one: (-one.monthly, one.name))))


def _answer(address: str) -> Mapping[str, Any]:
    place = address.partition("/allocation?")[0]
    try:
        with urllib.request.urlopen(address, timeout=_SECONDS) as answer:  # noqa: S310  # http and https, checked before
            text = answer.read(_LARGEST + 1)
    except urllib.error.HTTPError as error:
        said = f"OpenCost at {place}: {error.code} {error.reason}"
        raise (NotAllowed(said) if error.code in (401, 403) else NoAnswer(said)) from error
    except (OSError, ValueError) as error:  # URLError, timeouts and resets are OSErrors
        raise NoAnswer(f"OpenCost at {place}: {getattr(error, 'reason', error)}") from error
    if len(text) > _LARGEST:
        raise NoAnswer(f"OpenCost at {place}: its answer is larger than {_LARGEST >> 20} MiB")
    try:
        content: object = json.loads(text)
    except ValueError as error:
        raise NoAnswer(f"OpenCost at {place}: expected JSON, found {text[:60]!r}") from error
    if not isinstance(content, dict):
        raise NoAnswer(f"OpenCost at {place}: expected an object, found {str(content)[:60]}")
    found = cast("dict[str, Any]", content)
    if found.get("code") != 200:
        raise NoAnswer(f"OpenCost at {place}: {found.get('code')}: {found.get('message', 'no message')}")
    return found


def _allocation(given: Mapping[str, Any]) -> Allocation:
    """An allocation of some minutes as one of a month."""
    minutes = float(given["minutes"])
    factor = HOURS_A_MONTH * 60 / minutes if minutes > 0 else 0.0
    parts = {key: _finite(given.get(key, 0.0)) * factor for key in _PARTS}
    return Allocation(str(given["name"]), _finite(given["totalCost"]) * factor, parts)


def _finite(value: Any) -> float:
    number = float(value)
    if not math.isfinite(number):
        raise ValueError(f"{value!r} is no amount")
    return number
