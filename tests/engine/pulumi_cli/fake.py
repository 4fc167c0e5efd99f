"""A `pulumi` command that answers as it is told, for tests of what drives it: it leaves a line for each call.

An answer is chosen by the words of a call and the flags that it must have; the first that fits counts. It may write
events, print, wait for a signal and take any exit code.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

RECORDED: Final = Path(__file__).parents[2] / "cases" / "pulumi_cli"
EMPTY: Final = {"version": 3, "deployment": {"manifest": {"time": "", "magic": "", "version": ""}}}
_SCRIPT: Final = """\
#!{python} -IS
import json, os, signal, sys, time
folder = {folder!r}
given = sys.argv[1:]
words = [word for word in given if not word.startswith("-")]
with open(os.path.join(folder, "calls"), "a") as calls:
    calls.write(json.dumps(given) + "\\n")
path = os.path.join(folder, "answers.json")
answers = json.load(open(path))
fits = lambda one: words[:len(one["when"])] == one["when"] and set(one["flags"]) <= set(given)
answer = next(one for one in answers if fits(one))
if answer["once"]:
    answers.remove(answer)
    json.dump(answers, open(path, "w"))
if words[:2] == ["stack", "import"]:
    open(os.path.join(folder, "imported.json"), "w").write(sys.stdin.read())
signals = []
signal.alarm(100)  # nothing of a test that has failed stays
signal.signal(signal.SIGINT, lambda number, frame: signals.append(number))
flags = os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND  # as the real one opens it
log = open(os.open(given[given.index("--event-log") + 1], flags), "w") if "--event-log" in given else None
parent = os.getppid()
if "--save-plan" in given:
    json.dump(answer["plan"], open(given[given.index("--save-plan") + 1], "w"))
for event in answer["events"]:
    if event == "wait":
        while not signals:
            time.sleep(0.01)
        with open(os.path.join(folder, "signals"), "a") as file:
            file.write(str(os.getpid()) + "\\n")
        signals.clear()
    elif event == "orphaned":
        while os.getppid() == parent:
            time.sleep(0.01)
    elif log:
        log.write(event + "\\n")
        log.flush()
sys.stdout.write(answer["out"])
sys.stderr.write(answer["err"])
with open(os.path.join(folder, "ended"), "a") as file:
    file.write(json.dumps(given) + "\\n")
sys.exit(answer["code"])
"""


def recorded(name: str) -> list[str]:
    """The events of a log that the real CLI wrote."""
    return (RECORDED / f"{name}.ndjson").read_text().splitlines()


def event(**payload: Any) -> str:
    return json.dumps({"sequence": 0, "timestamp": 0, **payload})


@dataclass
class FakePulumi:
    """The command, in a folder that is to be on PATH."""

    folder: Path
    answers: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])

    def __post_init__(self) -> None:
        self.folder.mkdir()
        script = self.folder / "pulumi"
        script.write_text(_SCRIPT.format(python=sys.executable, folder=str(self.folder)))
        script.chmod(0o755)
        self.answer("version", out="v3.260.0\n")

    def answer(
        self, *when: str, flags: Sequence[str] = (), events: Sequence[str] = (), out: str = "", err: str = "",
        code: int = 0, plan: Any = None, once: bool = False,
    ) -> None:  # fmt: skip
        """What it says from now on to calls that begin with ``when``; "wait" among events waits for a SIGINT,
        "orphaned" for the end of whoever has started it."""
        self.answers.append(
            {"when": when, "flags": flags, "events": events, "out": out, "err": err, "code": code, "plan": plan,
             "once": once}
        )  # fmt: skip
        (self.folder / "answers.json").write_text(json.dumps(self.answers))

    def has_stack(self, deployment: Any = None, *, once: bool = False) -> None:
        self.answer("stack", "export", out=json.dumps(EMPTY if deployment is None else deployment), once=once)

    @property
    def imported(self) -> Any:
        """What was last put in a stack's place."""
        return json.loads((self.folder / "imported.json").read_text())

    def has_no_stack(self, name: str = "dev", *, once: bool = False) -> None:
        self.answer("stack", "export", err=f"error: no stack named '{name}' found\n", code=6, once=once)

    @property
    def calls(self) -> list[list[str]]:
        return self._lines("calls")

    @property
    def ended(self) -> list[list[str]]:
        """The calls that have come to their end."""
        return self._lines("ended")

    def _lines(self, name: str) -> list[list[str]]:
        path = self.folder / name
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    def called(self, *words: str) -> list[list[str]]:
        """The calls whose first words are these."""
        return [
            call for call in self.calls if [one for one in call if not one.startswith("-")][: len(words)] == [*words]
        ]

    @property
    def signals(self) -> int:
        """How many signals it has waited for."""
        path = self.folder / "signals"
        return len(path.read_text().splitlines()) if path.exists() else 0
