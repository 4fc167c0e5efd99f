"""How large invented values are, and how they move: by what a panel is about, its unit and its thresholds."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

from components.observability.values import Panel

Shape = Literal["wander", "traffic", "rise", "fall", "still", "spikes"]


@dataclass(frozen=True)
class Magnitude:
    """Where values lie while all is well, where they go when it isn't (None: nowhere), and what they never pass."""

    low: float
    high: float
    shape: Shape = "wander"
    trouble: float | None = None
    whole: bool = False
    least: float = 0.0
    most: float = math.inf


# By words of the title and the query; the first that fits counts.
_KNOWN: Final[Sequence[tuple[str, Magnitude]]] = tuple(
    (pattern, magnitude)
    for pattern, magnitude in (
        (r"succeeded:increase", Magnitude(18, 26, "still", whole=True)),
        (r"failed:increase", Magnitude(0, 1, "spikes", 4, whole=True)),
        (r"budget:left30d", Magnitude(0.42, 0.93, "fall", most=1.0, least=-1.0)),
        (r"error budget burns|burn of the", Magnitude(0.15, 0.8, "spikes", 15.5)),
        (r"1 - model:(error|slow)_ratio", Magnitude(0.9993, 0.9997, "still", most=1.0)),
        (r"error_ratio:rate3d|slow_ratio:rate3d", Magnitude(0.0004, 0.0024, "still")),
        (r"errors?:?_?ratio|request_errors|api.*fail|notifications_failed", Magnitude(0.0003, 0.0016, "spikes", 0.031)),
        (r"slow", Magnitude(0.001, 0.007, "spikes", 0.083)),
        (r"targets_down", Magnitude(0.0, 0.0, "still", 0.34)),
        (r"time to the first token", Magnitude(0.35, 0.7, "traffic", 2.4)),
        (r"apiserver:latency", Magnitude(0.02, 0.06)),
        (r"p50", Magnitude(0.038, 0.06, "traffic", 0.09)),
        (r"latency", Magnitude(0.11, 0.19, "traffic", 0.47)),
        (r"delay of labels|label_delay", Magnitude(32400, 61200, trouble=190000)),
        (r"age of features", Magnitude(1800, 21600)),
        (r"silence|since the last step", Magnitude(2, 45, "spikes", 2400)),
        (r"duration of runs", Magnitude(900, 2700)),
        (r"accuracy", Magnitude(0.938, 0.957, trouble=0.905, most=1.0)),
        (r"calibration", Magnitude(0.012, 0.03, trouble=0.061)),
        (r"features that have drifted", Magnitude(0, 0, "still", 2, whole=True)),
        (r"psi|divergence|kl_nats", Magnitude(0.015, 0.075, trouble=0.27)),
        (r"succeed|success:ratio", Magnitude(0.955, 1.0, most=1.0)),
        (r"progress", Magnitude(0.0, 1.0, "rise", most=1.0)),
        (r"tokens", Magnitude(640, 1900, "traffic")),
        (r"that wait", Magnitude(0, 6, "spikes", 26, whole=True)),
        (r"in work", Magnitude(8, 40, "traffic", whole=True)),
        (r"preemptions", Magnitude(0, 0.4, "spikes", 3)),
        (r"head_series", Magnitude(180_000, 240_000, "rise")),
        (r"samples", Magnitude(5200, 6100)),
        (r"idle gpus cost|idle_gpus:usd", Magnitude(0, 1.6, "still", 7.8)),
        (r"month costs|usd_per_month\b(?!.*budget)", Magnitude(61_000, 84_000, "rise")),
        (r"teams cost|usd_per_hour", Magnitude(6, 41)),
        (
            r"double_bit|mended|refused|implausible|jobs that failed|missing|silent",
            Magnitude(0, 0, "still", 1, True),
        ),
        (r"nodes that are ready", Magnitude(8, 8, "still", whole=True)),
        (r"last xid", Magnitude(13, 79, "still", whole=True)),
        (r"hold idle gpus", Magnitude(1, 3, "still", whole=True)),
        (r"restarts", Magnitude(0, 1, "spikes", 7, whole=True)),
        (r"alerts that fire", Magnitude(0, 1, "still", 3, whole=True)),
        (r"pending|failed|unknown", Magnitude(0, 2, "spikes", 9, whole=True)),
        (r"new nodes", Magnitude(0, 3, "spikes", whole=True)),
        (r"pods on nodes|pods that give", Magnitude(3, 24, "still", whole=True)),
        (r"growth", Magnitude(2e8, 6e9)),
        (r"notifications", Magnitude(0.1, 1.4, "spikes", 6)),
    )
)
_OF_UNITS: Final[Mapping[str, Magnitude]] = {
    "percentunit": Magnitude(0.35, 0.85, most=1.0),
    "percent": Magnitude(35, 85, most=100.0),
    "celsius": Magnitude(54, 73),
    "watt": Magnitude(1900, 4100),
    "reqps": Magnitude(40, 170, "traffic"),
    "s": Magnitude(0.11, 0.19, "traffic"),
    "bytes": Magnitude(24e9, 46e9, "rise"),
    "currencyUSD": Magnitude(40, 900, "rise"),
}
_ELSE: Final = Magnitude(2, 14, "still", whole=True)


def magnitude(panel: Panel, hints: str, objective: float | None) -> Magnitude:
    """What values ``panel`` shows; ``hints`` are what is known of them, ``objective`` a line that is drawn beside."""
    found = next((each for pattern, each in _KNOWN if re.search(pattern, hints)), None)
    if found is None:
        found = _OF_UNITS.get(panel.unit, _ELSE)
    if panel.minimum is not None:
        found = replace(found, least=panel.minimum)
    if panel.maximum is not None:
        found = replace(found, most=panel.maximum)
    return _beside(found, objective) if objective else _within(panel, found)


def _beside(found: Magnitude, objective: float) -> Magnitude:
    """``found`` on the good side of a line, and in trouble on the other."""
    if found.trouble is None or found.trouble < found.low:  # the more the better
        room = min(found.most, objective * 1.5) - objective
        low, high, trouble = objective + room * 0.15, objective + room * 0.65, objective * 0.982
    else:
        low, high, trouble = objective * 0.24, objective * 0.62, objective * 1.34
    return replace(found, low=low, high=high, trouble=trouble if found.trouble is not None else None)


def _within(panel: Panel, found: Magnitude) -> Magnitude:
    """``found`` on the good side of the panel's thresholds, and in trouble behind the worst."""
    bad = [each.value for each in panel.thresholds if each.color in ("orange", "red")]
    good = [each.value for each in panel.thresholds if each.color == "green"]
    if good:
        edge = max(good)
        if found.low > edge:
            return found
        top = min(found.most, edge * 1.6) if edge else found.most
        return replace(found, low=edge + (top - edge) * 0.3, high=edge + (top - edge) * 0.9, shape="wander")
    if bad and min(bad) > 0 and found.high >= min(bad):
        found = replace(found, low=min(bad) * 0.25, high=min(bad) * 0.8)
    if bad and (found.trouble is None or found.trouble < max(bad)):
        return replace(found, trouble=min(max(bad) * 1.08, found.most))
    return found
