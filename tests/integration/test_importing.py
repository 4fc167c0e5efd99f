"""`bedplate import` as its users run it: what exists is taken over, its code pasted, and nothing changes."""

from __future__ import annotations

import json
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pytest

from tests.integration.commands import Workplace, project
from tests.integration.emulated import Emulated

BUCKET: Final = "aws:s3/bucket:Bucket"
STACKS: Final = {"dev": "config:\n  aws:region: us-east-1\n"}
STORE: Final = """
import pulumi

store = pulumi.ComponentResource("acme:index:Store", "store")
"""


@pytest.fixture
def work(tmp_path: Path, emulated: Emulated) -> Workplace:
    made = project(tmp_path, STORE, stacks=STACKS)
    made.run("sandbox", "up", "--endpoint", emulated.endpoint).expect(0)
    return made


def make_bucket(emulated: Emulated, name: str) -> None:
    emulated.client("s3").create_bucket(Bucket=name)


def make_secret(emulated: Emulated) -> str:
    made = emulated.client("secretsmanager").create_secret(Name="db", SecretString="sehr-geheim")
    return f"{made['ARN']}|{made['VersionId']}"


def resources(work: Workplace, emulated: Emulated) -> Path:
    """A file that names a bucket, its versioning, and a secret's value below a component of the stack."""
    make_bucket(emulated, "acme-media")
    emulated.client("s3").put_bucket_versioning(
        Bucket="acme-media", VersioningConfiguration={"Status": "Enabled"}
    )  # fmt: skip
    path = work.folder / "resources.json"
    path.write_text(json.dumps({
        "nameTable": {"store": "urn:pulumi:dev::demo::acme:index:Store::store"},
        "resources": [
            {"type": "aws:s3/bucketVersioning:BucketVersioning", "name": "versions", "id": "acme-media"},
            {"type": BUCKET, "name": "class", "id": "acme-media", "parent": "store"},
            {"type": "aws:secretsmanager/secretVersion:SecretVersion", "name": "db", "id": make_secret(emulated)},
        ],
    }))  # fmt: skip
    return path


def test_what_a_file_names_is_taken_over_and_its_pasted_code_changes_nothing(
    work: Workplace, emulated: Emulated
) -> None:
    work.run("up", "dev", "--yes").expect(0)
    asked = resources(work, emulated)
    shown = work.run("import", "dev", "--file", str(asked), "--preview-only").expect(0, "= 3 import", "class_ = aws.s3")
    assert [one["type"] for one in work.state("dev") if one["custom"]] == []
    done = work.run("import", "dev", "--file", str(asked), "--yes").expect(0, "= 3 imported")
    code = done.out[done.out.index("import pulumi") :]
    assert code == shown.out[shown.out.index("import pulumi") :]
    assert "bucket=class_.id" in code
    assert "parent=store" in code
    assert 'config.require_secret("db_secret_string")' in code
    done.expect(0, "bedplate config set dev --secret db_secret_string VALUE")
    assert "sehr-geheim" not in shown.text + done.text
    assert b"sehr-geheim" not in work.kept()
    (work.folder / "__main__.py").write_text(STORE + code)
    (work.folder / "Pulumi.dev.yaml").write_text(f"{STACKS['dev']}  demo:db_secret_string: sehr-geheim\n")
    work.run("preview", "dev", "--expect-no-changes").expect(0)
    emulated.changes = 0
    work.run("up", "dev", "--yes", "--expect-no-changes").expect(0)
    assert emulated.changes == 0
    again = work.run("import", "dev", "--file", str(asked), "--yes", "--output", "json").expect(0).json()
    assert again["code"] == code
    assert again["secrets"] == {
        "db_secret_string": "urn:pulumi:dev::demo::aws:secretsmanager/secretVersion:SecretVersion::db"
    }


WRONG: Final[list[tuple[list[str], int, list[str]]]] = [
    (["dev", BUCKET, "media"], 2, ["ID missing", "--file"]),
    (["dev", "--file", "resources.json"], 2, ["resources.json: 1 problem", "resources[0], line 2: has no id"]),
    (["prod", BUCKET, "media", "x"], 6, ["no environment 'prod'"]),
    (["--stack", "dev", "aws:s3/bukcet:Bucket", "media", "x"], 4, ["did you mean", BUCKET]),
    (["dev", "aws:iam/rolePolicy:RolePolicy", "p", "nobody"], 4, ["'nobody' is not an id", "expected the form"]),
]


def test_what_cannot_be_imported_is_said_and_nothing_is_taken_over(work: Workplace) -> None:
    (work.folder / "resources.json").write_text('{"resources": [\n  {"type": "a:b:C", "name": "x"}\n]}')
    for arguments, code, said in WRONG:
        ended = work.run("import", *arguments, "--yes").expect(code, *said)
        assert "Traceback" not in ended.text
    assert not work.checkpoint("dev", "demo").exists()


def test_without_its_sandbox_nothing_is_read(tmp_path: Path) -> None:
    work = project(tmp_path, STORE, stacks=STACKS)
    work.run("import", "dev", BUCKET, "media", "x", "--yes").expect(1, "no sandbox is running", "bedplate sandbox up")
    work.run("watch", "dev").expect(1, "no sandbox is running", "bedplate sandbox up")


def test_a_name_that_the_stack_has_is_refused_and_code_may_go_into_a_file(work: Workplace, emulated: Emulated) -> None:
    for name in ("one", "two"):
        make_bucket(emulated, name)
    out = work.folder / "pasted.py"
    ended = work.run("import", "dev", BUCKET, "media", "one", "--no-protect", "--out", str(out), "--yes").expect(0)
    assert out.read_text().endswith('media = aws.s3.Bucket("media", bucket="one")\n')
    assert "aws.s3" not in ended.out
    work.run("import", "dev", BUCKET, "media", "two", "--yes").expect(4, "the stack has 'media' already as 'one'")
    (state,) = [one for one in work.state("dev") if one["type"] == BUCKET]
    assert (state["id"], state["protect"]) == ("one", False)


def test_an_import_that_is_killed_leaves_a_whole_state(work: Workplace, emulated: Emulated) -> None:
    names = [f"bucket-{index}" for index in range(3)]
    for name in names:
        make_bucket(emulated, name)
    asked = work.folder / "resources.json"
    asked.write_text(json.dumps({"resources": [{"type": BUCKET, "name": name, "id": name} for name in names]}))
    import_ = ["import", "dev", "--file", str(asked), "--yes", "--parallel", "1"]
    process: list[subprocess.Popen[str]] = []
    emulated.asked = _when_applying(work, lambda: process[0].send_signal(signal.SIGKILL))
    process.append(work.start(*import_))
    process[0].communicate(timeout=120)
    emulated.asked = None
    assert process[0].returncode == -signal.SIGKILL
    before = {one["id"] for one in work.state("dev") if one["type"] == BUCKET}
    assert before < set(names)
    work.run(*import_).expect(0)
    assert sorted(one["id"] for one in work.state("dev") if one["type"] == BUCKET) == names


def _when_applying(work: Workplace, then: Callable[[], Any]) -> Callable[[], None]:
    """Does something once the journal says that a run writes to the state."""
    done: list[bool] = []
    folder = work.checkpoint("dev", "demo").parent

    def asked() -> None:
        if not done and any(folder.glob("*.journal.jsonl")):
            done.append(True)
            then()

    return asked
