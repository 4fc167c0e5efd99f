"""Real programs, in a process, over gRPC: what only the SDK can ask for. They lie in ``tests/cases/lifecycle``."""

from __future__ import annotations

import asyncio
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import pytest

from engine.events import Diagnostic, Event, ProgramOutput, RunStarted, Severity
from engine.project import Project
from engine.run import Options, Outcome, Result
from engine.session import Session
from engine.state.model import ResourceState
from engine.urn import name_of
from engine.values import Asset, Properties, Secret
from tests.engine.lifecycle.cloud import Cloud, CloudProvider

PROGRAMS: Final = Path(__file__).parents[2] / "cases" / "lifecycle" / "programs"
PASSWORD: Final = "correct-horse-battery"


@dataclass
class Stack:
    """A project on disk that runs one program after another."""

    root: Path
    cloud: Cloud = field(default_factory=Cloud)
    events: list[Event] = field(default_factory=list[Event])

    def up(self, program: str, **config: str) -> Outcome:
        self.write(program, config)
        return asyncio.run(self.session().up(self.events.append, Options(), lambda _preview: True))

    def cancelled_at(self, begins: str, program: str, **config: str) -> Outcome:
        """An ``up`` that is cancelled at the first line of the program that begins so, and ends within a minute."""
        self.write(program, config)
        session = self.session()

        def emit(event: Event) -> None:
            if isinstance(event, ProgramOutput) and event.text.startswith(begins):
                asyncio.get_running_loop().call_soon(session.cancel)

        async def applied() -> Outcome:
            return await asyncio.wait_for(session.up(emit, Options(), lambda _preview: True), 60)

        return asyncio.run(applied())

    def preview(self, program: str, **config: str) -> Outcome:
        self.write(program, config)
        return asyncio.run(self.session().preview(self.events.append, Options()))

    def session(self) -> Session:
        project = Project.load(self.root)
        factories = {"test": lambda: CloudProvider(self.cloud)}
        return Session.open(project, "dev", factories, environment={"PULUMI_CONFIG_PASSPHRASE": "x"})

    def write(self, program: str, config: dict[str, str]) -> None:
        shutil.copy(PROGRAMS / f"{program}.py", self.root / "__main__.py")
        shutil.copy(PROGRAMS / "kit.py", self.root / "kit.py")
        (self.root / "Pulumi.yaml").write_text("name: shop\nruntime: python\n")
        lines = "".join(f"  shop:{key}: {value}\n" for key, value in config.items())
        (self.root / "Pulumi.dev.yaml").write_text(f"config:\n{lines}" if lines else "config: {}\n")

    def state(self, name: str) -> ResourceState:
        (found,) = [each for each in self.session().snapshot().resources if name_of(each.urn) == name]
        return found

    def said(self, severity: Severity) -> str:
        return "\n".join(e.message for e in self.events if isinstance(e, Diagnostic) and e.severity is severity)

    def outputs(self) -> Properties:
        return self.session().outputs()


@pytest.fixture
def stack(tmp_path: Path) -> Stack:
    return Stack(tmp_path)


def test_transforms_of_the_stack_and_of_a_parent(stack: Stack) -> None:
    assert stack.up("transforms").result is Result.SUCCEEDED
    assert stack.state("child").inputs == {"size": 7, "tag": "stack"}
    assert stack.state("child").protect
    assert stack.state("alone").inputs == {"size": 1, "tag": "stack"}
    assert not stack.state("alone").protect


def test_outputs_applies_invokes_config_and_secrets(stack: Stack) -> None:
    outcome = stack.up("outputs", password=PASSWORD)
    assert outcome.result is Result.SUCCEEDED, stack.said(Severity.ERROR)
    outputs = stack.outputs()
    arn = stack.state("a").outputs["arn"]
    assert outputs == {
        "arn": arn.upper(), "password": Secret(f"<{PASSWORD}>"), "answer": 42, "late": arn, "dry": False,
    }  # fmt: skip
    assert stack.state("inner").inputs == {"of": arn}
    assert stack.state("b").inputs["password"] == Secret(f"<{PASSWORD}>")
    assert stack.state("b").inputs["list"] == Secret([f"<{PASSWORD}>", "open"])
    assert isinstance(stack.state("b").outputs["arn"], Secret)
    assert stack.state("below").provider.startswith(stack.state("here").urn)
    assert stack.state("part").outputs == {"arn": arn}
    assert stack.state("below").urn in stack.state("after").dependencies
    assert "a warning of the program" in stack.said(Severity.WARNING)
    for file in stack.root.rglob("*"):
        if file.is_file() and file.name != "Pulumi.dev.yaml":
            assert PASSWORD.encode() not in file.read_bytes(), file
    later = [event for event in stack.events if not isinstance(event, RunStarted)]  # shows config that is not sealed
    assert PASSWORD not in repr(later)


def test_a_second_run_changes_nothing(stack: Stack) -> None:
    stack.up("outputs", password=PASSWORD)
    calls = list(stack.cloud.calls)
    outcome = stack.up("outputs", password=PASSWORD)
    assert outcome.result is Result.SUCCEEDED
    assert not outcome.plan.has_changes
    assert stack.cloud.calls == calls


def test_a_preview_of_what_is_not_known_yet(stack: Stack) -> None:
    outcome = stack.preview("outputs", password=PASSWORD)
    assert outcome.result is Result.SUCCEEDED, stack.said(Severity.ERROR)
    created = {name_of(step.urn) for step in outcome.plan.steps}
    assert created >= {"a", "b", "part", "below", "after"}
    assert "inner" not in created  # nobody knows the arn before a exists
    assert stack.cloud.calls == []


def test_reading_importing_and_options(stack: Stack) -> None:
    id_ = stack.cloud.make("urn:pulumi:x::y::test:index:Thing::found", "test:index:Thing", {"size": 1}, "")
    assert id_ == "found-1"
    assert stack.up("reads").result is Result.SUCCEEDED, stack.said(Severity.ERROR)
    assert stack.state("found").external
    assert stack.state("user").inputs == {"of": "arn:found-1"}
    assert stack.state("taken").id == "found-1"
    options = stack.state("options")
    assert options.protect
    assert options.retain_on_delete
    assert options.deleted_with == stack.state("found").urn
    assert (options.ignore_changes, options.replace_on_changes) == (("x",), ("y",))
    assert options.custom_timeouts.create == 300
    assert isinstance(options.inputs["file"], Asset)


@pytest.mark.parametrize(
    ("how", "said"), [("raise", "boom"), ("exit", "exited with code 3"), ("vanish", "before it had run to its end")]
)
def test_a_program_that_ends_badly_deletes_nothing(stack: Stack, how: str, said: str) -> None:
    assert stack.up("transforms").result is Result.SUCCEEDED
    assert stack.up("raises", how=how).result is Result.PROGRAM_FAILED
    assert said in stack.said(Severity.ERROR)
    assert {"child", "alone"} <= set(stack.cloud.names())


def test_what_a_program_does_last_is_done(stack: Stack) -> None:
    assert stack.up("last_words").result is Result.SUCCEEDED
    printed = [event.text for event in stack.events if isinstance(event, ProgramOutput)]
    assert printed[-2:] == ["from a thread", "from a handler"]
    assert (stack.root / "left-open.txt").read_text() == "all of it"


def test_annotations_of_a_class_of_the_program_name_pulumi(stack: Stack) -> None:
    """As in the Pulumi CLI's host, whose own module has that name."""
    assert stack.up("annotated").result is Result.SUCCEEDED
    assert stack.outputs() == {"arn": "arn:a-1"}
