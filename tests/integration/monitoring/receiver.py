"""Whoever alerts are sent to: keeps what Alertmanager posts, by path, and may be down."""

from __future__ import annotations

import json
import threading
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Notification:
    """One request: where it came in, and its JSON."""

    path: str
    body: dict[str, Any]

    @property
    def resolved(self) -> bool:
        return self.body["status"] == "resolved"

    def alerts(self, name: str) -> list[dict[str, Any]]:
        """Alerts of one name, in Alertmanager's own format."""
        return [alert for alert in self.body.get("alerts", []) if alert["labels"]["alertname"] == name]


@dataclass
class Receiver:
    """``url`` is for any path; while ``down`` it answers 503 and keeps only that it was asked."""

    url: str
    down: bool = False
    refused: int = 0
    received: list[Notification] = field(default_factory=list[Notification])

    def at(self, path: str) -> list[Notification]:
        return [each for each in list(self.received) if each.path == path]

    def about(self, alert: str, *, resolved: bool = False) -> list[Notification]:
        """The notifications with an alert of that name, of either kind."""
        return [each for each in list(self.received) if each.alerts(alert) and each.resolved == resolved]


@contextmanager
def receiver() -> Generator[Receiver]:
    """Listen until the end of the block."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if made.down:
                made.refused += 1
            else:
                made.received.append(Notification(self.path, json.loads(body)))
            self.send_response(503 if made.down else 200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    made = Receiver(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield made
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
