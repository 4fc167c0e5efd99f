"""IAM policy documents as values: statements that may hold outputs, turned into JSON once all of them are known."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import pulumi

Statement = Mapping[str, Any]


def document(statements: Iterable[Statement]) -> pulumi.Output[str]:
    """A policy document as JSON text, unknown as long as one of its parts is. Keys keep their order, so it's stable."""
    return pulumi.Output.json_dumps({"Version": "2012-10-17", "Statement": list(statements)})


def trust_of_pods(
    cluster_arn: pulumi.Input[str], account_id: pulumi.Input[str], namespace: str, service_account: str
) -> pulumi.Output[str]:
    """Lets the pods of one service account in one cluster assume a role, through EKS Pod Identity."""
    # Source: Amazon EKS User Guide, "Create IAM role with trust policy required by EKS Pod Identity", 2026-11.
    statement = {
        "Sid": "AssumedByPods",
        "Effect": "Allow",
        "Principal": {"Service": "pods.eks.amazonaws.com"},
        "Action": ["sts:AssumeRole", "sts:TagSession"],
        "Condition": {
            "StringEquals": {
                "aws:SourceAccount": account_id,
                "aws:RequestTag/kubernetes-namespace": namespace,
                "aws:RequestTag/kubernetes-service-account": service_account,
            },
            "ArnEquals": {"aws:SourceArn": cluster_arn},
        },
    }
    return document([statement])


def trust(service: str, account_id: pulumi.Input[str], sources: pulumi.Input[str] | None) -> pulumi.Output[str]:
    """Lets ``service`` assume a role for ``sources`` (a pattern of ARNs) of this account only: no "confused deputy".

    None is for services that don't say for whom they assume a role, and take only roles of the account that they serve.
    """
    statement = {
        "Sid": "AssumedByService",
        "Effect": "Allow",
        "Principal": {"Service": service},
        "Action": "sts:AssumeRole",
    }
    conditions = {"StringEquals": {"aws:SourceAccount": account_id}, "ArnLike": {"aws:SourceArn": sources}}
    return document([statement if sources is None else {**statement, "Condition": conditions}])
