"""How much is used of what is billed by use: a usage file, and defaults where it says nothing, which are shown.

    version: 1
    defaults:                            # of every resource of a type
      aws:s3/bucket:Bucket: {standard_gb: 2000}
    resources:                           # of one: a name, TYPE::NAME, a URN, or a pattern of these with * and ?
      network-nat-1: {processed_gb: 5000}

BadUsage   the file is not what it has to be; ``problems`` says of each place what was expected
"""

from __future__ import annotations

import csv
import difflib
import functools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Final, cast

from policies.pricing.model import Basis, Item
from policies.pricing.reading import MOST

_DEFAULTS: Final = Path(__file__).parent / "data" / "usage_defaults.csv"
_SECTIONS: Final = ("version", "defaults", "resources")
VERSION: Final = 1
# Both names of a type that the provider has renamed mean the same.
ALIASES: Final[Mapping[str, str]] = {
    "aws:s3/bucketV2:BucketV2": "aws:s3/bucket:Bucket",
    "aws:alb/loadBalancer:LoadBalancer": "aws:lb/loadBalancer:LoadBalancer",
}


@dataclass(frozen=True)
class Fault:
    """What is wrong at ``path`` of a usage file."""

    path: str
    message: str


class BadUsage(ValueError):
    """A usage file that can't be used."""

    def __init__(self, place: str, problems: Sequence[Fault]) -> None:
        self.place, self.problems = place, tuple(problems)
        count = f"{len(problems)} problem{'s' if len(problems) > 1 else ''}"
        said = (f"  {one.path}: {one.message}" if one.path else f"  {one.message}" for one in problems)
        super().__init__("\n".join([f"{place}: {count}", *said]))


@dataclass(frozen=True)
class Measure:
    """One thing that is billed by use: how much of it is assumed, and whether it stays when nothing runs."""

    key: str
    default: float
    unit: str
    stays: bool
    about: str


@dataclass(frozen=True)
class Used:
    """A quantity a month, and who says so."""

    amount: float
    basis: Basis
    measure: Measure


@dataclass(frozen=True)
class Usage:
    """What is known of use: by pattern of resources, by type; the rest is assumed."""

    resources: Mapping[str, Mapping[str, float]] = field(default_factory=dict[str, Mapping[str, float]])
    defaults: Mapping[str, Mapping[str, float]] = field(default_factory=dict[str, Mapping[str, float]])
    place: str = ""

    @classmethod
    def read(cls, path: Path) -> Usage:
        """The usage file at ``path``. Raises BadUsage."""
        import yaml  # takes longer than the rest of this package, and few have such a file

        try:
            content: object = yaml.safe_load(path.read_text(encoding="utf-8"))
        except OSError as error:
            raise BadUsage(str(path), [Fault("", f"can't be read: {error.strerror}")]) from error
        except (yaml.YAMLError, UnicodeDecodeError) as error:
            raise BadUsage(str(path), [Fault("", f"is not YAML: {' '.join(str(error).split())}")]) from error
        return cls.of({} if content is None else content, str(path))

    @classmethod
    def of(cls, content: object, place: str = "usage") -> Usage:
        """Usage as a file holds it. Raises BadUsage."""
        problems = list(_problems(content))
        if problems:
            raise BadUsage(place, problems)
        given = cast("Mapping[str, Mapping[str, Mapping[str, float]]]", content)
        return cls(_numbers(given.get("resources")), _numbers(given.get("defaults")), place)

    def of_item(self, item: Item, key: str) -> Used:
        """How much ``item`` uses of ``key`` a month."""
        measure = measures_of(item.type)[key]
        for values in (*self._matching(item), self.defaults.get(item.type, {})):
            if key in values:
                return Used(values[key], Basis.USAGE, measure)
        return Used(measure.default, Basis.ASSUMED, measure)

    def _matching(self, item: Item) -> Iterator[Mapping[str, float]]:
        """What is said of ``item``: by the most exact name first."""
        names = (item.urn, f"{item.type}::{item.name}", item.name)
        exact = [self.resources[name] for name in names if name in self.resources]
        yield from exact
        for pattern, values in self.resources.items():
            if pattern not in names and any(fnmatchcase(name, pattern) for name in names):
                yield values

    def check(self, items: Iterable[Item]) -> None:
        """Raise BadUsage where the file speaks of resources that are not declared, or of what those don't use."""
        found = list(items)
        problems = [one for name, values in self.resources.items() for one in _of_pattern(name, values, found)]
        if problems:
            raise BadUsage(self.place or "usage", problems)


