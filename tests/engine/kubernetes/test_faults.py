"""What goes wrong between a provider and its cluster: each fault has one clear message, and none hangs."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from engine.providers.base import OperationUncertain, PartialFailure, ProviderError
from engine.providers.kubernetes import applying, connection, discovery, waiting
from engine.providers.kubernetes.access import Access
from engine.providers.kubernetes.provider import KubernetesProvider
from engine.providers.notes import taking_notes
from tests.engine.kubernetes.cluster import Cluster, Refused, Server
from tests.engine.kubernetes.conftest import kubeconfig
from tests.engine.kubernetes.objects import Declared
from tests.engine.kubernetes.test_lifecycle import DEPLOYMENT

SETTINGS: dict[str, Any] = {"metadata": {"name": "settings"}, "data": {"a": "1"}}


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Waits that take seconds take a part of one."""
    monkeypatch.setattr(connection, "DELAY", 0.01)
    monkeypatch.setattr(applying, "PATIENCE", 0.5)
    monkeypatch.setattr(waiting, "SILENCE", 0.3)
    monkeypatch.setattr(waiting, "PAUSE", 0.05)
    monkeypatch.setattr(discovery.Discovery, "patience", 0.5)


def once(verdict: str, method: str) -> Callable[[str, str], str | None]:
    """A fault that happens to the first request of ``method``."""
    left = [verdict]
    return lambda command, _path: left.pop() if command == method and left else None


@pytest.mark.parametrize("verdict", ["drop", "lose"])
def test_a_request_that_got_no_answer_is_made_again(
    cluster: Cluster, provider: KubernetesProvider, verdict: str
) -> None:
    cluster.fault = once(verdict, "PATCH")
    settings = Declared(provider, "v1", "ConfigMap")
    settings.create(**SETTINGS)
    cluster.fault = once(verdict, "DELETE")
    settings.delete()
    assert cluster.get("configmaps", "settings", "default") is None


def test_a_busy_server_is_asked_again_when_it_says(cluster: Cluster, provider: KubernetesProvider) -> None:
    times: list[float] = []

    def busy(method: str, _path: str) -> None:
        if method == "PATCH":
            times.append(time.monotonic())
            if len(times) < 3:
                raise Refused(429, "TooManyRequests", "please try again later")

    cluster.fault = busy
    Declared(provider, "v1", "ConfigMap").create(**SETTINGS)
    assert len(times) == 3


def test_a_create_that_never_gets_an_answer_is_uncertain_and_found_by_the_next_run(
    cluster: Cluster, provider: KubernetesProvider
) -> None:
    cluster.fault = lambda method, _path: "lose" if method == "PATCH" else None
    settings = Declared(provider, "v1", "ConfigMap")
    with pytest.raises(OperationUncertain, match="took a request and did not answer"):
        settings.create(**SETTINGS)
    cluster.fault = lambda _method, _path: None
    found = provider.find(
        settings.urn, settings.type, settings.check(**SETTINGS), token="bedplate-1", known_ids=frozenset()
    )
    assert found is not None
    assert found.id == "default/settings"


def test_a_server_that_dies_while_an_object_is_waited_for(
    cluster: Cluster, server: Server, provider: KubernetesProvider
) -> None:
    """The object exists: it is kept, and the next run goes on."""
    cluster.react = lambda live: None
    web = Declared(provider, "apps/v1", "Deployment", timeout=60)
    threading.Timer(0.3, server.kill).start()
    started = time.monotonic()
    with pytest.raises(PartialFailure, match=r"nothing answers at .*the object exists") as raised:
        web.create(**DEPLOYMENT)
    assert time.monotonic() - started < 20
    assert raised.value.id == "default/web"
    assert raised.value.outputs["metadata"]["uid"]


def test_a_server_that_is_not_there(cluster: Cluster, server: Server, provider: KubernetesProvider) -> None:
    settings = Declared(provider, "v1", "ConfigMap")
    settings.create(**SETTINGS)
    server.kill()
    other = Declared(provider, "v1", "ConfigMap", name="other")
    with pytest.raises(
        ProviderError, match=r"ConfigMap 'other': nothing answers at .*: Connection refused; is the"
    ) as up:
        other.create(metadata={"name": "other"})
    assert not isinstance(up.value, OperationUncertain | PartialFailure)
    with pytest.raises(ProviderError, match="set `deleteUnreachable` on the provider"):
        settings.delete()
    with pytest.raises(ProviderError, match="nothing answers"):
        settings.refresh()


