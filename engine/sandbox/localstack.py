"""What a LocalStack says of itself, and what it lacks: which services there are depends on its licence."""

from __future__ import annotations

import http.client
import json
from collections.abc import Collection
from dataclasses import dataclass
from urllib.parse import urlsplit

TOKEN = "LOCALSTACK_AUTH_TOKEN"  # noqa: S105  # the variable's name
HEALTH_PATH = "/_localstack/health"
INFO_PATH = "/_localstack/info"
ANSWER_TIMEOUT = 10.0  # seconds
_OUT_OF_ORDER = ("disabled", "error")


@dataclass(frozen=True)
class LocalStack:
    """``services`` by botocore's names."""

    version: str
    services: frozenset[str]

    def lacks(self, needed: Collection[str]) -> list[str]:
        return sorted(set(needed) - self.services)


def at(endpoint: str) -> LocalStack | None:
    """The LocalStack that answers at ``endpoint``; None where none does, or something else."""
    return _read(_said(endpoint, HEALTH_PATH, timeout=ANSWER_TIMEOUT))


def session(endpoint: str, *, timeout: float) -> str | None:
    """What names this run of the LocalStack at ``endpoint``: what it held goes with it. None where none answers."""
    match _said(endpoint, INFO_PATH, timeout=timeout):
        case {"session_id": str(found)}:
            return found
        case _:
            return None


def _said(endpoint: str, path: str, *, timeout: float) -> object:
    parts = urlsplit(endpoint)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.hostname or "", parts.port, timeout=timeout)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return json.loads(answer.read()) if answer.status == 200 else None
    except (OSError, http.client.HTTPException, ValueError):
        return None
    finally:
        connection.close()


def needed() -> frozenset[str]:
    """The services of all types that the AWS provider has."""
    from engine.providers.aws import registry  # reads every specification: half a second

    specs = [registry.load(type_) for type_ in registry.types()]
    return frozenset(spec.service for spec in specs if spec)


def _read(said: object) -> LocalStack | None:
    match said:
        case {"services": dict(states), **others}:
            there = {str(name) for name, state in states.items() if state not in _OUT_OF_ORDER}
            return LocalStack(str(others.get("version", "of an unknown version")), frozenset(there))
        case _:
            return None
