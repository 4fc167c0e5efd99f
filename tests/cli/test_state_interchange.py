"""state export, import, move and repair, as their users meet them. No program is run for them."""

from __future__ import annotations

import json
import stat
from dataclasses import replace
from pathlib import Path

import pytest

from engine.state.lock import StackLock
from engine.state.model import Operation, Snapshot
from engine.values import Secret
from tests.cli.standing import Standing
from tests.engine.state.stacks import bucket, component, small_stack

WORD = "hunter2-hunter2"


@pytest.fixture
def stack(tmp_path: Path) -> Standing:
    made = Standing(tmp_path)
    made.save(Snapshot((*small_stack().resources, component("part", inputs={"word": Secret(WORD)}))))
    return made


def test_a_state_goes_out_and_comes_in_again(stack: Standing) -> None:
    before = stack.snapshot
    file = stack.folder / "state.json"
    stack.run("state", "export", "dev", "--file", str(file)).expect(0, "state.json")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stack.run("state", "export", "dev").expect(0).out == file.read_text()
    assert WORD not in file.read_text()
    assert WORD in stack.run("state", "export", "dev", "--show-secrets").expect(0).out
    stack.run("state", "import", "dev", "--file", str(file), "--yes").expect(0, "nothing to change")
    stack.run("state", "delete", "dev", "--all", "--yes").expect(0, "5 deleted")
    done = stack.run("state", "import", "dev", "--file", str(file), "--yes", "--output", "json").expect(0).json()
    assert (done["command"], done["applied"], len(done["added"])) == ("state import", True, 5)
    assert stack.snapshot.resources == before.resources
    kept = done["backup"]
    stack.run("state", "import", "dev", "--file", kept, "--yes").expect(0, "5 deleted")


def test_secrets_in_clear_are_sealed_as_they_come_in(stack: Standing) -> None:
    clear = stack.run("state", "export", "dev", "--show-secrets").expect(0).out
    assert WORD in clear
    stack.run("state", "delete", "dev", "part", "--yes").expect(0)
    stack.run("state", "import", "dev", "--yes", given=clear).expect(0, "1 added")
    assert stack.named("part").inputs == {"word": Secret(WORD)}
    assert all(WORD.encode() not in path.read_bytes() for path in stack.root.rglob("*") if path.is_file())


def test_an_import_mends_what_cannot_be_read_and_keeps_it(stack: Standing) -> None:
    text = stack.run("state", "export", "dev").expect(0).out
    stack.checkpoint.write_text('{"torn')
    done = stack.run("state", "import", "dev", "--yes", given=text).expect(
        0, "can't be read, and is replaced", "5 added"
    )
    assert len(stack.snapshot.resources) == 5
    (kept,) = (path for path in stack.store.backup_folder.glob("*") if path.read_text() == '{"torn')
    assert str(kept) in done.err


def test_what_was_pending_is_told_and_dropped(stack: Standing) -> None:
    stack.save(replace(stack.snapshot, pending_operations=(Operation(bucket("new"), "creating"),)))
    text = stack.run("state", "export", "dev").expect(0).out
    stack.run("state", "import", "dev", "--yes", given=text).expect(
        0, "creating urn:pulumi:dev::", "1 pending operations"
    )
    assert stack.snapshot.pending_operations == ()


@pytest.mark.parametrize(
    ("given", "code", "text"),
    [
        ("{", 1, "standard input: line 1, column 2: no valid JSON"),
        ('{"version": 7, "deployment": {}}', 1, "update bedplate"),
        ("OTHER", 1, "not a state of shop/dev"),
        ("BROKEN", 1, "would break the state of dev"),
    ],
)
def test_a_bad_import_changes_nothing(stack: Standing, given: str, code: int, text: str) -> None:
    good = stack.run("state", "export", "dev").expect(0).out
    given = {"OTHER": good.replace("::shop::", "::other::"), "BROKEN": good.replace('"id": "8e4c"', '"id": "x"')}.get(
        given, given
    )
    before = stack.checkpoint.read_bytes()
    stack.run("state", "import", "dev", "--yes", given=given).expect(code, text, "nothing was changed")
    assert stack.checkpoint.read_bytes() == before


def test_an_import_that_nobody_can_open_or_answer(stack: Standing) -> None:
    text = stack.run("state", "export", "dev").expect(0).out
    other = {"PULUMI_CONFIG_PASSPHRASE": "another"}
    stack.run("state", "import", "dev", "--yes", given=text, **other).expect(3, "wrong passphrase")
    stack.run("state", "export", "dev", "--show-secrets", **other).expect(3, "wrong passphrase")
    stack.run("state", "import", "dev", given=text).expect(2, "--yes")
    stack.run("state", "import", "dev", "--file", "nowhere.json", "--yes").expect(2, "nowhere.json: No such file")


