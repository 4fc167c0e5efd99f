"""Bring a sandbox up, find it, ask how it is, and take it down without a trace."""

from __future__ import annotations

import dataclasses
import os
import secrets
import shutil
import socket
import sys
import time
from collections.abc import Collection
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

from engine.sandbox import endpoint as endpoints
from engine.sandbox import process
from engine.sandbox import record as records
from engine.sandbox.errors import PortInUse, SandboxMismatch, StartFailed
from engine.sandbox.lock import locked
from engine.sandbox.model import DEFAULT_NAME, DEFAULT_REGION, Sandbox, SandboxFiles, SandboxState, SandboxStatus
from engine.sandbox.record import Record

READY_TIMEOUT = 30.0  # seconds until a started emulator must answer
ANSWER_TIMEOUT = 2.0  # seconds for one answer
GRACE = 5.0  # seconds between SIGTERM and SIGKILL
LOG_TAIL = 20  # lines
_SOURCE = Path(__file__).resolve().parents[2]  # the directory that holds the package `engine`


def up(
    root: Path,
    name: str = DEFAULT_NAME,
    *,
    port: int = 0,
    endpoint: str | None = None,
    region: str | None = None,
    allowed_hosts: Collection[str] = (),
) -> Sandbox:
    """Start the sandbox's emulator and wait until it answers, or return the one that runs already.

    With ``endpoint`` an emulator that exists is used instead of starting one. ``allowed_hosts`` (hosts that are
    emulators although they aren't on loopback) replace those of a running sandbox. Raises PortInUse, StartFailed,
    SandboxBusy, EndpointNotAllowed, and SandboxMismatch when it runs with another port, endpoint or region than asked.
    """
    files = SandboxFiles(root, name)
    if endpoint is not None:
        endpoints.check_allowed(endpoint, allowed_hosts)
    with locked(files):
        former = records.load(files)
        if former and _runs(former):
            _check_same(former.sandbox, port=port, endpoint=endpoint, region=region)
            return _with_hosts(files, former, allowed_hosts)
        if former:
            _end_process(former)
        _make_directory(files)
        try:
            if endpoint is None:
                return _start(files, _socket_for(port, former), region or DEFAULT_REGION, tuple(allowed_hosts))
            return _attach(files, endpoint.rstrip("/"), region or DEFAULT_REGION, tuple(allowed_hosts))
        except BaseException:
            _remove(files)
            raise


def find(root: Path, name: str = DEFAULT_NAME) -> Sandbox | None:
    """The sandbox when it has been brought up and its process lives. Reads one file; asks nothing of the network."""
    record = records.load(SandboxFiles(root, name))
    return record.sandbox if record and _lives(record) else None


def status(root: Path, name: str = DEFAULT_NAME) -> SandboxStatus:
    """How the sandbox is; asks its endpoint."""
    record = records.load(SandboxFiles(root, name))
    if record is None:
        return SandboxStatus(SandboxState.ABSENT, None, f"sandbox {name!r} has not been brought up")
    sandbox = record.sandbox
    if not _lives(record):
        detail = f"its process {sandbox.pid} has ended; bring it up again (it will be empty)"
        return SandboxStatus(SandboxState.DEAD, sandbox, detail)
    if not _answers_as_itself(sandbox):
        detail = f"{sandbox.endpoint} does not answer as instance {sandbox.instance_id}; see {sandbox.log_file}"
        return SandboxStatus(SandboxState.UNRESPONSIVE, sandbox, detail)
    return SandboxStatus(SandboxState.RUNNING, sandbox, f"{sandbox.endpoint} since {sandbox.started}")


def down(root: Path, name: str = DEFAULT_NAME, *, grace: float = GRACE) -> Sandbox | None:
    """End the emulator and remove all files of the sandbox; returns what was taken down, None when there was nothing.

    An endpoint that ``up`` was given keeps running: only our record of it goes.
    """
    files = SandboxFiles(root, name)
    if not files.directory.exists() and not files.lock.exists():
        return None
    with locked(files):
        record = records.load(files)
        if record:
            _end_process(record, grace=grace)
        _remove(files)
    return record.sandbox if record else None


def _lives(record: Record) -> bool:
    pid = record.sandbox.pid
    return pid is None or process.is_alive(pid, record.process_start)


def _runs(record: Record) -> bool:
    return _lives(record) and _answers_as_itself(record.sandbox)


def _answers_as_itself(sandbox: Sandbox) -> bool:
    said = endpoints.answer(sandbox.endpoint, timeout=ANSWER_TIMEOUT)
    return said is not None and said.get("instanceId") == sandbox.instance_id


def _check_same(running: Sandbox, *, port: int, endpoint: str | None, region: str | None) -> None:
    wanted = [
        ("port", port or None, urlsplit(running.endpoint).port),
        ("endpoint", endpoint and endpoint.rstrip("/"), running.endpoint),
        ("region", region, running.region),
    ]
    differences = [f"{what} {new} (it has {old})" for what, new, old in wanted if new is not None and new != old]
    if differences:
        raise SandboxMismatch(
            f"sandbox {running.name!r} already runs at {running.endpoint}, but you ask for {', '.join(differences)}; "
            "take it down first, or use another name"
        )


