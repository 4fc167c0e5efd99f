"""The embedded engine comes to what the real Pulumi CLI was seen to come to, case by case."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.parity import expectations
from tests.parity.command_line import CommandLine, where_there_is_one
from tests.parity.comparison import of_recordings, of_runs
from tests.parity.observed import Json
from tests.parity.play import on_the_embedded_engine, with_the_cli
from tests.parity.programs import Case, hand_written

ALL = hand_written()


@pytest.mark.parametrize("case", ALL, ids=[case.name for case in ALL])
def test_as_recorded(case: Case, tmp_path: Path) -> None:
    _judge(case, expectations.read(case).runs, on_the_embedded_engine(case, tmp_path))


@pytest.fixture(scope="module")
def cli(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CommandLine]:
    yield from where_there_is_one(tmp_path_factory.mktemp("pulumi"))


@pytest.mark.pulumi
@pytest.mark.slow
@pytest.mark.parametrize("case", ALL, ids=[case.name for case in ALL])
def test_live(case: Case, cli: CommandLine, tmp_path: Path) -> None:
    """The CLI that is here still does what was recorded, and our engine does it too."""
    seen = with_the_cli(case, cli)
    _judge(case, seen, on_the_embedded_engine(case, tmp_path))
    assert of_recordings(expectations.read(case).runs, seen) == []


def test_names_and_files_are_of_one_case_each() -> None:
    paths = [expectations.path_of(case) for case in ALL]
    assert len(set(paths)) == len(paths)
    assert set(expectations.EXPECTED.glob("*.json")) == set(paths)


def _judge(case: Case, expected: list[Json], ours: list[Json]) -> None:
    found = of_runs(expected, ours)
    if case.differs:
        assert found, f"{case.name!r} is said to differ ({case.differs}), and does not any more: say so no longer"
    else:
        assert not found, "\n".join(found)
