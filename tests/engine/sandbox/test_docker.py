"""The Docker sandbox with a `docker` and a `kind` that are ours, and once with the real ones where they are."""

from __future__ import annotations

import json
import os
import re
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from engine import sandbox
from engine.sandbox import Flavor, SandboxState, StartFailed, aws_half, docker, localstack, process
from engine.sandbox.choice import best
from engine.sandbox.docker import DockerUnavailable, images
from engine.sandbox.model import SandboxFiles, is_our_localstack
from tests.engine.sandbox.waiting import eventually

FAKE = Path(__file__).with_name("fake_docker.py")
HEALTH = Path(__file__).with_name("localstack_4_14_0_health.json")  # recorded on 2026-11-26
LOADING = 0.2  # seconds; LocalStack 4.14.0 took 2 to 7, when first asked for what it takes for a bucket
Read = Callable[[], dict[str, Any]]


EMPTY = json.dumps({"items": [], "metadata": {"resourceVersion": "1"}}).encode()  # a list, and a watch that ends


class _Server(ThreadingHTTPServer):
    session = "one"  # what names a run of LocalStack


class _Answering(BaseHTTPRequestHandler):
    """An API server that has nothing, and LocalStack 4.14.0, as far as a sandbox asks them."""

    def do_GET(self) -> None:  # the library's name
        session = json.dumps({"version": "4.14.0", "session_id": _Server.session}).encode()
        status, content = {
            localstack.HEALTH_PATH: (200, HEALTH.read_bytes()),
            localstack.INFO_PATH: (200, session),
            docker.endpoints.STATUS_PATH: (404, b"<Error><Code>NoSuchBucket</Code></Error>"),
        }.get(self.path, (200, EMPTY))
        if status == 404:
            time.sleep(LOADING)
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:
        """Quiet."""


@pytest.fixture
def server() -> Iterator[str]:
    with _Server(("127.0.0.1", 0), _Answering) as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{running.server_port}"
        running.shutdown()


def install(folder: Path, *programs: str) -> None:
    for name in programs:
        program = folder / name
        program.write_text(f'#!/bin/sh\nexec {sys.executable} {FAKE} {name} "$@"\n')
        program.chmod(0o755)


@pytest.fixture
def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, server: str) -> Iterator[Read]:
    """A Docker engine that is ours; call the result for what it holds."""
    folder, state = tmp_path / "bin", tmp_path / "docker.json"
    folder.mkdir()
    install(folder, "docker", "kind")
    state.write_text(json.dumps({"networks": {}, "containers": {}, "calls": [], "fails": {}, "server": server}))
    monkeypatch.setenv("PATH", str(folder), prepend=os.pathsep)
    monkeypatch.setenv("FAKE_DOCKER", str(state))
    monkeypatch.delenv("LOCALSTACK_AUTH_TOKEN", raising=False)
    yield lambda: json.loads(state.read_text())
    fail(tmp_path)
    sandbox.down(tmp_path / "root")  # while its Docker is the one on PATH


def fail(tmp_path: Path, **commands: str) -> None:
    path = tmp_path / "docker.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"fails": commands}))


