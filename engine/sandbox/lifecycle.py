"""Bring a sandbox up, find it, ask how it is, and take it down without a trace."""

from __future__ import annotations

import dataclasses
import secrets
import shutil
from collections.abc import Collection, Iterable
from pathlib import Path
from urllib.parse import urlsplit

from engine.sandbox import aws_half, kubernetes_half
from engine.sandbox import endpoint as endpoints
from engine.sandbox import record as records
from engine.sandbox.errors import SandboxMismatch
from engine.sandbox.kubernetes_half import Wish
from engine.sandbox.lock import locked
from engine.sandbox.model import (
    DEFAULT_NAME,
    DEFAULT_REGION,
    Flavor,
    Sandbox,
    SandboxFiles,
    SandboxState,
    SandboxStatus,
    cache_of,
)
from engine.sandbox.record import Record

GRACE = 5.0  # seconds between SIGTERM and SIGKILL


def up(
    root: Path,
    name: str = DEFAULT_NAME,
    *,
    port: int = 0,
    endpoint: str | None = None,
    region: str | None = None,
    allowed_hosts: Collection[str] = (),
    kubernetes: str | None = None,
    kubernetes_port: int = 0,
    kubernetes_version: str | None = None,
    cache: Path | None = None,
) -> Sandbox:
    """Start the sandbox's halves and wait until they answer, or return the one that runs already.

    With ``endpoint`` an emulator that exists is used instead of starting one. ``allowed_hosts`` (hosts that are
    emulators although they aren't on loopback) replace those of a running sandbox. ``kubernetes`` is a Flavor's value;
    with None a sandbox that died is started with the flavour that it had, and a new one without a Kubernetes half.
    ``cache`` is where the native control plane was built, if not below ``root``. Raises PortInUse, StartFailed,
    NotBuilt, SandboxBusy, EndpointNotAllowed, and SandboxMismatch when it runs with another port, endpoint, region or
    flavour than asked.
    """
    files = SandboxFiles(root, name)
    if endpoint is not None:
        endpoints.check_allowed(endpoint, allowed_hosts)
    with locked(files):
        former = records.load(files)
        if former and _runs(former):
            _check_same(former.sandbox, port=port, endpoint=endpoint, region=region)
            _check_same_kubernetes(former.sandbox, kubernetes, kubernetes_port)
            return _with_hosts(files, former, allowed_hosts)
        wish = _wish(kubernetes, kubernetes_port, kubernetes_version, cache or cache_of(root), former)
        kubernetes_half.check_possible(wish, endpoint)
        _end(files, former)
        _make_directory(files)
        try:
            chosen = region or DEFAULT_REGION
            started = _start(files, port, endpoint, former, wish, chosen, tuple(allowed_hosts))
            records.save(files, dataclasses.replace(started, complete=True))
            return started.sandbox
        except BaseException:
            _end(files, None)
            _remove(files)
            raise


def find(root: Path, name: str = DEFAULT_NAME) -> Sandbox | None:
    """The sandbox when it has been brought up and its processes live. Asks nothing, but whether a container listens."""
    record = records.load(SandboxFiles(root, name))
    return record.sandbox if record and record.complete and _lives(record) else None


def names(root: Path) -> list[str]:
    """The sandboxes of the project that have been brought up, whether or not they still live."""
    base = SandboxFiles(root, DEFAULT_NAME).base
    return sorted(path.parent.name for path in base.glob("*/sandbox.json"))


def status(root: Path, name: str = DEFAULT_NAME) -> SandboxStatus:
    """How the sandbox and each of its halves are; asks their endpoints."""
    record = records.load(SandboxFiles(root, name))
    if record is None:
        return SandboxStatus(SandboxState.ABSENT, None, f"sandbox {name!r} has not been brought up")
    if not record.complete:
        again = "bedplate sandbox up" if name == DEFAULT_NAME else f"bedplate sandbox up --name {name}"
        detail = f"sandbox {name!r} is being brought up, or that was interrupted; `{again}` does it anew"
        return SandboxStatus(SandboxState.UNRESPONSIVE, record.sandbox, detail)
    parts = [aws_half.status(record)]
    if record.sandbox.kubernetes:
        parts.append(kubernetes_half.status(record.sandbox.kubernetes))
    worst = max(parts, key=lambda part: _SEVERITY.index(part.state))  # of equals, the first
    return SandboxStatus(worst.state, record.sandbox, worst.detail, tuple(parts))


