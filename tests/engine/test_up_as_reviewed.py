"""``up --plan``: what was reviewed is what is applied, and anything else stops before it is done."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from engine import saved_plan_file
from engine.plan import Op
from engine.run import Options, Outcome, Result
from engine.targets import Targets
from engine.urn import name_of
from tests.engine.opened import Opened

FILES = Path(__file__).parents[1] / "cases" / "plans"
WORD = "hunter2-hunter2"
PROGRAM = f"""
a = thing('a', size=1, word=pulumi.Output.secret('{WORD}'))
thing('b', of=a.arn, autoname=True)
pulumi.export('arn', a.arn)
"""


@pytest.fixture
def opened(tmp_path: Path) -> Opened:
    made = Opened(tmp_path)
    made.write(PROGRAM, config="config:\n  shop:size: 1\n")
    return made


def keep(opened: Opened, options: Options | None = None) -> Path:
    """Preview, and keep the plan."""
    options = options or Options(parallel=1)
    session = opened.session()
    outcome = opened.run(lambda: session.preview(opened.emit, options))
    assert outcome.result is Result.SUCCEEDED, opened.said
    path = opened.folder / "plan.json"
    saved_plan_file.write(path, session.plan_text(outcome, options))
    return path


def applied(opened: Opened, path: Path) -> Outcome:
    return opened.up(plan=path)


def states(opened: Opened) -> dict[str, bytes]:
    return {path: content for path, content in opened.files().items() if path.startswith("state/.pulumi/")}


def stopped(opened: Opened, path: Path) -> str:
    """What an up that is stopped before anything is done has said."""
    before, calls = states(opened), len(opened.cloud.calls)
    assert applied(opened, path).result is Result.PLAN_VIOLATED, opened.said
    assert states(opened) == before
    assert len(opened.cloud.calls) == calls
    assert WORD not in opened.said
    return opened.said


def test_what_was_reviewed_is_applied(opened: Opened) -> None:
    path = keep(opened)
    assert WORD not in path.read_text()
    assert applied(opened, path).result is Result.SUCCEEDED, opened.said
    assert opened.cloud.names() == ["a", "b"]
    assert "the stack's state has changed since it was made" in stopped(opened, path)


def test_automatic_names_are_those_that_were_reviewed(opened: Opened) -> None:
    session = opened.session()
    preview = opened.run(lambda: session.preview(opened.emit, Options()))
    path = opened.folder / "plan.json"
    saved_plan_file.write(path, session.plan_text(preview, Options()))
    applied(opened, path)
    (reviewed,) = [step.state.inputs["name"] for step in preview.plan.steps if name_of(step.urn) == "b"]
    assert next(live for live in opened.cloud.live.values() if live.name == "b").inputs["name"] == reviewed


# Each of another length: Python takes a program of the same length and second for the one that it has compiled.
CHANGES = (
    ("size=1", "size=22", "not as in the plan: size: 1 was planned, 22 is due"),
    (WORD, "tr0ub4dor", "word: another secret value is due than was planned"),
    ("thing('b'", "thing('c')\nthing('b'", "nothing was planned, create is due"),
    ("thing('b', of=a.arn, autoname=True)", "", "create was planned, nothing is due"),
    ("'arn'", "'url'", "outputs.url: nothing was planned, something unknown is due"),
)


def test_a_program_that_says_something_else(opened: Opened) -> None:
    path = keep(opened)
    for old, new, said in CHANGES:
        opened.write(PROGRAM.replace(old, new), config="config:\n  shop:size: 1\n")
        text = stopped(opened, path)
        assert said in text
        assert "what is due is not what was reviewed; nothing was done" in text


def test_settings_that_say_something_else(opened: Opened) -> None:
    path = keep(opened)
    opened.write(PROGRAM, config="# a comment\nconfig:\n  shop:size: 1\n")
    assert applied(opened, path).result is Result.SUCCEEDED, opened.said
    path = keep(opened)
    opened.write(PROGRAM, config="config:\n  shop:size: 2\n")
    assert re.search(r"the settings have changed since it was made: .*Pulumi\.dev\.yaml", stopped(opened, path))


def test_a_plan_of_another_stack(opened: Opened) -> None:
    path = keep(opened)
    (opened.folder / "Pulumi.prod.yaml").write_text("config:\n  shop:size: 1\n")
    session = opened.session("prod")
    outcome = opened.run(lambda: session.up(opened.emit, Options(plan=path), lambda _preview: True))
    assert outcome.result is Result.PLAN_VIOLATED
    assert "it is of shop's stack dev, not of shop's prod" in opened.said


def test_what_only_the_apply_says_stops_at_its_step(opened: Opened) -> None:
    program = PROGRAM + "thing('c', size=1 if pulumi.runtime.is_dry_run() else 2)\n"
    opened.write(program, config="config:\n  shop:size: 1\n")
    assert applied(opened, keep(opened)).result is Result.PLAN_VIOLATED
    assert "size: 1 was planned, 2 is due; nothing was done to it" in opened.said
    assert "c" not in opened.cloud.names()


def test_targets_and_a_refresh_are_those_of_the_plan(opened: Opened) -> None:
    opened.up()
    next(live for live in opened.cloud.live.values() if live.name == "a").inputs["size"] = 5
    opened.write(PROGRAM + "thing('c')\n", config="config:\n  shop:size: 1\n")
    outcome = applied(opened, keep(opened, Options(parallel=1, refresh=True, targets=Targets(("a",)))))
    assert outcome.result is Result.SUCCEEDED, opened.said
    assert [name_of(step.urn) for step in outcome.plan.steps if step.op is not Op.SAME] == ["a"]
    assert opened.cloud.names() == ["a", "b"]


CREATED = """
part = pulumi.ComponentResource("shop:index:Part", "part")
a = thing("a", pulumi.ResourceOptions(parent=part), size=1, key=1)
thing("b", of=a.arn)
p = pulumi.ProviderResource("test", "p", {})
thing("c", pulumi.ResourceOptions(provider=p, protect=True), size=1)
thing("g")
thing("n", autoname=True)
"""
CHANGED = (
    CREATED.replace("size=1", "size=2").replace("key=1", "key=2").replace('thing("g")', 'thing("m", autoname=True)')
)


def test_plans_of_pulumis_own(tmp_path: Path) -> None:
    """Written by `pulumi preview --save-plan` 3.260.0 for these programs over this provider, served by its protocol."""
    opened = Opened(tmp_path)
    opened.write(CREATED)
    assert applied(opened, FILES / "pulumi_creates.json").result is Result.SUCCEEDED, opened.said
    opened.write(CHANGED.replace("size=2", "size=33"))
    assert "size: 2 was planned, 33 is due" in stopped(opened, FILES / "pulumi_changes.json")
    opened.write(CHANGED)
    assert applied(opened, FILES / "pulumi_changes.json").result is Result.SUCCEEDED, opened.said
    seed = saved_plan_file.read(FILES / "pulumi_changes.json", opened.session().store.codec).seeds
    name = next(live for live in opened.cloud.live.values() if live.name == "m").inputs["name"]
    assert name == f"m-{seed['urn:pulumi:dev::shop::test:index:Thing::m'][:7]}"
