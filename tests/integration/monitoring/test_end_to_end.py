"""From an exporter to whoever has to act: the files that the program deploys, run by real servers.

One test, since the servers are started once: first nothing is wrong, then everything that ``stories`` tells of, then
most of it is over.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from components.observability.alertmanager_config import SECRET_FILE, SECRETS_FOLDER
from components.observability.signals import ALL
from stacks.monitoring_models import watched
from stacks.settings import load_file
from tests.components.kubernetes_objects import everything
from tests.integration.monitoring.boards import Asked, asked
from tests.integration.monitoring.deployed import PLATFORM, Deployed
from tests.integration.monitoring.exporters import Sample, exporters
from tests.integration.monitoring.faster import TIMES, faster_expression
from tests.integration.monitoring.history import around, write_history
from tests.integration.monitoring.populated import add_replica, populate
from tests.integration.monitoring.receiver import PAGERDUTY, Notification, Receiver, receiver
from tests.integration.monitoring.servers import find_server, until
from tests.integration.monitoring.stand import TOKEN, Stand, account, standing
from tests.integration.monitoring.stories import STORIES, Story
from tests.integration.monitoring.world import World

# Where the settings send what is told by webhook.
TOLD = "https://told.example.com"
SECRET = "what-nobody-else-knows"
# Alone it takes a few seconds each; where other tests have the machine's cores, more.
SECONDS = 60.0
EARLY = [story for story in STORIES if story.early]
SOON = [story for story in STORIES if not story.early]
ENDING = [story for story in STORIES if story.end]


@pytest.fixture(scope="module")
def deployed() -> Deployed:
    return Deployed.of(everything(load_file(PLATFORM)))


@pytest.fixture
def told() -> Iterator[Receiver]:
    with receiver() as running:
        yield running


@pytest.fixture
def stand(deployed: Deployed, told: Receiver, tmp_path: Path) -> Iterator[Stand]:
    find_server("prometheus")
    find_server("alertmanager")
    with exporters(account(tmp_path / "account"), TOKEN) as served:
        world = World(served)
        models = watched(load_file(PLATFORM), "dev").models
        populate(world, models, deployed.pods)
        add_replica(world, models["candidate"], 2, world.nodes[0], version="2")
        world.says("candidate-2", lambda: b"")  # there already, but nobody asks it yet
        for story in EARLY:
            story.begin(world)
        write_history(_before(), tmp_path)
        places = {TOLD: told.url, "https://events.pagerduty.com": told.url, SECRETS_FOLDER: str(tmp_path / "secrets")}
        _write_secrets(tmp_path / "secrets", told)
        with standing(deployed, world, tmp_path, places) as running:
            yield running


def _write_secrets(folder: Path, told: Receiver) -> None:
    """What Kubernetes would put there."""
    for name, value in (
        ("vision-slack", f"{told.url}/slack"),
        ("vision-oncall-pagerduty", SECRET),
        ("speech-webhook", SECRET),
    ):
        (folder / name).mkdir(parents=True)
        (folder / name / SECRET_FILE).write_text(value)


def _before() -> Iterator[Sample]:
    """What was recorded of the models in the hours before, and a week ago: what there is today."""
    week, hours = 7 * 86400 / TIMES, 10 * 3600 / TIMES
    for name, model in watched(load_file(PLATFORM), "dev").models.items():
        labels = {"model": name, "team": model.team}
        for kind, value in (("requests", 0.5), ("request_errors", 0), ("timed_requests", 0.5), ("slow_requests", 0)):
            record = f"model:{kind}:rate1h"
            yield from around(record, labels, value, ago=week + 120, for_seconds=600)
            yield from around(record, labels, value, ago=hours, for_seconds=hours)


@pytest.mark.slow
@pytest.mark.clock
def test_what_goes_wrong_reaches_the_team_that_has_to_act(
    deployed: Deployed, stand: Stand, told: Receiver, subtests: pytest.Subtests
) -> None:
    until("every target is scraped", lambda: _all_up(deployed, stand), seconds=SECONDS, log=stand.prometheus.log)
    told.down = True
    for story in SOON:
        story.begin(stand.world)
    with subtests.test("a receiver that is down"):
        until("somebody is told, again and again", lambda: told.refused > 3, seconds=SECONDS)
        until("it counts as failed", lambda: stand.prometheus.query(_FAILED), seconds=SECONDS)
    told.down = False
    _check_told(SOON, told, subtests)
    with subtests.test("that a receiver was down"):
        until("NotificationsFail", lambda: told.told("/platform", "NotificationsFail", ""), seconds=SECONDS)
    with subtests.test("targets that lie harm no others"):
        _check_unharmed(stand)
    with subtests.test("alerts of one thing come together, and what goes without saying does not come"):
        _check_grouping(stand, told)
    with subtests.test("no rule fails, and every panel has something to show"):
        assert [each["name"] for each in _rules(stand) if each["health"] == "err"] == []
        assert not (nothing := _empty(deployed, stand)), nothing
    for story in ENDING:
        assert story.end is not None
        story.end(stand.world)
    _check_told(EARLY, told, subtests)
    for story in ENDING:
        with subtests.test(f"{story.name}, and no longer"):
            until(story.alert, lambda story=story: story.told(told, resolved=True), seconds=SECONDS)
    with subtests.test("nobody is told of what is well"):
        lines = [line for each in told.received for line in each.summaries(resolved=False)]
        assert [line for line in lines if line.startswith(_WELL)] == []


def _check_told(stories: Sequence[Story], told: Receiver, subtests: pytest.Subtests) -> None:
    for story in stories:
        with subtests.test(story.name):
            _check(until(story.alert, lambda story=story: story.told(told), seconds=SECONDS), story)


_WELL = ("steady:", "steady 1:", "ranker", "detector", "reader")
_AREAS = {alert.name: signal.area for signal in ALL for alert in signal.alerts}
_FAILED = "integration:notifications_failed:ratio15m > 0"
_SAME_PLACE = {"kubelet", "cadvisor"}


def _all_up(deployed: Deployed, stand: Stand) -> bool:
    """Whether each job has found what it is for, once each, and nothing fails."""
    targets = stand.prometheus.targets()
    jobs = {each["job_name"] for each in deployed.prometheus["scrape_configs"]}
    pods = [each["discoveredLabels"]["__address__"] for each in targets if each["labels"]["job"] not in _SAME_PLACE]
    assert len(pods) == len(set(pods)), "a pod is scraped twice"
    return {each["labels"]["job"] for each in targets} == jobs and all(each["health"] == "up" for each in targets)


def _check(notification: Notification, story: Story) -> None:
    """What whoever is told has to know, and what shows who is telling."""
    text = json.dumps(notification.body)
    assert f"https://runbooks.example.com/{_AREAS[story.alert]}.md#{story.alert.lower()}" in text
    assert "<no value>" not in text
    match story.path:
        case "/slack":
            assert notification.body["channel"] == "#vision"
        case "/speech":
            assert notification.token == f"Bearer {SECRET}"
        case _ if story.path == PAGERDUTY:
            assert (notification.body["routing_key"], notification.body["payload"]["severity"]) == (SECRET, "critical")
        case _:
            assert (
                notification.body["commonLabels"].items() >= {"severity": story.severity, "environment": "dev"}.items()
            )


def _check_unharmed(stand: Stand) -> None:
    """What was recorded of the one that lies can be true, nothing of a flood was kept, all others are up."""
    server = stand.prometheus
    liars = {"lying", "flooding", "endless", "hanging"}
    values = server.query('{__name__=~"model(_version)?:.+",__name__!~"model:(info|objective:.+)",model="lying"}')
    assert [each for each in values if not abs(float(each["value"][1])) < 1e6] == []
    assert server.query("lies_total") == []
    # Where other tests have the machine's cores, a scrape may be late: what a liar did would not pass.
    until("only they are down", lambda: _down(stand) == liars - {"lying"}, seconds=SECONDS)
    late = 'min_over_time(up{model!~"lying|flooding|endless|hanging"}[10s]) == 0'
    until("all others are up for ten seconds", lambda: not server.query(late), seconds=SECONDS)


def _down(stand: Stand) -> set[str]:
    return {each["metric"].get("model", "") for each in stand.prometheus.query("up == 0")}


def _check_grouping(stand: Stand, told: Receiver) -> None:
    first = told.told("/slack", "FeatureDrifted", "feature age")
    assert first and any("feature amount" in line for line in first.summaries(resolved=False))
    hot = until("GpuHot fires", lambda: _of_alertmanager(stand, "GpuHot"), seconds=SECONDS)
    assert [each["status"]["state"] for each in hot] == ["suppressed"], "the GPU is faulty: that it is hot is no news"
    assert told.told("/platform", "GpuHot", "") is None
    assert told.told("/snitch", "Watchdog", "")


def _of_alertmanager(stand: Stand, name: str) -> list[dict[str, Any]]:
    return stand.alertmanager.get("/api/v2/alerts", filter=f'alertname="{name}"')


def _rules(stand: Stand) -> list[dict[str, Any]]:
    groups = stand.prometheus.get("/api/v1/rules")["data"]["groups"]
    return [rule for group in groups for rule in group["rules"]]


def _empty(deployed: Deployed, stand: Stand) -> str:
    """What is recorded, or asked by a dashboard, and gives nothing."""
    recorded = {
        rule["record"]: f"{rule['record']} = {rule['expr']}"
        for rules in deployed.rules.values()
        for group in rules["groups"]
        for rule in group["rules"]
        if "record" in rule
    }
    nothing = [text for name, text in recorded.items() if not stand.prometheus.query(name)]
    # Models have one dashboard each, which ask the same: one of them has what is asked for.
    questions: dict[str, list[Asked]] = {}
    for name, dashboard in deployed.dashboards.items():
        for each in asked(name, dashboard):
            questions.setdefault(re.sub('model="[a-z]+"', "", f"{each.panel} {each.expr}"), []).append(each)
    nothing += [
        f"{same[0].file}, {same[0].panel}: {same[0].expr}"
        for same in questions.values()
        if not any(stand.prometheus.query(faster_expression(each.expr)) for each in same)
    ]
    return "\n".join(nothing)
