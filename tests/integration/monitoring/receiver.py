"""Whoever alerts are sent to: keeps what Alertmanager posts, by path, and may be down."""

from __future__ import annotations

import json
import threading
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

# What a message says first of an alert that is over, and where PagerDuty takes events.
OVER: Final = "Resolved: "
PAGERDUTY: Final = "/v2/enqueue"


@dataclass(frozen=True)
class Notification:
    """One request: where it came in, its JSON, and the token by which it was sent."""

    path: str
    body: dict[str, Any]
    token: str

    def summaries(self, *, resolved: bool) -> list[str]:
        """One line for each alert in it that fires, or is over: of a webhook, of Slack, or of PagerDuty."""
        if "alerts" in self.body:
            wanted = "resolved" if resolved else "firing"
            return [each["annotations"]["summary"] for each in self.body["alerts"] if each["status"] == wanted]
        if "attachments" in self.body:
            lines = [line for each in self.body["attachments"] for line in each["text"].splitlines()]
            over = [line.removeprefix(OVER) for line in lines if line.startswith(OVER)]
            return over if resolved else [line for line in lines if not line.startswith(OVER)]
        fires = self.body["event_action"] == "trigger"
        return [self.body["payload"]["summary"]] if fires and not resolved else []


@dataclass
class Receiver:
    """``url`` is for any path; while ``down`` it answers 503 and keeps only that it was asked."""

    url: str
    down: bool = False
    refused: int = 0
    received: list[Notification] = field(default_factory=list[Notification])

    def told(self, path: str, alert: str, says: str, *, resolved: bool = False) -> Notification | None:
        """The first notification to ``path`` of the alert, by its runbook, with a summary that has ``says`` in it."""
        mine = (
            each for each in list(self.received) if each.path == path and f"#{alert.lower()}" in json.dumps(each.body)
        )
        return next((each for each in mine if any(says in line for line in each.summaries(resolved=resolved))), None)


@contextmanager
def receiver() -> Generator[Receiver]:
    """Listen until the end of the block."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if made.down:
                made.refused += 1
            else:
                made.received.append(Notification(self.path, json.loads(body), self.headers.get("Authorization", "")))
            # PagerDuty says 202, and what it says besides is read.
            self.send_response(503 if made.down else 202 if self.path == PAGERDUTY else 200)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"ok" if self.path != PAGERDUTY else b"{}")

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
