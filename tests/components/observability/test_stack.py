"""The servers in the whole platform: what they have in AWS reaches their files, and stands before they start."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from stacks.settings import load
from tests.components.kubernetes_objects import monitored, objects
from tests.components.platform_recording import ACCOUNT, UNKNOWN, Recorded, Run, config_of, run_program

WORKSPACE = f"arn:aws:aps:eu-central-1:{ACCOUNT}:workspace/ws-01234567-89ab-cdef-0123-456789abcdef"
_WRITE = {"remote_write": {"enabled": True, "workspace_arn": WORKSPACE}}


@pytest.fixture(scope="module")
def run() -> Run:
    return run_program({**config_of("dev"), "bedplate:monitoring": _WRITE}, "dev")


def _file(run: Run, name: str) -> Any:
    (found,) = (
        each.inputs["data"][name]
        for each in run.of("kubernetes:core/v1:ConfigMap")
        if isinstance(each.inputs.get("data"), dict) and name in each.inputs["data"]
    )
    return found if found == UNKNOWN else yaml.safe_load(found)


def _server(run: Run, name: str) -> Recorded:
    (found,) = (each for each in run.of("kubernetes:apps/v1:StatefulSet") if each.name == name)
    return found


def _policies(run: Run) -> set[str]:
    made = (each.inputs["metadata"] for each in run.of("kubernetes:networking.k8s.io/v1:NetworkPolicy"))
    return {each["name"] for each in made if each["namespace"] == "monitoring"}


def test_samples_go_to_the_workspace_in_its_region(run: Run) -> None:
    config = _file(run, "prometheus.yml")
    (write,) = config["remote_write"]
    host, _, path = write["url"].removeprefix("https://").partition("/")
    assert host == "aps-workspaces.eu-central-1.amazonaws.com"
    assert path == f"workspaces/{WORKSPACE.rpartition('/')[2]}/api/v1/remote_write"
    assert write["sigv4"] == {"region": "eu-central-1"}
    assert {"allow-prometheus-to-aws", "allow-prometheus-to-pod-identity"} <= _policies(run)
    assert config["global"]["external_labels"] == {"environment": "dev", "cluster": "bedplate-dev"}


def test_pages_go_to_the_topic_of_the_platform(run: Run) -> None:
    (topic,) = run.of("aws:sns/topic:Topic")
    receivers = {each["name"]: each for each in _file(run, "alertmanager.yml")["receivers"]}
    (sns,) = receivers["topic"]["sns_configs"]
    assert sns["topic_arn"] == f"arn:aws:sns:us-east-1:{ACCOUNT}:{topic.inputs['name']}"


@pytest.mark.parametrize("server", ["prometheus", "alertmanager"])
def test_a_servers_role_stands_before_it_starts(run: Run, server: str) -> None:
    (identity,) = (
        each
        for each in run.of("aws:eks/podIdentityAssociation:PodIdentityAssociation")
        if each.inputs["serviceAccount"] == server
    )
    assert identity.urn in _server(run, server).depends_on
    pod = _server(run, server).inputs["spec"]["template"]["spec"]
    assert pod["serviceAccountName"] == identity.inputs["serviceAccount"]


def test_without_credentials_a_preview_knows_all_but_the_accounts_number() -> None:
    config = {key: value for key, value in config_of("dev").items() if key != "aws:allowedAccountIds"}
    offline = run_program(config, "dev", offline=True)
    assert _file(offline, "alertmanager.yml") == UNKNOWN
    assert "remote_write" not in _file(offline, "prometheus.yml")
    assert _server(offline, "alertmanager").inputs["spec"]["replicas"] == 1
    assert not {"allow-prometheus-to-aws", "allow-prometheus-to-pod-identity"} & _policies(offline)


def test_turned_off_nothing_of_it_is_there() -> None:
    settings = load("dev")
    off = settings.monitoring.model_copy(update={"enabled": False})
    assert objects(monitored(settings)) != []
    assert objects(monitored(settings.model_copy(update={"monitoring": off}))) == []
