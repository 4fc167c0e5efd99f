"""Plays cases: each run of a case on a cloud of its own engine, with what had changed in it and what goes wrong."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from tests.engine.lifecycle.cloud import Cloud, Live
from tests.parity.command_line import CliHangs, CommandLine
from tests.parity.embedded import Embedded
from tests.parity.observed import Json, Normal, Observation
from tests.parity.programs import Case, Run


class Engine(Protocol):
    """Either engine, with a stack and a cloud."""

    cloud: Cloud

    def observe(self, run: Run, normal: Normal) -> Observation: ...


def play(case: Case, engine: Engine) -> list[Json]:
    """What each run of ``case`` came to on ``engine``, which is fresh."""
    normal = Normal()
    seen: list[Json] = []
    for run in case.runs:
        _prepare(engine.cloud, run)
        seen.append(engine.observe(run, normal).comparable())
    return seen


def on_the_embedded_engine(case: Case, folder: Path) -> list[Json]:
    write_files(case, folder)
    return play(case, Embedded(folder, cloud_of(case)))


def with_the_cli(case: Case, cli: CommandLine) -> list[Json]:
    """What the CLI came to; once in a hundred runs it hangs, and is asked again."""
    try:
        return _with_the_cli(case, cli)
    except CliHangs:
        return _with_the_cli(case, cli)


def _with_the_cli(case: Case, cli: CommandLine) -> list[Json]:
    cli.reset(cloud_of(case))
    write_files(case, cli.work)
    return play(case, cli)


def cloud_of(case: Case) -> Cloud:
    """A cloud in which there is what the case says exists already."""
    cloud = Cloud()
    for id_, inputs in case.exists.items():
        cloud.live[id_] = Live(f"urn:pulumi:by::hand::test:index:Thing::{id_}", "test:index:Thing", dict(inputs))
    return cloud


def write_files(case: Case, folder: Path) -> None:
    for name, content in case.files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)


def _prepare(cloud: Cloud, run: Run) -> None:
    cloud.calls.clear()
    cloud.wrongs.clear()
    cloud.faults = dict(run.faults)
    for name, inputs in run.drift.items():
        for id_ in [id_ for id_, live in cloud.live.items() if name in (id_, live.name)]:
            if inputs is None:
                del cloud.live[id_]
            else:
                cloud.live[id_].inputs = {**cloud.live[id_].inputs, **inputs}


Player = Callable[[Case], list[Json]]
