"""What people read: the deployed templates, filled by a real Alertmanager that tells Slack, PagerDuty and SNS."""

from __future__ import annotations

import json
import urllib.parse
import urllib.request
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from components.observability.alertmanager_config import (
    TEMPLATES_FILE,
    Notified,
    Receiver,
    Topic,
    alertmanager_config,
    templates,
)
from components.observability.config_text import config_text
from tests.integration.monitoring.servers import Server, alertmanager, find_server, until

TOPIC = Topic("arn:aws:sns:us-east-1:123456789012:bedplate-prod-alerts", "us-east-1")
LABELS = {"team": "vision", "model": "fraud", "namespace": "team-vision"}
FAST = ("0s", "1s", "1h")


@dataclass
class Told:
    """What was posted, by path: JSON, or a form's fields."""

    url: str
    bodies: dict[str, list[dict[str, Any]]] = field(default_factory=dict[str, list[dict[str, Any]]])

    def first(self, path: str) -> dict[str, Any]:
        return until(f"{path} is told", lambda: self.bodies.get(path), seconds=30)[0]


@contextmanager
def _services() -> Generator[Told]:
    """Answers as the three services do, as far as Alertmanager looks at answers."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            text = self.rfile.read(int(self.headers["Content-Length"])).decode()
            form = "form" in self.headers.get("Content-Type", "")
            body = dict(urllib.parse.parse_qsl(text)) if form else json.loads(text)
            told.bodies.setdefault(self.path.rstrip("/"), []).append(body)
            answer = b"<PublishResponse/>" if form else b'{"ok": true, "status": "success"}'
            self.send_response(202 if self.path.startswith("/pagerduty") else 200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    told = Told(f"http://127.0.0.1:{server.server_port}")
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield told
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _config(folder: Path, told: Told) -> Path:
    """The configuration as it is deployed; only where services, secrets and the clock are is another place."""
    receiver = Receiver(slack_channel="#vision", pagerduty_eu=False, topic=True)
    config = alertmanager_config(Notified({"all": receiver}, default="all"), TOPIC)
    for route in (config["route"], *config["route"]["routes"]):
        route["group_wait"], route["group_interval"], route["repeat_interval"] = FAST
    (found,) = (each for each in config["receivers"] if each["name"] == "all")
    for kind, key in (("slack", "api_url_file"), ("pagerduty", "routing_key_file")):
        (folder / kind).write_text(f"{told.url}/slack" if kind == "slack" else "key\n")
        found[f"{kind}_configs"][0][key] = str(folder / kind)
    found["pagerduty_configs"][0]["url"] = f"{told.url}/pagerduty"
    found["sns_configs"][0]["api_url"] = f"{told.url}/sns"
    path = folder / "alertmanager.yml"
    path.write_text(config_text(config))
    (folder / TEMPLATES_FILE).write_text(templates())
    return path


def _fire(server: Server, *names: str, severity: str = "page", **ends: str) -> None:
    alerts = [
        {
            "labels": {"alertname": "ModelErrorBudgetBurnsFast", "severity": severity, **LABELS, "version": name},
            "annotations": {
                "summary": f"Model fraud {name} fails",
                "description": "4 % of its requests fail; 0.1 % may.",
                "runbook_url": "https://runbooks.example/models.md#modelerrorbudgetburnsfast",
            },
            "startsAt": "2026-11-26T05:04:03Z",
            **ends,
        }
        for name in names
    ]
    body = json.dumps(alerts).encode()
    request = urllib.request.Request(
        f"{server.url}/api/v2/alerts", data=body, headers={"Content-Type": "application/json"}
    )
    urllib.request.urlopen(request, timeout=10).close()


@pytest.fixture
def told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Generator[tuple[Server, Told]]:
    find_server("alertmanager")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    with _services() as services, alertmanager(_config(tmp_path, services), tmp_path) as server:
        yield server, services


def test_one_alert_says_what_has_happened_and_what_to_do(told: tuple[Server, Told]) -> None:
    server, services = told
    _fire(server, "v1")
    (slack,) = services.first("/slack")["attachments"]
    assert slack["title"] == "[FIRING] Model fraud v1 fails"
    assert slack["title_link"] == "https://runbooks.example/models.md#modelerrorbudgetburnsfast"
    assert slack["color"] == "danger"
    assert slack["text"].strip().splitlines() == [
        "Model fraud v1 fails",
        "4 % of its requests fail; 0.1 % may.",
        "What to do: https://runbooks.example/models.md#modelerrorbudgetburnsfast",
        "Team vision, since 2026-11-26 05:04 UTC",
    ]
    assert services.first("/slack")["channel"] == "#vision"
    pagerduty = services.first("/pagerduty")
    assert (pagerduty["event_action"], pagerduty["routing_key"]) == ("trigger", "key")
    assert pagerduty["payload"]["severity"] == "critical"
    assert pagerduty["payload"]["summary"] == "[FIRING] Model fraud v1 fails"
    sns = services.first("/sns")
    assert sns["TopicArn"] == TOPIC.arn
    assert sns["Subject"] == "[firing] ModelErrorBudgetBurnsFast vision"
    assert "What to do: https://runbooks.example/models.md" in sns["Message"]


def test_several_alerts_are_one_message_and_the_end_is_told_too(told: tuple[Server, Told]) -> None:
    server, services = told
    _fire(server, "v1", "v2", "v3", severity="ticket")
    (slack,) = services.first("/slack")["attachments"]
    assert slack["title"] == "[FIRING] ModelErrorBudgetBurnsFast (3 alerts)"
    assert slack["color"] == "warning"
    assert slack["text"].count("Team vision, since") == 3
    assert services.first("/pagerduty")["payload"]["severity"] == "warning"
    _fire(server, "v1", "v2", "v3", severity="ticket", endsAt="2026-11-26T05:14:03Z")
    later = until("the end is told", lambda: services.bodies["/slack"][1:], seconds=30)[0]["attachments"][0]
    assert later["title"] == "[RESOLVED] ModelErrorBudgetBurnsFast (3 alerts)"
    assert later["color"] == "good"
    assert later["text"].startswith("Resolved: Model fraud v")
