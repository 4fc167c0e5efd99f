"""From settings of receivers and routes to what Alertmanager knows."""

from __future__ import annotations

from collections.abc import Iterator

from components.observability.alertmanager import AlertmanagerChoices
from components.observability.alertmanager_config import (
    NOBODY,
    TOPIC,
    Notified,
    Receiver,
    Route,
    Webhook,
    secret_name,
)
from components.observability.values import Severity
from stacks.monitoring_secrets import secret_source
from stacks.settings import PlatformSettings
from stacks.settings.monitoring_alerts import AlertmanagerSettings, ReceiverSettings, RouteSettings
from stacks.settings.secret_sources import SecretSourceSettings

_REPLICAS_OF_PRODUCTION = 2


def alertmanager_choices(settings: PlatformSettings) -> AlertmanagerChoices:
    """What the settings ask for."""
    asked = settings.monitoring.alertmanager
    usual = _REPLICAS_OF_PRODUCTION if settings.environment.stage == "prod" else 1
    return AlertmanagerChoices(
        replicas=usual if asked.replicas is None else asked.replicas,
        notified=_notified(asked, has_topic=settings.cluster.existing is None),
        secrets={name: secret_source(source) for name, source in _secrets(asked)},
    )


def _notified(asked: AlertmanagerSettings, *, has_topic: bool) -> Notified:
    return Notified(
        receivers={name: _receiver(each) for name, each in asked.receivers.items()},
        routes=[_route(each) for each in asked.routes],
        default=asked.default or (TOPIC if has_topic else NOBODY),
        heartbeat=asked.heartbeat or NOBODY,
    )


def _receiver(asked: ReceiverSettings) -> Receiver:
    slack, pagerduty, webhook = asked.slack, asked.pagerduty, asked.webhook
    return Receiver(
        slack_channel=slack.channel if slack else None,
        pagerduty_eu=pagerduty.region == "eu" if pagerduty else None,
        webhook=Webhook(webhook.url, webhook.token is not None) if webhook else None,
        topic=asked.topic,
    )


def _route(asked: RouteSettings) -> Route:
    severity = Severity(asked.severity) if asked.severity else None
    return Route(asked.receiver, asked.team, severity, None if asked.repeat is None else int(asked.repeat))


def _secrets(asked: AlertmanagerSettings) -> Iterator[tuple[str, SecretSourceSettings]]:
    for name, receiver in asked.receivers.items():
        if receiver.slack is not None:
            yield secret_name(name, "slack"), receiver.slack.url
        if receiver.pagerduty is not None:
            yield secret_name(name, "pagerduty"), receiver.pagerduty.key
        if receiver.webhook is not None and receiver.webhook.token is not None:
            yield secret_name(name, "webhook"), receiver.webhook.token