def test_a_cluster_that_is_gone_for_good_is_forgotten_where_the_provider_says_so(
    cluster: Cluster, server: Server, provider: KubernetesProvider
) -> None:
    settings = Declared(provider, "v1", "ConfigMap")
    settings.create(**SETTINGS)
    server.kill()
    provider.configure({"kubeconfig": kubeconfig(cluster.url), "skipUpdateUnreachable": "true"})
    assert settings.refresh()
    provider.configure({"kubeconfig": kubeconfig(cluster.url), "deleteUnreachable": "true"})
    settings.delete()
    assert not settings.refresh()


def test_what_answers_is_no_api_server(cluster: Cluster, provider: KubernetesProvider) -> None:
    def teapot(method: str, path: str) -> None:
        raise Refused(418, "", "I'm a teapot")

    cluster.fault = teapot
    with pytest.raises(ProviderError, match="teapot"):
        Declared(provider, "v1", "ConfigMap").create(**SETTINGS)


def test_an_object_that_is_not_ready_in_time_says_why(cluster: Cluster, provider: KubernetesProvider) -> None:
    def slow(live: dict[str, Any]) -> None:
        live["status"] = {
            "observedGeneration": 1, "replicas": 2, "readyReplicas": 1, "updatedReplicas": 2,
            "conditions": [{"type": "Available", "status": "False", "message": "1 of 2 ready"}],
        }  # fmt: skip

    cluster.react = slow
    web = Declared(provider, "apps/v1", "Deployment", timeout=0.5)
    with pytest.raises(PartialFailure) as raised:
        web.create(**DEPLOYMENT)
    assert "did not become ready within 0.5 seconds" in str(raised.value)
    assert "1 of 2 ready" in raised.value.reasons
    assert raised.value.outputs["status"]["readyReplicas"] == 1


