"""Commands about a state that only the Pulumi CLI reaches: a fake one, which tells what it was asked."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from cli.exits import ExitCode
from engine.state import format as form
from engine.state.model import Operation, ResourceState, SecretsProvider, Snapshot
from engine.state.secrets import Keyring, SecretCodec
from tests.cli.standing import Standing
from tests.engine.pulumi_cli.fake import FakePulumi
from tests.engine.state.stacks import bucket, component, root_state, small_stack

URL = "https://api.pulumi.example"
CIPHERTEXT = "AAABAJ+sealed-by-somebody-else=="
SERVICE = SecretsProvider("service", {"url": URL, "owner": "acme", "project": "shop", "stack": "dev"})
_KIND = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270"}
SEALED = {**_KIND, "ciphertext": CIPHERTEXT}


def exported(*further: ResourceState, pending: tuple[Operation, ...] = ()) -> dict[str, Any]:
    """A stack as its backend has it, with a secret that nobody here can open."""
    snapshot = Snapshot((*small_stack().resources, component("part", protect=True), *further), pending)
    whole: dict[str, Any] = json.loads(form.export(snapshot, SecretCodec(Keyring("dev"))))
    whole["deployment"]["secrets_providers"] = {"type": SERVICE.type, "state": dict(SERVICE.state)}
    whole["deployment"]["resources"][2]["inputs"]["password"] = SEALED
    return whole


@dataclass
class Elsewhere:
    """The stack ``dev``, whose state is in Pulumi's cloud."""

    standing: Standing
    fake: FakePulumi

    @property
    def imported(self) -> dict[str, Any]:
        """The resources that were put in place of the stack's, by name."""
        return {one["urn"].rpartition("::")[2]: one for one in self.fake.imported["deployment"]["resources"]}

    @property
    def backups(self) -> list[Path]:
        return [*(self.standing.folder / ".bedplate" / "backups").rglob("*.json")]


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Elsewhere:
    (tmp_path / "work").mkdir()
    fake = FakePulumi(tmp_path / "bin")
    monkeypatch.setenv("PATH", f"{fake.folder}:{os.environ['PATH']}")
    fake.answer("stack", "import", out="Import complete.\n")
    variables = {"PULUMI_BACKEND_URL": URL, "PULUMI_HOME": str(tmp_path / "home"), "BEDPLATE_ENGINE": "auto"}
    return Elsewhere(Standing(tmp_path / "work", variables), fake)


def test_an_edit_leaves_secrets_as_they_are_and_keeps_a_backup(elsewhere: Elsewhere) -> None:
    elsewhere.fake.has_stack(exported())
    done = elsewhere.standing.run("state", "unprotect", "dev", "part", "--yes").expect(0, "~ urn:", "dev: 1 changed")
    (backup,) = elsewhere.backups
    assert str(backup) in done.err and json.loads(backup.read_text()) == exported()
    assert "protect" not in elsewhere.imported["part"]
    after, before = elsewhere.fake.imported["deployment"], exported()["deployment"]
    assert after["secrets_providers"] == before["secrets_providers"]
    assert after["resources"][:4] == before["resources"][:4]
    document = elsewhere.standing.run("state", "rename", "dev", "first", "new", "--yes", "--output", "json").expect(0)
    assert document.json()["added"] == ["urn:pulumi:dev::shop::aws:s3/bucket:Bucket::new"]
    assert elsewhere.imported["new"]["inputs"]["password"] == SEALED
    elsewhere.standing.run("state", "delete", "dev", "new", "--yes").expect(ExitCode.USAGE, "no resource 'new'")
    elsewhere.standing.run("state", "delete", "dev", "first", "--yes").expect(ExitCode.FAILED, "--target-dependents")
    told = elsewhere.standing.run("state", "delete", "dev", "second", "--yes", "-m", "why").expect(0, "1 deleted")
    assert "--message is not kept" in told.err
    assert elsewhere.imported.keys() == {"shop-dev", "default", "first", "part"}


def test_what_changes_nothing_or_is_not_agreed_to_writes_nothing(elsewhere: Elsewhere) -> None:
    elsewhere.fake.has_stack(exported())
    elsewhere.standing.run("state", "unprotect", "dev", "first", "--yes").expect(0, "nothing to change")
    elsewhere.standing.ask("n\n", "state", "unprotect", "dev", "part").expect(ExitCode.CANCELLED)
    elsewhere.standing.run("state", "repair", "dev", "--yes").expect(0, "nothing to change")
    assert elsewhere.fake.called("stack", "import") == [] and elsewhere.backups == []