def _with_hosts(files: SandboxFiles, running: Record, allowed_hosts: Collection[str]) -> Sandbox:
    if not allowed_hosts or set(allowed_hosts) == set(running.sandbox.allowed_hosts):
        return running.sandbox
    sandbox = dataclasses.replace(running.sandbox, allowed_hosts=tuple(allowed_hosts))
    records.save(files, Record(sandbox, running.process_start))
    return sandbox


def _make_directory(files: SandboxFiles) -> None:
    files.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    files.directory.chmod(0o700)
    files.record.unlink(missing_ok=True)  # an emulator that it named ends itself
    files.log.unlink(missing_ok=True)
    if not files.passphrase.exists():  # kept over a crash: state that was encrypted with it is still there
        records.write_private(files.passphrase, secrets.token_urlsafe(32) + "\n")


def _socket_for(port: int, former: Record | None) -> socket.socket:
    """A listening socket; without a wish, on the port of a sandbox that died, so that its endpoint stays valid."""
    former_port = urlsplit(former.sandbox.endpoint).port if former and former.sandbox.managed else None
    if not port and former_port:
        try:
            return endpoints.listen(former_port)
        except PortInUse:
            pass  # taken since: any other will do
    return endpoints.listen(port)


def _start(files: SandboxFiles, listener: socket.socket, region: str, allowed_hosts: tuple[str, ...]) -> Sandbox:
    instance_id = secrets.token_hex(16)
    with listener:
        pid = process.spawn(_command(files, listener.fileno(), instance_id), environment=_environment(), log=files.log)
        endpoint = f"http://{endpoints.LOOPBACK}:{listener.getsockname()[1]}"
    sandbox = _sandbox(files, endpoint, region, allowed_hosts, {"instanceId": instance_id, "emulator": "moto"}, pid)
    record = Record(sandbox, process.start_time(pid))
    try:
        records.save(files, record)
        said = _wait_until_ready(record)
    except BaseException:
        _end_process(record, grace=1.0)
        raise
    ready = _sandbox(files, endpoint, region, allowed_hosts, said, pid)
    records.save(files, Record(ready, record.process_start))
    return ready


def _attach(files: SandboxFiles, endpoint: str, region: str, allowed_hosts: tuple[str, ...]) -> Sandbox:
    said = endpoints.answer(endpoint, timeout=ANSWER_TIMEOUT)
    if said is None:
        raise StartFailed(
            f"nothing answers at {endpoint} within {ANSWER_TIMEOUT:.0f} s; start that emulator, "
            "or leave the endpoint out to start ours"
        )
    sandbox = _sandbox(files, endpoint, region, allowed_hosts, said, None)
    records.save(files, Record(sandbox, None))
    return sandbox


def _sandbox(
    files: SandboxFiles,
    endpoint: str,
    region: str,
    allowed_hosts: tuple[str, ...],
    said: dict[str, str],
    pid: int | None,
) -> Sandbox:
    return Sandbox(
        name=files.name,
        directory=files.directory,
        endpoint=endpoint,
        emulator=said.get("emulator", "external"),
        pid=pid,
        started=said.get("started") or datetime.now(UTC).isoformat(timespec="seconds"),
        instance_id=said.get("instanceId"),
        account_id=said.get("accountId"),
        region=region,
        passphrase_file=files.passphrase,
        log_file=files.log,
        allowed_hosts=allowed_hosts,
    )


def _command(files: SandboxFiles, descriptor: int, instance_id: str) -> list[str]:
    # -P: the caller's directory may hold a package called `engine` that is not ours.
    module = [sys.executable, "-P", "-m", "engine.emulator"]
    return [*module, "--fd", str(descriptor), "--record", str(files.record), "--instance-id", instance_id]


def _environment() -> dict[str, str]:
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("AWS_", "PULUMI_"))}
    return kept | {"PYTHONPATH": str(_SOURCE), "PYTHONUNBUFFERED": "1"}


def _wait_until_ready(record: Record) -> dict[str, str]:
    """Until the emulator answers; its socket is open already, so the wait is the answer's own, not a poll."""
    sandbox = record.sandbox
    deadline = time.monotonic() + READY_TIMEOUT
    while _lives(record) and time.monotonic() < deadline:
        said = endpoints.answer(sandbox.endpoint, timeout=ANSWER_TIMEOUT)
        if said and said.get("instanceId") == sandbox.instance_id:
            return said
    what = f"did not answer at {sandbox.endpoint} within {READY_TIMEOUT:.0f} s" if _lives(record) else "ended at once"
    lines = sandbox.log_file.read_text(errors="replace").splitlines()[-LOG_TAIL:] if sandbox.log_file.exists() else []
    raise StartFailed("\n  ".join([f"the emulator of sandbox {sandbox.name!r} {what}; the end of its log:", *lines]))


def _end_process(record: Record, *, grace: float = GRACE) -> None:
    if record.sandbox.pid is not None:
        process.end(record.sandbox.pid, record.process_start, grace=grace)


def _remove(files: SandboxFiles) -> None:
    if files.directory.exists():
        shutil.rmtree(files.directory)