def test_what_keeps_a_pod_from_running_is_told_while_it_is_waited_for_and_at_the_end(
    cluster: Cluster, provider: KubernetesProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A container that waits for a volume says nothing; only an event does."""
    monkeypatch.setattr(waiting, "TELL", 0.0)
    monkeypatch.setattr(waiting, "WATCH", 0.1)
    cluster.react = lambda live: None
    scheduled = {"type": "PodScheduled", "status": "True"}
    creating = {"name": "main", "ready": False, "state": {"waiting": {"reason": "ContainerCreating"}}}
    status = {"phase": "Pending", "conditions": [scheduled], "containerStatuses": [creating]}
    pod = cluster.put("v1", "Pod", "web-1", "default", status=status)
    pod["metadata"]["labels"] = DEPLOYMENT["spec"]["selector"]["matchLabels"]
    about: dict[str, Any] = {
        "type": "Warning",
        "reason": "FailedMount",
        "involvedObject": {"uid": pod["metadata"]["uid"]},
    }
    missing = 'MountVolume.SetUp failed for volume "token" : secret "grafana-sso" not found'
    for name, message, at in (("1", missing, "2026-11-27T00:00:09Z"), ("2", "older", "2026-11-27T00:00:01Z")):
        cluster.put("v1", "Event", name, "default", message=message, lastTimestamp=at, **about)
    told: list[str] = []
    web = Declared(provider, "apps/v1", "Deployment", timeout=1)
    with taking_notes(told.append), pytest.raises(PartialFailure) as raised:
        web.create(**DEPLOYMENT)
    reason = 'pod web-1: FailedMount: volume token: secret "grafana-sso" not found'
    assert set(told) == {reason}
    assert reason in raised.value.reasons


def test_what_was_in_a_sandbox_that_has_ended_is_gone(cluster: Cluster, server: Server) -> None:
    ended = KubernetesProvider(Access(gone=frozenset({"http://127.0.0.1:1"})))
    ended.configure({"kubeconfig": kubeconfig("http://localhost:1")})
    settings = Declared(ended, "v1", "ConfigMap", id="default/settings", inputs=SETTINGS)
    assert not settings.refresh()
    settings.delete()
    alive = KubernetesProvider(Access(gone=frozenset({"http://127.0.0.1:1"})))
    alive.configure({"kubeconfig": kubeconfig(cluster.url)})
    other = Declared(alive, "v1", "ConfigMap")
    other.create(**SETTINGS)
    assert other.refresh()


def test_a_run_that_is_cancelled_waits_no_longer(cluster: Cluster, provider: KubernetesProvider) -> None:
    cluster.react = lambda live: None
    threading.Timer(0.5, provider.cancel).start()
    web = Declared(provider, "apps/v1", "Deployment", timeout=60)
    with pytest.raises(PartialFailure, match="when the run was cancelled; the next run goes on waiting for it"):
        web.create(**DEPLOYMENT)
    assert cluster.get("deployments", "web", "default") is not None


def test_a_deletion_that_is_cancelled_is_told(cluster: Cluster, provider: KubernetesProvider) -> None:
    held = Declared(provider, "v1", "ConfigMap", timeout=60)
    held.create(metadata={"name": "held", "finalizers": ["example.com/hold"]}, data={"a": "1"})
    threading.Timer(0.5, provider.cancel).start()
    with pytest.raises(ProviderError, match="not gone yet when the run was cancelled"):
        held.delete()


def test_an_object_is_ready_when_its_controller_says_so(cluster: Cluster, provider: KubernetesProvider) -> None:
    from tests.engine.kubernetes.cluster import controllers

    cluster.react = lambda live: None

    def later() -> None:
        live = cluster.get("deployments", "web", "default")
        assert live is not None
        controllers(live)
        cluster.change("deployments", "web", "default")

    threading.Timer(0.4, later).start()
    outputs = Declared(provider, "apps/v1", "Deployment", timeout=20).create(**DEPLOYMENT)
    assert outputs["status"]["readyReplicas"] == 2
    assert (
        sum(request.startswith("GET") for request in cluster.requests) <= 3
    )  # it is watched, not asked again and again


@pytest.mark.parametrize(
    ("annotations", "reason"),
    [
        ({"pulumi.com/skipAwait": "true"}, None),
        ({"pulumi.com/timeoutSeconds": "1"}, "within 1 seconds"),
        ({"pulumi.com/waitFor": "jsonpath={.spec.replicas}=2"}, None),
        ({"pulumi.com/waitFor": "jsonpath={.spec[?(@ == 2 || @ == 3)]}"}, None),
        (
            {"pulumi.com/waitFor": "jsonpath={.status.phase}=Up", "pulumi.com/timeoutSeconds": "1"},
            r"\.status\.phase is not",
        ),
        ({"pulumi.com/waitFor": '["condition=Up"]', "pulumi.com/timeoutSeconds": "1"}, "condition Up is not there yet"),
    ],
)
def test_annotations_say_what_is_waited_for(
    cluster: Cluster, provider: KubernetesProvider, annotations: dict[str, str], reason: str | None
) -> None:
    cluster.react = lambda live: None
    web = Declared(provider, "apps/v1", "Deployment", timeout=0)
    declared: dict[str, Any] = {**DEPLOYMENT, "metadata": {"name": "web", "annotations": annotations}}
    if reason is None:
        web.create(**declared)
    else:
        with pytest.raises(PartialFailure, match=reason):
            web.create(**declared)


def test_a_group_that_ends_like_those_of_kubernetes_may_need_a_definition(
    provider: KubernetesProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.providers.kubernetes.discovery.Discovery.patience", 0.0)
    autoscaler = Declared(provider, "autoscaling.k8s.io/v1", "VerticalPodAutoscaler")
    with pytest.raises(ProviderError, match="install its CustomResourceDefinition first"):
        autoscaler.create(metadata={"name": "a"})


def test_a_kind_that_the_cluster_does_not_know(cluster: Cluster, provider: KubernetesProvider) -> None:
    pool = Declared(provider, "karpenter.sh/v1", "NodePool")
    with pytest.raises(ProviderError) as raised:
        pool.create(metadata={"name": "gpu"}, spec={})
    assert f"the cluster at {cluster.url} knows no kind NodePool in karpenter.sh/v1" in str(raised.value)
    assert "install its CustomResourceDefinition first" in str(raised.value)
    cluster.define("karpenter.sh/v1beta1", "NodePool", "nodepools")
    with pytest.raises(ProviderError, match=r"it has karpenter.sh in v1beta1 only: change the apiVersion"):
        pool.create(metadata={"name": "gpu"}, spec={})


def test_a_kind_that_comes_a_moment_later_is_waited_for(cluster: Cluster, provider: KubernetesProvider) -> None:
    threading.Timer(0.2, lambda: cluster.define("karpenter.sh/v1", "NodePool", "nodepools", namespaced=False)).start()
    pool = Declared(provider, "karpenter.sh/v1", "NodePool")
    pool.create(metadata={"name": "gpu"}, spec={})
    assert cluster.get("nodepools", "gpu")


def test_what_goes_with_its_kind_is_gone(cluster: Cluster, provider: KubernetesProvider) -> None:
    cluster.define("karpenter.sh/v1", "NodePool", "nodepools", namespaced=False)
    pool = Declared(provider, "karpenter.sh/v1", "NodePool")
    pool.create(metadata={"name": "gpu"}, spec={})
    del cluster.kinds["karpenter.sh/v1", "NodePool"]
    assert not pool.refresh()
    pool.delete()


def test_a_namespace_that_is_not_there(cluster: Cluster, provider: KubernetesProvider) -> None:
    with pytest.raises(ProviderError, match="there is no namespace 'team'; declare it, and let this resource depend"):
        Declared(provider, "v1", "ConfigMap").create(metadata={"name": "a", "namespace": "team"})


def test_a_namespace_that_comes_a_moment_later_is_waited_for(cluster: Cluster, provider: KubernetesProvider) -> None:
    threading.Timer(0.2, lambda: cluster.put("v1", "Namespace", "team")).start()
    Declared(provider, "v1", "ConfigMap").create(metadata={"name": "a", "namespace": "team"})


CONTENT = {"type": "NamespaceContentRemaining", "status": "True", "message": "pods. has 1 resource instances"}


def stuck(cluster: Cluster, name: str) -> None:
    live = cluster.put("v1", "Namespace", name, spec={"finalizers": ["kubernetes"]}, status={"conditions": [CONTENT]})
    live["metadata"]["deletionTimestamp"] = "2026-11-25T00:00:00Z"


def test_a_namespace_that_is_stuck_says_what_holds_it(cluster: Cluster, provider: KubernetesProvider) -> None:
    team = Declared(provider, "v1", "Namespace", timeout=0.5)
    team.create(metadata={"name": "team"})
    cluster.change("namespaces", "team", spec={"finalizers": ["kubernetes"]}, status={"conditions": [CONTENT]})
    with pytest.raises(ProviderError) as raised:
        team.delete()
    assert "still there after 0.5 seconds" in str(raised.value)
    assert "finalizers: kubernetes" in str(raised.value)
    assert "NamespaceContentRemaining: pods. has 1 resource instances" in str(raised.value)
    assert "kubectl edit namespace team" in str(raised.value)


def test_nothing_is_created_in_a_namespace_that_is_stuck(cluster: Cluster, provider: KubernetesProvider) -> None:
    stuck(cluster, "team")
    with pytest.raises(ProviderError) as raised:
        Declared(provider, "v1", "ConfigMap").create(metadata={"name": "a", "namespace": "team"})
    assert "namespace 'team' is being deleted, so nothing can be created in it" in str(raised.value)
    assert "finalizers: kubernetes" in str(raised.value)


def test_a_namespace_that_is_going_is_waited_for_before_it_is_made_again(
    cluster: Cluster, provider: KubernetesProvider
) -> None:
    stuck(cluster, "team")
    threading.Timer(0.3, lambda: cluster.remove("namespaces", "team")).start()
    Declared(provider, "v1", "Namespace").create(metadata={"name": "team"})
    live = cluster.get("namespaces", "team")
    assert live is not None
    assert "deletionTimestamp" not in live["metadata"]


def test_what_finalizers_hold_is_waited_for(cluster: Cluster, provider: KubernetesProvider) -> None:
    settings = Declared(provider, "v1", "ConfigMap")
    settings.create(**SETTINGS)
    live = cluster.get("configmaps", "settings", "default")
    assert live is not None
    live["metadata"]["finalizers"] = ["example.org/mine"]
    threading.Timer(0.3, lambda: cluster.remove("configmaps", "settings", "default")).start()
    settings.delete()
    assert cluster.get("configmaps", "settings", "default") is None


@pytest.mark.parametrize("policy", [None, "background", "orphan"])
def test_how_dependents_are_deleted(
    cluster: Cluster, provider: KubernetesProvider, policy: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Any] = []
    answer = cluster.answer

    def seen(method: str, path: str, query: Any, body: Any, content_type: str) -> Any:
        if method == "DELETE":
            asked.append(body["propagationPolicy"])
        return answer(method, path, query, body, content_type)

    monkeypatch.setattr(cluster, "answer", seen)
    annotations = {"pulumi.com/deletionPropagationPolicy": policy} if policy else {}
    settings = Declared(provider, "v1", "ConfigMap")
    settings.create(metadata={"name": "a", "annotations": annotations})
    settings.delete()
    assert asked == [(policy or "foreground").capitalize()]


def test_what_validation_refuses_is_told_field_by_field(cluster: Cluster, provider: KubernetesProvider) -> None:
    def invalid(method: str, _path: str) -> None:
        if method == "PATCH":
            causes = [
                {"reason": "FieldValueInvalid", "message": "must be positive", "field": "spec.a"},
                {"reason": "FieldValueRequired", "message": "Required value", "field": "spec.b"},
            ]
            raise Refused(422, "Invalid", "ConfigMap is invalid: [...]", causes)

    cluster.fault = invalid
    with pytest.raises(ProviderError, match=r"refuses it: spec\.a: must be positive; spec\.b: Required value"):
        Declared(provider, "v1", "ConfigMap").create(**SETTINGS)
