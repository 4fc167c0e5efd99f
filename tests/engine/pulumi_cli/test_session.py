"""A session of the Pulumi CLI: which calls each verb makes, what comes of the answers, and of Ctrl-C."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from engine.analyzer.config import read_config
from engine.analyzer.findings import Level, PolicyConfig
from engine.analyzer.pack import PackFolder
from engine.analyzer.packs import ChosenPack, Packs
from engine.events import Cancelled, Diagnostic, Event, Passed, RunEnded, RunStarted, StepDone
from engine.project import Project, UnknownStack
from engine.pulumi_cli import errors
from engine.pulumi_cli.asked import pack_flags
from engine.pulumi_cli.session import CliSession
from engine.run import Options, Outcome, Result
from engine.targets import Targets
from engine.values import Secret
from tests.engine.pulumi_cli.fake import EMPTY, FakePulumi, event, recorded

FAILED = event(diagnosticEvent={"severity": "error", "message": "it went wrong\n"})
BEGUN = event(preludeEvent={"config": {}})


def ended(result: str = "succeeded", **changes: int) -> str:
    return event(summaryEvent={"result": result, "resourceChanges": changes, "PolicyPacks": {}})


@dataclass
class Work:
    """The stack ``dev`` of a project, and what its session has said."""

    session: CliSession
    events: list[Event] = field(default_factory=list[Event])
    agreed: list[Outcome] = field(default_factory=list[Outcome])
    answer: bool = True

    def run(self, verb: str, **options: object) -> Outcome:
        go: Callable[..., Awaitable[Outcome]] = getattr(self.session, verb)
        agree = () if verb.startswith("preview") else (self.agree,)
        return asyncio.run(_awaited(go(self.events.append, Options(**options), *agree)))  # pyright: ignore[reportArgumentType]

    def agree(self, preview: Outcome) -> bool:
        self.agreed.append(preview)
        return self.answer

    @property
    def errors(self) -> list[str]:
        return [one.message for one in self.events if isinstance(one, Diagnostic)]


async def _awaited(outcome: Awaitable[Outcome]) -> Outcome:
    return await outcome


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Work:
    monkeypatch.setenv("PULUMI_CONFIG_PASSPHRASE", "test")
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "Pulumi.yaml").write_text("name: demo\nruntime: python\n")
    (folder / "Pulumi.dev.yaml").write_text("config: {}\n")
    return Work(CliSession.open(Project.load(folder), "dev", message="why"))


def test_an_up_shows_the_preview_and_runs_the_rest_once_it_is_agreed_to(fake: FakePulumi, work: Work) -> None:
    fake.has_stack()
    fake.answer("preview", events=recorded("preview-replace"))
    fake.answer("up", events=recorded("up-replace"))
    targets = Targets(("b", "**::c"), dependents=True, replace=("d",))
    outcome = work.run("up", parallel=3, targets=targets, refresh=True, continue_on_error=True)
    assert outcome.result is Result.SUCCEEDED
    assert [preview.plan.outputs_before for preview in work.agreed] == [{"a": "arn:a-2"}]
    assert outcome.plan.outputs_after == {"a": "arn:a-6"}
    (preview,), (up,) = fake.called("preview"), fake.called("up")
    for call in (preview, up):
        shown = " ".join(call)
        assert "--parallel 3" in shown and "--target **::b --target **::c" in shown and "--message why" in shown
        assert "--replace **::d" in shown
        assert {"--target-dependents", "--refresh", "--non-interactive"} <= set(call)
        assert "--stack dev" in shown and "--color never" in shown
    assert {"--yes", "--skip-preview", "--continue-on-error"} <= set(up)
    assert not {"--yes", "--skip-preview", "--continue-on-error"} & set(preview)


def test_an_up_is_held_to_a_plan_by_the_cli(fake: FakePulumi, work: Work, tmp_path: Path) -> None:
    violated = event(diagnosticEvent={"severity": "error", "message": "resource urn violates plan: no steps\n"})
    (tmp_path / "plan.json").write_text('{"resourcePlans": {}}')
    fake.has_stack()
    fake.answer("preview", events=recorded("preview-replace"))
    fake.answer("up", events=[BEGUN, violated, ended("failed")], code=1)
    assert work.run("up", plan=tmp_path / "plan.json").result is Result.PLAN_VIOLATED
    assert f"--plan {tmp_path / 'plan.json'}" in " ".join(fake.called("up")[0])
    assert "--plan" not in fake.called("preview")[0]


VIOLATED = "resource urn:pulumi:dev::demo::test:index:Thing::a violates plan: properties changed: ~~size[{2}!={3}]"


def test_an_up_is_held_to_the_plan_that_was_reviewed(fake: FakePulumi, work: Work, tmp_path: Path) -> None:
    """The CLI previews once more, with the plan's names: what comes of that is told only where it stops there."""
    plan = tmp_path / "plan.json"
    plan.write_text('{"resourcePlans": {}}')
    fake.has_stack()
    fake.answer("preview", events=recorded("preview-replace"))
    fake.answer("up", events=[*recorded("preview-replace"), *recorded("up-replace")], once=True)
    message = event(diagnosticEvent={"severity": "error", "urn": "a", "message": f"{VIOLATED}\n"})
    fake.answer("up", events=[BEGUN, message, ended("failed")], code=255)
    assert work.run("up", plan=plan).result is Result.SUCCEEDED
    (up,) = fake.called("up")
    assert up[up.index("--plan") + 1] == str(plan)
    assert "--skip-preview" not in up
    begun = [one.preview for one in work.events if isinstance(one, RunStarted)]
    assert begun == [True, False]

    work.events.clear()
    assert work.run("up", plan=plan).result is Result.PLAN_VIOLATED
    assert VIOLATED in work.errors
    assert [one.preview for one in work.events if isinstance(one, RunStarted)] == [True, True]


