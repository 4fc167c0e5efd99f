"""States that go out and come in: what Pulumi's CLI wrote comes out as it writes it, bad input is told and refused."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from engine.state import interchange
from engine.state.errors import SecretsUnsupported, StateError, StateInvalid, StateTooNew, WrongPassphrase
from engine.state.model import Operation, Snapshot
from engine.state.recorder import Recorder
from engine.state.secrets import Keyring
from engine.state.storage import StackStore, open_stack
from engine.values import Secret
from tests.engine.state.stacks import CASES, bucket, component, keyring, root_state, small_stack, store

RECORDED = ("other", "plain", "replaced", "features", "pending")


def of_the_cli(tmp_path: Path, name: str, *, passphrase: bool = True) -> StackStore:
    """A checkpoint that Pulumi's CLI wrote, where it would lie."""
    path = tmp_path / ".pulumi" / "stacks" / "fixture" / "dev.json"
    path.parent.mkdir(parents=True)
    shutil.copy(CASES / f"{name}.checkpoint.json", path)
    return open_stack(tmp_path, "fixture", "dev", keyring() if passphrase else Keyring("dev"))


def test_an_export_is_what_the_cli_exports(tmp_path: Path) -> None:
    """Character for character, and nobody needs the passphrase."""
    assert interchange.export(of_the_cli(tmp_path, "plain", passphrase=False)) == (
        CASES / "plain.export.json"
    ).read_text(encoding="utf-8")


def test_an_export_in_clear_is_what_the_cli_exports_in_clear(tmp_path: Path) -> None:
    ours = json.loads(interchange.export(of_the_cli(tmp_path, "plain"), reveal=True))
    theirs = json.loads((CASES / "plain.revealed.json").read_text())
    assert ours == theirs
    assert "ciphertext" not in json.dumps(ours)


@pytest.mark.parametrize("name", RECORDED)
@pytest.mark.parametrize("reveal", [False, True])
def test_what_is_exported_comes_in_again(tmp_path: Path, name: str, reveal: bool) -> None:
    source = of_the_cli(tmp_path, name)
    text = interchange.export(source, reveal=reveal)
    assert interchange.read(text.encode(), "it", keyring()) == source.load()


@pytest.mark.parametrize("name", RECORDED)
def test_a_kept_checkpoint_comes_in_too(tmp_path: Path, name: str) -> None:
    content = (CASES / f"{name}.checkpoint.json").read_bytes()
    assert interchange.read(content, "it", keyring()) == of_the_cli(tmp_path, name).load()


def test_an_export_in_clear_needs_no_passphrase_to_come_in(tmp_path: Path) -> None:
    text = (CASES / "plain.revealed.json").read_bytes()
    there = interchange.read(text, "it", Keyring("dev"))
    assert there.resources == (of_the_cli(tmp_path, "plain").load() or Snapshot()).resources


def test_what_a_newer_pulumi_wrote_is_kept(tmp_path: Path) -> None:
    whole = json.loads((CASES / "plain.export.json").read_text())
    whole["deployment"]["novelty"] = {"a": [1]}
    whole["deployment"]["resources"][1]["novelty"] = {"b": [2]}
    there = interchange.read(json.dumps(whole).encode(), "it", keyring())
    store = open_stack(tmp_path, "fixture", "dev", keyring())
    store.save(there)
    again = json.loads(interchange.export(store))["deployment"]
    assert again["novelty"] == {"a": [1]}
    assert again["resources"][1]["novelty"] == {"b": [2]}


def test_a_stack_that_never_was_deployed(tmp_path: Path) -> None:
    store(tmp_path).create()
    for one in (store(tmp_path), open_stack(tmp_path, "shop", "other")):
        text = interchange.export(one)
        assert interchange.read(text.encode(), "it", keyring()) == Snapshot()
    assert json.loads(text)["deployment"]["metadata"] == {}
    assert interchange.read(b'{"version": 3, "deployment": null}', "it", keyring()) == Snapshot()


