"""Which sandbox a command is about, and what it says where that is not the one that the stack is in."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from cli import sandboxes
from cli.commands.sandbox import lack_of, services_lacking
from cli.exits import CommandError
from engine.sandbox import DEFAULT_NAME, Flavor, KubernetesApi, Sandbox, localstack, names
from engine.sandbox.localstack import LocalStack
from engine.sandbox.model import SandboxFiles
from tests.engine.state.stacks import bucket


def sandbox(root: Path, name: str, instance: str | None) -> Sandbox:
    return Sandbox(name, root, "http://127.0.0.1:1", "moto", 1, "now", instance, None, "us-east-1",
                   root / "passphrase", root / "log")  # fmt: skip


@pytest.fixture
def alive(monkeypatch: pytest.MonkeyPatch) -> dict[str, Sandbox]:
    """The sandboxes that run, by name; a test puts them in."""
    running: dict[str, Sandbox] = {}

    def find(_: Path, name: str) -> Sandbox | None:
        return running.get(name)

    monkeypatch.setattr(sandboxes, "find", find)
    return running


def test_an_emulator_that_can_not_be_told_of_the_kubernetes_api_is_pointed_out(tmp_path: Path) -> None:
    api = KubernetesApi(Flavor.KIND, "https://127.0.0.1:2", tmp_path / "kubeconfig", "1.35")
    foreign, ours = sandbox(tmp_path, "mine", None), sandbox(tmp_path, "mine", "one")
    assert lack_of(foreign) is lack_of(replace(ours, kubernetes=api)) is None
    said = lack_of(replace(foreign, kubernetes=api)) or ""
    assert "http://127.0.0.1:1 can't be told of this Kubernetes API" in said
    assert f"cluster.existing.kubeconfig: {tmp_path / 'kubeconfig'}" in said


def test_what_a_localstack_has_no_licence_for_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = localstack.needed()
    found = {"services": whole - {"eks", "ecr"}}

    def at(_: str) -> LocalStack:
        return LocalStack("4.14.0", found["services"])

    monkeypatch.setattr(localstack, "at", at)
    moto = sandbox(tmp_path, "mine", "one")
    assert services_lacking(moto) is None
    said = services_lacking(replace(moto, emulator="localstack")) or ""
    assert said.startswith("LocalStack 4.14.0 has no ecr, eks here: what an environment declares of them will fail")
    found["services"] = whole
    assert services_lacking(replace(moto, emulator="localstack")) is None


def test_only_the_default_sandbox_need_not_run(tmp_path: Path, alive: dict[str, Sandbox]) -> None:
    assert sandboxes.asked_for(tmp_path, DEFAULT_NAME) is None
    alive["mine"] = sandbox(tmp_path, "mine", "one")
    assert sandboxes.asked_for(tmp_path, "mine") == alive["mine"]
    for known in ("mine", "other"):
        files = SandboxFiles(tmp_path, known)
        files.directory.mkdir(parents=True)
        files.record.write_text("{}")
    assert names(tmp_path) == ["mine", "other"]
    with pytest.raises(CommandError) as raised:
        sandboxes.asked_for(tmp_path, "theirs")
    assert "there is no sandbox 'theirs', only: mine, other" in str(raised.value)
    assert "`bedplate sandbox up --name theirs`" in str(raised.value)


def test_a_stack_stays_in_the_sandbox_it_is_up_in(tmp_path: Path, alive: dict[str, Sandbox]) -> None:
    first = alive["first"] = sandbox(tmp_path, "first", "one")
    assert sandboxes.elsewhere(tmp_path, "dev", DEFAULT_NAME) is None, "it has never been up"
    sandboxes.remember(tmp_path, "dev", first)
    assert sandboxes.elsewhere(tmp_path, "dev", "first") is None
    assert sandboxes.elsewhere(tmp_path, "dev", "second") == "first"
    alive["first"] = sandbox(tmp_path, "first", "started anew")
    assert sandboxes.elsewhere(tmp_path, "dev", "second") is None, "what it had there is gone"
    del alive["first"]
    assert sandboxes.elsewhere(tmp_path, "dev", "second") is None
    assert sandboxes.is_stale(tmp_path, "dev", sandbox(tmp_path, "second", "two"))


def test_two_names_for_one_emulator_are_one_place_unless_nobody_knows(
    tmp_path: Path, alive: dict[str, Sandbox]
) -> None:
    for instance, expected in (("one", None), (None, "first")):
        alive["first"] = sandbox(tmp_path, "first", instance)
        alive["second"] = sandbox(tmp_path, "second", instance)
        sandboxes.remember(tmp_path, "dev", alive["first"])
        assert sandboxes.elsewhere(tmp_path, "dev", "second") == expected
        assert sandboxes.stacks_in(tmp_path, alive["second"]) == ([] if expected else ["dev"])


def test_a_note_from_before_sandboxes_had_names_means_the_default_one(
    tmp_path: Path, alive: dict[str, Sandbox]
) -> None:
    alive[DEFAULT_NAME] = sandbox(tmp_path, DEFAULT_NAME, "one")
    sandboxes.remember(tmp_path, "dev", alive[DEFAULT_NAME])
    (note,) = (tmp_path / ".bedplate" / "emulators").iterdir()
    note.write_text("one\nhttp://127.0.0.1:2\n")
    assert not sandboxes.is_stale(tmp_path, "dev", alive[DEFAULT_NAME])
    assert sandboxes.elsewhere(tmp_path, "dev", "second") == DEFAULT_NAME


def test_what_the_user_has_attached_a_provider_for_needs_no_sandbox(monkeypatch: pytest.MonkeyPatch) -> None:
    resources = [bucket("logs")]
    monkeypatch.delenv("PULUMI_DEBUG_PROVIDERS", raising=False)
    assert sandboxes.needs_sandbox(resources)
    monkeypatch.setenv("PULUMI_DEBUG_PROVIDERS", "aws:40001")
    assert not sandboxes.needs_sandbox(resources)