def test_who_does_not_agree_changes_nothing(fake: FakePulumi, work: Work) -> None:
    fake.has_stack()
    fake.answer("preview", events=recorded("preview-replace"))
    work.answer = False
    assert work.run("up").result is Result.CANCELLED
    assert fake.called("up") == []


@pytest.mark.parametrize(("verb", "log"), [("destroy", "destroy-preview"), ("refresh", "refresh-preview")])
def test_destroy_and_refresh_look_first(fake: FakePulumi, work: Work, verb: str, log: str) -> None:
    fake.has_stack()
    fake.answer(verb, flags=["--preview-only"], events=recorded(log))
    fake.answer(verb, flags=["--yes"], events=[BEGUN, ended()])
    assert work.run(f"preview_{verb}").plan.has_changes
    assert len(fake.called(verb)) == 1
    assert work.run(verb).result is Result.SUCCEEDED
    assert ["--yes" in call for call in fake.called(verb)] == [False, False, True]
    work.answer = False
    assert work.run(verb).result is Result.CANCELLED
    assert len(fake.called(verb)) == 4


def test_a_stack_that_is_not_there_is_made_by_who_agrees(fake: FakePulumi, work: Work) -> None:
    fake.has_no_stack()
    assert work.run("up").result is Result.CANCELLED
    assert fake.called("stack", "init") == []
    fake.answers.clear()
    fake.answer("version", out="v3.260.0\n")
    fake.has_no_stack(once=True)
    fake.answer("stack", "init")
    fake.has_stack()
    fake.answer("preview", events=[BEGUN, ended()])
    fake.answer("up", events=[BEGUN, ended()])
    work.session.may_make = lambda stack: stack == "dev"
    assert work.run("up").result is Result.SUCCEEDED
    (made,) = fake.called("stack", "init")
    assert {"dev", "--no-select"} <= set(made)


def test_a_stack_that_no_settings_know_is_not_made(fake: FakePulumi, work: Work) -> None:
    work.session.stack = "dve"
    work.session.may_make = lambda _stack: True
    fake.has_no_stack("dve")
    with pytest.raises(UnknownStack, match="did you mean 'dev'"):
        work.run("up")
    with pytest.raises(errors.NoSuchStack, match="`bedplate up dev` makes it"):
        work.run("preview")


# How it may end