def test_what_a_died_run_has_left_is_exported(tmp_path: Path) -> None:
    stack = store(tmp_path)
    recorder = Recorder(stack, stack.save(small_stack()))
    recorder.begin("creating", bucket("third", inputs={"key": Secret("hunter2")})).durable.result()
    recorder.abandon()
    text = interchange.export(store(tmp_path))
    assert "hunter2" not in text
    there = interchange.read(text.encode(), "it", keyring())
    assert [one.resource.urn for one in there.pending_operations] == [bucket("third").urn]


def test_an_invalid_state_can_be_exported(tmp_path: Path) -> None:
    stack = store(tmp_path)
    stack.save(small_stack())
    stack.path.write_text(stack.path.read_text().replace('"id":"8e4c"', '"id":"other"'))
    with pytest.raises(StateInvalid):
        stack.load()
    for reveal in (False, True):
        assert '"id": "other"' in interchange.export(store(tmp_path), reveal=reveal)


# What is refused


def exported(**changes: Any) -> dict[str, Any]:
    return json.loads((CASES / "plain.export.json").read_text()) | changes


@pytest.mark.parametrize(
    ("content", "error", "text"),
    [
        (b"", StateError, "line 1, column 1: no valid JSON"),
        (b"{", StateError, "no valid JSON"),
        (b"[]", StateError, "expected an object"),
        (b"\xff", StateError, "not UTF-8"),
        (b"{}", StateError, "deployment: expected an object"),
        (b'{"version": 3}', StateError, "deployment"),
        (b'{"version": "3", "deployment": {}}', StateError, "version: expected a number"),
        (b'{"version": 3, "deployment": {"resources": {}}}', StateError, "deployment.resources: expected a list"),
        (b'{"version": 3, "deployment": {"resources": [{}]}}', StateError, r"resources\[0\]: a resource without"),
        (json.dumps(exported(version=5)).encode(), StateTooNew, "update bedplate"),
        (json.dumps(exported(version=4, features=["telepathy"])).encode(), StateTooNew, "telepathy"),
    ],
)
def test_what_is_no_export_is_told(content: bytes, error: type[StateError], text: str) -> None:
    with pytest.raises(error, match=f"(?s)^state.json: .*{text}.*nothing was changed"):
        interchange.read(content, "state.json", keyring())


def test_a_file_torn_anywhere_is_told() -> None:
    content = (CASES / "plain.export.json").read_bytes().rstrip()
    for length in range(0, len(content), 101):
        with pytest.raises(StateError, match="no valid JSON"):
            interchange.read(content[:length], "state.json", keyring())


@pytest.mark.parametrize(("passphrase", "text"), [(None, "need a passphrase"), ("another", "wrong passphrase")])
def test_a_file_that_is_sealed_otherwise(passphrase: str | None, text: str) -> None:
    content = (CASES / "plain.export.json").read_bytes()
    with pytest.raises(WrongPassphrase, match=f"state.json: .*{text}"):
        interchange.read(content, "state.json", Keyring("dev", passphrase))


def test_a_file_that_a_service_has_sealed() -> None:
    whole = exported()
    whole["deployment"]["secrets_providers"] = {
        "type": "cloud",
        "state": {"url": "awskms://alias/x", "encryptedkey": "x"},
    }
    with pytest.raises(SecretsUnsupported, match=r"(?s)state.json: .*'cloud'.*--show-secrets"):
        interchange.read(json.dumps(whole).encode(), "state.json", keyring())


def test_a_state_of_another_stack_or_project_is_refused() -> None:
    for project, stack in (("shop", "prod"), ("other", "dev")):
        with pytest.raises(StateInvalid, match=rf"not a state of {project}/{stack}(.|\n)*is of shop/dev"):
            interchange.check_belongs(small_stack(), "it", project, stack)
    interchange.check_belongs(small_stack(), "it", "shop", "dev")
    pending = Snapshot((root_state(),), (Operation(bucket("new"), "creating"),))
    with pytest.raises(StateInvalid, match="::new is of shop/dev"):
        interchange.check_belongs(Snapshot((), pending.pending_operations), "it", "shop", "prod")


def test_a_state_that_breaks_the_invariants_is_refused() -> None:
    with pytest.raises(StateInvalid, match=r"it would break the state of dev(.|\n)*its parent"):
        interchange.check_belongs(Snapshot((component("orphan"),)), "it", "shop", "dev")