@pytest.fixture
def root(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "root"
    folder.mkdir()
    yield folder
    sandbox.down(folder)


def test_a_cluster_and_its_network_come_and_go(root: Path, engine: Read, server: str) -> None:
    running = sandbox.up(root, kubernetes="kind")
    assert running.kubernetes is not None
    assert (running.kubernetes.flavor, running.kubernetes.server) == (Flavor.KIND, server)
    assert running.kubernetes.version == images()["kind"]["version"]
    assert running.emulator == "moto", "without a token LocalStack does not start"
    assert running.kubernetes.kubeconfig.stat().st_mode & 0o777 == 0o600
    held = engine()
    (name,) = held["networks"]
    assert held["networks"][name] == f"dev.bedplate.sandbox={name}"
    assert list(held["containers"]) == [f"{name}-control-plane"]
    assert sandbox.status(root).state is SandboxState.RUNNING
    playing = running.kubernetes.processes
    assert [one.name for one in playing] == ["supervisor", "machines"]

    sandbox.down(root)
    assert not any(process.is_alive(one.pid, one.started) for one in playing)
    held = engine()
    assert (held["networks"], held["containers"]) == ({}, {})
    assert list(root.iterdir()) == []


def test_what_plays_the_machines_is_missed_when_it_ends(root: Path, engine: Read) -> None:
    running = sandbox.up(root, kubernetes="kind")
    assert running.kubernetes is not None
    supervisor, machines = running.kubernetes.processes
    os.kill(machines.pid, signal.SIGKILL)
    assert eventually(lambda: sandbox.status(root).state is SandboxState.DEAD)
    assert "machines ended; bring the sandbox up again" in sandbox.status(root).detail
    again = sandbox.up(root, kubernetes="kind")
    assert again.kubernetes is not None
    assert again.kubernetes.processes[0] != supervisor
    assert len(engine()["networks"]) == 1, "what was left is removed first"


def test_what_is_not_ours_stays(root: Path, engine: Read, tmp_path: Path) -> None:
    path = tmp_path / "docker.json"
    theirs = {"networks": {"kind": "a=b"}, "containers": {"kind-control-plane": ["io.x-k8s.kind.cluster=kind"]}}
    path.write_text(json.dumps(engine() | theirs))
    sandbox.up(root, kubernetes="kind")
    sandbox.down(root)
    held = engine()
    assert {"networks": held["networks"], "containers": held["containers"]} == theirs


@pytest.fixture
def token(server: str, engine: Read, monkeypatch: pytest.MonkeyPatch) -> None:
    """There is a token, and what Docker publishes is where something answers, as LocalStack would."""
    assert engine()["containers"] == {}
    monkeypatch.setenv("LOCALSTACK_AUTH_TOKEN", "ls-secret")

    def port(*_: object, **__: object) -> int:
        return int(server.rpartition(":")[2])

    monkeypatch.setattr(docker.endpoints, "free_port", port)
    monkeypatch.setattr(aws_half, "ANSWER_TIMEOUT", LOADING / 4)


@pytest.mark.usefixtures("token")
def test_with_a_token_the_aws_half_is_localstack(root: Path, engine: Read, server: str) -> None:
    running = sandbox.up(root, kubernetes="kind")
    assert (running.emulator, running.endpoint, running.managed) == ("localstack", server, False)
    assert (is_our_localstack(running), running.can_be_told) == (True, False)
    assert docker.logs_of_localstack(running).endswith(
        f"label=dev.bedplate.sandbox={next(iter(engine()['networks']))})"
    )
    assert "localstack" in engine()["containers"]
    assert not any("ls-secret" in call for call in engine()["calls"]), "a token among arguments is everybody's"
    sandbox.down(root)
    assert engine()["containers"] == {}


@pytest.mark.usefixtures("token", "engine")
def test_a_localstack_that_was_started_anew_is_another(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is empty: what was made in the one before must not count as being there."""
    first = sandbox.up(root, kubernetes="kind")
    assert first.instance_id == "one"
    assert sandbox.up(root).instance_id == "one"
    monkeypatch.setattr(_Server, "session", "two")
    assert sandbox.status(root).state is SandboxState.UNRESPONSIVE
    assert sandbox.up(root).instance_id == "two"


@pytest.mark.usefixtures("token", "engine")
def test_a_localstack_whose_container_has_ended_is_dead(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sandbox.up(root, kubernetes="kind")
    assert sandbox.find(root) is not None

    def refused(*_: object, **__: object) -> None:
        raise ConnectionRefusedError

    monkeypatch.setattr(aws_half.socket, "create_connection", refused)
    assert sandbox.find(root) is None
    found = sandbox.status(root)
    assert (found.state, found.parts[0].detail) == (
        SandboxState.DEAD,
        "its container has ended; bring it up again (it will be empty)",
    )


@pytest.mark.usefixtures("token")
def test_a_localstack_that_ends_says_why(
    root: Path, engine: Read, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ends = {"ends": "License activation failed! Reason: no such token ls-secret"}
    (tmp_path / "docker.json").write_text(json.dumps(engine() | ends))

    def silent(*_: object) -> None:
        return None

    monkeypatch.setattr(localstack, "at", silent)
    with pytest.raises(
        StartFailed, match=r"(?s)is the token .* valid\?.*It said:\n  License activation failed!"
    ) as told:
        sandbox.up(root, kubernetes="kind")
    assert "ls-secret" not in str(told.value)
    assert list(root.iterdir()) == []


def test_a_localstack_that_runs_is_known_as_one(root: Path, server: str) -> None:
    attached = sandbox.up(root, endpoint=server)
    assert (attached.emulator, attached.managed, is_our_localstack(attached)) == ("localstack", False, False)


def test_what_a_localstack_lacks_is_read_from_its_health(server: str, tmp_path: Path) -> None:
    found = localstack.at(server)
    assert found is not None
    assert found.version == "4.14.0"
    assert found.lacks({"ec2", "eks", "s3", "ecr"}) == ["ecr", "eks"]
    assert {"ec2", "eks", "iam", "budgets", "ce"} <= localstack.needed()
    other = sandbox.up(tmp_path, "other")
    try:
        assert localstack.at(other.endpoint) is None, "moto is no LocalStack"
    finally:
        sandbox.down(tmp_path, "other")


def test_a_cluster_that_fails_leaves_nothing(root: Path, engine: Read, tmp_path: Path) -> None:
    fail(tmp_path, **{"kind create": "ERROR: failed to create cluster: the reason"})
    with pytest.raises(StartFailed, match=r"(?s)`kind create cluster` failed:.*the reason"):
        sandbox.up(root, kubernetes="kind")
    held = engine()
    assert (held["networks"], held["containers"]) == ({}, {})
    assert list(root.iterdir()) == []


@pytest.mark.parametrize("beside_another", [False, True])
def test_what_a_start_left_that_was_killed_is_removed_by_the_next(
    root: Path, engine: Read, tmp_path: Path, server: str, beside_another: bool
) -> None:
    """Docker made it after kind was gone, so nobody noted it."""
    name = docker.name_of(SandboxFiles(root, "default"))
    left = {"networks": {name: f"{docker.LABEL}={name}"}}
    left |= {"containers": {f"{name}-control-plane": [f"io.x-k8s.kind.cluster={name}"]}}
    (tmp_path / "docker.json").write_text(json.dumps(engine() | left))
    sandbox.up(root, kubernetes="kind", endpoint=server if beside_another else None)
    assert (list(engine()["networks"]), list(engine()["containers"])) == ([name], [f"{name}-control-plane"])


@pytest.mark.usefixtures("engine")
def test_a_start_that_is_interrupted_ends_what_it_had_started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """kind's own children, too: a `docker run` that goes on would make a container that nobody knows of."""
    kind = tmp_path / "bin" / "kind"
    kind.write_text(f"#!/bin/sh\n(sleep 60 & echo $! > {tmp_path}/child; wait)\n")
    monkeypatch.setattr(docker, "SETTLING", 0.0)
    monkeypatch.setattr(docker, "CLUSTER_TIMEOUT", 1.0)
    files = SandboxFiles(tmp_path, "default")
    files.directory.mkdir(parents=True)
    with pytest.raises(StartFailed, match="`kind create cluster` did not end within 1 s"):
        docker.start_kind(files, 0)
    child = int((tmp_path / "child").read_text())
    assert eventually(lambda: process.start_time(child) is None)


def test_an_engine_that_is_gone_is_named_and_nothing_forgotten(root: Path, engine: Read, tmp_path: Path) -> None:
    sandbox.up(root, kubernetes="kind")
    fail(tmp_path, **{"docker version": "Cannot connect to the Docker daemon"})
    with pytest.raises(
        sandbox.SandboxError, match=r"can't be removed: Cannot connect .* start the engine and try again"
    ):
        sandbox.down(root)
    assert engine()["containers"]
    fail(tmp_path)
    sandbox.down(root)
    assert engine()["containers"] == {}


def test_without_an_engine_one_message_says_what_else_there_is(root: Path, engine: Read, tmp_path: Path) -> None:
    fail(tmp_path, **{"docker version": "Cannot connect to the Docker daemon at unix:///var/run/docker.sock."})
    with pytest.raises(DockerUnavailable, match=r"no Docker engine answers \(Cannot connect.*\); .*native or embedded"):
        sandbox.up(root, kubernetes="kind")
    assert list(root.iterdir()) == []


def test_without_kind_or_docker_it_is_said(
    root: Path, engine: Read, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "bin" / "kind").unlink()
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/bin:/usr/bin")
    with pytest.raises(DockerUnavailable, match="there is no `kind` on PATH"):
        docker.check_possible()
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(DockerUnavailable, match="there is no `docker` on PATH"):
        docker.check_possible()


def test_the_best_is_chosen_and_why_is_said(tmp_path: Path, engine: Read) -> None:
    nothing_built = tmp_path / "cache"
    assert best(nothing_built).flavor is Flavor.KIND
    fail(tmp_path, **{"docker version": "no"})
    chosen = best(nothing_built)
    assert chosen.flavor is Flavor.EMBEDDED
    assert "`bedplate sandbox build`" in chosen.reason
    assert best(nothing_built, endpoint="http://127.0.0.1:1").flavor is None


def test_the_longest_name_of_a_sandbox_makes_a_name_that_a_node_may_have(tmp_path: Path) -> None:
    names = {docker.name_of(SandboxFiles(tmp_path, "a" * 39 + last)) for last in "ab"}
    assert len(names) == 2
    assert max(len(f"{name}-control-plane") for name in names) <= 63


def test_images_are_pinned_by_digest() -> None:
    for name, one in images().items():
        assert re.fullmatch(r"[a-z/]+:[\w.]+@sha256:[0-9a-f]{64}", one["image"]), name


@pytest.mark.docker
@pytest.mark.slow
def test_a_real_cluster_comes_and_goes(root: Path) -> None:
    running = sandbox.up(root, kubernetes="kind")
    assert sandbox.status(root).state is SandboxState.RUNNING
    assert running.kubernetes is not None
    sandbox.down(root)
    assert list(root.iterdir()) == []
