"""The AWS half of a sandbox: our emulator in a process of its own, or an endpoint that exists already."""

from __future__ import annotations

import os
import secrets
import socket
import sys
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

from engine.sandbox import endpoint as endpoints
from engine.sandbox import process
from engine.sandbox import record as records
from engine.sandbox.errors import StartFailed
from engine.sandbox.model import LOCALSTACK, PartStatus, Sandbox, SandboxFiles, SandboxState, is_our_localstack
from engine.sandbox.record import Record

READY_TIMEOUT = 30.0  # seconds until a started emulator must answer
ANSWER_TIMEOUT = 2.0  # seconds for one answer
LOG_TAIL = 20  # lines
# What a Python or Go program needs to start and to write text, and what moto and Python are configured by.
_NEEDED = frozenset({"PATH", "HOME", "LANG", "TZ", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH"})
_NEEDED_OF = ("LC_", "PYTHON", "MOTO_")
_SOURCE = Path(__file__).resolve().parents[2]  # the directory that holds the package `engine`


@dataclass(frozen=True)
class EmbeddedKubernetes:
    """The socket that the emulator serves its Kubernetes API on, its URL, and the version that it says it has."""

    listener: socket.socket
    server: str
    version: str


def start(
    files: SandboxFiles,
    listener: socket.socket,
    region: str,
    allowed_hosts: tuple[str, ...],
    kubernetes: EmbeddedKubernetes | None = None,
) -> Record:
    """Start the emulator on ``listener`` and wait until it answers; the record is saved. Raises StartFailed."""
    instance_id = secrets.token_hex(16)
    command = _command(files, listener.fileno(), instance_id)
    if kubernetes:
        command += ["--kubernetes-fd", str(kubernetes.listener.fileno()), "--kubernetes-version", kubernetes.version]
    pid = process.spawn(command, environment=environment(files.directory), log=files.log)
    endpoint = f"http://{endpoints.LOOPBACK}:{listener.getsockname()[1]}"
    listener.close()
    if kubernetes:
        kubernetes.listener.close()
    sandbox = _sandbox(files, endpoint, region, allowed_hosts, {"instanceId": instance_id, "emulator": "moto"}, pid)
    record = Record(sandbox, process.start_time(pid))
    try:
        records.save(files, record)
        said = _wait_until_ready(record)
    except BaseException:
        end(record, grace=1.0)
        raise
    ready = Record(_sandbox(files, endpoint, region, allowed_hosts, said, pid), record.process_start)
    records.save(files, ready)
    return ready


def attach(files: SandboxFiles, endpoint: str, region: str, allowed_hosts: tuple[str, ...]) -> Record:
    """Use the emulator that answers at ``endpoint``; the record is saved. Raises StartFailed where nothing does."""
    # First, as LocalStack takes what it does not know for a request to S3, which it loads for the first: seconds.
    said = _localstack(endpoint) or endpoints.answer(endpoint, timeout=READY_TIMEOUT)
    if said is None:
        raise StartFailed(
            f"nothing answers at {endpoint} within {READY_TIMEOUT:.0f} s; start that emulator, "
            "or leave the endpoint out to start ours"
        )
    said = said or {"emulator": "external"}
    record = Record(_sandbox(files, endpoint, region, allowed_hosts, said, None), None)
    records.save(files, record)
    return record


def _localstack(endpoint: str) -> dict[str, str] | None:
    """Which run of which emulator it is, if it is a LocalStack."""
    from engine.sandbox import localstack  # http.client: 15 ms

    if localstack.at(endpoint) is None:
        return None
    session = localstack.session(endpoint, timeout=READY_TIMEOUT)
    return {"emulator": LOCALSTACK} | ({"instanceId": session} if session else {})


def lives(record: Record) -> bool:
    """Whether its process or container is there; always so for an endpoint that is not ours."""
    sandbox = record.sandbox
    if sandbox.pid is None:
        return not is_our_localstack(sandbox) or _listens(sandbox.endpoint)
    return process.is_alive(sandbox.pid, record.process_start)


def _listens(endpoint: str) -> bool:
    """Whether something listens there: Docker closes the port when the container ends."""
    try:
        parts = urlsplit(endpoint)
        socket.create_connection((parts.hostname or "", parts.port or 80), timeout=ANSWER_TIMEOUT).close()
    except OSError:
        return False
    return True


def status(record: Record) -> PartStatus:
    """How it is; asks its endpoint."""
    sandbox = record.sandbox
    if not lives(record):
        what = "its container" if sandbox.pid is None else f"its process {sandbox.pid}"
        detail = f"{what} has ended; bring it up again (it will be empty)"
        return PartStatus("aws", SandboxState.DEAD, detail)
    if not answers_as_itself(sandbox):
        detail = f"{sandbox.endpoint} does not answer as instance {sandbox.instance_id}; see {sandbox.log_file}"
        return PartStatus("aws", SandboxState.UNRESPONSIVE, detail)
    return PartStatus("aws", SandboxState.RUNNING, f"{sandbox.endpoint} since {sandbox.started}")


def answers_as_itself(sandbox: Sandbox) -> bool:
    if sandbox.emulator == LOCALSTACK and sandbox.instance_id:
        from engine.sandbox import localstack

        return localstack.session(sandbox.endpoint, timeout=ANSWER_TIMEOUT) == sandbox.instance_id
    said = endpoints.answer(sandbox.endpoint, timeout=ANSWER_TIMEOUT)
    return said is not None and said.get("instanceId") == sandbox.instance_id


def end(record: Record, *, grace: float) -> None:
    if record.sandbox.pid is not None:
        process.end(record.sandbox.pid, record.process_start, grace=grace)


def environment(directory: Path) -> dict[str, str]:
    """What a process of ours gets of the caller's environment: what it may need, no token, no way to a cloud.

    What it must write to a temporary file lies in ``directory``, which is the sandbox's own.
    """
    kept = {key: value for key, value in os.environ.items() if key in _NEEDED or key.startswith(_NEEDED_OF)}
    return kept | {"PYTHONPATH": str(_SOURCE), "PYTHONUNBUFFERED": "1", "TMPDIR": str(directory)}


def log_tail(log: Path) -> list[str]:
    return log.read_text(errors="replace").splitlines()[-LOG_TAIL:] if log.exists() else []


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
        emulator=said["emulator"],
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


def _wait_until_ready(record: Record) -> dict[str, str]:
    """Until the emulator answers; its socket is open already, so the wait is the answer's own, not a poll."""
    sandbox = record.sandbox
    deadline = time.monotonic() + READY_TIMEOUT
    while lives(record) and time.monotonic() < deadline:
        said = endpoints.answer(sandbox.endpoint, timeout=ANSWER_TIMEOUT)
        if said and said.get("instanceId") == sandbox.instance_id:
            return said
    what = f"did not answer at {sandbox.endpoint} within {READY_TIMEOUT:.0f} s" if lives(record) else "ended at once"
    lines = log_tail(sandbox.log_file)
    raise StartFailed("\n  ".join([f"the emulator of sandbox {sandbox.name!r} {what}; the end of its log:", *lines]))