def measures_of(type_: str) -> Mapping[str, Measure]:
    """What resources of a type use, by key."""
    return _measures().get(ALIASES.get(type_, type_), {})


@functools.cache
def _measures() -> Mapping[str, Mapping[str, Measure]]:
    found: dict[str, dict[str, Measure]] = {}
    with _DEFAULTS.open(encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines):
            measure = Measure(row["key"], float(row["default"]), row["unit"], row["stays"] == "yes", row["about"])
            found.setdefault(row["type"], {})[row["key"]] = measure
    return found


# What may be wrong with a file


def _problems(content: object) -> Iterator[Fault]:
    if not isinstance(content, Mapping):
        yield Fault("", f"expected an object with {', '.join(_SECTIONS)}, found {_shown(content)}")
        return
    sections = cast("Mapping[object, object]", content)
    for section, value in sections.items():
        if section not in _SECTIONS:
            yield Fault(str(section), f"unknown section; there are {', '.join(_SECTIONS)}")
        elif section == "version" and value != VERSION:
            yield Fault("version", f"expected {VERSION}, found {_shown(value)}")
    for section in ("defaults", "resources"):
        yield from _of_section(section, sections.get(section))


def _of_section(section: str, value: object) -> Iterator[Fault]:
    if value is None:
        return
    if not isinstance(value, Mapping):
        yield Fault(section, f"expected an object, found {_shown(value)}")
        return
    for name, values in cast("Mapping[object, object]", value).items():
        place = f"{section}.{name}"
        if not isinstance(values, Mapping):
            yield Fault(place, f"expected keys with numbers, found {_shown(values)}")
            continue
        keys = cast("Mapping[object, object]", values)
        if section == "defaults":
            yield from _of_type(str(name), keys)
        yield from _of_numbers(place, keys)


def _of_numbers(place: str, keys: Mapping[object, object]) -> Iterator[Fault]:
    for key, number in keys.items():
        if isinstance(number, bool) or not isinstance(number, int | float) or not 0 <= number <= MOST:
            yield Fault(f"{place}.{key}", f"expected a number from 0 to {MOST:.0e}, found {_shown(number)}")


def _of_type(type_: str, values: Iterable[object]) -> Iterator[Fault]:
    known = measures_of(type_)
    if not known:
        yield Fault(f"defaults.{type_}", f"nothing of this type is billed by use here{_hint(type_, _measures())}")
        return
    yield from (Fault(f"defaults.{type_}.{key}", _unknown(str(key), known)) for key in values if key not in known)


def _of_pattern(pattern: str, values: Iterable[str], items: Sequence[Item]) -> Iterator[Fault]:
    meant = [one for one in items if any(fnmatchcase(name, pattern) for name in _names(one))]
    if not meant:
        hint = _hint(pattern, [one.name for one in items if measures_of(one.type)])
        yield Fault(f"resources.{pattern}", f"no resource is called that{hint}")
        return
    known = {key: measure for one in meant for key, measure in measures_of(one.type).items()}
    yield from (Fault(f"resources.{pattern}.{key}", _unknown(key, known)) for key in values if key not in known)


def _names(item: Item) -> tuple[str, str, str]:
    return item.urn, f"{item.type}::{item.name}", item.name


def _unknown(key: str, known: Mapping[str, Measure]) -> str:
    if not known:
        return "nothing of it is billed by use"
    return f"unknown key{_hint(key, known)}; there are {', '.join(known)}"


def _hint(name: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(name, list(known), n=1)
    return f"; did you mean '{near[0]}'?" if near else ""


def _numbers(value: object) -> Mapping[str, Mapping[str, float]]:
    given = cast("Mapping[object, Mapping[object, float]]", value or {})
    return {str(name): {str(key): float(one) for key, one in values.items()} for name, values in given.items()}


def _shown(value: object) -> str:
    return repr(value)[:60]
