"""Sandboxes are started and ended for real: every test leaves no process, no port and no file."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from engine import sandbox
from engine.sandbox import SandboxState, aws_half, process

DEADLINE = 20.0  # seconds for something that happens in another process


@pytest.fixture
def root(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path
    sandbox.down(tmp_path)
    sandbox.down(tmp_path, "other")


def port_of(found: sandbox.Sandbox) -> int:
    port = urlsplit(found.endpoint).port
    assert port is not None
    return port


def listens(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


def eventually(condition: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + DEADLINE
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def alive(pid: int) -> bool:
    return process.start_time(pid) is not None


def test_up_answers_and_down_leaves_nothing(root: Path) -> None:
    up = sandbox.up(root)
    assert up.pid is not None
    assert up.managed
    assert listens(port_of(up))
    assert sandbox.status(root).state is SandboxState.RUNNING
    assert sandbox.find(root) == up

    assert sandbox.down(root) == up
    assert not alive(up.pid)
    assert not listens(port_of(up))
    assert list(root.iterdir()) == []
    assert sandbox.status(root).state is SandboxState.ABSENT
    assert sandbox.find(root) is None
    assert sandbox.down(root) is None


def test_up_is_idempotent(root: Path) -> None:
    first = sandbox.up(root)
    assert sandbox.up(root) == first


def test_two_names_are_two_sandboxes(root: Path) -> None:
    first, second = sandbox.up(root), sandbox.up(root, "other", region="eu-west-1")
    assert first.endpoint != second.endpoint
    assert first.instance_id != second.instance_id
    assert second.region == "eu-west-1"
    sandbox.down(root)
    assert sandbox.status(root, "other").state is SandboxState.RUNNING


def test_concurrent_ups_make_one_emulator(root: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from engine import sandbox; print(sandbox.up(Path(sys.argv[1])).pid)"
    )

    def up(_: int) -> str:
        command = [sys.executable, "-c", program, str(root)]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

    with ThreadPoolExecutor(4) as pool:
        pids = set(pool.map(up, range(4)))
    assert len(pids) == 1
    assert pids == {str(sandbox.up(root).pid)}


def test_files_are_their_owners_alone(root: Path) -> None:
    up = sandbox.up(root)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in up.directory.iterdir()}
    assert modes == {"sandbox.json": 0o600, "passphrase": 0o600, "emulator.log": 0o600}
    assert stat.S_IMODE(up.directory.stat().st_mode) == 0o700
    assert len(up.passphrase()) >= 32


def test_a_killed_emulator_is_noticed_and_replaced(root: Path) -> None:
    first = sandbox.up(root)
    assert first.pid is not None
    passphrase = first.passphrase()
    os.kill(first.pid, signal.SIGKILL)
    assert eventually(lambda: sandbox.status(root).state is SandboxState.DEAD)
    assert sandbox.find(root) is None

    second = sandbox.up(root)
    assert second.instance_id != first.instance_id, "state of the first belongs to an emulator that is gone"
    assert second.endpoint == first.endpoint, "its endpoint stays valid"
    assert second.passphrase() == passphrase, "what was encrypted with it can still be read"


def test_down_of_a_killed_emulator_cleans_up(root: Path) -> None:
    up = sandbox.up(root)
    assert up.pid is not None
    os.kill(up.pid, signal.SIGKILL)
    sandbox.down(root)
    assert list(root.iterdir()) == []


def test_a_stopped_emulator_is_ended_by_force(root: Path) -> None:
    up = sandbox.up(root)
    assert up.pid is not None
    os.kill(up.pid, signal.SIGSTOP)  # it can't act on SIGTERM
    sandbox.down(root, grace=0.2)
    assert not alive(up.pid)


def test_a_recycled_pid_is_not_ours(root: Path) -> None:
    up = sandbox.up(root)
    record = up.directory / "sandbox.json"
    content = json.loads(record.read_text())
    record.write_text(json.dumps(content | {"pid": os.getpid()}))  # as if the emulator's number were now ours
    assert sandbox.status(root).state is SandboxState.DEAD
    sandbox.down(root)  # must not end this process
    assert up.pid is not None
    assert process.end(up.pid, content["process_start"], grace=1.0)


@pytest.mark.parametrize("content", ["", "{", "[]", '{"version": 99}', '{"version": 1}', '{"version": 2}'])
def test_a_damaged_record_is_cleaned_up(root: Path, content: str) -> None:
    directory = root / ".bedplate" / "sandbox" / "default"
    directory.mkdir(parents=True)
    (directory / "sandbox.json").write_text(content)
    assert sandbox.status(root).state is SandboxState.ABSENT
    assert sandbox.down(root) is None
    assert list(root.iterdir()) == []


def test_what_a_killed_up_has_left_is_no_sandbox(root: Path) -> None:
    up = sandbox.up(root)
    record = up.directory / "sandbox.json"
    record.write_text(json.dumps(json.loads(record.read_text()) | {"complete": False}))
    assert sandbox.find(root) is None
    assert sandbox.status(root).state is SandboxState.UNRESPONSIVE
    second = sandbox.up(root)
    assert second.instance_id != up.instance_id
    assert up.pid is not None
    assert not alive(up.pid)


def test_the_emulator_ends_when_its_directory_is_removed(root: Path) -> None:
    up = sandbox.up(root)
    assert up.pid is not None
    pid = up.pid
    shutil.rmtree(up.directory)
    assert eventually(lambda: not process.is_alive(pid, process.start_time(pid)))


def test_a_port_in_use_names_its_holder(root: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(sandbox.PortInUse) as refusal:
            sandbox.up(root, port=port)
    assert f"port {port} on 127.0.0.1 is in use by" in str(refusal.value)
    assert "--port" in str(refusal.value)
    if sys.platform == "linux":
        assert f"pid {os.getpid()} (" in str(refusal.value)
    assert list(root.iterdir()) == []


def test_a_port_that_was_asked_for_is_used(root: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    assert port_of(sandbox.up(root, port=port)) == port
    with pytest.raises(sandbox.SandboxMismatch, match=rf"port {port + 1} \(it has {port}\)"):
        sandbox.up(root, port=port + 1)


def test_an_emulator_that_ends_at_once_shows_its_log(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> list[str]:
        return [sys.executable, "-c", "raise SystemExit('the reason')"]

    monkeypatch.setattr(aws_half, "_command", broken)
    with pytest.raises(sandbox.StartFailed, match=r"ended at once; the end of its log:\n  the reason"):
        sandbox.up(root)
    assert list(root.iterdir()) == []


def test_an_emulator_that_never_answers_is_ended(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pids: list[int] = []
    spawn = process.spawn

    def silent(*_: object) -> list[str]:
        return [sys.executable, "-c", "import signal; print('silent', flush=True); signal.pause()"]

    def remembered(arguments: list[str], *, environment: dict[str, str], log: Path) -> int:
        pids.append(spawn(arguments, environment=environment, log=log))
        return pids[-1]

    monkeypatch.setattr(aws_half, "_command", silent)
    monkeypatch.setattr(aws_half, "READY_TIMEOUT", 0.3)
    monkeypatch.setattr(aws_half, "ANSWER_TIMEOUT", 0.2)
    monkeypatch.setattr(process, "spawn", remembered)
    with pytest.raises(sandbox.StartFailed, match="did not answer"):
        sandbox.up(root)
    assert not alive(pids[0])
    assert list(root.iterdir()) == []


def test_a_sandbox_that_does_not_answer_is_told_apart(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    up = sandbox.up(root)
    assert up.pid is not None
    monkeypatch.setattr(aws_half, "ANSWER_TIMEOUT", 0.2)
    os.kill(up.pid, signal.SIGSTOP)
    found = sandbox.status(root)
    assert found.state is SandboxState.UNRESPONSIVE
    assert str(up.log_file) in found.detail


def test_an_existing_endpoint_is_used_and_left_alone(root: Path) -> None:
    running = sandbox.up(root, "other")
    attached = sandbox.up(root, endpoint=running.endpoint + "/")
    assert not attached.managed
    assert (attached.endpoint, attached.instance_id) == (running.endpoint, running.instance_id)
    assert sandbox.status(root).state is SandboxState.RUNNING
    sandbox.down(root)
    assert sandbox.status(root, "other").state is SandboxState.RUNNING


def test_an_endpoint_where_nothing_answers_is_refused(root: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    with pytest.raises(sandbox.StartFailed, match="nothing answers at http"):
        sandbox.up(root, endpoint=f"http://127.0.0.1:{port}")
    assert list(root.iterdir()) == []


@pytest.mark.parametrize(
    "endpoint",
    [
        "https://s3.amazonaws.com",
        "http://10.0.0.7:4566",
        "http://127.0.0.1.example.com",
        "ftp://127.0.0.1",
        "127.0.0.1:4566",
        "http://localhost@example.com",
    ],
)
def test_only_loopback_and_named_hosts_are_endpoints(root: Path, endpoint: str) -> None:
    with pytest.raises(sandbox.EndpointNotAllowed):
        sandbox.up(root, endpoint=endpoint)
    assert list(root.iterdir()) == []


def test_allowed_hosts_are_kept(root: Path) -> None:
    sandbox.up(root)
    assert sandbox.up(root, allowed_hosts=["localstack"]).allowed_hosts == ("localstack",)
    found = sandbox.find(root)
    assert found is not None
    assert found.allowed_hosts == ("localstack",)


@pytest.mark.parametrize("name", ["", "Default", "../up", "a/b", "-a", "a" * 41])
def test_a_bad_name_is_refused(root: Path, name: str) -> None:
    with pytest.raises(sandbox.SandboxError, match="sandbox name"):
        sandbox.up(root, name)


def test_a_held_lock_is_waited_for_and_then_named(root: Path) -> None:
    from engine.sandbox.lock import locked
    from engine.sandbox.model import SandboxFiles

    files = SandboxFiles(root, "default")
    with locked(files), pytest.raises(sandbox.SandboxBusy, match="another command"), locked(files, wait=0.1):
        pass
    assert list(root.iterdir()) == []


def test_importing_sandboxes_is_cheap() -> None:
    heavy = ("moto", "boto3", "botocore", "grpc", "flask")
    program = f"import sys, engine.sandbox; print([name for name in {heavy} if name in sys.modules])"
    shown = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert shown.strip() == "[]"
