"""`bedplate simulate` as its users meet it: a process, its streams, its exit code, and what it leaves behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from engine.sandbox.native import cache_of
from engine.sandbox.native.binaries import MANIFEST, PROGRAMS, key
from engine.simulation.running import FOLDER
from tests.engine.simulation.planes import CHECKOUT, NOT_BUILT, built

SECRET = "hunter2-hunter2"
PROGRAM = f'''
import pulumi

class Raw(pulumi.CustomResource):
    def __init__(self, token, name, **inputs):
        super().__init__(token, name, inputs)

Raw("aws:eks/nodeGroup:NodeGroup", "train", clusterName="demo", nodeRoleArn="arn:aws:iam::123456789012:role/x",
    subnetIds=["subnet-1"], instanceTypes=["g5.12xlarge"], labels={{"bedplate.dev/pool": "train"}},
    scalingConfig={{"minSize": 0, "desiredSize": 1, "maxSize": 2}},
    taints=[{{"key": "nvidia.com/gpu", "value": "true", "effect": "NO_SCHEDULE"}}])
Raw("kubernetes:apps/v1:Deployment", "model", apiVersion="apps/v1", kind="Deployment",
    metadata={{"name": "model", "namespace": "serving"}},
    spec={{"replicas": 3, "selector": {{"matchLabels": {{"app": "model"}}}}, "template": {{
        "metadata": {{"labels": {{"app": "model"}}}},
        "spec": {{"tolerations": [{{"key": "nvidia.com/gpu", "operator": "Exists"}}],
                 "containers": [{{"name": "main", "image": "model:1",
                                 "env": [{{"name": "TOKEN", "value": pulumi.Output.secret("{SECRET}")}}],
                                 "resources": {{"limits": {{"nvidia.com/gpu": "2"}}}}}}]}}}}}})
'''
JOB = """\
apiVersion: batch/v1
kind: Job
metadata: {name: eval, namespace: serving}
spec: {template: {spec: {restartPolicy: Never, containers: [{name: main, image: x}]}}}
"""
needs_native = pytest.mark.skipif(built() is None, reason=NOT_BUILT)


@dataclass
class Project:
    """A project in a folder of its own."""

    folder: Path

    def command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "cli.main", "simulate", *arguments, "--cwd", str(self.folder)]

    @property
    def environment(self) -> Mapping[str, str]:
        ours = {name: value for name, value in os.environ.items() if not name.startswith(("PULUMI_", "BEDPLATE_"))}
        return ours | {"COLUMNS": "80", "BEDPLATE_ENGINE": "embedded"}

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = self.command(*arguments)
        return subprocess.run(command, capture_output=True, text=True, env=self.environment, check=False)

    def write(self, name: str, text: str) -> str:
        (self.folder / name).write_text(text)
        return str(self.folder / name)

    def pretend_built(self) -> None:
        """Programs that end at once, where the build of the control plane would lie."""
        folder = cache_of(self.folder) / f"{key()}-go0"
        folder.mkdir(parents=True)
        for name in PROGRAMS:
            (folder / name).write_text("#!/bin/sh\necho this is no control plane >&2\nexit 3\n")
            (folder / name).chmod(0o755)
        (folder / MANIFEST).write_text('{"kubernetes": "1.35.4"}')

    def processes(self) -> list[str]:
        """The command lines of processes that this project's simulations have."""
        found: list[str] = []
        for path in Path("/proc").glob("[0-9]*/cwd"):
            try:
                if str(path.readlink()).startswith(str(self.folder / FOLDER)):
                    found.append((path.parent / "cmdline").read_text().replace("\0", " "))
            except OSError:
                continue  # it has ended meanwhile
        return found

    def left(self) -> list[str]:
        return [path.name for path in (self.folder / FOLDER).glob("*")]


@pytest.fixture
def project(tmp_path: Path) -> Project:
    (tmp_path / "Pulumi.yaml").write_text("name: demo\nruntime: python\n")
    (tmp_path / "Pulumi.dev.yaml").write_text("config: {aws:region: us-east-1}\n")
    made = Project(tmp_path)
    made.write("__main__.py", PROGRAM)
    return made


