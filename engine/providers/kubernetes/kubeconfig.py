"""Kubeconfig files: which cluster and which credentials a context means.

Source of the format: Kubernetes' documentation, "kubeconfig (v1)". Plugins (``exec``, ``auth-provider``) are never run.
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, cast

import yaml

from engine.providers.base import ProviderError

try:
    from yaml import CSafeLoader as Loader
except ImportError:  # PyYAML without libyaml
    from yaml import SafeLoader as Loader  # type: ignore[assignment]

SECTIONS: Final = {"clusters": "cluster", "contexts": "context", "users": "user"}  # -> what an entry says of itself
ADVICE: Final = "give a file such as `aws eks update-kubeconfig` or `bedplate sandbox up` writes"
_NEEDED: Final = "clusters and contexts"
_PATH: Final = "_path"  # where a document was read; the paths in it are relative to its folder


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
    if not is_path(text):
        return _parsed(text, None)
    try:
        path = Path(text).expanduser().absolute()
        content = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise ProviderError(f"{text} is no kubeconfig: it is not UTF-8 text; {ADVICE}") from error
    except (OSError, RuntimeError, ValueError) as error:  # a home of nobody, a NUL
        reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
        where = "" if Path(text).is_absolute() else f" (looked for in {Path.cwd()})"
        raise ProviderError(
            f"kubeconfig: expected its text or the path of a file, got {text[:80]!r}: {reason}{where}; {ADVICE}"
        ) from error
    return _parsed(content, path)


def is_path(text: str) -> bool:
    """Whether what is given for a kubeconfig is the path of a file, not its text."""
    return "\n" not in text.strip() and not text.strip().startswith("{")


def is_absent(text: str) -> bool:
    """Whether it is the path of a file that is not there: a name alone is taken for a mistake."""
    path = Path(text.strip())
    try:
        return is_path(text) and len(path.parts) > 1 and not path.expanduser().exists()
    except (OSError, RuntimeError, ValueError):
        return False


def _parsed(text: str, path: Path | None) -> dict[str, Any]:
    name = str(path) if path else "kubeconfig"
    try:
        document = _read(text)
    except (ValueError, yaml.YAMLError, RecursionError) as error:
        raise ProviderError(f"{name} is neither JSON nor YAML: {_first_line(error)}; {ADVICE}") from error
    if not isinstance(document, dict):
        seen = "nothing" if document is None else f"a {type(document).__name__}"
        raise ProviderError(f"{_is_none(path)}: expected a mapping with {_NEEDED}, got {seen}; {ADVICE}")
    found = cast("dict[Any, Any]", document)
    if path is not None:
        found[_PATH] = str(path)
    _check_sections(found)
    return found


def _read(text: str) -> object:
    if text.lstrip().startswith("{"):
        with contextlib.suppress(ValueError):
            return json.loads(text)  # quicker, and what the sandbox writes
    return yaml.load(text, Loader)


def _check_sections(document: Mapping[Any, Any]) -> None:
    """Raise ProviderError where a section is not the list of named entries that it has to be."""
    for section, key in SECTIONS.items():
        entries: Any = document.get(section)
        if entries is None:
            continue
        sound = isinstance(entries, list) and all(
            isinstance(entry, dict) and isinstance(cast("dict[str, Any]", entry).get(key) or {}, dict)
            for entry in cast("list[object]", entries)
        )
        if not sound:  # what they are is not said: they may hold a token
            expected = f"expected {section} to be a list of entries, each with its name and its {key}"
            raise ProviderError(f"{_is_none(document.get(_PATH))}: {expected}; {ADVICE}")


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__


def ambient() -> dict[str, Any] | None:
    """What ``kubectl`` would use: the first file that ``KUBECONFIG`` names and that exists, or ``~/.kube/config``."""
    names = [name for name in os.environ.get("KUBECONFIG", "").split(os.pathsep) if name] or ["~/.kube/config"]
    for name in names:
        path = Path(name).expanduser()
        if path.is_file():
            return load(str(path))
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
        raise ProviderError(_without_context(document, name))
    chosen = chosen or {}
    cluster_name = cluster or chosen.get("cluster")
    entry = _named(document, "clusters", cluster_name, "cluster")
    if entry is None:
        offers = _offers(document, "clusters")
        raise ProviderError(f"{_place(document)}: there is no cluster {cluster_name!r}; {offers}")
    if not entry.get("server"):
        raise ProviderError(f"{_place(document)}: cluster {cluster_name!r} has no server; {ADVICE}")
    user = _named(document, "users", chosen.get("user"), "user") or {}
    folder = str(Path(document[_PATH]).parent) if _PATH in document else None
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


def _without_context(document: Mapping[str, Any], name: object) -> str:
    """Why there is no context ``name``, which is none where no context is said to be the current one."""
    place = _place(document)
    if not any(document.get(section) for section in SECTIONS):
        keys = ", ".join(str(key) for key in document if key != _PATH) or "nothing"
        return f"{_is_none(document.get(_PATH))}: expected {_NEEDED}, in it: {keys[:80]}; {ADVICE}"
    if not name:
        return f"{place}: no context is the current one; name one, {_offers(document, 'contexts')}"
    return f"{place}: there is no context {name!r}; {_offers(document, 'contexts')}"


def _place(document: Mapping[Any, Any]) -> str:
    return str(document.get(_PATH, "kubeconfig"))


def _is_none(path: object) -> str:
    return f"{path} is no kubeconfig" if path else "kubeconfig: its text is no kubeconfig's"


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
