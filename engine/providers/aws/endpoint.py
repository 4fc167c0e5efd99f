"""Where calls may go. Only emulators may be changed: on loopback, or on a host that the sandbox's settings name."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from engine.loopback import is_loopback
from engine.providers.base import EndpointRefused


@dataclass(frozen=True)
class Endpoint:
    """The emulator's URL (None: there is none, calls would go to real AWS) and the hosts allowed beside loopback.

    ``connect_timeout`` and ``read_timeout`` (seconds) are how long one attempt of a call may wait: emulators are near.
    """

    url: str | None = None
    allowed_hosts: frozenset[str] = frozenset()
    connect_timeout: float = 5
    read_timeout: float = 30

    def for_service(self, service: str, own: str | None) -> str:
        """The URL for a service, its ``own`` (from the provider's ``endpoints``) first. Raises EndpointRefused."""
        url = own or self.url
        if not url:
            raise EndpointRefused(
                f"{service}: no emulator's endpoint is configured, and the embedded engine never calls real AWS."
                " Start one with `bedplate sandbox up`, or use the Pulumi engine (`--engine pulumi`)."
            )
        host = urlsplit(url).hostname or ""
        if not (is_loopback(host) or host in self.allowed_hosts):
            raise EndpointRefused(
                f"{service}: {url} is neither on loopback nor among the sandbox's allowed hosts"
                f" ({', '.join(sorted(self.allowed_hosts)) or 'none'}); the embedded engine changes emulators only."
                " Name the host in the sandbox's settings if it is one."
            )
        return url
