"""Plays a case on either engine, and keeps what it came to with the Pulumi CLI."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Final, Protocol

from tests.remote_components.cases import Case
from tests.remote_components.place import Json

_DEFAULT_PROVIDER: Final = re.compile(r"::pulumi:providers:[^:]+::default(_[0-9a-z_]+)?$")
EXPECTED: Final = Path(__file__).parent / "expected"


class Engine(Protocol):
    """Either engine with a place."""

    def begin(self) -> None: ...
    def write(self, program: str) -> None: ...
    def up(self) -> tuple[list[str], list[Json]]: ...
    def destroy(self) -> list[Json]: ...
    def made(self) -> list[str]: ...


def play(case: Case, engine: Engine) -> Json:
    """What each program of ``case`` came to: the steps of its preview, the state, what exists; at the end nothing."""
    engine.begin()
    runs: list[Json] = []
    for program in case.programs:
        engine.write(program)
        steps, state = engine.up()
        runs.append({"steps": [step for step in steps if _is_told(step)], "state": state, "made": engine.made()})
    engine.destroy()
    return {"runs": runs, "left": engine.made()}


def _is_told(step: str) -> bool:
    """Whether both engines tell of ``step`` in a preview's JSON: not of what stays, halves, default providers."""
    op, _, urn = step.partition(" ")
    return op not in ("same", "create-replacement", "delete-replaced") and not _DEFAULT_PROVIDER.search(urn)


def path_of(case: Case) -> Path:
    return EXPECTED / f"{case.name}.json"


def recorded(case: Case) -> Json:
    """What the CLI came to. Fails where the case is not the one that it was asked about."""
    kept = json.loads(path_of(case).read_text(encoding="utf-8"))
    assert kept["digest"] == case.digest, f"{case.name} was changed: python -m tests.remote_components.record"
    return kept["came_to"]
