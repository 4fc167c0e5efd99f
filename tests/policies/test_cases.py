"""Every rule says of its cases what their files say: ``pytest tests/policies/test_cases.py -k RULE``."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from engine.analyzer.cases import differences, load
from tests.policies.pack_processes import POLICIES, running

FILES = sorted(POLICIES.glob("*/cases/*.yaml"))


@pytest.fixture(scope="session")
def pack() -> Iterator[Callable[[Path], Any]]:
    """The process of a pack, started once."""
    with ExitStack() as stack:

        @cache
        def started(folder: Path) -> Any:
            return stack.enter_context(running(folder))

        yield started


@pytest.mark.parametrize("path", FILES, ids=[path.stem for path in FILES])
def test_a_rule_says_what_its_cases_say(path: Path, pack: Callable[[Path], Any]) -> None:
    file = load(path)
    wrong = {case.name: found for case in file.cases if (found := differences(case, file.rule, pack(path.parents[1])))}
    assert not wrong, "\n".join(line for name, found in wrong.items() for line in (f"\n{path.name}: {name}", *found))
