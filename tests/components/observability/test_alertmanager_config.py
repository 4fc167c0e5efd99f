"""Who is told of which alert, and that what inhibits what are alerts that there are, with labels that they have."""

from __future__ import annotations

import re
from typing import Any

import pytest

from components.observability.alertmanager_config import (
    NOBODY,
    TOPIC,
    Notified,
    Receiver,
    Route,
    Topic,
    Webhook,
    alertmanager_config,
    namespace_of,
)
from components.observability.inhibitions import INHIBITIONS
from components.observability.labels import result_labels
from components.observability.promql import parsed
from components.observability.series import labels_of
from components.observability.signals import signals
from components.observability.values import Alert, Severity
from tests.components.observability.watched import WATCHED

PLACE = Topic("arn:aws:sns:us-east-1:123456789012:bedplate-prod-alerts", "us-east-1")
NOTIFIED = Notified(
    receivers={
        "platform": Receiver(slack_channel="#ml-platform", topic=True),
        "vision-oncall": Receiver(pagerduty_eu=True),
        "tickets": Receiver(webhook=Webhook("http://tickets.tools.svc:8080/alerts", token=False)),
        "text": Receiver(webhook=Webhook("https://hooks.example.com/text", token=True)),
        "snitch": Receiver(webhook=Webhook("https://snitch.example.com/1", token=False)),
    },
    routes=[
        Route("vision-oncall", "vision", Severity.PAGE, 3600),
        Route("tickets", "vision"),
        Route("text", "text"),
        Route("text", "text", Severity.INFO),
    ],
    default="platform",
    heartbeat="snitch",
)
ALERTS = {alert.name: alert for signal in signals(WATCHED) for alert in signal.alerts}
# What every alert has besides the labels of its series.
ADDED = {"alertname", "team", "severity", "cluster", "environment"}


def matches(matcher: str, labels: dict[str, str]) -> bool:
    found = re.fullmatch(r'(\w+)(=~|!=|=)"(.*)"', matcher)
    assert found is not None, matcher
    name, operator, value = found.groups()
    seen = labels.get(name, "")
    return {"=": seen == value, "!=": seen != value, "=~": re.fullmatch(value, seen) is not None}[operator]


def route_of(config: dict[str, Any], **labels: str) -> dict[str, Any]:
    """The route that Alertmanager takes: the first that fits, for none goes on."""
    for route in config["route"]["routes"]:
        assert "continue" not in route and "routes" not in route
        if all(matches(each, labels) for each in route["matchers"]):
            return route
    return config["route"]


CONFIG = alertmanager_config(NOTIFIED, PLACE)


@pytest.mark.parametrize(
    ("team", "severity", "receiver", "repeat"),
    [
        ("vision", "page", "vision-oncall", 3600),
        ("vision", "ticket", "tickets", 86400),
        ("vision", "info", NOBODY, 604800),
        ("text", "page", "text", 14400),
        ("text", "info", "text", 604800),
        ("ml", "page", "platform", 14400),
        ("ml", "ticket", "platform", 86400),
        ("ml", "info", NOBODY, 604800),
    ],
)
def test_an_alert_goes_to_the_first_route_that_fits(team: str, severity: str, receiver: str, repeat: int) -> None:
    route = route_of(CONFIG, alertname="ModelTrafficDropped", team=team, severity=severity)
    assert (route["receiver"], route["repeat_interval"]) == (receiver, f"{repeat}s")


def test_pages_are_told_sooner_than_tickets() -> None:
    page = route_of(CONFIG, team="text", severity="page")
    ticket = route_of(CONFIG, team="text", severity="ticket")
    assert (page["group_wait"], ticket["group_wait"]) == ("15s", "60s")
    assert CONFIG["route"]["group_by"] == ["alertname", "team", "model", "namespace"]


def test_the_sign_of_life_goes_to_whoever_waits_for_it_whatever_else_is_routed() -> None:
    route = route_of(CONFIG, alertname="Watchdog", team="text", severity="info")
    assert (route["receiver"], route["group_wait"], route["repeat_interval"]) == ("snitch", "0s", "300s")
    without = alertmanager_config(Notified(default=TOPIC), PLACE)
    assert route_of(without, alertname="Watchdog", severity="info")["receiver"] == NOBODY
    # It is told again before a group of nothing new is looked at again.
    assert int(route["group_interval"].rstrip("s")) < int(route["repeat_interval"].rstrip("s"))
    assert ALERTS["Watchdog"].expr == "vector(1)"


def test_every_receiver_that_a_route_names_is_declared() -> None:
    for config in (CONFIG, alertmanager_config(Notified(), None), alertmanager_config(Notified(default=TOPIC), PLACE)):
        declared = [each["name"] for each in config["receivers"]]
        assert len(declared) == len(set(declared))
        named = {config["route"]["receiver"], *(route["receiver"] for route in config["route"]["routes"])}
        assert named <= set(declared)
    assert {each["name"]: each.keys() for each in CONFIG["receivers"]}[NOBODY] == {"name"}


