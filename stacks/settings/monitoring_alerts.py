"""Settings of who hears of which alert, and how."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import Field

from components.observability.alertmanager_config import NOBODY, TOPIC, namespace_of
from stacks.settings.base import Contradiction, Section
from stacks.settings.cluster import ClusterSettings
from stacks.settings.environment import TagSettings
from stacks.settings.measures import Measure
from stacks.settings.problems import did_you_mean
from stacks.settings.scheduling import SchedulingSettings
from stacks.settings.secret_sources import SecretSourceSettings
from stacks.settings.teams import no_team, teams_of

_UNITS = {unit: Decimal(size) for unit, size in (("m", "60"), ("h", "3600"), ("d", "86400"))}
Repeat = Annotated[float, Measure("a time with its unit (m, h or d)", "4h", _UNITS, "5m", "30d")]
# It becomes part of the names of objects and of files.
_NAME = re.compile(r"[a-z]([a-z0-9-]{0,28}[a-z0-9])?")
_SECRET_QUERY = re.compile(r"(?i)(token|key|secret|password|sig)[^=&]*=")
# Hosts where the path is the secret.
_SECRET_PATH = re.compile(r"(^|\.)(hooks\.slack\.com|discord(app)?\.com|webhook\.office\.com)$")
_BUILT_IN = (NOBODY, TOPIC)


class SlackSettings(Section):
    """A channel of Slack."""

    url: SecretSourceSettings
    """Where the address of the incoming webhook is: whoever has it may write to the channel."""
    channel: str = Field(pattern=r"^[#@][^\s#@]{1,79}$")
    """The channel, such as '#ml-alerts'."""


class PagerDutySettings(Section):
    """A service of PagerDuty."""

    key: SecretSourceSettings
    """Where the integration key (Events API v2) is."""
    region: Literal["us", "eu"] = "us"
    """In which of its regions the account is."""


class WebhookSettings(Section):
    """Something that takes Alertmanager's JSON."""

    url: str = Field(max_length=2048, pattern=r"^https?://[^\s/?#]+(/[^\s#]*)?$")
    """Its address, which is no secret: https, or a service of the cluster (http://NAME.NAMESPACE.svc/)."""
    token: SecretSourceSettings | None = None
    """Where the token is that it wants (Authorization: Bearer)."""

    def contradictions(self) -> Iterable[Contradiction]:
        try:
            address = urlsplit(self.url)
            port = address.port
        except ValueError:  # such as a port that is no number, or half an IPv6 address
            advice = "use https://HOST/PATH, or a service of the cluster, http://NAME.NAMESPACE.svc:PORT/"
            yield Contradiction("url", f"'{self.url}' is no address of anything", advice)
            return
        inside = namespace_of(self.url) is not None
        if "@" in address.netloc or _SECRET_QUERY.search(address.query) or _SECRET_PATH.search(address.netloc):
            why = "holds a secret, which would be readable in the cluster and in every preview"
            yield Contradiction("url", why, "use slack, or token, and change the secret: it was in plain text")
        if address.scheme == "http" and not inside:
            why = "is http: alerts would go in clear through the internet"
            yield Contradiction("url", why, "use https, or a service of the cluster, http://NAME.NAMESPACE.svc/")
        elif not inside and port not in (None, 443):
            why = "is at a port that nothing outside of the cluster is reached at"
            yield Contradiction("url", why, "use port 443")
        elif address.scheme == "http" and self.token is not None:
            yield Contradiction("token", "would go in clear, since url is http", "use https")


class ReceiverSettings(Section):
    """Who is told: any of Slack, PagerDuty, a webhook and the platform's topic, or several at once."""

    slack: SlackSettings | None = None
    """A channel of Slack."""
    pagerduty: PagerDutySettings | None = None
    """A service of PagerDuty."""
    webhook: WebhookSettings | None = None
    """Something that takes Alertmanager's JSON."""
    topic: bool = False
    """The platform's SNS topic, and so the e-mail addresses of cost.emails."""

    def contradictions(self) -> Iterable[Contradiction]:
        if not self.topic and not any((self.slack, self.pagerduty, self.webhook)):
            advice = f"give slack, pagerduty, webhook or topic, or route to '{NOBODY}' instead"
            yield Contradiction("", "has nothing in it: nobody would be told", advice)


