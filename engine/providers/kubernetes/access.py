"""Where the provider may change something: on loopback, in the sandbox, on hosts that the sandbox's settings name."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import SplitResult, urlsplit

from engine.kubernetes import DEFAULT_VERSION
from engine.loopback import is_loopback
from engine.providers.base import EndpointRefused

_PORTS: Final = {"https": 443, "http": 80}


@dataclass(frozen=True)
class Access:
    """What a provider may reach.

    ``allowed_hosts`` are hosts beside loopback that may be changed. ``kubeconfig`` is the sandbox's: its credentials
    are used where the program's kubeconfig leads to the same server. ``version`` is the declared version of Kubernetes
    by whose schemas manifests are checked (None: 1.35). ``gone`` are servers that have ended with all that was in them.
    """

    allowed_hosts: frozenset[str] = frozenset()
    kubeconfig: Path | None = None
    version: str | None = None
    gone: frozenset[str] = frozenset()

    @property
    def schema_version(self) -> str:
        return self.version or DEFAULT_VERSION

    def has_ended(self, server: str) -> bool:
        """Whether ``server`` was a sandbox's that is no more."""
        return any(same_server(server, one) for one in self.gone)

    def check(self, server: str, sandbox_server: str | None) -> None:
        """Raise EndpointRefused unless ``server`` is one that may be changed."""
        host = urlsplit(server).hostname or ""
        if is_loopback(host) or host in self.allowed_hosts:
            return
        if sandbox_server is not None and same_server(server, sandbox_server):
            return
        raise EndpointRefused(
            f"{server} is neither on loopback nor the sandbox's Kubernetes API nor among the sandbox's allowed hosts"
            f" ({', '.join(sorted(self.allowed_hosts)) or 'none'}); the embedded engine changes sandboxes only."
            " Use the Pulumi engine (`--engine pulumi`) for this cluster."
        )


def same_server(one: str, other: str) -> bool:
    """Whether two URLs lead to the same API server: scheme, host, port and path, names of loopback being one."""
    return _key(urlsplit(one)) == _key(urlsplit(other))


def _key(url: SplitResult) -> tuple[str, str, int | None, str]:
    host = url.hostname or ""
    return (
        url.scheme,
        "127.0.0.1" if is_loopback(host) else host,
        url.port or _PORTS.get(url.scheme),
        url.path.strip("/"),
    )
