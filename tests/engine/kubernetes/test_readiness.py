"""Readiness by case files: an object (and what is related to it) in, a verdict with reasons out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from engine.providers.kubernetes.readiness import Related, pod_reasons, readiness, related_to

CASES = Path(__file__).parents[2] / "cases" / "kubernetes" / "readiness"


def _cases() -> list[Any]:
    found: list[Any] = []
    for path in sorted(CASES.glob("*.yaml")):
        found += [pytest.param(case, id=f"{path.stem}: {case['name']}") for case in yaml.safe_load(path.read_text())]
    return found


@pytest.mark.parametrize("case", _cases())
def test_readiness(case: dict[str, Any]) -> None:
    expected: list[str] = case.get("reasons", [])
    verdict = readiness(case["object"], case.get("related", ()))
    assert verdict.ready == (not expected), verdict
    assert verdict.failed == case.get("failed", False)
    assert len(verdict.reasons) == len(expected), verdict.reasons
    for part, reason in zip(expected, verdict.reasons, strict=True):
        assert part in reason


def test_the_same_reason_of_many_pods_is_told_once() -> None:
    def unschedulable(name: str) -> dict[str, Any]:
        told = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "too few GPUs"}
        return {"kind": "Pod", "metadata": {"name": name}, "status": {"conditions": [told]}}

    pods = [unschedulable(f"train-{index}") for index in range(50)]
    assert pod_reasons(pods) == ["pod train-0: [Unschedulable] too few GPUs"]


def test_what_else_is_read_of_the_cluster() -> None:
    deployment = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web", "namespace": "team"},
        "spec": {"selector": {"matchLabels": {"app": "web", "tier": "front"}}},
    }
    assert related_to(deployment) == [Related("v1", "Pod", "team", labels="app=web,tier=front")]
    claim = {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "spec": {"storageClassName": "gp3"}}
    assert related_to(claim) == [Related("storage.k8s.io/v1", "StorageClass", name="gp3")]
    service = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"}}
    [slices] = related_to(service)
    assert (slices.namespace, slices.labels) == ("default", "kubernetes.io/service-name=web")
    assert related_to({"apiVersion": "karpenter.sh/v1", "kind": "NodePool"}) == []
    by_expressions = {**deployment, "spec": {"selector": {"matchExpressions": [{"key": "a", "operator": "Exists"}]}}}
    assert related_to(by_expressions) == []
