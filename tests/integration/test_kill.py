"""`kill -9` of the engine at random requests of an up, a change and a destroy: nothing is forgotten, all converges.

The emulator runs in the test's own process and kills the engine just before or just after it has carried a request out,
so that each seed is one exact moment. More seeds: ``pytest --exhaustive``. Without processes many more moments are
tried in ``tests/engine/lifecycle/test_kill.py``; here it is seen that a real kill leaves what is assumed there.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from engine import sandbox
from tests.integration.emulated import Emulated, emulator
from tests.integration.inventory import inventory

PROGRAM = Path(__file__).parent / "programs" / "many"
BEDPLATE = Path(sys.executable).parent / "bedplate"
EXPECTED_ROUND_1 = {"bucket": 3, "versioned bucket": 3}
EXPECTED_ROUND_2 = {"bucket": 2, "versioned bucket": 2}
EXPECTED_BOTH = {
    "address": 1, "alias": 1, "attachment": 1, "internet gateway": 1, "key": 1, "log group": 1, "policy": 1,
    "repository": 1, "role": 1, "route": 1, "route table": 3, "route table association": 3, "security group": 1,
    "subnet": 3, "subscription": 1, "topic": 1, "vpc": 1,
}  # fmt: skip


@dataclass
class Stack:
    """A copy of the program, and the command line on it."""

    folder: Path
    emulated: Emulated

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        environment = {**os.environ, "NO_COLOR": "1"}
        return subprocess.Popen(
            [str(BEDPLATE), *arguments, "-C", str(self.folder)], env=environment, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
        )  # fmt: skip

    def run(self, *arguments: str) -> None:
        process = self.start(*arguments)
        output, _ = process.communicate(timeout=120)
        assert process.returncode == 0, output

    def killed_at(self, change: int, before: bool, *arguments: str) -> bool:
        """Run, and kill the engine at its request number ``change``; whether it came that far."""
        process: list[subprocess.Popen[str]] = []
        killed: list[int] = []

        def kill(number: int) -> None:
            if number == change:
                process[0].send_signal(signal.SIGKILL)
                killed.append(number)

        self.emulated.changes = 0
        hook: Callable[[int], None] = kill
        self.emulated.before, self.emulated.after = (hook, None) if before else (None, hook)
        process.append(self.start(*arguments))
        process[0].communicate(timeout=120)
        self.emulated.before = self.emulated.after = None
        return bool(killed)

    def set_round(self, number: int) -> None:
        (self.folder / "Pulumi.dev.yaml").write_text(f'config:\n  many:round: "{number}"\n')

    def inventory(self) -> dict[str, int]:
        return inventory(self.emulated.client)


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[Stack]:
    folder = tmp_path / "many"
    shutil.copytree(PROGRAM, folder, ignore=shutil.ignore_patterns(".bedplate"))
    with emulator() as emulated:
        emulated.reset()
        sandbox.up(folder, endpoint=emulated.endpoint)
        made = Stack(folder, emulated)
        made.set_round(1)
        yield made
        sandbox.down(folder)


def seeds() -> list[int]:
    return list(range(200 if "--exhaustive" in sys.argv else 4))


@pytest.mark.slow
@pytest.mark.parametrize("seed", seeds())
def test_an_engine_that_is_killed_forgets_nothing(stack: Stack, seed: int) -> None:
    chance = random.Random(seed)
    before = chance.random() < 0.5
    phase = ("up", "up", "change", "destroy")[seed % 4]
    if phase != "up":
        stack.run("up", "dev", "--yes")
    if phase == "change":
        stack.set_round(2)
    verb = "destroy" if phase == "destroy" else "up"
    came = stack.killed_at(chance.randrange(1, 45 if phase == "up" else 20), before, verb, "dev", "--yes")
    if came and phase == "destroy" and chance.random() < 0.5:
        stack.run("destroy", "dev", "--yes")
        assert stack.inventory() == {}
        return
    stack.run("up", "dev", "--yes")
    assert stack.inventory() == {**EXPECTED_BOTH, **(EXPECTED_ROUND_2 if phase == "change" else EXPECTED_ROUND_1)}
    stack.run("up", "dev", "--yes", "--expect-no-changes")
    stack.run("destroy", "dev", "--yes")
    assert stack.inventory() == {}


def test_killed_twice_in_a_row(stack: Stack) -> None:
    assert stack.killed_at(9, False, "up", "dev", "--yes")
    assert stack.killed_at(5, True, "up", "dev", "--yes")
    stack.run("up", "dev", "--yes")
    assert stack.inventory() == {**EXPECTED_BOTH, **EXPECTED_ROUND_1}
    stack.run("destroy", "dev", "--yes")
    assert stack.inventory() == {}
