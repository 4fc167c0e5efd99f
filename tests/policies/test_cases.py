"""Every rule says of its cases what their files say: ``pytest -n 0 tests/policies/test_cases.py -k RULE``."""

from __future__ import annotations

import asyncio
from collections.abc import Generator
from pathlib import Path

import pytest

from engine.analyzer.case_files import case_files, load
from engine.analyzer.cases import PROJECT, STACK, Outcome, outcomes
from engine.analyzer.client import Analyzer, start
from engine.analyzer.environment import StackFacts
from engine.analyzer.pack import PackFolder
from engine.analyzer.processes import Processes

POLICIES = Path(__file__).parents[2] / "policies"
FILES = [file for pack in sorted(POLICIES.glob("*/PulumiPolicy.yaml")) for file in case_files(pack.parent)]


class Packs:
    """Packs that run, each started once."""

    def __init__(self) -> None:
        self._runner = asyncio.Runner()
        self._processes = Processes()
        self._started: dict[Path, Analyzer] = {}

    def outcomes(self, path: Path) -> list[Outcome]:
        return self._runner.run(self._outcomes(path))

    async def _outcomes(self, path: Path) -> list[Outcome]:
        folder = path.parents[1]
        if folder not in self._started:
            pack, facts = PackFolder.load(folder), StackFacts(PROJECT, STACK)
            self._started[folder] = await start(pack, facts, None, self._processes)
        return await outcomes(load(path), self._started[folder])

    def close(self) -> None:
        for analyzer in self._started.values():
            self._runner.run(analyzer.close())
        self._runner.run(self._processes.close())
        self._runner.close()


@pytest.fixture(scope="module")
def packs() -> Generator[Packs]:
    running = Packs()
    yield running
    running.close()


@pytest.mark.parametrize("path", FILES, ids=[path.stem for path in FILES])
def test_a_rule_says_what_its_cases_say(path: Path, packs: Packs) -> None:
    wrong = [outcome for outcome in packs.outcomes(path) if not outcome.passed]
    assert not wrong, "\n".join(line for one in wrong for line in (f"\n{path.name}: {one.case}", *one.wrong))
