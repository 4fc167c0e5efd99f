"""``kill -9`` of a process that records a run, at random moments: all that it said was durable is there afterwards."""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path

import pytest

from engine.state.invariants import problems
from tests.engine.state.stacks import small_stack, store

REPOSITORY = Path(__file__).parents[3]
ENGINE = """
import sys
from pathlib import Path
from engine.state.model import Snapshot
from engine.state.recorder import Recorder
from engine.values import Secret
from tests.engine.state.stacks import component, store

stack = store(Path(sys.argv[1]))
print("ready", flush=True)
while True:
    base = stack.load() or Snapshot()
    recorder = Recorder(stack, base)
    for number, operation in recorder.pending.items():
        recorder.recover(number, operation.resource)
    for state in recorder.snapshot().resources:
        recorder.put(state, state)
    for turn in range(5):
        name = f"part-{len(recorder.snapshot().resources)}"
        state = component(name, inputs={"n": name, "password": Secret(name)})
        number, durable = recorder.begin("creating", state)
        durable.result()
        print(f"began {state.urn}", flush=True)
        recorder.finish(number, new=state).result()
        print(f"made {state.urn}", flush=True)
    recorder.close()
    print("closed", flush=True)
"""


def killed_after(root: Path, lines: int) -> list[list[str]]:
    """What a run on ``root`` said until it was killed, ``lines`` lines after its start."""
    said: list[list[str]] = []
    command = [sys.executable, "-c", ENGINE, str(root)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=REPOSITORY) as process:
        assert process.stdout is not None
        for line in process.stdout:
            said.append(line.split())
            if len(said) > lines:
                process.kill()
    return said


@pytest.mark.parametrize("seed", range(4))
def test_what_was_said_to_be_durable_is_there(tmp_path: Path, seed: int) -> None:
    store(tmp_path).save(small_stack())
    moments = random.Random(seed)
    for _ in range(3):
        said = killed_after(tmp_path, moments.randrange(30))
        snapshot = store(tmp_path).load()
        assert snapshot is not None
        assert problems(snapshot) == []
        made = [state.urn for state in snapshot.resources]
        assert len(made) == len(set(made))
        begun = [operation.resource.urn for operation in snapshot.pending_operations]
        assert {words[1] for words in said if words[0] == "made"} <= set(made)
        assert {words[1] for words in said if words[0] == "began"} <= {*made, *begun}
        assert len(begun) <= 1


def test_a_kill_while_the_state_is_replaced_leaves_one_of_the_two(tmp_path: Path) -> None:
    """The moment is chosen by the file system's own events here: just before each rename."""
    script = """
import os, signal, sys
from pathlib import Path
from engine.state.model import Snapshot
from tests.engine.state.stacks import root_state, store

real = Path.replace
countdown = int(sys.argv[2])

def replace(self, target):
    global countdown
    countdown -= 1
    if countdown < 0:
        os.kill(os.getpid(), signal.SIGKILL)
    return real(self, target)

stack = store(Path(sys.argv[1]))
stack.load()
Path.replace = replace
stack.save(Snapshot((root_state(outputs={"new": True}),)))
"""
    old = store(tmp_path).save(small_stack())
    outcomes: list[int] = []
    for renames in range(3):
        done = subprocess.run([sys.executable, "-c", script, str(tmp_path), str(renames)], cwd=REPOSITORY, check=False)
        outcomes.append(done.returncode)
        found = store(tmp_path).load()
        assert found is not None
        if done.returncode:
            assert found == old
        else:
            assert len(found.resources) == 1
    assert outcomes == [-9, -9, 0]
