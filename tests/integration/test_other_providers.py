"""Providers that are not ours, under both engines: one program comes to the same resources, and moves between them.

Needs the `pulumi` command on PATH and its Python language host beside it; skipped by name elsewhere.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.engine.remote.serving import REPOSITORY, install_toy
from tests.engine.remote.test_dynamic import PROGRAM

PASSPHRASE = "correct horse"
TOY = """
import pulumi

def file(name, opts=None, **inputs):
    return pulumi.CustomResource("toy:index:File", name, {"name": name, "path": None, **inputs}, opts)

a = file("a", text="one", word=pulumi.Output.secret("hunter2"), nested={"list": [1, True, None, "x"]})
b = file("b", of=a.path, opts=pulumi.ResourceOptions(additional_secret_outputs=["of"], protect=False))
east = pulumi.ProviderResource("toy", "east", {"prefix": "east-"})
c = file("c", size=3, opts=pulumi.ResourceOptions(provider=east, ignore_changes=["size"]))
pulumi.export("path", b.path)
"""
DROPPED = ("created", "modified", "id", "sourcePosition", "stackTrace")


class Place:
    """A program with a backend that both engines use, one after the other."""

    def __init__(self, folder: Path, program: str) -> None:
        self.folder = folder
        self.state = folder / "state"
        (folder / "made").mkdir()
        self.state.mkdir()
        install_toy(folder / "bin")
        (folder / "Pulumi.yaml").write_text("name: shop\nruntime:\n  name: python\n  options: {virtualenv: .venv}\n")
        (folder / "Pulumi.dev.yaml").write_text('config:\n  shop:suffix: ".json"\n')
        (folder / "__main__.py").write_text(program)
        (folder / ".venv").symlink_to(Path(sys.executable).parents[1])

    @property
    def environment(self) -> dict[str, str]:
        tools = REPOSITORY / ".bedplate" / "tools" / "bin"
        return {
            **os.environ,
            "PATH": f"{self.folder / 'bin'}:{os.environ['PATH']}:{tools}",
            "TOY_FOLDER": str(self.folder / "made"),
            "PULUMI_HOME": str(self.folder / "home"),
            "PULUMI_BACKEND_URL": f"file://{self.state}",
            "PULUMI_CONFIG_PASSPHRASE": PASSPHRASE,
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
        }

    def run(self, *command: str) -> str:
        done = subprocess.run(
            list(command),
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=250,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def pulumi(self, *arguments: str) -> str:
        return self.run("pulumi", *arguments, "--stack", "dev", "--non-interactive")

    def ours(self, *arguments: str) -> str:
        bedplate = str(Path(sys.executable).parent / "bedplate")
        return self.run(bedplate, arguments[0], "dev", "--engine", "embedded", *arguments[1:])

    def resources(self) -> list[Mapping[str, Any]]:
        exported = json.loads(self.pulumi("stack", "export", "--show-secrets"))
        found = [_lasting(one) for one in exported["deployment"]["resources"]]
        return sorted(found, key=lambda one: str(one["urn"]))  # what needs nothing of one another is in any order


def _lasting(resource: Mapping[str, Any]) -> Mapping[str, Any]:
    """A resource without what each run draws anew: times, and the ids of providers."""
    kept = {key: value for key, value in resource.items() if key not in DROPPED}
    if "provider" in kept:
        kept["provider"] = kept["provider"].rpartition("::")[0]
    return kept


@pytest.mark.pulumi
@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("program", [TOY, PROGRAM.format(size=2)], ids=["plugin", "dynamic"])
def test_both_engines_come_to_the_same_with_a_provider_that_is_not_ours(tmp_path: Path, program: str) -> None:
    if shutil.which("pulumi") is None:
        pytest.skip("needs the `pulumi` command on PATH")
    place = Place(tmp_path, program)
    place.pulumi("stack", "init")
    place.pulumi("up", "--yes", "--skip-preview")
    theirs = place.resources()
    place.ours("preview", "--expect-no-changes")
    place.ours("destroy", "--yes")
    place.ours("up", "--yes")
    place.pulumi("preview", "--expect-no-changes")
    assert place.resources() == theirs
    place.pulumi("destroy", "--yes", "--skip-preview")
    assert [one for one in (tmp_path / "made").iterdir() if not one.name.startswith("process-")] == []