def test_what_somebody_else_has_changed_in_the_meantime_is_not_overwritten(elsewhere: Elsewhere) -> None:
    elsewhere.fake.has_stack(exported(), once=True)
    elsewhere.fake.has_stack(exported(component("further")))
    done = elsewhere.standing.run("state", "unprotect", "dev", "part", "--yes")
    done.expect(ExitCode.FAILED, "somebody has changed the state of dev in the meantime; nothing was changed")
    assert elsewhere.fake.called("stack", "import") == []


def test_the_cli_forgets_what_was_pending_and_that_is_told(elsewhere: Elsewhere) -> None:
    elsewhere.fake.has_stack(exported(pending=(Operation(bucket("third", id=""), "creating"),)))
    shown = elsewhere.standing.run("state", "unprotect", "dev", "part", "--yes").expect(0)
    assert "pending: creating urn:pulumi:dev::shop::aws:s3/bucket:Bucket::third" in shown.out
    assert "pending_operations" not in elsewhere.fake.imported["deployment"]


def test_a_broken_state_is_refused_and_mended(elsewhere: Elsewhere) -> None:
    broken = exported()
    first = broken["deployment"]["resources"].pop(2)
    broken["deployment"]["resources"][1]["inputs"] = first["inputs"]
    elsewhere.fake.has_stack(broken)
    elsewhere.standing.run("state", "unprotect", "dev", "part", "--yes").expect(
        ExitCode.FAILED, "`bedplate state repair dev`"
    )
    done = elsewhere.standing.run("state", "repair", "dev", "--yes").expect(0, "loses its")
    assert f"{first['urn']}, which is not there" in done.out
    assert "dependencies" not in elsewhere.imported["second"]
    assert elsewhere.imported["default"]["inputs"]["password"] == SEALED


def test_a_state_goes_out_and_in_as_it_is(elsewhere: Elsewhere, tmp_path: Path) -> None:
    elsewhere.fake.answer("stack", "export", flags=["--show-secrets"], out='{"in": "clear"}')
    elsewhere.fake.has_stack()
    elsewhere.standing.run("state", "export", "dev", "--file", str(tmp_path / "shown"), "--show-secrets").expect(0)
    assert (tmp_path / "shown").read_text() == '{"in": "clear"}'
    given = exported()
    plain = {**_KIND, "plaintext": '"hunter2"'}
    given["deployment"]["resources"][3]["inputs"] = {"password": plain, "old": SEALED}
    elsewhere.standing.run("state", "import", "dev", "--yes", given=json.dumps(given)).expect(0, "5 added")
    assert elsewhere.imported["second"]["inputs"] == {"password": plain, "old": SEALED}
    assert elsewhere.fake.imported["deployment"]["secrets_providers"] == {"type": "service", "state": {**SERVICE.state}}
    assert all("hunter2" not in one.read_text() for one in elsewhere.backups)
    foreign = json.dumps(given).replace("::shop::", "::other::")
    elsewhere.standing.run("state", "import", "dev", "--yes", given=foreign).expect(ExitCode.FAILED, "not a state of")


def test_resources_are_moved_by_the_cli_which_alone_seals_their_secrets_anew(elsewhere: Elsewhere) -> None:
    elsewhere.fake.has_stack(exported(), once=True)
    prod = replace(root_state(), urn="urn:pulumi:prod::shop::pulumi:pulumi:Stack::shop-prod")
    elsewhere.fake.has_stack(json.loads(form.export(Snapshot((prod,)), SecretCodec(Keyring("prod")))), once=True)
    elsewhere.fake.has_stack(json.loads(form.export(Snapshot((prod,)), SecretCodec(Keyring("prod")))), once=True)
    elsewhere.fake.has_stack(exported())
    elsewhere.fake.answer("state", "move")
    done = elsewhere.standing.run("state", "move", "dev", "first", "--to", "prod", "--yes").expect(0, "1 moved to prod")
    assert "urn:pulumi:dev::shop::aws:s3/bucket:Bucket::second, which stays, loses its dependency" in done.out
    (call,) = elsewhere.fake.called("state", "move")
    assert "--source dev --dest prod --yes urn:pulumi:dev::shop::aws:s3/bucket:Bucket::first" in " ".join(call)
    assert {one.parent.name for one in elsewhere.backups} == {"dev", "prod"}
    elsewhere.standing.run("state", "move", "dev", "first", "--to", "dev", "--yes").expect(ExitCode.FAILED, "already")