def _receiver(name: str) -> dict[str, Any]:
    return next(each for each in CONFIG["receivers"] if each["name"] == name)


def test_secrets_are_files() -> None:
    folder = "/etc/alertmanager/secrets"
    (slack,) = _receiver("platform")["slack_configs"]
    assert (slack["api_url_file"], slack["channel"]) == (f"{folder}/platform-slack/value", "#ml-platform")
    (pagerduty,) = _receiver("vision-oncall")["pagerduty_configs"]
    assert pagerduty["routing_key_file"] == f"{folder}/vision-oncall-pagerduty/value"
    assert pagerduty["url"] == "https://events.eu.pagerduty.com/v2/enqueue"
    (hook,) = _receiver("text")["webhook_configs"]
    assert hook["http_config"] == {"authorization": {"credentials_file": f"{folder}/text-webhook/value"}}
    assert "http_config" not in _receiver("tickets")["webhook_configs"][0]
    (sns,) = _receiver("platform")["sns_configs"]
    assert (sns["topic_arn"], sns["sigv4"]) == (PLACE.arn, {"region": "us-east-1"})


def test_whoever_is_told_hears_of_the_end_too() -> None:
    for receiver in CONFIG["receivers"]:
        for kind, configs in receiver.items():
            if kind.endswith("_configs"):
                assert all(each["send_resolved"] for each in configs), receiver["name"]


@pytest.mark.parametrize(
    ("url", "namespace"),
    [
        ("http://tickets.tools.svc:8080/alerts", "tools"),
        ("http://tickets.tools.svc.cluster.local/", "tools"),
        ("https://hooks.example.com/a.svc", None),
        ("https://tools.svc/", None),
    ],
)
def test_a_service_of_the_cluster_is_told_from_what_is_outside(url: str, namespace: str | None) -> None:
    assert namespace_of(url) == namespace


def _labels(alert: Alert) -> set[str]:
    return {*result_labels(parsed(alert.expr), labels_of(WATCHED)), *alert.labels, *ADDED}


def _selected(matchers: Any) -> list[Alert]:
    """The alerts of the platform that matchers may mean."""
    seen = {alert.name: {"alertname": alert.name, "severity": alert.severity, "node": "n"} for alert in ALERTS.values()}
    return [alert for alert in ALERTS.values() if all(matches(each, seen[alert.name]) for each in matchers)]


def test_what_inhibits_what_are_alerts_that_there_are_and_labels_that_they_have() -> None:
    for rule in INHIBITIONS:
        for matcher in (*rule.source, *rule.target):
            found = re.fullmatch(r'alertname=~?"(.*)"', matcher)
            assert not found or set(found[1].split("|")) <= ALERTS.keys(), matcher
        if "alertname" in rule.equal:
            continue  # two alerts of one name have the same labels
        assert _selected(rule.source) and _selected(rule.target), rule
        for alert in _selected(rule.source):
            assert set(rule.equal) <= _labels(alert), (rule, alert.name)
        for alert in _selected(rule.target):
            # A label that is asked for in the matchers may be absent from other alerts.
            asked = {matcher.partition("=")[0] for matcher in rule.target}
            assert set(rule.equal) <= _labels(alert) | asked, (rule, alert.name)


def test_no_alert_inhibits_itself() -> None:
    for rule in INHIBITIONS:
        both = [each for each in _selected(rule.source) if each in _selected(rule.target)]
        assert both == [], rule


def inhibited(target: dict[str, str], *sources: dict[str, str]) -> bool:
    """As Alertmanager judges: a label that both lack is equal."""
    return any(
        all(matches(each, target) for each in rule["target_matchers"])
        and all(matches(each, source) for each in rule["source_matchers"])
        and all(source.get(label, "") == target.get(label, "") for label in rule["equal"])
        for rule in CONFIG["inhibit_rules"]
        for source in sources
    )


def test_a_page_makes_the_ticket_for_the_same_thing_unnecessary() -> None:
    page = {"alertname": "ModelErrorBudgetBurnsFast", "severity": "page", "model": "fraud", "team": "vision"}
    ticket = {**page, "alertname": "ModelErrorBudgetBurnsSlow", "severity": "ticket"}
    assert inhibited(ticket, page)
    assert not inhibited({**ticket, "model": "chat"}, page)
    assert not inhibited(page, ticket)
    assert inhibited({**page, "severity": "ticket"}, page), "an alert of one's own, at two severities"
    assert not inhibited({**ticket, "alertname": "ModelAccuracyLow"}, page), "it may be wrong and slow at once"


def test_a_node_that_is_gone_explains_what_is_said_of_it() -> None:
    gone = {"alertname": "NodeNotReady", "severity": "page", "node": "a", "team": "ml"}
    assert inhibited({"alertname": "GpuHot", "severity": "ticket", "node": "a", "gpu": "1"}, gone)
    assert not inhibited({"alertname": "GpuHot", "severity": "ticket", "node": "b", "gpu": "1"}, gone)
    assert not inhibited({"alertname": "PodCrashLoops", "severity": "ticket", "pod": "p"}, gone)
    assert not inhibited(gone, gone)