_SEVERITY = (SandboxState.RUNNING, SandboxState.UNRESPONSIVE, SandboxState.DEAD)


def down(root: Path, name: str = DEFAULT_NAME, *, grace: float = GRACE) -> Sandbox | None:
    """End all processes and remove all files of the sandbox; returns what was taken down, None when there was nothing.

    An endpoint that ``up`` was given keeps running: only our record of it goes.
    """
    files = SandboxFiles(root, name)
    if not files.directory.exists() and not files.lock.exists():
        return None
    with locked(files):
        record = records.load(files)
        _end(files, record, grace=grace)
        _remove(files)
    return record.sandbox if record else None


def _lives(record: Record) -> bool:
    return aws_half.lives(record) and kubernetes_half.lives(record)


def _runs(record: Record) -> bool:
    api = record.sandbox.kubernetes
    halves = _lives(record) and aws_half.answers_as_itself(record.sandbox)
    return record.complete and halves and (api is None or kubernetes_half.answers(api))


def _wish(flavor: str | None, port: int, version: str | None, cache: Path, former: Record | None) -> Wish | None:
    if flavor is not None:
        return Wish(Flavor(flavor), cache, port, version)
    api = former.sandbox.kubernetes if former else None
    return Wish(api.flavor, cache, port, version) if api else None


def _check_same(running: Sandbox, *, port: int, endpoint: str | None, region: str | None) -> None:
    wanted = [
        ("port", port or None, urlsplit(running.endpoint).port),
        ("endpoint", endpoint and endpoint.rstrip("/"), running.endpoint),
        ("region", region, running.region),
    ]
    _refuse(running, wanted)


def _check_same_kubernetes(running: Sandbox, flavor: str | None, port: int) -> None:
    api = running.kubernetes
    wanted = [
        ("Kubernetes", flavor, api.flavor if api else "none"),
        ("Kubernetes port", port or None, urlsplit(api.server).port if api else None),
    ]
    _refuse(running, wanted)


def _refuse(running: Sandbox, wanted: Iterable[tuple[str, object, object]]) -> None:
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
    records.save(files, dataclasses.replace(running, sandbox=sandbox))
    return sandbox


def _make_directory(files: SandboxFiles) -> None:
    files.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    files.directory.chmod(0o700)
    files.record.unlink(missing_ok=True)  # an emulator that it named ends itself
    files.log.unlink(missing_ok=True)
    if not files.passphrase.exists():  # kept over a crash: state that was encrypted with it is still there
        records.write_private(files.passphrase, secrets.token_urlsafe(32) + "\n")


def _start(
    files: SandboxFiles,
    port: int,
    endpoint: str | None,
    former: Record | None,
    wish: Wish | None,
    region: str,
    allowed_hosts: tuple[str, ...],
) -> Record:
    """Start both halves, the AWS one first: the other's are told to it."""
    former_api = former.sandbox.kubernetes if former else None
    if wish and wish.flavor is Flavor.KIND:
        from engine.sandbox import docker

        docker.remove_leftovers(files)
    if endpoint is not None:
        record = aws_half.attach(files, endpoint.rstrip("/"), region, allowed_hosts)
        return kubernetes_half.start(files, record, wish, former_api) if wish else record
    if wish and wish.flavor is Flavor.KIND:
        from engine.sandbox import docker

        if docker.has_token():
            endpoint = docker.start_localstack(files, port, region)
            record = aws_half.attach(files, endpoint, region, allowed_hosts)
            return kubernetes_half.start(files, record, wish, former_api)
    embedded = None
    if wish and wish.flavor is Flavor.EMBEDDED:
        embedded = kubernetes_half.listen(wish, former_api)
    former_port = urlsplit(former.sandbox.endpoint).port if former and former.sandbox.managed else None
    listener = endpoints.listen_like(port, former_port)
    record = aws_half.start(files, listener, region, allowed_hosts, embedded)
    try:
        return kubernetes_half.start(files, record, wish, former_api, embedded) if wish else record
    except BaseException:
        _end(files, record, grace=1.0)
        raise


def _end(files: SandboxFiles, record: Record | None, *, grace: float = GRACE) -> None:
    """End everything that runs for the sandbox; without a record, what can be found in its directory."""
    if record:
        aws_half.end(record, grace=grace)
    kubernetes_half.end(files)


def _remove(files: SandboxFiles) -> None:
    if files.directory.exists():
        shutil.rmtree(files.directory)
