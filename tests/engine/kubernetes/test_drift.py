"""What of an object is the program's: its own labels and annotations, and none of what others add."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest
import yaml

from engine.providers.kubernetes.provider import KubernetesProvider
from engine.values import Secret, secret
from tests.engine.kubernetes.cluster import Cluster
from tests.engine.kubernetes.objects import Declared
from tests.engine.kubernetes.test_kinds import CASES, Case, live

OURS = {"labels": {"drift": "ours", "kept": "ours"}, "annotations": {"drift/ours": "ours", "drift/kept": "ours"}}
POD: dict[str, Any] = {"containers": [{"name": "main", "image": "busybox"}]}
WEB: dict[str, Any] = {
    "metadata": {"name": "web", "namespace": "default", "annotations": {"pulumi.com/skipAwait": "true"}},
    "spec": {
        "selector": {"matchLabels": {"app": "web"}},
        "template": {"metadata": {"labels": {"app": "web"}}, "spec": POD},
    },
}


def cases() -> list[Case]:
    return [Case(**one) for one in yaml.safe_load(CASES.read_text(encoding="utf-8"))]


@pytest.fixture(params=cases(), ids=lambda case: case.kind)
def case(request: pytest.FixtureRequest, cluster: Cluster) -> Case:
    found: Case = request.param
    if found.custom:
        cluster.define(found.version, found.kind, found.custom["plural"], namespaced=found.custom["namespaced"])
    return found


def said(case: Case) -> dict[str, Any]:
    given = deepcopy(case.said)
    for key, more in OURS.items():
        given["metadata"][key] = {**given["metadata"].get(key, {}), **more}
    return given


def test_our_labels_and_annotations_are_ours_and_what_others_add_is_theirs(
    cluster: Cluster, provider: KubernetesProvider, case: Case
) -> None:
    one = Declared(provider, case.version, case.kind)
    one.create(**said(case))
    metadata = live(cluster, case)["metadata"]
    metadata["labels"]["injected"] = "theirs"
    metadata["annotations"]["injected"] = "theirs"
    metadata["finalizers"] = ["example.com/theirs"]
    live(cluster, case)["status"] = {**live(cluster, case).get("status", {}), "observedGeneration": 7}
    assert one.refresh()
    assert one.diff(**said(case)).detailed == {}
    del metadata["labels"]["drift"], metadata["annotations"]["drift/ours"]
    assert one.refresh()
    assert sorted(one.diff(**said(case)).detailed) == ["metadata.annotations.drift/ours", "metadata.labels.drift"]
    one.update(**said(case))
    assert one.refresh()
    assert one.diff(**said(case)).detailed == {}
    assert live(cluster, case)["metadata"]["labels"]["injected"] == "theirs"


def test_replicas_that_an_autoscaler_sets_are_not_the_programs(cluster: Cluster, provider: KubernetesProvider) -> None:
    one = Declared(provider, "apps/v1", "Deployment")
    one.create(**deepcopy(WEB))
    found = cluster.get("deployments", "web", "default")
    assert found is not None
    found["spec"]["replicas"] = 7
    assert one.refresh()
    assert one.diff(**deepcopy(WEB)).detailed == {}
    theirs = deepcopy(WEB)
    theirs["spec"]["replicas"] = 2
    assert sorted(one.diff(**theirs).detailed) == ["spec.replicas"]


def test_what_a_webhook_injects_is_not_the_programs(cluster: Cluster, provider: KubernetesProvider) -> None:
    """A container, a volume and a toleration beside ours; another image of ours is drift all the same."""
    one = Declared(provider, "apps/v1", "Deployment")
    one.create(**deepcopy(WEB))
    found = cluster.get("deployments", "web", "default")
    assert found is not None
    pod = found["spec"]["template"]["spec"]
    pod["containers"].append({"name": "proxy", "image": "proxy"})
    pod["volumes"] = [{"name": "proxy", "emptyDir": {}}]
    pod["tolerations"] = [{"key": "theirs", "operator": "Exists"}]
    assert one.refresh()
    assert one.diff(**deepcopy(WEB)).detailed == {}
    pod["containers"][0]["image"] = "other"
    assert one.refresh()
    assert sorted(one.diff(**deepcopy(WEB)).detailed) == ["spec.template.spec.containers[0].image"]


def test_what_others_write_into_a_secret_is_a_secret(cluster: Cluster, provider: KubernetesProvider) -> None:
    one = Declared(provider, "v1", "Secret")
    given: dict[str, Any] = {"metadata": {"name": "keys", "namespace": "default"}, "data": {"password": "Z2VoZWlt"}}
    one.create(**deepcopy(given))
    found = cluster.get("secrets", "keys", "default")
    assert found is not None
    found["data"] = {"password": "YW5kZXJz"}
    read = provider.read(one.urn, one.type, one.id, {}, {})
    assert read is not None
    assert isinstance(read.inputs["data"], Secret)
    assert read.inputs["data"] == secret({"password": "YW5kZXJz"})
