"""Series for pictures of dashboards where no server is: invented, always the same, and such that they could be true.

What a panel's series are called follows from its query: the labels that are left of its metrics, with values of the
environment (its teams, models, pools). They tell one story. A new version of each model comes as a canary; the first
model's is worse than what it is to replace, which is noticed, and it is taken back. Something goes wrong at that time
with the first of most other things, too, so that a picture shows where its thresholds are.
"""

from __future__ import annotations

import hashlib
import math
import random
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import promql_parser as promql

from components.observability.dashboards.cast import Cast
from components.observability.dashboards.magnitudes import Magnitude, magnitude
from components.observability.labels import LabelsOf, metrics, result_labels
from components.observability.values import Panel, Query

HOURS: Final = 6
# One every five minutes.
POINTS: Final = HOURS * 12 + 1
# When something is wrong, and when a canary is there, as parts of the time.
TROUBLE: Final = (0.66, 0.86)
_CANARY_FROM: Final = 0.3
_CANARY: Final = "2.5.0"
_AT_MOST: Final[Mapping[str, int]] = {"table": 6, "stat": 1, "gauge": 4, "bargauge": 6, "state-timeline": 6}
# Values of labels of some metrics, which have the same everywhere.
_ALWAYS: Final = {"prometheus_": {"pod": "prometheus-0"}, "node_disk": {"device": "nvme0n1"}}
_LEGEND = re.compile(r"\{\{\s*(\w+)\s*\}\}")


@dataclass(frozen=True)
class Trouble:
    """That an alert fires, from one part of the time to another."""

    start: float = TROUBLE[0]
    end: float = TROUBLE[1]


@dataclass(frozen=True)
class Series:
    """One line of a picture: its labels, its name by the legend, and its values, oldest first; None where it is not."""

    name: str
    labels: Mapping[str, str]
    values: Sequence[float | None]
    query: int
    constant: bool = False

    @property
    def last(self) -> float:
        return next((value for value in reversed(self.values) if value is not None), 0.0)


def series_of(panel: Panel, cast: Cast, labels_of: LabelsOf) -> list[Series]:
    """The invented series of ``panel``, for the world that ``cast`` plays in."""
    constant = {number: _constant(query, labels_of) for number, query in enumerate(panel.queries)}
    found: list[Series] = []
    for number, query in enumerate(panel.queries):
        for index, row in enumerate(_rows(panel, query, cast, labels_of)):
            name = _LEGEND.sub(lambda match, row=row: row.get(match[1], ""), query.legend).strip() or panel.title
            values: Sequence[float | None]
            if constant[number]:
                value = _value_of(constant[number], row, cast)
                if value is None:
                    continue
                values = [value] * POINTS
            else:
                lines = [_value_of(each, row, cast) for each in constant.values() if each]
                objective = next((line for line in lines if line), None)
                values = _values(panel, query, row, (index, objective), cast)
            found.append(Series(name, row, values, number, bool(constant[number])))
    return found


def _rows(panel: Panel, query: Query, cast: Cast, labels_of: LabelsOf) -> Iterator[Mapping[str, str]]:
    labels = result_labels(promql.parse(query.expr), labels_of)
    shown = set(_LEGEND.findall(query.legend)) & labels
    if panel.kind == "table":
        shown = {label for label in labels if label not in ("instance", "job", "namespace")}
    limit = _AT_MOST.get(panel.kind, 5 if len(shown) < 2 else 6) if shown else 1
    return cast.rows(sorted(shown), _chosen(query), limit)


def _constant(query: Query, labels_of: LabelsOf) -> str:
    """The one series that a query is, where that holds what the settings say; "" where it is anything else."""
    named = metrics(query.expr, labels_of)
    plain = re.fullmatch(r"[\w:]+(\{[^}]*\})?", query.expr)
    return named[0] if plain and len(named) == 1 and re.match(r"\w+:objective:|limit:|budget:limit", named[0]) else ""


def _value_of(record: str, row: Mapping[str, str], cast: Cast) -> float | None:
    of = row.get("model") or cast.model or row.get("team") or ""
    return cast.constants.get((record, of), cast.constants.get((record, "")))


def _chosen(query: Query) -> dict[str, str]:
    """Labels whose value a selector of the query names, but for those that a variable stands for."""
    found = next((values for name, values in _ALWAYS.items() if name in query.expr), dict[str, str]()).copy()

    def visit(expression: promql.Expr) -> bool:
        if isinstance(expression, promql.VectorSelector):
            for each in expression.matchers.matchers:
                if each.op == promql.MatchOp.Equal and each.value and "$" not in each.value:
                    found[each.name] = each.value
        return True

    promql.walk(promql.parse(query.expr), visit)
    return found


