"""Kubeconfig files: which cluster and which credentials a context means.

Source of the format: Kubernetes' documentation, "kubeconfig (v1)". Plugins (``exec``, ``auth-provider``) are never run.
"""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import yaml

from engine.providers.base import ProviderError

try:
    from yaml import CSafeLoader as Loader
except ImportError:  # PyYAML without libyaml
    from yaml import SafeLoader as Loader  # type: ignore[assignment]


@dataclass(frozen=True)
class Credentials:
    """How to say who one is; ``plugin`` names a command that would have to be run for it."""

    certificate: bytes | None = None
    key: bytes | None = field(default=None, repr=False)
    token: str | None = field(default=None, repr=False)
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    plugin: str | None = None

    @property
    def usable(self) -> bool:
        return bool(self.certificate or self.token or self.username)


@dataclass(frozen=True)
class Target:
    """What a context means: an API server, and who to be there."""

    server: str
    authority: bytes | None = None
    insecure: bool = False
    server_name: str | None = None
    namespace: str | None = None
    credentials: Credentials = Credentials()


def load(text_or_path: str) -> dict[str, Any]:
    """A kubeconfig from its JSON or YAML text, or from the file at a path. Raises ProviderError."""
    text = text_or_path.strip()
    if "\n" not in text and not text.startswith("{"):
        path = Path(text).expanduser()
        try:
            return _parsed(path.read_text(), str(path), path.parent)
        except OSError as error:
            raise ProviderError(
                f"kubeconfig: expected its text or the path of a file, got {text[:80]!r}: {error.strerror or error}"
            ) from error
    return _parsed(text, "kubeconfig", None)


def _parsed(text: str, name: str, folder: Path | None) -> dict[str, Any]:
    try:
        document = json.loads(text) if text.lstrip().startswith("{") else yaml.load(text, Loader)
    except (ValueError, yaml.YAMLError) as error:
        raise ProviderError(f"{name} is neither JSON nor YAML: {_first_line(error)}") from error
    if not isinstance(document, dict):
        raise ProviderError(f"{name}: expected a kubeconfig, got {type(document).__name__}")
    if folder is not None:
        document["_folder"] = str(folder)  # paths in it are relative to it
    return cast("dict[str, Any]", document)


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__


def ambient() -> tuple[str, dict[str, Any]] | None:
    """What ``kubectl`` would use: the first file that ``KUBECONFIG`` names and that exists, or ``~/.kube/config``."""
    names = [name for name in os.environ.get("KUBECONFIG", "").split(os.pathsep) if name] or ["~/.kube/config"]
    for name in names:
        path = Path(name).expanduser()
        if path.is_file():
            return str(path), load(str(path))
    return None


def cluster_entry(document: Mapping[str, Any], context: str | None, cluster: str | None) -> Mapping[str, Any] | None:
    """The cluster that is meant, as the file has it, without what says who one is; None where there is none."""
    chosen = _named(document, "contexts", context or document.get("current-context"), "context") or {}
    return _named(document, "clusters", cluster or chosen.get("cluster"), "cluster")


def target(document: Mapping[str, Any], context: str | None = None, cluster: str | None = None) -> Target:
    """What ``context`` (default: the current one) means, its cluster taken from ``cluster`` if given.

    Raises ProviderError naming what is missing.
    """
    name = context or document.get("current-context")
    chosen = _named(document, "contexts", name, "context")
    if chosen is None and (context or not cluster):
        raise ProviderError(f"kubeconfig: there is no context {name!r}; {_offers(document, 'contexts')}")
    chosen = chosen or {}
    cluster_name = cluster or chosen.get("cluster")
    entry = _named(document, "clusters", cluster_name, "cluster")
    if entry is None or not entry.get("server"):
        raise ProviderError(f"kubeconfig: there is no cluster {cluster_name!r}; {_offers(document, 'clusters')}")
    user = _named(document, "users", chosen.get("user"), "user") or {}
    folder = document.get("_folder")
    return Target(
        server=str(entry["server"]).rstrip("/"),
        authority=_bytes(entry, "certificate-authority", folder),
        insecure=entry.get("insecure-skip-tls-verify") is True,
        server_name=entry.get("tls-server-name"),
        namespace=chosen.get("namespace"),
        credentials=_credentials(user, folder),
    )


def _named(document: Mapping[str, Any], section: str, name: Any, key: str) -> Mapping[str, Any] | None:
    for entry in document.get(section) or []:
        if entry.get("name") == name:
            return entry.get(key) or {}
    return None


def _offers(document: Mapping[str, Any], section: str) -> str:
    names = [str(entry.get("name")) for entry in document.get(section) or []]
    return f"{section} in it: {', '.join(names) or 'none'}"


def _credentials(user: Mapping[str, Any], folder: str | None) -> Credentials:
    plugin = user.get("exec") or {}
    provider = user.get("auth-provider") or {}
    token = user.get("token")
    if not token and user.get("tokenFile"):
        token = _file(str(user["tokenFile"]), folder).decode().strip()
    return Credentials(
        certificate=_bytes(user, "client-certificate", folder),
        key=_bytes(user, "client-key", folder),
        token=token,
        username=user.get("username"),
        password=user.get("password"),
        plugin=plugin.get("command") or provider.get("name"),
    )


def _bytes(entry: Mapping[str, Any], key: str, folder: str | None) -> bytes | None:
    """What ``KEY-data`` holds in base64, or the file that ``KEY`` names."""
    data, path = entry.get(f"{key}-data"), entry.get(key)
    if data:
        try:
            return base64.b64decode(data, validate=True)
        except ValueError as error:
            raise ProviderError(f"kubeconfig: {key}-data is not base64: {error}") from error
    return _file(str(path), folder) if path else None


def _file(name: str, folder: str | None) -> bytes:
    path = Path(folder or ".") / Path(name).expanduser()
    try:
        return path.read_bytes()
    except OSError as error:
        raise ProviderError(f"kubeconfig: {path}: {error.strerror or error}") from error
