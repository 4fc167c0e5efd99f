"""Previews against a state that lies elsewhere, or whose secrets nobody here can open."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws

from engine.plan import Op
from engine.project import ProjectError
from engine.run import Outcome, Result
from engine.state.errors import BucketDenied, NoCredentials, StateError, WrongPassphrase
from engine.state.s3 import S3Bucket
from tests.engine.opened import Opened

WORD = "correct-horse-battery"
PASSPHRASE = {"PULUMI_CONFIG_PASSPHRASE": "one"}
PROGRAM = (
    f"thing('a', size=1, word=pulumi.Output.secret('{WORD}'))\nthing('b', size=1)\n"
    f"pulumi.export('word', pulumi.Output.secret('{WORD}'))\n"
)
URL = "s3://acme-state/ml?region=us-east-1"


@pytest.fixture(scope="module")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Opened:
    """A stack that was brought up in a backend in a folder."""
    made = Opened(tmp_path_factory.mktemp("deployed"))
    made.environment = {"PULUMI_BACKEND_URL": f"file://{made.folder}/backend", **PASSPHRASE}
    made.write(PROGRAM)
    assert made.up().result is Result.SUCCEEDED
    return made


@pytest.fixture
def opened(tmp_path: Path, deployed: Opened) -> Opened:
    """The same in a folder that may be spoilt."""
    shutil.copytree(deployed.folder / "backend", tmp_path / "backend")
    made = Opened(tmp_path, deployed.cloud)
    made.environment = {"PULUMI_BACKEND_URL": f"file://{tmp_path}/backend", **PASSPHRASE}
    made.write(PROGRAM)
    return made


@pytest.fixture
def bucket(opened: Opened, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The backend in S3, as `aws s3 sync` puts it there."""
    for name in ("AWS_PROFILE", "AWS_ENDPOINT_URL", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    with mock_aws():
        client = boto3.client("s3", region_name="us-east-1")
        client.create_bucket(Bucket="acme-state")
        root = opened.folder / "backend"
        for path in root.rglob("*.*"):
            if path.is_file() and path.suffix != ".flock":
                client.put_object(Bucket="acme-state", Key=f"ml/{path.relative_to(root)}", Body=path.read_bytes())
        shutil.rmtree(root)
        opened.environment = {"PULUMI_BACKEND_URL": URL, **PASSPHRASE}
        yield client


def touched(outcome: Outcome) -> dict[str, Op]:
    assert outcome.result is Result.SUCCEEDED
    return {step.urn.rpartition("::")[2]: step.op for step in outcome.plan.steps if step.op is not Op.SAME}


def test_a_preview_sees_what_is_deployed(opened: Opened, bucket: Any) -> None:
    before = {one["Key"]: one["ETag"] for one in bucket.list_objects_v2(Bucket="acme-state")["Contents"]}
    assert touched(opened.preview()) == {}
    opened.write(PROGRAM.replace("thing('b', size=1)", "thing('b', size=22)\nthing('c')"))
    outcome = opened.preview()
    assert touched(outcome) == {"b": Op.UPDATE, "c": Op.CREATE}
    assert outcome.plan.outputs_before == outcome.plan.outputs_after
    assert opened.said == ""
    session = opened.session()
    assert "s3://acme-state/ml" in session.where
    assert session.outputs().keys() == {"word"}
    assert [one.kind for one in session.history()[0]] == ["update"]
    assert json.loads(session.exported())["version"] == 3
    after = {one["Key"]: one["ETag"] for one in bucket.list_objects_v2(Bucket="acme-state")["Contents"]}
    assert after == before
    assert not (opened.folder / ".bedplate" / "state").exists()


def test_what_is_only_read_is_not_changed(opened: Opened, bucket: Any) -> None:
    del bucket
    for verb in (opened.up, opened.destroy, opened.refresh):
        with pytest.raises(ProjectError, match=r"only reads(.|\n)*files only(.|\n)*--engine pulumi"):
            verb()
    with pytest.raises(ProjectError, match="only reads"):
        opened.session().saved()


def test_a_reference_to_another_stack_is_read_there_too(opened: Opened, bucket: Any) -> None:
    del bucket
    (opened.folder / "Pulumi.reader.yaml").write_text("config: {}\n")
    (opened.folder / "Pulumi.dev.yaml").write_text("config: {}\n")
    opened.write(
        "other = pulumi.StackReference('organization/shop/dev')\npulumi.export('x', other.get_output('word'))\n"
    )
    outcome = opened.preview("reader")
    assert outcome.result is Result.SUCCEEDED, opened.said
    assert WORD in str(getattr(outcome.plan.outputs_after["x"], "value", ""))


def test_without_credentials_a_preview_says_what_it_compares_with(
    opened: Opened, bucket: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    del bucket
    monkeypatch.setattr(S3Bucket, "read", _raise(NoCredentials("s3://acme-state/ml: no credentials\n  give some")))
    assert touched(opened.preview()).keys() >= {"shop-dev", "a", "b"}
    assert "s3://acme-state/ml: no credentials: this preview compares with .bedplate/state" in opened.said
    monkeypatch.setattr(S3Bucket, "read", _raise(BucketDenied("denied")))
    with pytest.raises(BucketDenied):
        opened.preview()
    with pytest.raises(StateError):
        opened.session().snapshot()


def _raise(error: Exception) -> Any:
    def read(*_arguments: object) -> None:
        raise error

    return read


# Sealed secrets


def without_key(opened: Opened) -> None:
    opened.environment = {key: value for key, value in opened.environment.items() if key != "PULUMI_CONFIG_PASSPHRASE"}


def of_a_service(opened: Opened) -> None:
    """As a cloud's key has sealed it."""
    store = opened.session().store
    whole = json.loads(store.path.read_text())
    whole["checkpoint"]["latest"]["secrets_providers"] = {
        "type": "cloud", "state": {"url": "awskms://alias/state", "encryptedkey": "AQID"}
    }  # fmt: skip
    store.path.write_text(json.dumps(whole))


@pytest.mark.parametrize(
    ("seal", "why"), [(without_key, "no passphrase is set"), (of_a_service, "only 'cloud' can open them")]
)
def test_secrets_that_stay_sealed_count_as_unchanged(opened: Opened, seal: Any, why: str) -> None:
    seal(opened)
    outcome = opened.preview()
    assert touched(outcome) == {}
    assert (outcome.plan.outputs_before, outcome.plan.state_only_changes) == (outcome.plan.outputs_after, False)
    (line,) = (one for one in opened.said.splitlines() if "sealed" in one)
    assert why in line
    assert line.startswith("secrets of the state that stay sealed: ")
    opened.write(PROGRAM.replace("size=1, word", "size=22, word"))
    changed = opened.preview()
    assert touched(changed) == {"a": Op.UPDATE}
    (step,) = (one for one in changed.plan.steps if one.op is Op.UPDATE)
    assert step.old is not None and step.new is not None
    assert step.old.inputs["word"] == step.new.inputs["word"]


def test_a_secret_where_there_was_none_is_a_change(opened: Opened) -> None:
    without_key(opened)
    opened.write(PROGRAM.replace("thing('b', size=1)", f"thing('b', size=1, word=pulumi.Output.secret('{WORD}'))"))
    assert touched(opened.preview()) == {"b": Op.UPDATE}


def test_what_cannot_be_opened_is_never_written(opened: Opened) -> None:
    store = opened.session().store
    before = store.path.read_bytes()
    without_key(opened)
    for verb in (opened.up, opened.destroy, opened.refresh):
        with pytest.raises(WrongPassphrase):
            verb()
    sealed = opened.session().snapshot()
    assert sealed.sealed > 0
    with pytest.raises(WrongPassphrase, match="could not be opened"):
        opened.session().store.save(sealed)
    assert store.path.read_bytes() == before


def test_a_wrong_passphrase_is_told_not_passed_over(opened: Opened) -> None:
    opened.environment = {**opened.environment, "PULUMI_CONFIG_PASSPHRASE": "two"}
    with pytest.raises(WrongPassphrase, match="wrong passphrase"):
        opened.preview()
