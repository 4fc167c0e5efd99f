"""Plain requests to a Kubernetes API: what the official client hides from a test."""

from __future__ import annotations

import json
import ssl
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from typing import Any

JSON = "application/json"
APPLY = "application/apply-patch+yaml"
MERGE = "application/merge-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"
JSON_PATCH = "application/json-patch+json"


@dataclass
class Said:
    status: int
    body: Any
    headers: dict[str, str] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Http:
    url: str
    tls: ssl.SSLContext | None = None

    def get(self, path: str, **headers: str) -> Said:
        return self.send("GET", path, headers={key.replace("_", "-"): value for key, value in headers.items()})

    def post(self, path: str, body: Any) -> Said:
        return self.send("POST", path, body)

    def put(self, path: str, body: Any) -> Said:
        return self.send("PUT", path, body)

    def delete(self, path: str, body: Any = None) -> Said:
        return self.send("DELETE", path, body)

    def patch(self, path: str, body: Any, content_type: str = MERGE) -> Said:
        return self.send("PATCH", path, body, content_type)

    def apply(self, path: str, body: Any, manager: str = "test", query: str = "") -> Said:
        return self.send("PATCH", f"{path}?fieldManager={manager}{query}", body, APPLY)

    def send(
        self,
        method: str,
        path: str,
        body: Any = None,
        content_type: str = "application/json",
        headers: dict[str, str] | None = None,
    ) -> Said:
        data = json.dumps(body).encode() if body is not None else None
        every = {"Content-Type": content_type, "User-Agent": "test-agent/1.0"} | (headers or {})
        request = urllib.request.Request(f"{self.url}{path}", data, every, method=method)
        try:
            with urllib.request.urlopen(request, timeout=20, context=self.tls) as answer:
                return _said(answer.status, answer.read(), answer.headers)
        except urllib.error.HTTPError as error:
            with error:
                return _said(error.code, error.read(), error.headers)


def _said(status: int, content: bytes, headers: Any) -> Said:
    try:
        body = json.loads(content)
    except ValueError:
        body = content.decode()
    return Said(status, body, dict(headers.items()), headers.get_all("Warning") or [])
