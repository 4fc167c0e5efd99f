"""What the real CLI came to, as files: each says which version of it made them, and when, and for which programs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tests.parity.observed import Json
from tests.parity.programs import Case

EXPECTED: Final = Path(__file__).parent / "expected"
_LINES_UP_TO: Final = 3  # levels of nesting that are told apart by lines


@dataclass(frozen=True)
class Recorded:
    """One case's runs as ``pulumi`` (its version) had them ``at`` a day."""

    digest: str
    pulumi: str
    at: str
    runs: list[Json]


def path_of(case: Case) -> Path:
    """Where the expectation of a hand-written case lies."""
    return EXPECTED / (case.name.replace(" ", "_").replace(",", "").replace("'", "").replace("/", "_") + ".json")


def read(case: Case) -> Recorded:
    """The expectation of ``case``; fails where there is none, or one of another program."""
    path = path_of(case)
    assert path.exists(), f"{case.name!r} was never recorded; with `pulumi` on PATH: python -m tests.parity.record"
    content: Mapping[str, Any] = json.loads(path.read_text())
    recorded = Recorded(content["digest"], content["pulumi"], content["at"], content["runs"])
    assert recorded.digest == case.digest, f"{path} is of another program; python -m tests.parity.record"
    return recorded


def write(case: Case, recorded: Recorded) -> None:
    EXPECTED.mkdir(exist_ok=True)
    head = {"case": case.name, "pulumi": recorded.pulumi, "at": recorded.at, "digest": recorded.digest}
    lines = [f'"{key}": {json.dumps(value)}' for key, value in head.items()]
    runs = ",\n".join(_pretty(run) for run in recorded.runs)
    path_of(case).write_text("{" + ",\n".join(lines) + ',\n"runs": [\n' + runs + "\n]}\n")


def _pretty(value: Json, depth: int = 0) -> str:
    """JSON with a line for each step, call, answer and resource: what changes is seen in a diff."""
    if depth == _LINES_UP_TO or not isinstance(value, dict | list) or not value:
        return json.dumps(value)
    indent = " " * depth
    if isinstance(value, dict):
        items = [f"{json.dumps(key)}: {_pretty(item, depth + 1)}" for key, item in value.items()]
        return "{\n" + ",\n".join(f"{indent} {item}" for item in items) + "}"
    return "[\n" + ",\n".join(f"{indent} {_pretty(item, depth + 1)}" for item in value) + "]"
