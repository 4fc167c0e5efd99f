"""Dataclasses whose methods are compiled when they are first called do what others do."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import engine.host

_SCRIPT = """\
import sys, json, inspect
if sys.argv[1:]:
    sys.path.insert(0, sys.argv[1])
    import lazy_dataclasses
    assert lazy_dataclasses.install() == (sys.version_info < (3, 13))
import dataclasses
from dataclasses import dataclass, field

@dataclass(frozen=True)
class Point:
    x: int
    y: int = 0

@dataclass(frozen=True, slots=True, order=True)
class Slotted:
    name: str
    tags: list = field(default_factory=list, compare=False)

@dataclass
class Open:
    inner: object = None

@dataclass(frozen=True)
class Sub(Point):
    z: int = 0

def refused(change, *given):
    try:
        change(*given)
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return "allowed"

loop = Open()
loop.inner = loop
found = {
    "repr": [repr(Point(1)), repr(Slotted("a")), repr(loop), repr(Sub(1, 2, 3))],
    "equal": [Point(1) == Point(1), Point(1) == Point(2), Point(1) == Sub(1), Slotted("a", [1]) == Slotted("a")],
    "hash": [len({Point(1), Point(1), Point(2)}), hash(Sub(1)) == hash(Sub(1)), refused(hash, Open())],
    "order": [Slotted("a") < Slotted("b"), refused(lambda: Point(1) < Point(2))],
    "frozen": [refused(setattr, each, name, 1) for each, name in
               ((Point(1), "x"), (Point(1), "new"), (Slotted("a"), "name"), (Sub(1), "z"), (Open(), "new"))],
    "deleted": [refused(delattr, Point(1), "x"), refused(delattr, Sub(1), "z")],
    "signature": [str(inspect.signature(each)) for each in (Point, Slotted, Open, Sub)],
    "replaced": repr(dataclasses.replace(Point(1), y=4)),
    "names": [Point.__eq__.__name__, Point.__setattr__.__qualname__, Point.__repr__.__qualname__],
}
print(json.dumps(found))
"""


def _found(*arguments: str) -> dict[str, Any]:
    done = subprocess.run([sys.executable, "-c", _SCRIPT, *arguments], capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def pair() -> tuple[dict[str, Any], dict[str, Any]]:
    return _found(), _found(str(Path(engine.host.__file__).parent))


def test_nothing_can_be_told_from_outside(pair: tuple[dict[str, Any], dict[str, Any]]) -> None:
    plain, lazy = pair
    assert lazy == plain


def test_the_cases_are_what_they_are_meant_to_be(pair: tuple[dict[str, Any], dict[str, Any]]) -> None:
    plain, _ = pair
    assert plain["equal"] == [True, False, False, True]
    assert all("FrozenInstanceError" in text for text in plain["frozen"][:4] + plain["deleted"])