# Values


def _values(
    panel: Panel, query: Query, row: Mapping[str, str], place: tuple[int, float | None], cast: Cast
) -> list[float | None]:
    index, objective = place
    # The same thing looks the same wherever it is drawn, however its query is narrowed there.
    about = re.sub(r'\w+=~?"\$\w+",?|\{\}', "", query.expr)
    model = row.get("model") or (cast.model if "model" in query.expr else None)
    key = repr((about, sorted({**row, **({"model": model} if model else {})}.items())))
    chance = random.Random(int.from_bytes(hashlib.sha256(key.encode()).digest()[:8]))  # noqa: S311 - a picture
    size = magnitude(panel, f"{panel.title} {query.legend} {query.expr}".lower(), objective)
    moments = list(_moments(chance))
    values = [_at(size, own, moment, chance) for own in [_own_part(size, chance)] for moment in moments]
    if size.trouble is not None and _is_in_trouble(row, index, model, cast):
        strength = 0.35 if row.get("version", _CANARY) != _CANARY else 1.0
        values = [
            _pushed(value, size.trouble, moment.part, strength) for value, moment in zip(values, moments, strict=True)
        ]
    shares = [_share(row.get("version"), moment.part) for moment in moments]
    if panel.unit == "reqps" or "traffic of" in panel.title.lower():
        whole = "traffic of" in panel.title.lower()
        values = [share if whole else value * share for value, share in zip(values, shares, strict=True)]
    held = [min(max(value, size.least), size.most) for value in values]
    rounded = [float(round(value)) if size.whole else float(f"{value:.4g}") for value in held]
    return [value if share else None for value, share in zip(rounded, shares, strict=True)]


def _is_in_trouble(row: Mapping[str, str], index: int, model: str | None, cast: Cast) -> bool:
    if model is not None:
        return model == cast.trouble and row.get("version", _CANARY) == _CANARY and index < 2
    return index == 0


def _share(version: str | None, part: float) -> float:
    """How much of the traffic a version has: a canary gets more step by step, and is taken back."""
    if version is None:
        return 1.0
    canary = 0.0
    if _CANARY_FROM <= part < TROUBLE[1]:
        canary = 0.1 if part < 0.48 else 0.25
    return canary if version == _CANARY else 1.0 - canary


def _own_part(size: Magnitude, chance: random.Random) -> tuple[float, float]:
    """The part of the range in which one series stays: no two are quite alike."""
    width = size.high - size.low
    middle = size.low + width * chance.uniform(0.2, 0.8)
    return middle - width * 0.2, middle + width * 0.2


@dataclass(frozen=True)
class _Moment:
    part: float  # of the whole time
    wave: float  # -1 to 1, slow
    day: float  # 0 to 1, as traffic goes with the hour


def _moments(chance: random.Random) -> Iterator[_Moment]:
    phases = [chance.uniform(0, math.tau) for _ in range(3)]
    for index in range(POINTS):
        part = index / (POINTS - 1)
        waves = (
            math.sin(math.tau * part * speed + phase) / speed
            for speed, phase in zip((1, 2.7, 6.1), phases, strict=True)
        )
        yield _Moment(part, sum(waves) / 1.55, 0.5 + 0.5 * math.sin(math.tau * (part * 0.5 + 0.03)))


def _at(size: Magnitude, own: tuple[float, float], moment: _Moment, chance: random.Random) -> float:
    low, high = own
    width, noise = high - low, chance.gauss(0, 0.09)
    match size.shape:
        case "traffic":
            return low + width * (1.5 * moment.day - 0.3 + noise + 0.15 * moment.wave)
        case "rise":
            return low + (size.high - low) * (0.15 + 0.75 * moment.part + 0.02 * moment.wave)
        case "fall":
            return high - width * (0.1 + 0.25 * moment.part)
        case "still":
            return low + width * (0.5 + 0.1 * round(moment.wave))
        case "spikes" if size.whole:
            return size.high if chance.random() < 0.06 else size.low
        case "spikes":
            return low + width * max(0.0, 0.25 + 0.3 * moment.wave + abs(noise) * 2.4)
        case _:
            return low + width * (0.5 + 0.38 * moment.wave + noise)


def _pushed(value: float, towards: float, part: float, strength: float) -> float:
    """``value`` on its way to trouble and back."""
    start, end = TROUBLE
    if not start < part < end:
        return value
    along = (part - start) / (end - start)
    way = min(along * 3.2, 1.0, (1 - along) * 5)
    return value + (towards - value) * strength * (0.94 * way + 0.06 * math.sin(along * 19))
