"""Endpoints: which hosts a sandbox may have, whether one answers, and a port of its own."""

from __future__ import annotations

import errno
import json
import socket
from collections.abc import Collection
from typing import Any
from urllib.parse import urlsplit

from engine.loopback import is_loopback
from engine.sandbox.errors import EndpointNotAllowed, PortInUse
from engine.sandbox.process import holder_of_port

LOOPBACK = "127.0.0.1"
STATUS_PATH = "/_bedplate/status"  # as engine.emulator.identity has it, which is not imported here: layers


def check_allowed(endpoint: str, allowed_hosts: Collection[str]) -> None:
    """Raise EndpointNotAllowed unless ``endpoint`` is an http(s) URL on loopback or on one of ``allowed_hosts``."""
    parts = urlsplit(endpoint)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise EndpointNotAllowed(f"endpoint {endpoint!r}: expected a URL such as http://127.0.0.1:4566")
    if not is_loopback(parts.hostname) and parts.hostname not in allowed_hosts:
        raise EndpointNotAllowed(
            f"endpoint {endpoint!r}: {parts.hostname} is neither on loopback nor among the sandbox's allowed hosts "
            f"({', '.join(sorted(allowed_hosts)) or 'none'}); if it is an emulator, name it with --allowed-host"
        )


def listen(port: int, *, option: str = "--port") -> socket.socket:
    """A socket that listens on loopback, to be inherited by the emulator; port 0 lets the system choose.

    ``option`` is the one that a refusal names.
    """
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((LOOPBACK, port))
    except (OSError, OverflowError) as error:
        listener.close()
        raise PortInUse(_refusal(port, error, option)) from error
    listener.listen(128)
    listener.set_inheritable(True)
    return listener


def listen_like(port: int, former: int | None, *, option: str = "--port") -> socket.socket:
    """Listen on ``port``; for 0 on that of a ``former`` sandbox, if it is free, so that what names it stays valid."""
    if not port and former:
        try:
            return listen(former)
        except PortInUse:
            pass  # taken since: any other will do
    return listen(port, option=option)


def free_port(port: int, *, option: str) -> int:
    """``port``, or any for 0, once it is known that something can listen there. Raises PortInUse."""
    with listen(port, option=option) as listener:
        return int(listener.getsockname()[1])


def _refusal(port: int, error: OSError | OverflowError, option: str) -> str:
    """Why nothing of ours can listen on ``port``, who holds it, and what to do."""
    if isinstance(error, OSError) and error.errno == errno.EADDRINUSE:
        holder = holder_of_port(port) or "another program"
        return f"port {port} on {LOOPBACK} is in use by {holder}; end it, or choose another {option} (0: any free one)"
    return f"cannot listen on port {port} of {LOOPBACK}: {error}; choose another {option} (0: any free one)"


def answer(endpoint: str, *, timeout: float) -> dict[str, Any] | None:
    """What the emulator at ``endpoint`` says of itself: {} when something else answers, None when nothing does."""
    import http.client  # 15 ms, and only start and status need it

    parts = urlsplit(endpoint)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.hostname or "", parts.port, timeout=timeout)
    try:
        connection.request("GET", STATUS_PATH)
        response = connection.getresponse()
        body = response.read(65536)
        content = json.loads(body) if response.status == 200 else {}
        return content if isinstance(content, dict) and "instanceId" in content else {}
    except ValueError:
        return {}
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()
