"""`bedplate import` of one file by either engine, with one provider, leads to one state and to the same code.

Needs the `pulumi` command on PATH, its Python language host beside it, and `uv`; skipped by name elsewhere.
"""

from __future__ import annotations

import json
import re
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.integration.commands import project
from tests.integration.conftest import client_of
from tests.integration.test_pulumi_cli import pulumi, served
from tests.integration.test_pulumi_engine import variables

PROJECT = "name: demo\nruntime: {name: python, options: {virtualenv: .venv}}\n"
_MOMENTS = ("created", "modified", "sourcePosition")


@pytest.mark.pulumi
@pytest.mark.slow
def test_both_engines_import_the_same_state(tmp_path: Path) -> None:
    if shutil.which("pulumi") is None:
        pytest.skip("needs the `pulumi` command on PATH")
    work = project(tmp_path / "work", "import pulumi\n", stacks={"dev": "config:\n  aws:region: us-east-1\n"})
    (work.folder / "Pulumi.yaml").write_text(PROJECT)
    (work.folder / ".venv").symlink_to(Path(sys.executable).parents[1])
    work.run("sandbox", "up", "--kubernetes", "embedded").expect(0)
    try:
        client = client_of(work)
        client("s3").create_bucket(Bucket="acme-media")
        made = client("secretsmanager").create_secret(Name="db", SecretString="sehr-geheim")
        version = "aws:secretsmanager/secretVersion:SecretVersion"
        (work.folder / "resources.json").write_text(json.dumps({"resources": [
            {"type": "acme:index:Store", "name": "store", "component": True},
            {"type": "aws:s3/bucket:Bucket", "name": "media", "id": "acme-media", "parent": "store"},
            {"type": version, "name": "db", "id": f"{made['ARN']}|{made['VersionId']}"},
        ]}))  # fmt: skip
        flags = ("--file", "resources.json", "--yes")
        embedded = work.run("import", "dev", *flags, "--engine", "embedded", "--output", "json").expect(0)
        with served(work, "aws") as providers:
            assert pulumi(work, "stack", "init", stack="dev").returncode == 0
            attached = variables(work.folder / "home", providers) | {"PULUMI_HOME": str(work.folder / "home")}
            by_cli = ("import", "dev", *flags, "--engine", "pulumi", "--output", "json")
            shown = work.run(*by_cli, "--preview-only", **attached).expect(0)
            done = work.run(*by_cli, **attached).expect(0)
            again = work.run(*by_cli, **attached).expect(0)
            exported = pulumi(work, "stack", "export", stack="dev")
    finally:
        work.run("sandbox", "down").expect(0)
    ours: Any = json.loads(work.checkpoint("dev", "demo").read_text())["checkpoint"]["latest"]
    assert "sehr-geheim" not in exported.stdout + embedded.text + shown.text + done.text + again.text
    code = embedded.json()["code"]
    assert 'config.require_secret("db_secret_string")' in code
    assert [one.json()["code"] for one in (shown, done, again)] == [code] * 3
    assert done.json()["planned"] == embedded.json()["planned"]
    assert _comparable(ours) == _comparable(json.loads(exported.stdout)["deployment"])


def _comparable(deployment: dict[str, Any]) -> dict[str, Any]:
    """The resources by URN, without what differs from run to run."""
    resources = [{key: one[key] for key in one if key not in _MOMENTS} for one in deployment["resources"]]
    text = re.sub(r'"ciphertext": "[^"]*"', '"ciphertext": ""', json.dumps(resources))
    text = re.sub(
        r"::[0-9a-f]{8}-[0-9a-f-]{27}", "::ID", re.sub(r'"id": "[0-9a-f]{8}-[0-9a-f-]{27}"', '"id": ""', text)
    )
    return {one["urn"]: one for one in json.loads(text)}
