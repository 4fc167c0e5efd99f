"""What of an object reaches the simulated cluster."""

from __future__ import annotations

import json
from typing import Any

import pytest

from engine.simulation.manifests import Given, Manifest
from engine.simulation.pruning import CLAIMED_DEVICES, CLAIMS, HIDDEN, PLACEHOLDER, QUEUES, prune
from engine.values import UNKNOWN, Secret

PASSWORD = "hunter2-hunter2"


def _deployment(pod: Manifest, **spec: Any) -> Given:
    manifest = {
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web", "namespace": "shop"},
        "spec": {"replicas": 2, "selector": {"matchLabels": {"app": "web"}}, **spec,
                 "template": {"metadata": {"labels": {"app": "web"}}, "spec": pod}},
    }  # fmt: skip
    return Given(manifest, "web")


def _pod_of(given: Given) -> Manifest:
    return given.manifest["spec"]["template"]["spec"]


def test_what_a_container_runs_stays_out_and_what_it_asks_for_goes_in() -> None:
    container = {
        "name": "main", "image": Secret("registry/secret"), "command": ["run", Secret(PASSWORD)],
        "env": [{"name": "TOKEN", "value": Secret(PASSWORD)}], "resources": {"requests": {"cpu": "1"}},
        "livenessProbe": {"exec": {"command": [Secret(PASSWORD)]}}, "securityContext": {"runAsNonRoot": True},
    }  # fmt: skip
    pruned = prune(_deployment({"containers": [container], "nodeSelector": {"a": "b"}, "serviceAccountName": "web"}))
    assert PASSWORD not in json.dumps(pruned.given.manifest)
    pod = _pod_of(pruned.given)
    assert pod["nodeSelector"] == {"a": "b"}
    assert pod["containers"] == [
        {"name": "main", "image": "simulated", "resources": {"requests": {"cpu": "1"}},
         "securityContext": {"runAsNonRoot": True}},
    ]  # fmt: skip
    assert "serviceAccountName" not in pod
    assert (pruned.assumptions, pruned.traits) == ([], set())


def test_a_secret_that_would_go_in_is_replaced_but_amounts_count() -> None:
    container = {"name": "main", "resources": {"limits": {"nvidia.com/gpu": Secret("2")}}}
    pruned = prune(
        _deployment({"containers": [container], "nodeSelector": {"zone": Secret(PASSWORD)}}, replicas=Secret(3))
    )
    pod = _pod_of(pruned.given)
    assert pod["nodeSelector"] == {"zone": PLACEHOLDER}
    assert pod["containers"][0]["resources"]["limits"] == {"nvidia.com/gpu": "2"}
    assert pruned.given.manifest["spec"]["replicas"] == 3
    assert pruned.traits == {HIDDEN}


def test_a_whole_object_that_is_secret_is_looked_into() -> None:
    manifest = _deployment({"containers": [{"name": "main"}], "nodeSelector": {"zone": PASSWORD}}).manifest
    manifest["spec"]["template"] = Secret(manifest["spec"]["template"])
    pruned = prune(Given(manifest, "web"))
    assert _pod_of(pruned.given)["containers"][0]["name"] == "main"


def test_what_is_not_known_is_left_out_and_named_where_it_matters() -> None:
    container = {"name": "main", "image": UNKNOWN, "resources": {"requests": {"cpu": UNKNOWN, "memory": "1Gi"}}}
    pruned = prune(_deployment({"containers": [container], "tolerations": [UNKNOWN]}, replicas=UNKNOWN))
    assert [str(one.text) for one in pruned.assumptions] == [
        "spec.replicas is not known yet; taken as 1",
        "spec.template.spec.tolerations.0 is not known yet; left out",
        "spec.template.spec.containers.0.resources.requests.cpu is not known yet; left out",
    ]
    assert {one.place for one in pruned.assumptions} == {"Deployment web"}
    assert "replicas" not in pruned.given.manifest["spec"]
    assert _pod_of(pruned.given)["containers"][0]["resources"] == {"requests": {"memory": "1Gi"}}


