"""Which Kubernetes half `sandbox up` takes, and what it and `sandbox status` say of it."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from engine.sandbox.native import cache_of
from tests.conftest import REPOSITORY
from tests.integration.commands import Workplace

FAKE_GO = REPOSITORY / "tests" / "engine" / "sandbox" / "fake_go.py"
PULUMI = "name: tiny\nruntime: python\n"


@pytest.fixture
def work(tmp_path: Path) -> Workplace:
    (tmp_path / "Pulumi.yaml").write_text(PULUMI)
    # No engine, whatever this machine has: what is chosen must not depend on it.
    docker = tmp_path / "bin" / "docker"
    docker.parent.mkdir()
    docker.write_text("#!/bin/sh\necho 'Cannot connect to the Docker daemon' >&2\nexit 1\n")
    docker.chmod(0o755)
    return Workplace(tmp_path, {"PATH": f"{docker.parent}:{os.environ['PATH']}"})


def test_what_is_chosen_is_said_in_a_line_and_kubectl_enters_it(work: Workplace) -> None:
    up = work.run("sandbox", "up").expect(0, "kubernetes  embedded 1.35 at http://127.0.0.1:")
    (line,) = [line for line in up.err.splitlines() if line.startswith("Kubernetes: ")]
    assert line.startswith("Kubernetes: embedded (there is neither a Docker engine with kind nor a native build")
    (export,) = [line.strip() for line in up.out.splitlines() if "KUBECONFIG" in line]
    config = Path(shlex.split(export.removeprefix("export KUBECONFIG="))[0])
    assert config.stat().st_mode & 0o777 == 0o600
    if shutil.which("kubectl"):
        command = ["sh", "-c", f"{export}; kubectl get namespaces --output name"]
        shown = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout
        assert "namespace/kube-system" in shown

    again = work.run("sandbox", "up").expect(0)
    assert "Kubernetes: " not in again.err, "nothing was chosen"
    work.run("sandbox", "status").expect(0, "aws         running", "kubernetes  running: embedded 1.35")
    status = work.run("sandbox", "status", "--output", "json").expect(0).json()
    assert {name: part["state"] for name, part in status["parts"].items()} == {
        "aws": "running",
        "kubernetes": "running",
    }
    assert status["kubernetes"]["kubeconfig"] == str(config)
    work.run("sandbox", "up", "--kubernetes", "native").expect(2, "Kubernetes native (it has embedded)", "take it down")
    work.run("sandbox", "down").expect(0)
    work.run("sandbox", "status").expect(1, "absent")


def test_what_can_not_be_had_is_one_message(work: Workplace) -> None:
    work.run("sandbox", "up", "--kubernetes", "kind").expect(1, "no Docker engine answers (Cannot connect")
    work.run("sandbox", "up", "--kubernetes", "native").expect(1, "`bedplate sandbox build`")
    work.run("sandbox", "up", "--kubernetes", "minikube").expect(2, "'embedded', 'native', 'kind'")
    work.run("sandbox", "status").expect(1, "absent")
    assert not (work.folder / ".bedplate").exists()


def test_a_build_shows_its_progress_and_is_made_once(work: Workplace) -> None:
    go = work.folder / "bin" / "go"
    go.write_text(f'#!/bin/sh\nexec {sys.executable} {FAKE_GO} "$@"\n')
    go.chmod(0o755)
    first = work.run("sandbox", "build", FAKE_GO="{}").expect(0, "built in", "Kubernetes 1.", "in " + str(work.folder))
    assert "building kubernetes  0 of 3 packages" in first.err, "lines in a pipe, and nothing on standard output"
    assert "\r" not in first.err
    work.run("sandbox", "build", FAKE_GO="{}").expect(0, "nothing to build")
    again = work.run("sandbox", "build", "--output", "json", FAKE_GO="{}").expect(0).json()
    assert again["built"] is False
    assert (Path(again["directory"]) / "etcd").is_file()
    broken = {"FAKE_GO": json.dumps({"version": "go1.99.0", "fails": {"build": "write: no space left on device"}})}
    work.run("sandbox", "build", **broken).expect(1, "the disk is full", "no space left on device")


@pytest.mark.native
@pytest.mark.slow
def test_native_is_chosen_where_it_is_built(work: Workplace) -> None:
    (work.folder / ".bedplate").mkdir()
    (work.folder / ".bedplate" / "cache").symlink_to(cache_of(REPOSITORY).parent)
    up = work.run("sandbox", "up", "--output", "json").expect(0, "Kubernetes: native (it is built")
    assert up.json()["kubernetes"]["flavor"] == "native"
    assert set(up.json()["kubernetes"]["processes"]) > {"etcd", "kube-apiserver", "kwok"}
    work.run("sandbox", "up", "--kubernetes", "embedded").expect(2, "Kubernetes embedded (it has native)")
    work.run("sandbox", "down").expect(0)
