"""Providers that the user has started: PULUMI_DEBUG_PROVIDERS names them, as for the Pulumi CLI."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from engine.providers.base import ProviderError

VARIABLE: Final = "PULUMI_DEBUG_PROVIDERS"


def attached(environment: Mapping[str, str]) -> dict[str, int]:
    """Packages and the ports on loopback that their providers listen at. Raises ProviderError on a malformed value."""
    found: dict[str, int] = {}
    for entry in filter(None, (one.strip() for one in environment.get(VARIABLE, "").split(","))):
        package, _, port = entry.partition(":")
        if not (package and port.isdecimal() and 0 < int(port) < 65536):
            raise ProviderError(f"{VARIABLE}: {entry!r} is not NAME:PORT, such as random:40001; several go with commas")
        found.setdefault(package, int(port))
    return found