def test_containers_that_are_not_known_count_as_one() -> None:
    pruned = prune(_deployment({"containers": UNKNOWN, "volumes": UNKNOWN}))
    assert [one["name"] for one in _pod_of(pruned.given)["containers"]] == ["unknown"]
    assert "taken as one that asks for nothing" in pruned.assumptions[0].text


def test_claims_become_empty_folders_and_what_pod_security_minds_stays() -> None:
    volumes = [
        {"name": "data", "persistentVolumeClaim": {"claimName": "data"}}, {"name": "host", "hostPath": {"path": "/"}},
        {"name": "token", "secret": {"secretName": "token"}},
    ]  # fmt: skip
    pruned = prune(_deployment({"containers": [{"name": "main"}], "volumes": volumes}))
    assert _pod_of(pruned.given)["volumes"] == [
        {"name": "data", "emptyDir": {}}, {"name": "host", "hostPath": {"path": "/"}},
        {"name": "token", "emptyDir": {}},
    ]  # fmt: skip
    assert pruned.traits == {CLAIMS}


def test_the_claims_of_a_stateful_set() -> None:
    given = _deployment({"containers": [{"name": "main"}]}, volumeClaimTemplates=[{"metadata": {"name": "data"}}])
    given.manifest["kind"] = "StatefulSet"
    pruned = prune(given)
    assert _pod_of(pruned.given)["volumes"] == [{"name": "data", "emptyDir": {}}]
    assert "volumeClaimTemplates" not in pruned.given.manifest["spec"]
    assert pruned.traits == {CLAIMS}


def test_claimed_devices_are_said() -> None:
    pruned = prune(_deployment({"containers": [{"name": "main"}], "resourceClaims": [{"name": "gpu"}]}))
    assert pruned.traits == {CLAIMED_DEVICES}
    assert "resourceClaims" not in _pod_of(pruned.given)


def _job(**spec: Any) -> Manifest:
    return {"parallelism": 2, "template": {"spec": {"containers": [{"name": "main"}]}}, **spec}


def test_a_job_in_a_queue_counts_as_admitted() -> None:
    metadata = {"name": "llm", "namespace": "a", "labels": {"kueue.x-k8s.io/queue-name": "gpu"}}
    manifest = {"apiVersion": "batch/v1", "kind": "Job", "metadata": metadata, "spec": _job(suspend=True)}
    pruned = prune(Given(manifest, "llm"))
    assert pruned.given.manifest["spec"]["suspend"] is False
    assert pruned.traits == {QUEUES}
    assert _pod_of(pruned.given)["restartPolicy"] == "Never"


def test_a_cron_job_becomes_the_job_that_it_starts() -> None:
    manifest = {
        "apiVersion": "batch/v1", "kind": "CronJob", "metadata": {"name": "nightly", "namespace": "a"},
        "spec": {"schedule": "@daily", "jobTemplate": {"spec": _job()}},
    }  # fmt: skip
    given = prune(Given(manifest, "nightly")).given
    assert (given.kind, given.name, given.namespace) == ("Job", "nightly", "a")
    assert given.manifest["spec"]["parallelism"] == 2


@pytest.mark.parametrize(
    ("manifest", "kept"),
    [
        ({"kind": "Namespace", "metadata": {"name": "a", "labels": {"x": "y"}, "annotations": {"z": "1"}}},
         {"apiVersion": "v1", "metadata": {"name": "a", "labels": {"x": "y"}}}),
        ({"kind": "PriorityClass", "metadata": {"name": "high"}, "value": 1000, "description": "of the team"},
         {"apiVersion": "scheduling.k8s.io/v1", "metadata": {"name": "high"}, "value": 1000}),
        ({"kind": "ResourceQuota", "metadata": {"name": "q", "namespace": "a"},
          "spec": {"hard": {"pods": Secret("3")}}},
         {"apiVersion": "v1", "metadata": {"name": "q", "namespace": "a"}, "spec": {"hard": {"pods": "3"}}}),
    ],
)  # fmt: skip
def test_what_surrounds_workloads(manifest: Manifest, kept: Manifest) -> None:
    assert prune(Given(manifest, "x")).given.manifest == {"kind": manifest["kind"], **kept}
