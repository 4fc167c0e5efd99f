"""A stack that one engine has brought up and the other one goes on with: what its state says, and what is previewed.

The programs are those of the parity suite, in ``cases.yaml``. What the CLI exported, and what it then previewed for the
last program, is recorded in ``expected``, each file with the version that made it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from engine.editing import put_in
from engine.events import Event
from engine.state.model import Snapshot
from tests.parity.command_line import CliFailed, CommandLine
from tests.parity.embedded import Embedded
from tests.parity.observed import Json, Normal
from tests.parity.play import cloud_of, play, write_files
from tests.parity.programs import STACK, Case, Run, load

FOLDER: Final = Path(__file__).parent
CASES: Final = load(FOLDER / "cases.yaml")


@dataclass(frozen=True)
class Handed:
    """``export`` is what ``pulumi stack export`` writes; ``steps`` are those that a preview then has."""

    export: Json
    steps: Json
    version: str = ""
    date: str = ""
    digest: str = ""


def path_of(case: Case) -> Path:
    return FOLDER / "expected" / f"{case.name.replace(' ', '-')}.json"


def recorded(case: Case) -> Handed:
    """What the CLI came to. Fails where the case was changed since."""
    found = Handed(**json.loads(path_of(case).read_text()))
    assert found.digest == case.digest, f"{case.name!r} was changed: python -m tests.interchange.record"
    return found


def _again(case: Case) -> Run:
    return replace(case.runs[-1], verb="preview", faults={}, drift={})


def by_the_cli(case: Case, cli: CommandLine) -> Handed:
    """The CLI brings it up, exports it and previews the last program again."""
    cli.reset(cloud_of(case))
    write_files(case, cli.work)
    play(case, cli)
    return Handed(json.loads(_said(cli, "stack", "export")), _steps(cli, case), cli.version, digest=case.digest)


def on_with_the_cli(case: Case, export: str, cli: CommandLine) -> Json:
    """What the CLI previews of a state that was exported elsewhere."""
    cli.reset(cloud_of(case))
    write_files(case, cli.work)
    path = cli.work / "handed-over.json"
    path.write_text(export)
    _said(cli, "stack", "import", "--file", str(path))
    return _steps(cli, case)


def by_us(case: Case, folder: Path) -> str:
    """Our engine brings it up and exports it."""
    write_files(case, folder)
    ours = Embedded(folder, cloud_of(case))
    play(case, ours)
    return ours.session(case.runs[-1]).exported()


def on_with_us(case: Case, export: str, folder: Path) -> tuple[Json, Snapshot, Json]:
    """What our engine previews of a state that was exported elsewhere, its state then, and its own export of that."""
    write_files(case, folder)
    ours = Embedded(folder, cloud_of(case))
    session = ours.session(case.runs[-1])
    done = put_in(session, _heard, export.encode(), "it", lambda _before, _after: True, "handed over")
    assert done.applied
    exported = json.loads(ours.session(case.runs[-1]).exported(reveal=True))
    return _steps(ours, case), ours.session(case.runs[-1]).snapshot(), exported


def _heard(_event: Event) -> None:
    """Nobody listens."""


def _steps(engine: CommandLine | Embedded, case: Case) -> Json:
    seen: Any = engine.observe(_again(case), Normal()).comparable()
    assert seen["preview"] is not None
    assert not seen["preview"]["failed"] and not seen["preview"]["errors"]
    return sorted(seen["preview"]["steps"])


def _said(cli: CommandLine, *arguments: str) -> str:
    done = cli.pulumi(*arguments, "--stack", STACK)
    if done.returncode:
        raise CliFailed(done.stdout + done.stderr)
    return done.stdout