class RouteSettings(Section):
    """Who gets which alerts."""

    receiver: str
    """Who gets them: one of monitoring.alertmanager.receivers, or `topic`, or `nobody`."""
    team: str | None = None
    """Only those of this team; default: of all."""
    severity: Literal["page", "ticket", "info"] | None = None
    """Only those that are so urgent; default: `page` and `ticket`."""
    repeat: Repeat | None = None
    """When they are told again while they last, such as 4h; default: pages after 4h, tickets after 24h."""

    def covers(self, other: Self) -> bool:
        """Whether nothing is left for ``other`` to route."""
        mine, others = ({each.severity} if each.severity else {"page", "ticket"} for each in (self, other))
        return self.team in (None, other.team) and others <= mine


class AlertmanagerSettings(Section):
    """Who hears of which alert, and how."""

    replicas: int | None = Field(default=None, ge=1, le=5)
    """Number of servers, which agree on who sends; default: 2 for stage `prod`, or else 1."""
    receivers: dict[str, ReceiverSettings] = Field(default_factory=dict)
    """Who can be told, by a name of your own."""
    routes: tuple[RouteSettings, ...] = ()
    """Who gets which alerts: the first that fits."""
    default: str | None = None
    """Receiver of alerts that no route fits; default: `topic`, or `nobody` where the cluster is somebody else's."""
    heartbeat: str | None = None
    """Receiver that gets a sign of life every 5 minutes, such as a dead man's switch that calls when none comes."""

    def contradictions(self) -> Iterable[Contradiction]:
        yield from self._about_names()
        for index, route in enumerate(self.routes):
            yield from self._about_receiver(f"routes[{index}].receiver", route.receiver)
            for earlier, other in enumerate(self.routes[:index]):
                if other.covers(route):
                    why = f"is never reached: routes[{earlier}] takes all that it is for"
                    yield Contradiction(f"routes[{index}]", why, "put it first, or leave it out")
                    break
        for name in ("default", "heartbeat"):
            receiver = getattr(self, name)
            if receiver is not None:
                yield from self._about_receiver(name, receiver)
        yield from self._about_use()

    def _about_names(self) -> Iterator[Contradiction]:
        for name in self.receivers:
            if name in _BUILT_IN:
                yield Contradiction(f"receivers.{name}", "is there by itself", "use another name")
            elif not _NAME.fullmatch(name):
                why = f"'{name}' is no name for a receiver: a letter, then letters, digits and dashes, 30 in all"
                yield Contradiction(f"receivers.{name}", why, "rename it, all in lower case")

    def _about_receiver(self, place: str, name: str) -> Iterator[Contradiction]:
        known = list(dict.fromkeys([*self.receivers, *_BUILT_IN]))
        if name not in known:
            advice = did_you_mean(name, known) or f"one of {', '.join(known)}"
            yield Contradiction(place, f"there is no receiver '{name}'", advice)

    def _about_use(self) -> Iterator[Contradiction]:
        used = {self.default, self.heartbeat, *(route.receiver for route in self.routes)}
        for name in self.receivers:
            if name not in used:
                why = "is told nothing: no route leads to it"
                yield Contradiction(f"receivers.{name}", why, "add a route, or make it the default")

    @property
    def names_topic(self) -> bool:
        """Whether anybody has asked for the topic."""
        named = (self.default, self.heartbeat, *(route.receiver for route in self.routes))
        return TOPIC in named or any(receiver.topic for receiver in self.receivers.values())


def about_routes(
    tags: TagSettings, scheduling: SchedulingSettings, alerts: AlertmanagerSettings
) -> Iterable[Contradiction]:
    """Routes are for teams that there are."""
    known = teams_of(tags, scheduling)
    for index, route in enumerate(alerts.routes):
        if route.team is not None and route.team not in known:
            yield no_team(f"monitoring.alertmanager.routes[{index}].team", route.team, known)


def about_topic(cluster: ClusterSettings, alerts: AlertmanagerSettings) -> Iterable[Contradiction]:
    """Only pods of a cluster of our own have a role that may publish."""
    if cluster.existing is not None and alerts.names_topic:
        why = "publishes to the platform's topic, which pods of a cluster that exists may not"
        yield Contradiction("monitoring.alertmanager", why, "use slack, pagerduty or a webhook")