def test_resources_move_to_another_environment(stack: Standing) -> None:
    (stack.folder / "Pulumi.prod.yaml").write_text("config: {}\n")
    asked = stack.ask("n\n", "state", "move", "dev", "part", "--to", "prod")
    assert asked.code == 8
    assert not stack.store_of("prod").exists()
    done = stack.run("state", "move", "dev", "first", "part", "--to", "prod", "--yes").expect(
        0, "→ urn:pulumi:dev::shop::aws:s3/bucket:Bucket::first", "::second, which stays, loses its dependency",
        "2 moved to prod",
    )  # fmt: skip
    assert WORD not in done.text
    moved = stack.store_of("prod").load()
    assert moved is not None
    assert moved.resources[-1].inputs == {"word": Secret(WORD)}
    assert [one.id for one in stack.snapshot.resources] == ["", "8e4c", "second-1"]
    back = stack.run("state", "move", "--stack", "prod", "part", "--to", "shop/dev", "--yes", "--output", "json")
    document = back.expect(0).json()
    assert document["moved"] == [component("part").urn.replace(":dev::", ":prod::")]
    assert len(document["backups"]) == 2
    assert stack.named("part").inputs == {"word": Secret(WORD)}


@pytest.mark.parametrize(
    ("arguments", "code", "text"),
    [
        (("dev", "part"), 2, "state move dev URN --to prod"),
        (("dev", "--to", "prod"), 2, "state move dev URN --to prod"),
        (("dev", "part", "--to", "dev"), 1, "in already"),
        (("dev", "part", "--to", "nope"), 6, "nope"),
        (("dev", "part", "--to", "elsewhere/dev"), 2, "pulumi stack init organization/elsewhere/dev"),
        (("dev", "default", "--to", "prod"), 1, "is a provider"),
        (("dev", "prat", "--to", "prod"), 2, "did you mean 'part'?"),
    ],
)
def test_moves_that_are_refused_change_nothing(
    stack: Standing, arguments: tuple[str, ...], code: int, text: str
) -> None:
    (stack.folder / "Pulumi.prod.yaml").write_text("config: {}\n")
    before = stack.checkpoint.read_bytes()
    stack.run("state", "move", *arguments, "--yes").expect(code, text)
    assert stack.checkpoint.read_bytes() == before
    assert not stack.store_of("prod").exists()


def test_a_move_needs_both_stacks_for_itself(stack: Standing) -> None:
    (stack.folder / "Pulumi.prod.yaml").write_text("config: {}\n")
    with StackLock(stack.store_of("prod").lock_folder, "prod", command="bedplate up prod"):
        stack.run("state", "move", "dev", "part", "--to", "prod", "--yes").expect(1, "bedplate up prod")
    assert stack.named("part")


def test_a_move_that_cannot_be_finished_is_taken_back(stack: Standing, monkeypatch: pytest.MonkeyPatch) -> None:
    from engine.state import storage
    from engine.state.errors import StateError

    (stack.folder / "Pulumi.prod.yaml").write_text("config: {}\n")
    stack.run("state", "move", "dev", "second", "--to", "prod", "--yes").expect(0)
    save = storage.StackStore.save

    def full(store: storage.StackStore, snapshot: Snapshot) -> Snapshot:
        if store.stack == "dev":
            raise StateError("no room")
        return save(store, snapshot)

    monkeypatch.setattr(storage.StackStore, "save", full)
    before, there = stack.snapshot.resources, stack.store_of("prod").load()
    stack.run("state", "move", "dev", "part", "--to", "prod", "--yes").expect(1, "no room")
    assert stack.snapshot.resources == before
    assert there is not None
    assert (stack.store_of("prod").load() or there).resources == there.resources


def test_a_state_that_is_refused_is_mended(stack: Standing) -> None:
    whole = json.loads(stack.checkpoint.read_text())
    resources = whole["checkpoint"]["latest"]["resources"]
    resources.insert(0, resources.pop())
    resources[-1]["dependencies"].append(component("gone").urn)
    stack.checkpoint.write_text(json.dumps(whole))
    stack.run("state", "list", "dev").expect(1, "bedplate state repair dev")
    stack.run("state", "repair", "dev").expect(2, "--yes")
    stack.run("state", "repair", "dev", "--yes").expect(
        0, "::second loses its dependency urn:pulumi:dev::shop::shop:index:Part::gone", "put in order"
    )
    stack.run("state", "list", "dev").expect(0)
    stack.run("state", "repair", "dev", "--yes").expect(0, "nothing to change")


def test_a_state_that_cannot_be_mended_stays_as_it_is(stack: Standing) -> None:
    stack.checkpoint.write_text(stack.checkpoint.read_text().replace('"id":"8e4c"', '"id":"other"'))
    before = stack.checkpoint.read_bytes()
    stack.run("state", "repair", "dev", "--yes").expect(1, "its provider", "bedplate state export dev --file")
    assert stack.checkpoint.read_bytes() == before


def test_what_cannot_be_exported_is_told_with_its_place_and_what_to_do(stack: Standing) -> None:
    stack.checkpoint.write_text('{"torn')
    stack.run("state", "export", "dev").expect(1, str(stack.checkpoint), "stays as it is")


def test_a_folder_that_takes_no_file_is_told_by_the_name_that_was_given(stack: Standing) -> None:
    (stack.folder / "plain").write_text("")
    text = stack.run("state", "export", "dev", "--file", str(stack.folder / "plain" / "state.json")).expect(1).err
    assert f"{stack.folder / 'plain' / 'state.json'}: " in text
