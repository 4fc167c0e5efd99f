"""What monitoring's pods may do in AWS, and the workspace that metrics may be written to."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from typing import Any

import pulumi

from components.observability.aws_access import existing_workspace
from tests.components.platform_recording import ACCOUNT, Run, config_of, run_component, run_program

ROLE, POLICY, WORKSPACE = "aws:iam/role:Role", "aws:iam/rolePolicy:RolePolicy", "aws:amp/workspace:Workspace"
IDENTITY = "aws:eks/podIdentityAssociation:PodIdentityAssociation"
ARN = f"arn:aws:aps:eu-central-1:{ACCOUNT}:workspace/ws-01234567-89ab-cdef-0123-456789abcdef"


@cache
def writing(arn: str | None = None) -> Run:
    write = {"enabled": True, **({} if arn is None else {"workspace_arn": arn})}
    return run_program({**config_of("dev"), "bedplate:monitoring": {"remote_write": write}}, "dev")


def statements(run: Run, part: str) -> list[dict[str, Any]]:
    (policy,) = [each for each in run.of(POLICY) if each.name == f"monitoring-access-{part}"]
    return json.loads(policy.inputs["policy"])["Statement"]


def test_alertmanager_may_publish_to_the_topic_and_use_its_key() -> None:
    run = writing()
    (statement,) = statements(run, "alertmanager")
    (topic,) = run.of("aws:sns/topic:Topic")
    assert statement["Action"] == "sns:Publish"
    assert statement["Resource"] == f"arn:aws:sns:us-east-1:{ACCOUNT}:{topic.inputs['name']}"
    (role,) = [each for each in run.of(ROLE) if each.name == "monitoring-access-alertmanager"]
    (key,) = [each for each in run.of("aws:kms/key:Key") if each.name == "keys-alerts"]
    (use,) = [each for each in json.loads(key.inputs["policy"])["Statement"] if each["Sid"] == "AlertmanagerUses"]
    arns = use["Condition"]["ArnEquals"]["aws:PrincipalArn"]
    assert arns == f"arn:aws:iam::{ACCOUNT}:role/{role.inputs['name']}"
    assert use["Condition"]["StringEquals"]["kms:ViaService"] == ["sns.us-east-1.amazonaws.com"]


def test_each_account_of_the_namespace_has_its_role_and_no_other_has() -> None:
    run = writing()
    found = {each.inputs["serviceAccount"]: each for each in run.of(IDENTITY) if "monitoring-access" in each.name}
    assert set(found) == {"prometheus", "alertmanager"}
    for account, identity in found.items():
        assert identity.inputs["namespace"] == "monitoring"
        (role,) = [each for each in run.of(ROLE) if each.name == f"monitoring-access-{account}"]
        condition = json.loads(role.inputs["assumeRolePolicy"])["Statement"][0]["Condition"]
        assert condition["StringEquals"]["aws:RequestTag/kubernetes-service-account"] == account
        assert "permissionsBoundary" in role.inputs
        assert role.urn in identity.depends_on


def test_nothing_is_written_unless_it_is_asked_for(recorded: Callable[[str], Run]) -> None:
    run = recorded("prod")
    assert not run.of(WORKSPACE)
    assert not [each for each in run.of(POLICY) if each.name == "monitoring-access-prometheus"]
    assert "keys-metrics" not in {each.name for each in run.of("aws:kms/key:Key")}


def test_a_workspace_of_our_own_has_a_key_a_log_and_one_writer() -> None:
    run = writing()
    (workspace,) = run.of(WORKSPACE)
    (key,) = [each for each in run.of("aws:kms/key:Key") if each.name == "keys-metrics"]
    grants = {each["Sid"]: each for each in json.loads(key.inputs["policy"])["Statement"]}["GrantsForService"]
    assert grants["Condition"]["StringEquals"]["kms:ViaService"] == ["aps.us-east-1.amazonaws.com"]
    assert workspace.inputs["kmsKeyArn"] == f"arn:aws:test:us-east-1:{ACCOUNT}:keys-metrics"
    assert workspace.protect
    (log,) = [each for each in run.of("aws:cloudwatch/logGroup:LogGroup") if "metrics-workspace" in each.name]
    arn = f"arn:aws:logs:us-east-1:{ACCOUNT}:log-group:{log.inputs['name']}:*"
    assert workspace.inputs["loggingConfiguration"] == {"logGroupArn": arn}
    assert log.inputs["kmsKeyId"]
    (statement,) = statements(run, "prometheus")
    # Its ARN is known once it is there, its tags beforehand: a preview can judge the policy.
    assert statement["Action"] == "aps:RemoteWrite"
    assert statement["Resource"] == f"arn:aws:aps:us-east-1:{ACCOUNT}:workspace/*"
    wanted = {
        key.removeprefix("aws:ResourceTag/"): value for key, value in statement["Condition"]["StringEquals"].items()
    }
    assert set(wanted) == {"Project", "Environment", "Component"}
    (provider,) = run.of("pulumi:providers:aws")
    defaults = json.loads(provider.inputs["defaultTags"])["tags"]
    assert wanted.items() <= {**defaults, **workspace.inputs["tags"]}.items()


def test_a_workspace_that_exists_is_written_to_and_not_made() -> None:
    run = writing(ARN)
    assert not run.of(WORKSPACE)
    assert "keys-metrics" not in {each.name for each in run.of("aws:kms/key:Key")}
    (statement,) = statements(run, "prometheus")
    assert statement["Resource"] == ARN


def test_the_address_of_a_workspace_follows_from_its_arn() -> None:
    def make() -> None:
        workspace = existing_workspace(ARN)
        pulumi.export("endpoint", workspace.endpoint)
        assert workspace.region == "eu-central-1"
        workspace.endpoint.apply(seen.append)

    seen: list[str] = []
    run_component(make)
    assert seen == [
        "https://aps-workspaces.eu-central-1.amazonaws.com/workspaces/ws-01234567-89ab-cdef-0123-456789abcdef/"
    ]


def test_pods_of_somebody_elses_cluster_get_no_role_from_us() -> None:
    config = {
        key: value for key, value in config_of("dev").items() if key not in ("bedplate:gpu", "bedplate:scheduling")
    }
    cluster = {"existing": {"kubeconfig": "/home/ada/.kube/config"}}
    run = run_program({**config, "bedplate:cluster": cluster}, "dev")
    assert not [each for each in run.of(ROLE) if each.name.startswith("monitoring-access")]
