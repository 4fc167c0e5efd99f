"""The Pulumi CLI holds to the plans that we keep; that we hold to its own is seen from those that are recorded.

(``tests/engine/test_up_as_reviewed.py``)
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.engine.lifecycle.cloud import Cloud
from tests.parity.command_line import CommandLine, where_there_is_one
from tests.parity.embedded import Embedded
from tests.parity.observed import Normal
from tests.parity.programs import Run

FIRST: Mapping[str, Any] = {
    "part": {"is": "component"},
    "p": {"is": "provider", "region": "here"},
    "a": {"size": 1, "key": 1, "options": {"parent": "part"}},
    "b": {"of": "${a.arn}", "word": {"secret": "hunter2-hunter2"}},
    "c": {"options": {"provider": "p", "protect": True}},
    "n": {"autoname": True},
}
SECOND: Mapping[str, Any] = {
    **{label: one for label, one in FIRST.items() if label != "n"},
    "a": {"size": 2, "key": 2, "options": {"parent": "part"}},
    "m": {"autoname": True},
}


@pytest.fixture
def cli(tmp_path: Path) -> Iterator[CommandLine]:
    yield from where_there_is_one(tmp_path)


def keep(cli: CommandLine, run: Run) -> str:
    """A plan that we keep of the stack that the CLI works on."""
    path, settings = cli.folder / "plan.json", cli.work / "Pulumi.dev.yaml"
    before = settings.read_text()
    Embedded(cli.work, cli.cloud).keep_plan(run, path)
    settings.write_text(before)
    return str(path)


@pytest.mark.pulumi
@pytest.mark.slow
def test_the_cli_holds_to_our_plans(cli: CommandLine) -> None:
    cli.cloud = Cloud()
    for program in (FIRST, SECOND):
        plan = keep(cli, Run(program))
        assert "hunter2" not in Path(plan).read_text()
        other = {**program, "a": {**program["a"], "size": 3}}
        refused = cli.observe(Run(other, flags={"plan": [plan]}), Normal()).comparable()
        assert refused["apply"] is None
        assert f"properties changed: {'++' if program is FIRST else '~~'}size" in cli.said
        seen = cli.observe(Run(program, flags={"plan": [plan]}), Normal()).comparable()
        assert seen["apply"]["succeeded"], cli.said
    assert cli.cloud.names() == ["a", "b", "c", "m"]