@pytest.fixture
def able(project: Project) -> Project:
    """A project in which the control plane is built."""
    folder = cache_of(project.folder)
    folder.parent.mkdir(parents=True)
    folder.symlink_to(cache_of(CHECKOUT))
    return project


def test_bad_files_are_refused_before_anything_is_started(project: Project) -> None:
    project.pretend_built()
    bad = project.write("bad.yaml", f"{JOB}---\nkind: Job\n")
    done = project.run("dev", "-f", bad, "-f", "/nosuch.yaml")
    assert done.returncode == 2
    assert f"{bad}:6 (document 2): the object has no apiVersion" in done.stderr
    assert "/nosuch.yaml: No such file or directory" in done.stderr
    assert "Traceback" not in done.stderr


def test_an_environment_that_is_not_there(project: Project) -> None:
    assert project.run("prd").returncode == 6


def test_where_the_control_plane_is_not_built_one_message_says_how(project: Project) -> None:
    done = project.run("dev")
    assert done.returncode == 1
    assert "build it with `bedplate sandbox build`" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert "`bedplate sandbox build` builds" in " ".join(project.run("--help").stdout.split())
    done = project.run("dev", "--output", "json")
    assert json.loads(done.stdout)["exitCode"] == 1


def test_a_program_that_fails_is_reported_as_by_a_preview(project: Project) -> None:
    project.pretend_built()
    project.write("__main__.py", "raise ValueError('boom')")
    done = project.run("dev")
    assert done.returncode == 1
    assert "ValueError: boom" in done.stdout


def test_a_control_plane_that_does_not_start_leaves_nothing(project: Project) -> None:
    project.pretend_built()
    done = project.run("dev")
    assert done.returncode == 1
    assert "the native control plane did not start" in done.stderr
    assert "this is no control plane" in done.stderr
    assert (project.left(), project.processes()) == ([], [])


@pytest.mark.slow
@needs_native
def test_an_answer_in_text_and_as_a_document(able: Project) -> None:
    done = able.run("dev", "--expect-all-placed")
    assert done.returncode == 7
    assert "1 node\n" not in done.stderr
    lines = done.stdout.splitlines()
    assert "  serving/model  Deployment, 1 pod: GPU count" in lines
    assert "    → raise the desired size of pool train to 2 (its max is 2)" in lines
    assert "without NVIDIA's device plugin" in " ".join(done.stdout.split())
    assert SECRET not in done.stdout + done.stderr
    assert max(len(line) for line in lines) <= 80

    extra = able.write("extra.yaml", JOB)
    done = able.run("dev", "--pool-size", "max", "-f", extra, "--output", "json", "--expect-all-placed")
    document = json.loads(done.stdout)
    assert (done.returncode, done.stderr) == (
        7,
        "error: pods stay pending, where --expect-all-placed said that there are none\n",
    )
    assert next(iter(document)) == "version"
    found = {one["name"]: (one["running"], one["pools"]) for one in document["workloads"]}
    assert found == {"model": (3, {"train": 2 + 1}), "eval": (0, {})}
    assert [(one["name"], one["reason"]) for one in document["pending"]] == [("eval", "taint")]
    assert document["pools"][0]["usdPerHourOfNode"] == 5.672
    assert (able.left(), able.processes()) == ([], [])


@pytest.mark.slow
@needs_native
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_whatever_ends_it_its_processes_end_with_it(able: Project, number: signal.Signals) -> None:
    with subprocess.Popen(
        able.command("dev"), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=able.environment
    ) as process:
        assert process.stderr is not None
        while "placing" not in process.stderr.readline():
            assert process.poll() is None
        assert any("kube-apiserver" in one for one in able.processes())
        process.send_signal(number)
        process.wait()
    if number is signal.SIGKILL:
        _until_gone(able)
        assert able.left() == [str(process.pid)]
        assert able.run("dev").returncode == 0
    else:
        assert process.returncode == 8
    assert (able.left(), able.processes()) == ([], [])


def _until_gone(project: Project) -> None:
    """The processes notice by themselves that whoever asked is gone."""
    deadline = time.monotonic() + 30
    while project.processes():
        assert time.monotonic() < deadline, "processes are left"
        time.sleep(0.05)
