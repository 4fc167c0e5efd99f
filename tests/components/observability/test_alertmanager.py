"""Alertmanager as it is deployed: its peers, its secrets, who reaches it and whom it reaches."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from stacks.settings import PlatformSettings, load
from tests.components.kubernetes_objects import case, monitored, named, of_kind
from tests.components.platform_recording import Run, is_secret

SELECTOR = {"matchLabels": {"app.kubernetes.io/name": "alertmanager"}}
SENDERS = {"matchLabels": {"app.kubernetes.io/name": "prometheus"}}
EVERYWHERE = {"ipBlock": {"cidr": "0.0.0.0/0", "except": ["169.254.0.0/16"]}}


@pytest.fixture(scope="module")
def many() -> Run:
    return monitored(case("receivers_and_routes"))


@pytest.fixture(scope="module")
def one() -> Run:
    return monitored(load("sandbox"))


@pytest.fixture(scope="module")
def elsewhere() -> Run:
    return monitored(case("existing_cluster"))


def _set(run: Run) -> dict[str, Any]:
    return named(run, "StatefulSet", "alertmanager")["spec"]


def _pod(run: Run) -> dict[str, Any]:
    return _set(run)["template"]["spec"]


def _flags(run: Run) -> list[str]:
    (container,) = _pod(run)["containers"]
    return container["args"]


def _files(run: Run) -> dict[str, Any]:
    (found,) = (each for each in of_kind(run, "ConfigMap") if "alertmanager.yml" in each["data"])
    return found


def _policies(run: Run) -> dict[str, Any]:
    found = {each["metadata"]["name"]: each["spec"] for each in of_kind(run, "NetworkPolicy")}
    return {name: spec for name, spec in found.items() if name.startswith("allow-alertmanager")}


def test_production_has_two_that_know_each_other(many: Run) -> None:
    assert _set(many)["replicas"] == 2
    peers = [f"alertmanager-{number}.alertmanager-peers.monitoring.svc" for number in range(2)]
    assert [each for each in _flags(many) if "--cluster.peer" in each] == [
        f"--cluster.peer={each}:9094" for each in peers
    ]
    assert _set(many)["serviceName"] == "alertmanager-peers"
    service = named(many, "Service", "alertmanager-peers")["spec"]
    assert (service["clusterIP"], service["publishNotReadyAddresses"]) == ("None", True)
    assert (service["selector"], service["ports"][1]["targetPort"]) == (SELECTOR["matchLabels"], "gossip")
    config = yaml.safe_load(named(many, "ConfigMap", "prometheus-config")["data"]["prometheus.yml"])
    (managers,) = config["alerting"]["alertmanagers"]
    assert managers["static_configs"][0]["targets"] == [f"{each}:9093" for each in peers]
    budget = named(many, "PodDisruptionBudget", "alertmanager")["spec"]
    assert budget == {"maxUnavailable": 1, "selector": SELECTOR}


def test_a_pods_address_is_said_since_it_looks_like_a_public_one(many: Run) -> None:
    assert "--cluster.advertise-address=$(POD_IP):9094" in _flags(many)
    (container,) = _pod(many)["containers"]
    assert container["env"] == [{"name": "POD_IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}}]


def test_one_alone_looks_for_nobody(one: Run) -> None:
    assert _set(one)["replicas"] == 1
    assert [each for each in _flags(one) if "cluster" in each] == ["--cluster.listen-address="]
    assert of_kind(one, "PodDisruptionBudget") == []
    assert "allow-alertmanager-peers" not in _policies(one)


def test_no_secret_is_in_a_config_map_or_a_variable(many: Run) -> None:
    (given,) = of_kind(many, "Secret")
    assert is_secret(given["stringData"]["value"]) or is_secret(given["stringData"])
    text = _files(many)["data"]["alertmanager.yml"]
    for word in ("api_url:", "routing_key:", "service_key:", "credentials:", "password"):
        assert word not in text
    (container,) = _pod(many)["containers"]
    assert [each["name"] for each in container["env"]] == ["POD_IP"]


def test_each_secret_is_mounted_where_the_configuration_looks_for_it(many: Run) -> None:
    (container,) = _pod(many)["containers"]
    mounts = {each["name"]: each["mountPath"] for each in container["volumeMounts"]}
    volumes = {each["name"]: each["secret"] for each in _pod(many)["volumes"] if "secret" in each}
    assert volumes.keys() == {"platform-slack", "vision-oncall-pagerduty", "text-webhook"}
    for name, volume in volumes.items():
        (item,) = volume["items"]
        assert f"{mounts[name]}/{item['path']}" in _files(many)["data"]["alertmanager.yml"]
        assert volume["optional"] is True, "who else is told does not wait for this secret"
    assert volumes["text-webhook"]["secretName"] == "text-hook"
    assert volumes["text-webhook"]["items"][0]["key"] == "token"
    (fetched,) = of_kind(many, "ExternalSecret")
    assert volumes["platform-slack"]["secretName"] == fetched["spec"]["target"]["name"]
    assert fetched["spec"]["secretStoreRef"] == {"kind": "ClusterSecretStore", "name": "aws"}


def test_another_configuration_replaces_the_servers(many: Run) -> None:
    files = _files(many)
    assert "name" not in files["metadata"], "Pulumi names it anew"
    assert files["data"].keys() == {"alertmanager.yml", "bedplate.tmpl"}
    config = yaml.safe_load(files["data"]["alertmanager.yml"])
    assert config["templates"] == ["bedplate.tmpl"]
    for name in _templates_of(config):
        assert f'{{{{- define "{name}" -}}}}' in files["data"]["bedplate.tmpl"]


def _templates_of(config: Any) -> set[str]:
    if isinstance(config, str):
        return {config.split('"')[1]} if config.startswith("{{ template") else set()
    values = config.values() if isinstance(config, dict) else config if isinstance(config, list) else ()
    return set[str]().union(*map(_templates_of, values))


def test_who_reaches_it_and_whom_it_reaches(many: Run, one: Run, elsewhere: Run) -> None:
    policies = _policies(many)
    http, gossip = {"protocol": "TCP", "port": 9093}, [{"protocol": each, "port": 9094} for each in ("TCP", "UDP")]
    ways = ("from-prometheus", "peers", "to-receivers", "to-webhooks", "to-pod-identity")
    assert policies.keys() == {f"allow-alertmanager-{way}" for way in ways}
    assert all(each["podSelector"] == SELECTOR for each in policies.values())
    assert policies["allow-alertmanager-from-prometheus"]["ingress"] == [
        {"from": [{"podSelector": SENDERS}], "ports": [http]}
    ]
    peers = policies["allow-alertmanager-peers"]
    assert peers["policyTypes"] == ["Ingress", "Egress"]
    assert peers["ingress"] == [{"from": [{"podSelector": SELECTOR}], "ports": gossip}]
    assert peers["egress"] == [{"to": [{"podSelector": SELECTOR}], "ports": gossip}]
    assert policies["allow-alertmanager-to-receivers"]["egress"] == [
        {"to": [EVERYWHERE], "ports": [{"protocol": "TCP", "port": 443}]}
    ]
    tools = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "tools"}}, "podSelector": {}}
    assert policies["allow-alertmanager-to-webhooks"]["egress"] == [{"to": [tools]}]
    # With nothing but the topic it reaches AWS, and with nobody to tell it reaches nobody.
    reached = {each for each in _policies(one) if "-to-" in each}
    assert reached == {"allow-alertmanager-to-receivers", "allow-alertmanager-to-pod-identity"}
    assert not {each for each in _policies(elsewhere) if "-to-" in each}


def test_whoever_has_said_nothing_is_told_by_the_topic_where_there_is_one(one: Run, elsewhere: Run) -> None:
    for run, receiver in ((one, "topic"), (elsewhere, "nobody")):
        config = yaml.safe_load(_files(run)["data"]["alertmanager.yml"])
        assert config["route"]["receiver"] == receiver
    topic = yaml.safe_load(_files(one)["data"]["alertmanager.yml"])["receivers"][1]["sns_configs"][0]
    assert topic["topic_arn"] == "arn:aws:sns:us-east-1:123456789012:bedplate-dev-alerts"


def test_silences_stay_where_the_environment_is_protected(many: Run, one: Run) -> None:
    kept = {"whenDeleted": "Retain", "whenScaled": "Retain"}
    assert _set(many)["persistentVolumeClaimRetentionPolicy"] == kept
    assert _set(one)["persistentVolumeClaimRetentionPolicy"]["whenDeleted"] == "Delete"


def test_it_has_no_token_of_the_api_server(many: Run) -> None:
    assert _pod(many)["automountServiceAccountToken"] is False
    assert not [each for each in of_kind(many, "ClusterRoleBinding") if "alertmanager" in str(each["subjects"])]


def test_an_encrypted_setting_is_where_a_secret_is(many: Run) -> None:
    settings: PlatformSettings = case("receivers_and_routes")
    pagerduty = settings.monitoring.alertmanager.receivers["vision-oncall"].pagerduty
    assert pagerduty is not None and pagerduty.key.value is not None
    assert "v1:abc:def" not in str(settings)
