"""What the status of a pod says that nothing runs."""

from __future__ import annotations

from typing import Any

import pytest

from engine.kubernetes.pods import completed, qos, running

NOW, LATER = "2026-11-27T00:00:00Z", "2026-11-27T00:00:05Z"
SPEC: dict[str, Any] = {
    "initContainers": [{"name": "first", "image": "a"}, {"name": "beside", "image": "b", "restartPolicy": "Always"}],
    "containers": [{"name": "main", "image": "c"}],
    "readinessGates": [{"conditionType": "target-health.elbv2.k8s.aws/x"}],
}
PENDING: dict[str, Any] = {
    "qosClass": "Guaranteed",
    "conditions": [
        {"type": "PodScheduled", "status": "True", "lastTransitionTime": NOW},
        {"type": "Theirs", "status": "Unknown"},
    ],
}


def test_a_pod_that_runs_is_ready_in_all_that_is_asked_of_it() -> None:
    status = running({"spec": SPEC, "status": PENDING}, address="100.64.0.1", host="10.0.0.4", now=NOW)
    conditions = {one["type"]: one["status"] for one in status["conditions"]}
    assert conditions.pop("Theirs") == "Unknown"
    assert set(conditions.values()) == {"True"}
    assert {"Ready", "PodScheduled", "target-health.elbv2.k8s.aws/x"} <= conditions.keys()
    assert len(status["conditions"]) == len(conditions) + 1, "each once"
    assert (status["podIP"], status["hostIP"], status["qosClass"]) == ("100.64.0.1", "10.0.0.4", "Guaranteed")
    first, beside = status["initContainerStatuses"]
    assert first["state"]["terminated"]["exitCode"] == 0
    assert "running" in beside["state"]


def test_a_pod_that_has_completed_ran_since_it_began() -> None:
    pod: dict[str, Any] = {"spec": SPEC}
    pod["status"] = running(pod, address="100.64.0.1", host="", now=NOW)
    assert "hostIP" not in pod["status"]
    after = pod["status"] | completed(pod, now=LATER)
    (main,) = after["containerStatuses"]
    assert main["state"] == {
        "terminated": {"exitCode": 0, "reason": "Completed", "startedAt": NOW, "finishedAt": LATER}
    }
    conditions = {one["type"]: one["status"] for one in after["conditions"]}
    assert (conditions["Ready"], conditions["Initialized"]) == ("False", "True")


@pytest.mark.parametrize(
    ("resources", "expected"),
    [
        ({}, "BestEffort"),
        ({"requests": {"cpu": "1"}}, "Burstable"),
        ({"limits": {"cpu": "1", "memory": "1Gi"}}, "Guaranteed"),
        ({"limits": {"cpu": "1", "memory": "1Gi"}, "requests": {"cpu": "500m"}}, "Burstable"),
    ],
)
def test_quality_of_service(resources: dict[str, Any], expected: str) -> None:
    assert qos({"containers": [{"name": "main", "resources": resources}]}) == expected
