"""Without a preview, what is done comes to the same: a plan is held to, and decides nothing.

What Pulumi was seen to do after its own preview is what is done at once; ``cases/at_once.yaml`` has what Pulumi does
without one where its preview would have stopped.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.parity import expectations
from tests.parity.comparison import of_runs
from tests.parity.observed import Json
from tests.parity.play import on_the_embedded_engine
from tests.parity.programs import Case, Run, hand_written
from tests.parity.test_random import QUICK, RECORDED, compared

SEEDS = QUICK[::3]
WRITTEN = [case for case in hand_written() if not case.differs]


@pytest.mark.parametrize("case", WRITTEN, ids=[case.name for case in WRITTEN])
def test_a_case(case: Case, tmp_path: Path) -> None:
    _judge(case, expectations.read(case).runs, tmp_path)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_random_program_and_its_edits(seed: int, tmp_path: Path) -> None:
    _judge(*compared(seed), tmp_path)


@pytest.mark.exhaustive
@pytest.mark.parametrize("seed", [seed for seed in sorted(RECORDED.by_seed) if seed not in SEEDS])
def test_more_random_programs_and_their_edits(seed: int, tmp_path: Path) -> None:
    _judge(*compared(seed), tmp_path)


def _judge(case: Case, recorded: list[Json], folder: Path) -> None:
    """Compare as far as Pulumi's previews did not stop it."""
    stopped = (number for number, theirs in enumerate(recorded) if _stopped(theirs))
    number = next(stopped, len(recorded))
    case = replace(case, runs=[_at_once(run) if run.verb == "up" else run for run in case.runs[:number]])
    ours = on_the_embedded_engine(case, folder)
    found = of_runs(_without_previews(case, recorded[:number]), _without_previews(case, ours))
    assert not found, "\n".join(found)


def _at_once(run: Run) -> Run:
    return replace(run, flags={**run.flags, "skip_preview": True})


def _stopped(theirs: Json) -> bool:
    """Whether nothing was applied for what the preview had come to."""
    return bool(theirs["preview"] and not theirs["preview"]["succeeded"])


def _without_previews(case: Case, runs: list[Json]) -> list[Json]:
    return [run | {"preview": None} if each.verb == "up" else run for each, run in zip(case.runs, runs, strict=True)]
