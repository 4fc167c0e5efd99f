"""sandbox.json: written atomically, readable by its owner alone."""

from __future__ import annotations

import dataclasses
import json
import os
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.sandbox.model import Flavor, KubernetesApi, Process, Sandbox, SandboxFiles

VERSION = 2


@dataclass(frozen=True)
class Record:
    """A sandbox with what only its lifecycle needs: when the process started, so that a recycled pid is no match.

    It is not ``complete`` while ``up`` has not ended, and stays so where that was killed.
    """

    sandbox: Sandbox
    process_start: str | None
    complete: bool = False


def write_private(path: Path, content: str) -> None:
    """Replace ``path`` by ``content`` at once, with mode 0600."""
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())
    temporary.replace(path)


def save(files: SandboxFiles, record: Record) -> None:
    sandbox = record.sandbox
    content = {
        "version": VERSION,
        "complete": record.complete,
        "endpoint": sandbox.endpoint,
        "emulator": sandbox.emulator,
        "pid": sandbox.pid,
        "process_start": record.process_start,
        "started": sandbox.started,
        "instance_id": sandbox.instance_id,
        "account_id": sandbox.account_id,
        "region": sandbox.region,
        "allowed_hosts": list(sandbox.allowed_hosts),
        "kubernetes": _kubernetes_content(sandbox.kubernetes),
    }
    write_private(files.record, json.dumps(content, indent=2) + "\n")


def _kubernetes_content(api: KubernetesApi | None) -> dict[str, Any] | None:
    if api is None:
        return None
    return {
        "flavor": api.flavor.value,
        "server": api.server,
        "version": api.version,
        "processes": [dataclasses.asdict(one) for one in api.processes],
    }


def load(files: SandboxFiles) -> Record | None:
    """The record, or None where there is none or it can't be understood: what it described is then to be cleaned up."""
    try:
        content = json.loads(files.record.read_text())
        return _parse(files, content) if content["version"] == VERSION else None
    except (FileNotFoundError, NotADirectoryError, ValueError, KeyError, TypeError):
        return None


def _parse(files: SandboxFiles, content: dict[str, Any]) -> Record:
    sandbox = Sandbox(
        name=files.name,
        directory=files.directory,
        endpoint=content["endpoint"],
        emulator=content["emulator"],
        pid=content["pid"],
        started=content["started"],
        instance_id=content["instance_id"],
        account_id=content["account_id"],
        region=content["region"],
        passphrase_file=files.passphrase,
        log_file=files.log,
        allowed_hosts=tuple(content["allowed_hosts"]),
        kubernetes=_kubernetes(files, content["kubernetes"]),
    )
    return Record(sandbox, content["process_start"], content["complete"])


def _kubernetes(files: SandboxFiles, content: dict[str, Any] | None) -> KubernetesApi | None:
    if content is None:
        return None
    return KubernetesApi(
        flavor=Flavor(content["flavor"]),
        server=content["server"],
        kubeconfig=files.kubeconfig,
        version=content["version"],
        processes=tuple(Process(**one) for one in content["processes"]),
    )
