"""Which hosts are this machine by themselves: the one question behind every refusal to change anything elsewhere."""

from __future__ import annotations

import ipaddress


def is_loopback(host: str) -> bool:
    """Whether ``host`` is this machine: ``localhost``, or an address of 127.0.0.0/8 or ::1. Resolves no name."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
