"""Commands that edit a state: what they show, ask and answer. No program is run for them."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from engine.state.model import Snapshot
from tests.cli.standing import Standing
from tests.engine.state.stacks import bucket, component, small_stack


@pytest.fixture
def stack(tmp_path: Path) -> Standing:
    made = Standing(tmp_path)
    part = component("part", protect=True)
    made.save(Snapshot((*small_stack().resources, part)))
    return made


def test_the_story_of_an_edit(stack: Standing) -> None:
    done = stack.run("state", "unprotect", "dev", "part", "--yes").expect(0, "~ urn:pulumi:dev::shop::", "1 changed")
    kept = Path(done.err.partition("is kept in ")[2].strip())
    assert json.loads(kept.read_text())["checkpoint"]["latest"]["resources"][-1]["protect"] is True
    assert not stack.named("part").protect
    stack.run("state", "unprotect", "dev", "--all", "--yes").expect(0, "nothing to change")
    renamed = stack.run("state", "rename", "--stack", "dev", "first", "primary", "--yes", "--output", "json").expect(0)
    document = renamed.json()
    assert (document["version"], document["command"], document["applied"]) == (1, "state rename", True)
    assert document["added"] == [stack.named("primary").urn]
    assert document["changed"] == [stack.named("second").urn]
    stack.run("state", "delete", "dev", "primary", "--target-dependents", "--yes").expect(0, "2 deleted")
    assert stack.snapshot.resources == (*small_stack().resources[:2], component("part"))


@pytest.mark.parametrize(
    ("arguments", "code", "text"),
    [
        (("unprotect", "dev", "part"), 2, "pass --yes"),
        (("unprotect", "dev", "--yes"), 2, "no resource was given"),
        (("delete", "dev"), 2, "no resource was given; name some, as in `bedplate state delete ENV URN`"),
        (("unprotect", "dev", "part", "--all", "--yes"), 2, "--all and 'part' were both given"),
        (("unprotect", "dev", "prat", "--yes"), 2, "did you mean 'part'?"),
        (("unprotect", "nope", "part", "--yes"), 6, "nope"),
        (("delete", "dev", "first", "--yes"), 1, "--target-dependents"),
        (("delete", "dev", "part", "--yes"), 1, "--force"),
        (("rename", "dev", "first", "--yes"), 2, "state rename dev URN NAME"),
        (("rename", "dev", "first", "second", "--yes"), 1, "already"),
    ],
)
def test_what_is_refused_leaves_the_state_alone(
    stack: Standing, arguments: tuple[str, ...], code: int, text: str
) -> None:
    before = stack.checkpoint.read_bytes()
    stack.run("state", *arguments).expect(code, text)
    assert stack.checkpoint.read_bytes() == before
    assert not stack.store.backup_folder.exists()


def test_a_name_of_two_resources_has_to_be_told_apart(stack: Standing) -> None:
    old = bucket("first", id="old", delete=True)
    stack.save(replace(small_stack(), resources=(*small_stack().resources, old)))
    stack.run("state", "delete", "dev", "first", "--yes").expect(2, "means 2 resources", f"{old.urn}::old")
    stack.run("state", "delete", "dev", f"{old.urn}::old", "--yes").expect(0, "1 deleted")
    assert stack.snapshot.resources == small_stack().resources


def test_somebody_who_is_asked_may_say_no(stack: Standing) -> None:
    before = stack.checkpoint.read_bytes()
    for answer in ("n\n", "\n", ""):
        asked = stack.ask(answer, "state", "unprotect", "dev", "--all")
        assert asked.code == 8, asked.text
        assert "~ urn:pulumi:dev::shop::shop:index:Part::part" in asked.text
        assert "nothing was changed" in asked.text
    assert stack.checkpoint.read_bytes() == before
    assert stack.ask("y\n", "state", "unprotect", "dev", "--all").code == 0
    assert not stack.named("part").protect


def test_what_lies_in_s3_is_not_edited(stack: Standing) -> None:
    """Whether it could be read is not even asked."""
    for arguments in (("state", "delete", "dev", "part", "--yes"), ("cancel", "dev", "--yes")):
        stack.run(*arguments, PULUMI_BACKEND_URL="s3://acme-state").expect(2, "only reads", "--engine pulumi")
    stack.run("history", "dev", PULUMI_BACKEND_URL="s3://acme-state?bogus=1").expect(2, "'bogus' is not known here")


def test_help_names_every_edit(stack: Standing) -> None:
    text = stack.run("state", "--help").expect(0).out
    assert all(verb in text for verb in ("unprotect", "rename", "delete"))