@pytest.mark.parametrize(
    ("events", "code", "result"),
    [
        ([BEGUN, ended()], 0, Result.SUCCEEDED),
        ([BEGUN, FAILED, ended("failed")], 1, Result.PROGRAM_FAILED),
        ([BEGUN, ended("failed")], 1, Result.PROGRAM_FAILED),
        ([*recorded("up-fails")], 1, Result.RESOURCE_FAILED),
        ([BEGUN, event(policyEvent={"policyName": "p", "enforcementLevel": "mandatory"}), FAILED, ended("failed")], 1,
         Result.REFUSED),
        ([BEGUN, event(policyEvent={"policyName": "p", "enforcementLevel": "advisory"}), ended()], 0, Result.SUCCEEDED),
        ([BEGUN, ended("canceled")], 8, Result.CANCELLED),
    ],
)  # fmt: skip
def test_a_run_ends_as_the_cli_says(fake: FakePulumi, work: Work, events: list[str], code: int, result: Result) -> None:
    fake.has_stack()
    fake.answer("preview", events=events, code=code, err="error: the disk is full\n" if code else "")
    assert work.run("preview").result is result
    if result is Result.PROGRAM_FAILED:  # it is told once: by an event, or else by what the CLI wrote
        (told,) = work.errors
        assert told in ("it went wrong", "pulumi: the disk is full")
    (last,) = [one for one in work.events if isinstance(one, RunEnded)]
    assert last is work.events[-1]


def test_what_the_cli_refuses_to_begin_is_an_error(fake: FakePulumi, work: Work) -> None:
    fake.has_stack()
    fake.answer("preview", err="error: the stack is currently locked by 1 lock(s).\n", code=255)
    with pytest.raises(errors.StackBusy, match="pulumi cancel --stack dev"):
        work.run("preview")


