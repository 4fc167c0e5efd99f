"""How grave a message of the protocol's log is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from engine.events import Severity
from engine.protocol import engine_pb2

_SEVERITIES: Final[Mapping[int, Severity]] = {
    engine_pb2.DEBUG: Severity.DEBUG,
    engine_pb2.INFO: Severity.INFO,
    engine_pb2.WARNING: Severity.WARNING,
    engine_pb2.ERROR: Severity.ERROR,
}


def severity_of(level: int) -> Severity:
    """The severity of a log request; a level that only a newer SDK knows is told like any message."""
    return _SEVERITIES.get(level, Severity.INFO)