def test_the_history_is_the_backends(elsewhere: Elsewhere) -> None:
    update = {
        "version": 7, "kind": "update", "startTime": "2026-11-26T08:33:24.000Z", "endTime": "2026-11-26T08:34:29.000Z",
        "message": "First light", "environment": {"git.author": "Ann"}, "result": "succeeded",
        "config": {"shop:word": {"value": "hunter2", "secret": False}}, "resourceChanges": {"create": 3, "same": 1},
    }  # fmt: skip
    going = {"version": 8, "kind": "destroy", "startTime": "2026-11-26T08:40:00.000Z", "result": "in-progress"}
    elsewhere.fake.answer("stack", "history", out=json.dumps([going, update]))
    lines = elsewhere.standing.run("history", "dev").expect(0).out.splitlines()
    assert [" ".join(line.split()) for line in lines] == [
        "8 2026-11-26 08:40 UTC destroy in-progress",
        "7 2026-11-26 08:33 UTC update succeeded 1 min 5 s +3 Ann",
        "First light",
    ]
    assert "hunter2" not in elsewhere.standing.run("history", "dev", "--output", "json").expect(0).out
    elsewhere.fake.answers.clear()
    elsewhere.fake.answer("version", out="v3.260.0\n")
    elsewhere.fake.answer("stack", "history", out="null\n")
    elsewhere.standing.run("history", "dev").expect(0, "nothing was done")


def test_an_update_is_cancelled_by_the_cli(elsewhere: Elsewhere) -> None:
    elsewhere.fake.answer("cancel")
    elsewhere.standing.run("cancel", "dev").expect(ExitCode.USAGE, "--yes")
    elsewhere.standing.ask("n\n", "cancel", "dev").expect(ExitCode.CANCELLED, "nothing was changed")
    assert elsewhere.fake.called("cancel") == []
    elsewhere.standing.run("cancel", "dev", "--yes").expect(0, "dev is not locked any more")
    (call,) = elsewhere.fake.called("cancel")
    assert {"--yes", "--stack", "dev"} <= set(call)


def test_where_the_backend_is_a_folder_the_locks_are_known(elsewhere: Elsewhere, tmp_path: Path) -> None:
    backend = {"PULUMI_BACKEND_URL": f"file://{tmp_path}", "BEDPLATE_ENGINE": "pulumi"}
    elsewhere.fake.answer("cancel")
    elsewhere.standing.run("cancel", "dev", **backend).expect(0, "dev is not locked")
    assert elsewhere.fake.called("cancel") == []
    lock = tmp_path / ".pulumi" / "locks" / "organization" / "shop" / "dev" / "1.json"
    lock.parent.mkdir(parents=True)
    lock.write_text('{"pid": 1, "username": "ann", "hostname": "h", "timestamp": "2026-11-26T08:40:00Z"}')
    elsewhere.standing.run("cancel", "dev", "--yes", **backend).expect(0, "locked by ann@h", "not locked any more")
    assert len(elsewhere.fake.called("cancel")) == 1


def test_what_the_backend_refuses_has_the_exit_code_of_its_kind(elsewhere: Elsewhere) -> None:
    elsewhere.fake.answer("stack", "export", err="error: PULUMI_ACCESS_TOKEN must be set for login\n", code=3)
    elsewhere.standing.run("state", "repair", "dev", "--yes").expect(ExitCode.CREDENTIALS)
    elsewhere.fake.answers[:] = [one for one in elsewhere.fake.answers if one["when"] != ("stack", "import")]
    elsewhere.fake.answers.pop()
    elsewhere.fake.answer("stack", "import", err="error: the stack is currently locked by 1 lock(s)\n", code=255)
    elsewhere.fake.has_stack(exported())
    elsewhere.standing.run("state", "unprotect", "dev", "part", "--yes").expect(ExitCode.FAILED, "currently locked")


# Which engine


@pytest.mark.parametrize("url", ["https://api.pulumi.example", "azblob://box", "gs://box", "s3://box"])
def test_what_only_the_cli_reaches_is_edited_by_it(elsewhere: Elsewhere, url: str) -> None:
    elsewhere.fake.has_stack(exported())
    elsewhere.standing.run("state", "unprotect", "dev", "part", "--yes", PULUMI_BACKEND_URL=url).expect(0)
    assert len(elsewhere.fake.called("stack", "import")) == 1
    done = elsewhere.standing.run("state", "unprotect", "dev", "--all", "--yes", PULUMI_BACKEND_URL=url, PATH="/none")
    done.expect(ExitCode.USAGE, "PULUMI_BACKEND_URL is")


def test_what_lies_in_files_needs_no_cli(elsewhere: Elsewhere, tmp_path: Path) -> None:
    elsewhere.standing.save(small_stack())
    for url in (f"file://{elsewhere.standing.root}", ""):
        elsewhere.standing.run("state", "unprotect", "dev", "--all", "--yes", PULUMI_BACKEND_URL=url).expect(0)
    assert elsewhere.fake.calls == []
