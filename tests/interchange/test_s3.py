"""A backend in S3 that the Pulumi CLI has written is read in place, by the same URL that it was given."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import boto3
import pytest
from moto.server import ThreadedMotoServer

from engine.state import history, interchange
from engine.state.remote import RemoteStore
from engine.state.s3 import S3Bucket
from engine.state.secrets import Keyring, SecretCodec
from tests.interchange.handed_over import CASES, recorded
from tests.parity.command_line import PASSPHRASE
from tests.parity.programs import PROJECT, STACK

pytestmark = [pytest.mark.pulumi, pytest.mark.slow]
Cli = Callable[..., str]


@pytest.fixture
def url(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    for name in ("AWS_PROFILE", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    _, port = server.get_host_and_port()
    client = boto3.client("s3", region_name="us-east-1", endpoint_url=f"http://127.0.0.1:{port}")
    bucket = f"acme-{uuid.uuid4()}"  # what all of this process's servers hold is one
    client.create_bucket(Bucket=bucket)
    yield f"s3://{bucket}/teams/ml?endpoint=127.0.0.1:{port}&disableSSL=true&s3ForcePathStyle=true&region=us-east-1"
    server.stop()


@pytest.fixture
def cli(tmp_path: Path, url: str) -> Cli:
    if shutil.which("pulumi") is None:
        pytest.skip("needs the `pulumi` command on PATH")
    (tmp_path / "Pulumi.yaml").write_text(f"name: {PROJECT}\nruntime: yaml\n")

    def call(*arguments: str, **variables: str) -> str:
        environment = os.environ | variables | {
            "PULUMI_BACKEND_URL": url, "PULUMI_CONFIG_PASSPHRASE": PASSPHRASE, "PULUMI_SKIP_UPDATE_CHECK": "true",
            "PULUMI_HOME": str(tmp_path / "home"),
        }  # fmt: skip
        done = subprocess.run(
            ["pulumi", *arguments],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return call


@pytest.mark.parametrize("gzip", ["false", "true"])
def test_what_the_cli_has_put_into_s3_is_read_there(cli: Cli, url: str, tmp_path: Path, gzip: str) -> None:
    export = recorded(CASES[0]).export
    (tmp_path / "state.json").write_text(json.dumps(export))
    cli("stack", "init", STACK)
    cli("stack", "import", "--file", "state.json", "--stack", STACK, PULUMI_SELF_MANAGED_STATE_GZIP=gzip)
    bucket = S3Bucket.at(url)
    keys = [one.key for one in bucket.below(".pulumi/stacks/") if not one.key.endswith(".bak")]
    assert keys == [f".pulumi/stacks/{PROJECT}/{STACK}.json{'.gz' if gzip == 'true' else ''}"]
    remote = RemoteStore(bucket, PROJECT, STACK, SecretCodec(Keyring(STACK, PASSPHRASE)))
    found = remote.load()
    assert found is not None
    ours = interchange.export(remote, reveal=True)
    assert json.loads(ours) == json.loads(cli("stack", "export", "--show-secrets", "--stack", STACK))
    assert history.read(bucket, PROJECT, STACK) == ([], [])  # the CLI keeps no history of imports
