"""A folder for one operation: what ``helm`` reads (kubeconfig, values) and downloads; gone afterwards.

The folder is its owner's alone, and so is each file in it: they hold credentials and values that may be secret.
"""

from __future__ import annotations

import base64
import json
import os
import tempfile
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from engine.providers.kubernetes.kubeconfig import Target
from engine.values import Value


@dataclass(frozen=True)
class Workspace:
    """``started_in`` is where the program runs: relative paths of charts start there."""

    folder: Path
    started_in: Path
    environment: dict[str, str] = field(default_factory=dict[str, str])

    def write(self, name: str, text: str) -> str:
        """A file that only its owner can read; its path."""
        path = self.folder / name
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
            file.write(text)
        return str(path)

    def write_values(self, values: Mapping[str, Value]) -> str:
        return self.write("values.json", json.dumps(values))

    def keep_repositories_apart(self) -> None:
        """Credentials of a repository are written here instead of among the user's own."""
        for variable, name in (("REPOSITORY_CONFIG", "repositories.yaml"), ("REGISTRY_CONFIG", "registry.json")):
            self.environment[f"HELM_{variable}"] = str(self.folder / name)
        self.environment["HELM_REPOSITORY_CACHE"] = str(self.folder / "cache")

    def downloaded(self) -> Path | None:
        """The chart that lies here after ``helm pull``."""
        return next(iter(sorted(self.folder.glob("*.tgz"))), None)


def kubeconfig_text(target: Target) -> str:
    """A kubeconfig that leads to ``target`` and holds its credentials; for a file that only its owner can read."""
    cluster = {
        "server": target.server,
        "certificate-authority-data": _encoded(target.authority),
        "insecure-skip-tls-verify": True if target.insecure else None,
        "tls-server-name": target.server_name,
    }
    user = {
        "client-certificate-data": _encoded(target.credentials.certificate),
        "client-key-data": _encoded(target.credentials.key),
        "token": target.credentials.token,
        "username": target.credentials.username,
        "password": target.credentials.password,
    }
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "it",
        "clusters": [{"name": "it", "cluster": _given(cluster)}],
        "users": [{"name": "it", "user": _given(user)}],
        "contexts": [{"name": "it", "context": _given({"cluster": "it", "user": "it", "namespace": target.namespace})}],
    }
    return json.dumps(document)


def _encoded(content: bytes | None) -> str | None:
    return None if content is None else base64.b64encode(content).decode()


def _given(members: Mapping[str, object]) -> dict[str, object]:
    return {key: value for key, value in members.items() if value is not None}


@contextmanager
def workspace(kubeconfig: str, started_in: Path | None = None) -> Generator[Workspace]:
    """A workspace whose helm talks to the cluster of ``kubeconfig`` (the text of one); None: started where we are."""
    with tempfile.TemporaryDirectory(prefix="bedplate-helm-") as folder:  # mode 0700
        made = Workspace(Path(folder), started_in or Path.cwd())
        made.environment["KUBECONFIG"] = made.write("kubeconfig", kubeconfig)
        yield made
