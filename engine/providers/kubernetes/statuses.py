"""What the API server answers when it refuses: its ``Status`` objects, as errors in words.

ApiError (a ProviderError)   the API refused a request: HTTP status, reason, causes by field
Unreachable (ProviderError)  nothing answers at the server; nothing was changed by this request
Unanswered (ProviderError)   the request was sent and no answer came: whether it happened is not known
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from engine.providers.base import CredentialsMissing, ProviderError


class Unreachable(ProviderError):
    """Nothing answers at the API server."""


class Unanswered(ProviderError):
    """The connection broke after a request was sent."""


@dataclass(frozen=True)
class Cause:
    """One reason among several: ``field`` is a path such as ``.spec.replicas``."""

    reason: str
    message: str
    field: str


class ApiError(ProviderError):
    """The API server refused a request. ``reason`` is its word for it, such as ``AlreadyExists``."""

    def __init__(self, status: int, reason: str, message: str, causes: Sequence[Cause], retry_after: float) -> None:
        super().__init__(message)
        self.status = status
        self.reason = reason
        self.causes = tuple(causes)
        self.retry_after = retry_after  # seconds; 0: not said

    @property
    def is_conflict_of_managers(self) -> bool:
        return self.status == 409 and any(cause.reason == "FieldManagerConflict" for cause in self.causes)

    def has_cause(self, reason: str) -> bool:
        return any(cause.reason == reason for cause in self.causes)


def refusal(status: int, body: bytes, headers: Mapping[str, str], server: str) -> ProviderError:
    """The error that an answer with an HTTP status from 400 on means."""
    document = _document(body)
    details = cast("dict[str, Any]", document.get("details") or {})
    message = str(document.get("message") or _excerpt(body) or f"HTTP status {status}")
    if status == 401:
        return CredentialsMissing(f"{server} does not accept these credentials: {message}")
    causes = [
        Cause(str(cause.get("reason", "")), str(cause.get("message", "")), str(cause.get("field", "")))
        for cause in details.get("causes") or []
    ]
    retry_after = headers.get("Retry-After") or details.get("retryAfterSeconds") or 0
    return ApiError(status, str(document.get("reason") or ""), message, causes, _seconds(retry_after))


def _document(body: bytes) -> dict[str, Any]:
    try:
        document = json.loads(body)
    except ValueError:
        return {}
    return cast("dict[str, Any]", document) if isinstance(document, dict) else {}


def _excerpt(body: bytes) -> str:
    return body[:200].decode(errors="replace").strip()


def _seconds(value: object) -> float:
    try:
        return float(str(value))
    except ValueError:
        return 0.0
