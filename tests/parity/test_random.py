"""Random programs and edits come to what the real Pulumi CLI was seen to come to with them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Final

import pytest

from tests.parity.comparison import of_runs
from tests.parity.generate import case_of
from tests.parity.observed import Json
from tests.parity.play import on_the_embedded_engine
from tests.parity.programs import Case
from tests.parity.random_runs import FILE, RandomRuns
from tests.parity.wider import FIRST

RECORDED: Final = RandomRuns.load()
SEEDS: Final = sorted(RECORDED.by_seed)
SHARE: Final = 48  # what takes a few seconds
QUICK: Final = [*SEEDS[:SHARE], *[seed for seed in SEEDS if seed >= FIRST][::9]]


@pytest.mark.parametrize("seed", QUICK)
def test_a_random_program_and_its_edits(seed: int, tmp_path: Path) -> None:
    _judge(seed, tmp_path)


@pytest.mark.exhaustive
@pytest.mark.parametrize("seed", [seed for seed in SEEDS if seed not in QUICK])
def test_more_random_programs_and_their_edits(seed: int, tmp_path: Path) -> None:
    _judge(seed, tmp_path)


def test_what_is_recorded_is_of_one_version_and_small() -> None:
    assert len({recorded.pulumi for recorded in RECORDED.by_seed.values()}) == 1
    assert FILE.stat().st_size < 1_000_000


def compared(seed: int) -> tuple[Case, list[Json]]:
    """The program of ``seed`` with what Pulumi came to, both as far as they can be compared."""
    case = case_of(seed)
    number, _ = RECORDED.compared(case, seed)
    return replace(case, runs=case.runs[:number]), RECORDED.by_seed[seed].runs[:number]


def _judge(seed: int, folder: Path) -> None:
    case, runs = compared(seed)
    found = of_runs(runs, on_the_embedded_engine(case, folder))
    assert not found, f"python -m tests.parity.shrink {seed}\n" + "\n".join(found)
