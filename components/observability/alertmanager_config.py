"""Alertmanager's configuration as a value: who gets which alert, how, together with what, and when again.

It is valid for Alertmanager 0.25 as for 0.34. No secret is in it: those are read from files, whose paths are here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from components.observability.inhibitions import INHIBITIONS, Inhibition
from components.observability.values import SEVERITY, TEAM, Severity

# The alert that always fires: whoever waits for it hears of it when nothing can be heard any more.
HEARTBEAT: Final = "Watchdog"
# Receivers that there are without anybody declaring them: none at all, and the platform's SNS topic.
NOBODY, TOPIC = "nobody", "topic"
SECRETS_FOLDER: Final = "/etc/alertmanager/secrets"
SECRET_FILE: Final = "value"  # noqa: S105 - the name of a file
TEMPLATES_FILE: Final = "bedplate.tmpl"
_GROUPED_BY: Final = ("alertname", TEAM, "model", "namespace")
_PAGERDUTY: Final = {
    False: "https://events.pagerduty.com/v2/enqueue",
    True: "https://events.eu.pagerduty.com/v2/enqueue",
}


@dataclass(frozen=True)
class Timing:
    """How long to wait for more alerts of a group, how often to tell of new ones, and when to repeat what is known."""

    wait_seconds: int
    interval_seconds: int
    repeat_seconds: int


TIMINGS: Final[Mapping[Severity, Timing]] = {
    Severity.PAGE: Timing(15, 300, 4 * 3600),
    Severity.TICKET: Timing(60, 900, 24 * 3600),
    Severity.INFO: Timing(300, 3600, 7 * 24 * 3600),
}
_OF_HEARTBEAT: Final = Timing(0, 60, 300)


@dataclass(frozen=True)
class Webhook:
    """``url`` is no secret; ``token``: it is called with one, as ``Authorization: Bearer``."""

    url: str
    token: bool


@dataclass(frozen=True)
class Receiver:
    """Who is told: in a channel of Slack, by PagerDuty (``eu``: in its European region), by a webhook, by the topic."""

    slack_channel: str | None = None
    pagerduty_eu: bool | None = None
    webhook: Webhook | None = None
    topic: bool = False


@dataclass(frozen=True)
class Route:
    """Alerts of ``team`` and of ``severity`` (None: of any) go to ``receiver``, and again after ``repeat_seconds``."""

    receiver: str
    team: str | None = None
    severity: Severity | None = None
    repeat_seconds: int | None = None


@dataclass(frozen=True)
class Topic:
    """The SNS topic that may be published to."""

    arn: str
    region: str


@dataclass(frozen=True)
class Notified:
    """Who hears of what: the first of ``routes`` that fits, or else ``default``.

    ``heartbeat`` is the receiver that gets a sign of life every five minutes.
    """

    receivers: Mapping[str, Receiver] = field(default_factory=dict[str, Receiver])
    routes: Sequence[Route] = ()
    default: str = NOBODY
    heartbeat: str = NOBODY

    @property
    def uses_topic(self) -> bool:
        named = {self.default, self.heartbeat, *(route.receiver for route in self.routes)}
        return TOPIC in named or any(receiver.topic for receiver in self.receivers.values())


def namespace_of(url: str) -> str | None:
    """The namespace of a service of the cluster (name.namespace.svc); None for what is outside."""
    parts = (urlsplit(url).hostname or "").split(".")
    return parts[1] if len(parts) > 2 and parts[2] == "svc" else None


def secret_name(receiver: str, kind: str) -> str:
    """By what the secret of a receiver goes: its folder, and the objects that hold it."""
    return f"{receiver}-{kind}"


def alertmanager_config(notified: Notified, topic: Topic | None) -> dict[str, Any]:
    """The whole of alertmanager.yml; ``topic`` None: there is none."""
    assert topic is not None or not notified.uses_topic, "the settings were checked"
    receivers = {NOBODY: Receiver(), **({TOPIC: Receiver(topic=True)} if topic else {}), **notified.receivers}
    return {
        "templates": [TEMPLATES_FILE],
        "route": {
            "receiver": notified.default,
            "group_by": list(_GROUPED_BY),
            **_timed(TIMINGS[Severity.TICKET]),
            "routes": list(_routes(notified)),
        },
        "inhibit_rules": [_inhibition(each) for each in INHIBITIONS],
        "receivers": [_receiver(name, each, topic) for name, each in receivers.items()],
    }


def _routes(notified: Notified) -> Iterator[dict[str, Any]]:
    heartbeat = [f'alertname="{HEARTBEAT}"']
    yield {"receiver": notified.heartbeat, "matchers": heartbeat, "group_by": ["alertname"], **_timed(_OF_HEARTBEAT)}
    for route in notified.routes:
        # What only explains others is told to nobody who has not asked for it.
        for severity in (route.severity,) if route.severity else (Severity.PAGE, Severity.TICKET):
            yield _route(route, severity)
    yield {"receiver": NOBODY, "matchers": [f'{SEVERITY}="{Severity.INFO}"'], **_timed(TIMINGS[Severity.INFO])}
    yield _route(Route(notified.default), Severity.PAGE)


def _route(route: Route, severity: Severity) -> dict[str, Any]:
    team = [] if route.team is None else [f'{TEAM}="{route.team}"']
    timing = TIMINGS[severity]
    if route.repeat_seconds is not None:
        timing = Timing(timing.wait_seconds, timing.interval_seconds, route.repeat_seconds)
    return {"receiver": route.receiver, "matchers": [*team, f'{SEVERITY}="{severity}"'], **_timed(timing)}


def _timed(timing: Timing) -> dict[str, str]:
    return {
        "group_wait": f"{timing.wait_seconds}s",
        "group_interval": f"{timing.interval_seconds}s",
        "repeat_interval": f"{timing.repeat_seconds}s",
    }


def _inhibition(inhibition: Inhibition) -> dict[str, Any]:
    return {
        "source_matchers": list(inhibition.source),
        "target_matchers": list(inhibition.target),
        "equal": list(inhibition.equal),
    }


def _receiver(name: str, receiver: Receiver, topic: Topic | None) -> dict[str, Any]:
    config: dict[str, Any] = {"name": name}
    if receiver.slack_channel is not None:
        config["slack_configs"] = [_slack(name, receiver.slack_channel)]
    if receiver.pagerduty_eu is not None:
        config["pagerduty_configs"] = [_pagerduty(name, eu=receiver.pagerduty_eu)]
    if receiver.webhook is not None:
        config["webhook_configs"] = [_webhook(name, receiver.webhook)]
    if receiver.topic:
        assert topic is not None, "looked at before"
        config["sns_configs"] = [_sns(topic)]
    return config


def _file(receiver: str, kind: str) -> str:
    return f"{SECRETS_FOLDER}/{secret_name(receiver, kind)}/{SECRET_FILE}"


def _slack(name: str, channel: str) -> dict[str, Any]:
    return {
        "api_url_file": _file(name, "slack"),
        "channel": channel,
        "send_resolved": True,
        "color": '{{ template "bedplate.color" . }}',
        "title": '{{ template "bedplate.title" . }}',
        "title_link": '{{ template "bedplate.runbook" . }}',
        "text": '{{ template "bedplate.text" . }}',
    }


def _pagerduty(name: str, *, eu: bool) -> dict[str, Any]:
    return {
        "routing_key_file": _file(name, "pagerduty"),
        "url": _PAGERDUTY[eu],
        "send_resolved": True,
        "severity": '{{ template "bedplate.pagerduty" . }}',
        "description": '{{ template "bedplate.title" . }}',
        "details": {"text": '{{ template "bedplate.text" . }}', "runbook": '{{ template "bedplate.runbook" . }}'},
    }


def _webhook(name: str, webhook: Webhook) -> dict[str, Any]:
    config: dict[str, Any] = {"url": webhook.url, "send_resolved": True}
    if webhook.token:
        config["http_config"] = {"authorization": {"credentials_file": _file(name, "webhook")}}
    return config


def _sns(topic: Topic) -> dict[str, Any]:
    return {
        "topic_arn": topic.arn,
        "sigv4": {"region": topic.region},
        "send_resolved": True,
        "subject": '{{ template "bedplate.subject" . }}',
        "message": '{{ template "bedplate.text" . }}',
    }


def templates() -> str:
    """The texts of messages, as Go templates."""
    return (Path(__file__).parents[1] / "data" / "alertmanager.tmpl").read_text(encoding="utf-8")