def test_there_need_not_be_a_cli(work: Work, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(errors.CliMissing, match="bedplate setup"):
        work.run("preview")


def test_a_cli_that_is_too_old_is_named(fake: FakePulumi, work: Work) -> None:
    fake.answers.clear()
    fake.answer("version", out="v2.0.0\n")
    with pytest.raises(errors.BadInvocation, match="Minimum version"):
        work.run("preview")


def test_an_event_that_breaks_us_does_not_hold_up_the_cli(fake: FakePulumi, work: Work) -> None:
    fake.has_stack()
    padding = event(diagnosticEvent={"severity": "info", "message": "x" * 1000})
    fake.answer("preview", events=[BEGUN, *[padding] * 200, ended()])  # more than a pipe takes

    def broken(_event: Event) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        asyncio.run(work.session.preview(broken, Options()))


def test_lines_that_are_no_events_and_events_that_nobody_knows_break_nothing(fake: FakePulumi, work: Work) -> None:
    fake.has_stack()
    fake.answer("preview", events=[BEGUN, "", "{", "[1]", '"text"', event(newEvent={"a": 1}), ended()])
    assert work.run("preview").result is Result.SUCCEEDED
    assert [one.payload for one in work.events if isinstance(one, Passed)] == [{"newEvent": {"a": 1}}]


# Ctrl-C


def test_the_first_interrupt_lets_the_cli_finish_and_the_outcome_says_so(fake: FakePulumi, work: Work) -> None:
    events = recorded("up-replace")
    fake.has_stack()
    fake.answer("preview", events=recorded("preview-replace"))
    fake.answer("up", events=[*events[:8], "wait", *events[8:12], ended("canceled")], code=8)

    def cancel(happened: Event) -> None:
        work.events.append(happened)
        done = [one for one in work.events if isinstance(one, StepDone)]
        if work.agreed and len(done) == 14 and not any(isinstance(one, Cancelled) for one in work.events):
            work.session.cancel()

    outcome = asyncio.run(work.session.up(cancel, Options(), work.agree))
    assert outcome.result is Result.CANCELLED
    assert fake.signals == 1
    assert any(isinstance(one, StepDone) for one in work.events[work.events.index(Cancelled()) :]), "it goes on"


def test_an_interrupt_before_the_cli_has_begun_starts_nothing(fake: FakePulumi, work: Work) -> None:
    fake.has_stack()
    work.session.cancel()
    assert work.run("up").result is Result.CANCELLED
    assert fake.called("preview") == fake.called("up") == []


def test_an_interrupt_between_preview_and_apply_applies_nothing(fake: FakePulumi, work: Work) -> None:
    fake.has_stack()
    fake.answer("preview", events=recorded("preview-replace"))

    def agree(_preview: Outcome) -> bool:
        work.session.cancel()
        return True

    assert asyncio.run(work.session.up(work.events.append, Options(), agree)).result is Result.CANCELLED
    assert fake.called("up") == []


def test_the_second_interrupt_ends_the_cli_also_where_it_would_not_end(fake: FakePulumi, work: Work) -> None:
    fake.has_stack()
    fake.answer("preview", events=[BEGUN, "wait", BEGUN, "wait", BEGUN, "wait", "wait"])
    begun: list[Event] = []

    def hear(happened: Event) -> None:
        begun.append(happened)
        if len(begun) == 1:
            work.session.cancel()
        elif len(begun) == 3:  # after our own event of the cancellation
            work.session.abandon()

    work.session.cli.grace_seconds = 0.3
    assert asyncio.run(work.session.preview(hear, Options())).result is Result.CANCELLED
    assert fake.signals == 2
    folder = Path(fake.called("preview")[0][fake.called("preview")[0].index("--event-log") + 1]).parent
    assert not folder.exists()


# What is known beside the events


def test_what_is_looked_at_is_what_the_backend_has(fake: FakePulumi, work: Work) -> None:
    sealed = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", "ciphertext": "v1:AAAA:AAAA"}
    root = {"urn": "urn:pulumi:dev::demo::pulumi:pulumi:Stack::demo-dev", "type": "pulumi:pulumi:Stack", "outputs": {
        "url": "http://x", "password": sealed}}  # fmt: skip
    secrets = {"type": "cloud", "state": {"url": "awskms://key"}}
    fake.answer(
        "stack", "export", flags=["--show-secrets"],
        out=json.dumps({"version": 3, "deployment": {"resources": [{**root, "outputs": {"password": {
            "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", "plaintext": '"hunter2"'}}}]}}),
    )  # fmt: skip
    fake.has_stack({"version": 3, "deployment": {"resources": [root], "secrets_providers": secrets}})
    assert work.session.outputs() == {"url": "http://x", "password": Secret("[secret]")}
    work.session.in_clear = True
    assert work.session.outputs() == {"password": Secret("hunter2")}


def test_packs_are_handed_over_with_their_configuration(fake: FakePulumi, work: Work, tmp_path: Path) -> None:
    pack = tmp_path / "pack"
    pack.mkdir()
    (pack / "PulumiPolicy.yaml").write_text("runtime: python\n")
    (pack / "__main__.py").write_text("")
    config = {"all": PolicyConfig(Level.ADVISORY), "size": PolicyConfig(Level.MANDATORY, {"most": 3}),
              "name": PolicyConfig(None, {"like": "x"})}  # fmt: skip
    work.session.packs = Packs([ChosenPack(PackFolder.load(pack), config)])
    flags = pack_flags(work.session.packs, tmp_path)
    assert flags[:2] == ["--policy-pack", str(pack)]
    assert flags[2] == "--policy-pack-config" and read_config(Path(flags[3])) == config


def test_what_is_secret_in_the_configuration_is_in_no_message(fake: FakePulumi, work: Work) -> None:
    (work.session.project.root / "Pulumi.yaml").write_text(
        "name: demo\nruntime: python\nconfig:\n  token: {value: hunter2hunter2, secret: true}\n"
    )
    work.session.project = Project.load(work.session.project.root)
    fake.has_stack(EMPTY)
    fake.answer("preview", events=[
        BEGUN, event(diagnosticEvent={"severity": "error", "message": "401 for hunter2hunter2\n"}),
        event(diagnosticEvent={"severity": "info", "message": "token hunter2hunter2\n\n"}), ended("failed"),
    ], code=1)  # fmt: skip
    work.run("preview")
    assert "hunter2hunter2" not in repr(work.events)


def test_the_cli_finds_its_own_variables_and_no_others_of_ours(fake: FakePulumi, work: Work) -> None:
    fake.has_stack()
    fake.answer("preview", events=[BEGUN, ended()])
    work.run("preview")
    assert "PULUMI_DEBUG_COMMANDS" not in os.environ
