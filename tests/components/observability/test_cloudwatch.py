"""Alarms and the dashboard of what lives in AWS: what each is about, who is told, and what silence means."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from itertools import combinations
from pathlib import Path
from typing import Any

import pulumi
import pytest
import yaml

from components.account import Account
from components.observability.cloudwatch import CloudWatch, CloudWatchArgs
from components.observability.cloudwatch_kinds import KINDS
from components.observability.cloudwatch_sources import (
    ControlPlane,
    ControlPlaneLimits,
    Database,
    Endpoint,
    Gateway,
    GatewayLimits,
    charges_alarm,
)
from components.observability.cloudwatch_values import AlarmKind, Missing
from components.observability.values import Severity
from stacks.cloudwatch_choices import cloudwatch_choices
from stacks.settings import load
from stacks.settings.monitoring import MonitoringSettings
from tests.components.platform_recording import ACCOUNT, Recorded, Run, config_of, run_component, run_program

ALARM, DASHBOARD = "aws:cloudwatch/metricAlarm:MetricAlarm", "aws:cloudwatch/dashboard:Dashboard"
PUBLISHED = Path(__file__).parents[2] / "cases" / "monitoring" / "aws_metrics.yaml"
RUNBOOK = Path(__file__).parents[3] / "components" / "observability" / "runbooks" / "cloudwatch.md"
EXISTING = {
    "cloudwatch": {
        "nat": {"idle_timeouts": 500, "existing": ["nat-0123456789abcdef0"]},
        "databases": {
            "features": {"instance": f"arn:aws:rds:us-east-1:{ACCOUNT}:db:features-db", "team": "vision"},
            "replica": {"instance": "features-2", "connections": 180, "replica_lag": "30s", "free_storage": "20GiB"},
        },
        "endpoints": {"ranker": {"endpoint": "ranker-2", "errors": "0.5%", "latency": "250ms"}},
        "account_charges_usd": 5000,
    }
}


@cache
def watched() -> Run:
    """What ``dev`` registers where its settings name all that there can be."""
    config = config_of("dev")
    config["bedplate:scheduling"] = {**config.get("bedplate:scheduling", {}), "teams": {"vision": {}}}
    return run_program({**config, "bedplate:monitoring": EXISTING}, "dev")


def alarm(name: str, run: Run | None = None) -> dict[str, Any]:
    """The inputs of the alarm called ``name``, without the deployment in front."""
    found = [each.inputs for each in (run or watched()).of(ALARM) if each.inputs["name"].endswith(f"-{name}")]
    assert len(found) == 1, f"{len(found)} alarms are called {name}"
    return dict(found[0])


@pytest.fixture(params=["prod", "all there can be"])
def both(request: pytest.FixtureRequest, recorded: Callable[[str], Run]) -> Run:
    """What is registered for production, and where the settings name all that there can be."""
    return recorded("prod") if request.param == "prod" else watched()


def kind_of(recorded: Recorded) -> AlarmKind:
    return next(kind for kind in KINDS if recorded.name.startswith(f"cloudwatch-{kind.name}-"))


def widgets(run: Run) -> list[dict[str, Any]]:
    (dashboard,) = run.of(DASHBOARD)
    return json.loads(dashboard.inputs["dashboardBody"])["widgets"]


def test_every_kind_of_alarm_is_used_and_every_alarm_is_of_a_kind() -> None:
    assert {kind_of(each) for each in watched().of(ALARM)} == set(KINDS)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_a_kind_says_what_it_means_and_what_silence_means(kind: AlarmKind) -> None:
    assert kind.because
    assert "{about}" in kind.summary
    assert 0 < kind.bad <= kind.periods
    assert kind.severity in (Severity.PAGE, Severity.TICKET)
    sections = re.split(r"^## ", RUNBOOK.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]
    (section,) = [each for each in sections if each.startswith(f"{kind.name}\n")]
    for part in ("**What it means.**", "**Where to look", "hat to do.**"):
        assert part in section
    named = set(re.findall(r"\b(?:Nat|Eks|Database|Endpoint|Account)[A-Z]\w+", f"{kind.because} {section}"))
    assert named <= {each.name for each in KINDS}


def test_the_runbook_has_no_page_without_an_alarm() -> None:
    assert re.findall(r"^## (\w+)$", RUNBOOK.read_text(encoding="utf-8"), re.MULTILINE) == [one.name for one in KINDS]


def test_every_alarm_goes_to_the_topic_and_says_who_acts_and_how(both: Run) -> None:
    alarms = both.of(ALARM)
    assert alarms
    (policy,) = both.of("aws:sns/topicPolicy:TopicPolicy")
    for each in alarms:
        kind, inputs = kind_of(each), each.inputs
        assert policy.urn in each.depends_on
        assert len(inputs["alarmActions"]) == 1
        assert inputs["alarmActions"] == inputs["okActions"]
        assert inputs["tags"]["Severity"] == kind.severity.value
        assert inputs["tags"]["Team"]
        assert f"A {kind.severity.value} for {inputs['tags']['Team']}." in inputs["alarmDescription"]
        assert inputs["alarmDescription"].endswith(f"cloudwatch.md#{kind.name.lower()}")
        assert len(inputs["alarmDescription"]) <= 1024
        assert inputs["treatMissingData"] == kind.missing.value
        assert ("warmUpConfiguration" in inputs) == (kind.missing is Missing.BAD)


def test_each_nat_gateway_and_the_cluster_have_alarms(both: Run) -> None:
    gateways = {f"{each.name}-id" for each in both.of("aws:ec2/natGateway:NatGateway")}
    ports = [each for each in both.of(ALARM) if "NatGatewayPortsExhausted-nat-" in each.name]
    assert gateways
    assert gateways == {each.inputs["dimensions"]["NatGatewayId"] for each in ports} - {"nat-0123456789abcdef0"}
    (cluster,) = both.of("aws:eks/cluster:Cluster")
    stored = alarm("EksStorageHigh-cluster", both)
    assert stored["dimensions"] == {"ClusterName": cluster.inputs["name"]}
    assert (stored["statistic"], stored["threshold"]) == ("Maximum", 6 * 1024**3)


def test_what_exists_is_watched_by_its_own_limits() -> None:
    free = alarm("DatabaseStorageLow-features")
    assert free["dimensions"] == {"DBInstanceIdentifier": "features-db"}
    assert (free["comparisonOperator"], free["threshold"]) == ("LessThanThreshold", 10 * 1024**3)
    assert free["tags"]["Team"] == "vision"
    assert "below 10 GiB" in free["alarmDescription"]
    assert free["treatMissingData"] == "breaching"
    assert alarm("DatabaseStorageLow-replica")["threshold"] == 20 * 1024**3
    lag = alarm("DatabaseReplicaLag-replica")
    assert (lag["metricName"], lag["threshold"]) == ("ReplicaLag", 30)
    names = {each.inputs["name"] for each in watched().of(ALARM)}
    assert not {name for name in names if "ReplicaLag-features" in name or "ConnectionsHigh-features" in name}
    assert alarm("NatGatewayPortsExhausted-nat-0123456789abcdef0")["dimensions"] == {
        "NatGatewayId": "nat-0123456789abcdef0"
    }
    charges = alarm("AccountChargesHigh-account")
    assert (charges["namespace"], charges["dimensions"]) == ("AWS/Billing", {"Currency": "USD"})
    assert (charges["threshold"], charges["period"]) == (5000, 21600)


def test_an_endpoint_is_watched_in_the_units_that_sagemaker_has() -> None:
    slow = alarm("EndpointSlow-ranker")
    assert slow["dimensions"] == {"EndpointName": "ranker-2", "VariantName": "AllTraffic"}
    assert (slow["extendedStatistic"], slow["threshold"]) == ("p99", 250_000)  # microseconds
    assert slow["evaluateLowSampleCountPercentiles"] == "ignore"
    assert "above 250 ms" in slow["alarmDescription"]
    assert "statistic" not in slow
    errors = alarm("EndpointErrors-ranker")
    assert errors["threshold"] == 0.5  # percent
    assert "metricName" not in errors
    ratio, *parts = errors["metricQueries"]
    assert ratio["expression"] == "100 * errors / requests"
    assert {part["id"]: part["metric"]["metricName"] for part in parts} == {
        "errors": "Invocation5XXErrors",
        "requests": "Invocations",
    }


def test_an_expression_is_of_the_metrics_beside_it_and_alone_returns_data(both: Run) -> None:
    for each in both.of(ALARM):
        queries = each.inputs.get("metricQueries", [])
        if not queries:
            continue
        assert [query["id"] for query in queries if query.get("returnData")] == ["ratio"]
        ids = {query["id"] for query in queries[1:]}
        assert set(re.findall(r"\b[a-z]+\b", queries[0]["expression"])) == ids
        assert len({query["metric"]["period"] for query in queries[1:]}) == 1


def test_the_dashboard_shows_every_alarm_and_every_metric_of_one() -> None:
    states, *others = widgets(watched())
    arns = {f"arn:aws:cloudwatch:us-east-1:{ACCOUNT}:alarm:{each.inputs['name']}" for each in watched().of(ALARM)}
    assert set(states["properties"]["alarms"]) == arns
    shown = {line[1] for widget in others if widget["type"] == "metric" for line in widget["properties"]["metrics"]
             if len(line) > 1}  # fmt: skip
    alarmed = {each.inputs["metricName"] for each in watched().of(ALARM) if "metricName" in each.inputs}
    assert alarmed <= shown
    limits = [
        note["label"] for widget in others for note in widget["properties"].get("annotations", {}).get("horizontal", [])
    ]
    assert len(limits) == len(arns)
    assert "ranker: 250 ms" in limits


def test_the_dashboard_is_one_that_cloudwatch_takes(both: Run) -> None:
    placed = widgets(both)
    assert len(placed) <= 500
    for widget in placed:
        assert 0 <= widget["x"] <= widget["x"] + widget["width"] <= 24
    for one, other in combinations(placed, 2):
        beside = one["x"] + one["width"] <= other["x"] or other["x"] + other["width"] <= one["x"]
        above = one["y"] + one["height"] <= other["y"] or other["y"] + other["height"] <= one["y"]
        assert beside or above, (one["properties"], other["properties"])
    for widget in placed:
        ids = [line[-1]["id"] for line in widget["properties"].get("metrics", []) if "id" in line[-1]]
        assert len(ids) == len(set(ids))
        for line in widget["properties"].get("metrics", []):
            names = set(re.findall(r"\b[a-z]+\d+\b", line[-1].get("expression", "")))
            assert names <= set(ids)


def test_metrics_are_those_that_aws_publishes_in_its_units() -> None:
    known = yaml.safe_load(PUBLISHED.read_text(encoding="utf-8"))
    limits = GatewayLimits(0, 0.0001, 44000, 500)
    sources = [
        Gateway("nat-1", "nat-1", limits),
        Gateway("nat-2", "nat-2", replace(limits, idle_timeouts=None)),
        ControlPlane("cluster", ControlPlaneLimits(0.05, 0.05, 10, 1)),
        Database("models", "models", None, 1, 0.8, 100, 30),
        Database("others", "others", None, 1, 0.8, None, None),
        Endpoint("ranker", "ranker", "AllTraffic", None, 0.01, 0.05, 0.3, 0.5),
        Endpoint("chat", "chat", "AllTraffic", None, 0.01, 0.05, None, 0.5),
    ]
    alarms = [charges_alarm(100, "ml"), *(alarm for source in sources for alarm in source.alarms("ml"))]
    shown = [(one.metric, one.unit, None) for source in sources for one in source.shown()]
    for each in alarms:
        unit = "count" if each.expression else each.kind.unit
        shown += [(metric, unit, each.kind.period_seconds) for metric in each.metrics.values()]
    used: dict[str, set[str]] = {}
    for metric, unit, period in shown:
        published = known[metric.namespace]["metrics"][metric.name]
        assert unit == published["unit"], metric
        assert metric.statistic in published.get("statistics", [metric.statistic]), metric
        assert period in (None, published.get("period", period)), metric
        assert sorted(metric.dimensions) == known[metric.namespace]["dimensions"], metric
        used.setdefault(metric.namespace, set()).add(metric.name)
    assert used == {namespace: set(each["metrics"]) for namespace, each in known.items()}


def test_charges_are_shown_from_the_region_that_has_them() -> None:
    choices = cloudwatch_choices(load("dev"))
    assert choices is not None

    def make() -> None:
        account = Account(pulumi.Output.from_input(ACCOUNT), "eu-west-1", pulumi.Output.from_input("aws"))
        CloudWatch("cloudwatch", CloudWatchArgs(account, "topic", ["nat-1"], None, choices))

    placed = widgets(run_component(make))
    charges = [one for one in placed if "EstimatedCharges" in json.dumps(one)]
    assert [one["properties"]["region"] for one in charges] == ["us-east-1"]
    assert {one["properties"]["region"] for one in placed if one["type"] == "metric" and one not in charges} == {
        "eu-west-1"
    }


@pytest.mark.parametrize("monitoring", [{"enabled": False}, {"cloudwatch": {"enabled": False}}])
def test_nothing_is_watched_where_nobody_wants_it(monitoring: dict[str, Any]) -> None:
    settings = load("dev").model_copy(update={"monitoring": MonitoringSettings.model_validate(monitoring)})
    assert cloudwatch_choices(settings) is None


def test_cloudwatch_may_publish_for_our_alarms_only_and_use_the_key(both: Run) -> None:
    (policy,) = both.of("aws:sns/topicPolicy:TopicPolicy")
    statements = {each["Sid"]: each for each in json.loads(policy.inputs["policy"])["Statement"]}
    allowed = statements["AlarmsPublish"]
    assert allowed["Principal"] == {"Service": "cloudwatch.amazonaws.com"}
    assert allowed["Condition"]["StringEquals"] == {"aws:SourceAccount": ACCOUNT}
    pattern = allowed["Condition"]["ArnLike"]["aws:SourceArn"]
    for each in both.of(ALARM):
        arn = f"arn:aws:cloudwatch:us-east-1:{ACCOUNT}:alarm:{each.inputs['name']}"
        assert pattern.endswith("-*")
        assert arn.startswith(pattern.removesuffix("*"))
    (key,) = [each for each in both.of("aws:kms/key:Key") if each.name == "keys-alerts"]
    (users,) = [each for each in json.loads(key.inputs["policy"])["Statement"] if each["Sid"] == "AlertPublishers"]
    assert "cloudwatch.amazonaws.com" in users["Principal"]["Service"]
    assert "kms:GenerateDataKey*" in users["Action"]
