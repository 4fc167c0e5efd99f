"""Volumes in the embedded cluster: when a claim gets its volume, and what becomes of both."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.engine.emulator.kubernetes.http import Http
from tests.engine.emulator.kubernetes.test_controllers import names, path
from tests.engine.emulator.kubernetes.test_objects import deployment

CLASSES = "/apis/storage.k8s.io/v1/storageclasses"
SPEC: dict[str, Any] = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}


@pytest.fixture
def late(http: Http) -> Iterator[str]:
    """A class whose volumes are made where the pod is."""
    about = {"name": "late", "annotations": {"storageclass.kubernetes.io/is-default-class": "true"}}
    mode = {"provisioner": "ebs.csi.aws.com", "volumeBindingMode": "WaitForFirstConsumer"}
    assert http.post(CLASSES, {"metadata": about, **mode}).status == 201
    yield "late"
    http.delete(f"{CLASSES}/late")


def stateful_set(replicas: int, **retention: str) -> dict[str, Any]:
    body: dict[str, Any] = deployment("db", replicas) | {"kind": "StatefulSet"}
    templates = [{"metadata": {"name": "data"}, "spec": SPEC}]
    body["spec"] |= {"serviceName": "db", "volumeClaimTemplates": templates}
    body["spec"]["persistentVolumeClaimRetentionPolicy"] = retention
    return body


def claims(http: Http, namespace: str) -> dict[str, str]:
    """The phases of a namespace's claims by name."""
    listed = http.get(path(namespace, "persistentvolumeclaims")).body["items"]
    return {each["metadata"]["name"]: each["status"]["phase"] for each in listed}


def test_a_claim_that_binds_late_waits_for_a_pod_that_runs(http: Http, namespace: str, late: str) -> None:
    at = path(namespace, "persistentvolumeclaims")
    http.post(at, {"metadata": {"name": "disk"}, "spec": SPEC | {"storageClassName": late}})
    assert claims(http, namespace) == {"disk": "Pending"}
    http.post("/api/v1/nodes", {"metadata": {"name": "one", "labels": {"topology.kubernetes.io/zone": "us-east-1b"}}})
    volume = {"name": "data", "persistentVolumeClaim": {"claimName": "disk"}}
    pod: dict[str, Any] = {"volumes": [volume], "containers": [{"name": "a", "image": "a:1"}]}
    gated = pod | {"schedulingGates": [{"name": "example.org/later"}]}
    http.post(path(namespace, "pods"), {"metadata": {"name": "a"}, "spec": gated})
    assert claims(http, namespace) == {"disk": "Pending"}
    http.post(path(namespace, "pods"), {"metadata": {"name": "b"}, "spec": pod})
    assert claims(http, namespace) == {"disk": "Bound"}
    claim = http.get(f"{at}/disk").body
    made = http.get(f"/api/v1/persistentvolumes/{claim['spec']['volumeName']}").body
    assert made["status"]["phase"] == "Bound"
    assert made["spec"]["storageClassName"] == late
    (term,) = made["spec"]["nodeAffinity"]["required"]["nodeSelectorTerms"]
    assert term["matchExpressions"][0]["values"] == ["us-east-1b"]
    http.delete("/api/v1/nodes/one")


def test_each_pod_of_a_stateful_set_has_a_claim_of_its_own(http: Http, namespace: str, late: str) -> None:
    at = path(namespace, "statefulsets", "apps/v1")
    http.post(at, stateful_set(2))
    assert http.get(f"{at}/db").body["status"]["readyReplicas"] == 2
    assert claims(http, namespace) == {"data-db-0": "Bound", "data-db-1": "Bound"}
    (volume, *_) = http.get(f"{path(namespace, 'pods')}/db-1").body["spec"]["volumes"]
    assert volume == {"name": "data", "persistentVolumeClaim": {"claimName": "data-db-1"}}
    claim = http.get(f"{path(namespace, 'persistentvolumeclaims')}/data-db-0").body
    assert claim["spec"]["storageClassName"] == late
    http.delete(f"{path(namespace, 'pods')}/db-0")
    assert names(http, path(namespace, "pods")) == ["db-0", "db-1"]
    assert (
        http.get(f"{path(namespace, 'persistentvolumeclaims')}/data-db-0").body["metadata"]["uid"]
        == (claim["metadata"]["uid"])
    )


def test_claims_stay_unless_the_set_says_otherwise(http: Http, namespace: str, late: str) -> None:
    at = path(namespace, "statefulsets", "apps/v1")
    http.post(at, stateful_set(2))
    http.patch(f"{at}/db", {"spec": {"replicas": 1}})
    http.delete(f"{at}/db")
    assert claims(http, namespace) == {"data-db-0": "Bound", "data-db-1": "Bound"}
    http.post(at, stateful_set(2, whenDeleted="Delete", whenScaled="Delete"))
    http.patch(f"{at}/db", {"spec": {"replicas": 1}})
    assert claims(http, namespace) == {"data-db-0": "Bound"}
    http.delete(f"{at}/db")
    assert claims(http, namespace) == {}
    volumes = http.get("/api/v1/persistentvolumes").body["items"]
    assert [each for each in volumes if each["spec"]["claimRef"]["namespace"] == namespace] == []


def test_what_a_set_says_of_its_claims_may_change(http: Http, namespace: str, late: str) -> None:
    at = path(namespace, "statefulsets", "apps/v1")
    http.post(at, stateful_set(1, whenDeleted="Delete"))
    http.patch(f"{at}/db", {"spec": {"persistentVolumeClaimRetentionPolicy": {"whenDeleted": "Retain"}}})
    http.delete(f"{at}/db")
    assert claims(http, namespace) == {"data-db-0": "Bound"}


def test_a_quota_keeps_a_stateful_set_from_its_claims_and_says_so(http: Http, namespace: str) -> None:
    quota = {"metadata": {"name": "none"}, "spec": {"hard": {"persistentvolumeclaims": "0"}}}
    http.post(path(namespace, "resourcequotas"), quota)
    at = path(namespace, "statefulsets", "apps/v1")
    http.post(at, stateful_set(1))
    (failure,) = http.get(f"{at}/db").body["status"]["conditions"]
    assert "exceeded quota: none" in failure["message"]
    assert names(http, path(namespace, "pods")) == []
