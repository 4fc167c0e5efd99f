"""What the cluster does by itself: workloads are ready at once, namespaces and owners take their own along."""

from __future__ import annotations

from typing import Any

import pytest

from tests.engine.emulator.kubernetes.http import Http
from tests.engine.emulator.kubernetes.test_objects import config_map, deployment

CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"


def path(namespace: str, resource: str, group: str = "") -> str:
    return f"/apis/{group}/namespaces/{namespace}/{resource}" if group else f"/api/v1/namespaces/{namespace}/{resource}"


def names(http: Http, at: str) -> list[str]:
    return [each["metadata"]["name"] for each in http.get(at).body["items"]]


def conditions(body: Any) -> dict[str, str]:
    return {each["type"]: each["status"] for each in body["status"]["conditions"]}


def test_a_deployment_is_rolled_out(http: Http, namespace: str) -> None:
    at = path(namespace, "deployments", "apps/v1")
    http.post(at, deployment("web", 3))
    status = http.get(f"{at}/web").body["status"]
    assert (status["readyReplicas"], status["updatedReplicas"], status["observedGeneration"]) == (3, 3, 1)
    assert conditions(http.get(f"{at}/web").body) == {"Available": "True", "Progressing": "True"}
    (first,) = http.get(path(namespace, "replicasets", "apps/v1")).body["items"]
    assert len(names(http, f"{path(namespace, 'pods')}?labelSelector=app%3Dweb")) == 3
    http.patch(f"{at}/web", {"spec": {"template": {"metadata": {"annotations": {"version": "2"}}}}})
    sets = {
        each["metadata"]["name"]: each for each in http.get(path(namespace, "replicasets", "apps/v1")).body["items"]
    }
    assert len(sets) == 2
    assert sets[first["metadata"]["name"]]["spec"]["replicas"] == 0
    after = http.get(f"{at}/web").body
    assert after["metadata"]["annotations"]["deployment.kubernetes.io/revision"] == "2"
    assert after["status"]["observedGeneration"] == 2
    http.delete(f"{at}/web")
    assert names(http, path(namespace, "pods")) == names(http, path(namespace, "replicasets", "apps/v1")) == []


def test_a_thousand_replicas_are_cheap(http: Http, namespace: str) -> None:
    at = path(namespace, "deployments", "apps/v1")
    http.post(at, deployment("web", 1000))
    assert http.get(f"{at}/web").body["status"]["readyReplicas"] == 1000
    assert len(names(http, path(namespace, "pods"))) == 5


def test_a_pod_that_is_deleted_comes_back(http: Http, namespace: str) -> None:
    http.post(path(namespace, "deployments", "apps/v1"), deployment("web", 1))
    (before,) = names(http, path(namespace, "pods"))
    http.delete(f"{path(namespace, 'pods')}/{before}")
    (after,) = names(http, path(namespace, "pods"))
    assert after != before


def test_a_replication_controller_has_its_pods(http: Http, namespace: str) -> None:
    body: dict[str, Any] = deployment("web", 2) | {"apiVersion": "v1", "kind": "ReplicationController"}
    body["spec"]["selector"] = {"app": "web"}
    at = path(namespace, "replicationcontrollers")
    http.post(at, body)
    assert http.get(f"{at}/web").body["status"]["availableReplicas"] == 2
    http.delete(f"{path(namespace, 'pods')}/{names(http, path(namespace, 'pods'))[0]}")
    assert len(names(http, path(namespace, "pods"))) == 2


@pytest.mark.parametrize(
    ("resource", "group", "kind", "spec", "status"),
    [
        ("services", "", "Service", {"type": "LoadBalancer", "ports": [{"port": 80}]}, {"loadBalancer": {}}),
        ("ingresses", "networking.k8s.io/v1", "Ingress", {"ingressClassName": "nginx"}, {"loadBalancer": {}}),
        ("deployments", "apps/v1", "Deployment", deployment("a", 1)["spec"], {}),
    ],
)
def test_the_answer_to_a_create_has_a_status(
    http: Http, namespace: str, resource: str, group: str, kind: str, spec: Any, status: Any
) -> None:
    body = {"apiVersion": group or "v1", "kind": kind, "metadata": {"name": "a"}, "spec": spec}
    created = http.post(path(namespace, resource, group), body).body
    assert status.items() <= created["status"].items()


def test_a_stateful_set_names_its_pods(http: Http, namespace: str) -> None:
    body: dict[str, Any] = deployment("db", 2) | {"kind": "StatefulSet"}
    body["spec"]["serviceName"] = "db"
    at = path(namespace, "statefulsets", "apps/v1")
    http.post(at, body)
    assert names(http, path(namespace, "pods")) == ["db-0", "db-1"]
    status = http.get(f"{at}/db").body["status"]
    assert status["currentRevision"] == status["updateRevision"]
    assert status["readyReplicas"] == 2


def test_a_daemon_runs_once_on_each_node(http: Http, namespace: str) -> None:
    body: dict[str, Any] = deployment("agent", 1) | {"kind": "DaemonSet"}
    body["spec"].pop("replicas")
    at = path(namespace, "daemonsets", "apps/v1")
    for name in ("one", "two", "three"):
        http.post("/api/v1/nodes", {"metadata": {"name": name}})
    http.post(at, body)

    def places() -> list[str]:
        return sorted(each["spec"]["nodeName"] for each in http.get(path(namespace, "pods")).body["items"])

    assert places() == ["one", "three", "two"]
    http.delete(f"{path(namespace, 'pods')}/{names(http, path(namespace, 'pods'))[1]}")
    assert places() == ["one", "three", "two"]
    http.delete("/api/v1/nodes/two")
    http.post("/api/v1/nodes", {"metadata": {"name": "four"}})
    assert places() == ["four", "one", "three"]
    for name in ("one", "three", "four"):
        http.delete(f"/api/v1/nodes/{name}")


def test_a_job_completes_unless_it_is_suspended(http: Http, namespace: str) -> None:
    at = path(namespace, "jobs", "batch/v1")
    pod = {"restartPolicy": "Never", "containers": [{"name": "a", "image": "a:1"}]}
    body: dict[str, Any] = {"metadata": {"name": "once"}, "spec": {"template": {"spec": pod}}}
    made = http.post(at, body).body
    assert made["spec"]["selector"]["matchLabels"]["batch.kubernetes.io/controller-uid"] == made["metadata"]["uid"]
    done = http.get(f"{at}/once").body
    assert conditions(done)["Complete"] == "True"
    assert done["status"]["succeeded"] == 1
    body = {"metadata": {"name": "later"}, "spec": body["spec"] | {"suspend": True}}
    http.post(at, body)
    assert conditions(http.get(f"{at}/later").body) == {"Suspended": "True"}


def test_a_claim_is_bound_and_takes_its_volume_along(http: Http, namespace: str) -> None:
    at = path(namespace, "persistentvolumeclaims")
    spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    http.post(at, {"metadata": {"name": "disk"}, "spec": spec})
    claim = http.get(f"{at}/disk").body
    assert claim["status"]["phase"] == "Bound"
    volume = f"/api/v1/persistentvolumes/{claim['spec']['volumeName']}"
    assert http.get(volume).body["status"]["phase"] == "Bound"
    http.delete(f"{at}/disk")
    assert (http.get(f"{at}/disk").status, http.get(volume).status) == (404, 404)


def test_services_and_ingresses_have_addresses(http: Http, namespace: str) -> None:
    http.post(path(namespace, "deployments", "apps/v1"), deployment("web", 2))
    at = path(namespace, "services")
    spec = {"type": "LoadBalancer", "selector": {"app": "web"}, "ports": [{"port": 80}]}
    made = http.post(at, {"metadata": {"name": "web"}, "spec": spec}).body
    assert made["spec"]["clusterIP"].startswith("172.20.")
    assert made["spec"]["ports"][0]["nodePort"] >= 30000
    (ingress,) = http.get(f"{at}/web").body["status"]["loadBalancer"]["ingress"]
    assert ingress["hostname"].endswith(".elb.us-east-1.amazonaws.com")
    (slice_,) = http.get(path(namespace, "endpointslices", "discovery.k8s.io/v1")).body["items"]
    assert len(slice_["endpoints"]) == 2
    backend = {"service": {"name": "web", "port": {"number": 80}}}
    rule = {"http": {"paths": [{"path": "/", "pathType": "Prefix", "backend": backend}]}}
    at = path(namespace, "ingresses", "networking.k8s.io/v1")
    http.post(at, {"metadata": {"name": "web"}, "spec": {"rules": [rule]}})
    assert http.get(f"{at}/web").body["status"]["loadBalancer"]["ingress"][0]["hostname"]


def test_budgets_and_autoscalers_follow_their_workload(http: Http, namespace: str) -> None:
    workloads = path(namespace, "deployments", "apps/v1")
    http.post(workloads, deployment("web", 4))
    budget = path(namespace, "poddisruptionbudgets", "policy/v1")
    spec: Any = {"minAvailable": "50%", "selector": {"matchLabels": {"app": "web"}}}
    http.post(budget, {"metadata": {"name": "web"}, "spec": spec})
    status = http.get(f"{budget}/web").body["status"]
    assert (status["desiredHealthy"], status["disruptionsAllowed"]) == (2, 2)
    http.patch(f"{workloads}/web", {"spec": {"replicas": 2}})
    assert http.get(f"{budget}/web").body["status"]["disruptionsAllowed"] == 1
    scaler = path(namespace, "horizontalpodautoscalers", "autoscaling/v2")
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}
    http.post(scaler, {"metadata": {"name": "web"}, "spec": {"maxReplicas": 3, "scaleTargetRef": target}})
    assert conditions(http.get(f"{scaler}/web").body)["ScalingActive"] == "True"


def test_a_quota_keeps_a_deployment_from_its_pods_and_says_so(http: Http, namespace: str) -> None:
    quotas = path(namespace, "resourcequotas")
    http.post(quotas, {"metadata": {"name": "team"}, "spec": {"hard": {"requests.nvidia.com/gpu": "2", "pods": "10"}}})
    body = deployment("train", 1)
    body["spec"]["template"]["spec"]["containers"][0]["resources"] = {"limits": {"nvidia.com/gpu": 2}}
    at = path(namespace, "deployments", "apps/v1")
    http.post(at, body)
    assert http.get(f"{at}/train").body["status"]["readyReplicas"] == 1
    assert http.get(f"{quotas}/team").body["status"]["used"] == {"requests.nvidia.com/gpu": "2", "pods": "1"}
    body["metadata"]["name"] = "more"
    http.post(at, body)
    found = http.get(f"{at}/more").body
    assert conditions(found)["ReplicaFailure"] == "True"
    (why,) = [each["message"] for each in found["status"]["conditions"] if each["type"] == "ReplicaFailure"]
    assert "exceeded quota: team, requested: requests.nvidia.com/gpu=2" in why
    assert "readyReplicas" not in found["status"]
    http.delete(f"{at}/train")
    assert http.get(f"{quotas}/team").body["status"]["used"]["requests.nvidia.com/gpu"] == "0"


def test_a_limit_range_fills_in_what_a_pod_does_not_say(http: Http, namespace: str) -> None:
    limits = [{"type": "Container", "default": {"cpu": "2"}, "defaultRequest": {"cpu": "500m"}}]
    http.post(path(namespace, "limitranges"), {"metadata": {"name": "team"}, "spec": {"limits": limits}})
    body = {"metadata": {"name": "a"}, "spec": {"containers": [{"name": "a", "image": "a:1"}]}}
    made = http.post(path(namespace, "pods"), body).body
    assert made["spec"]["containers"][0]["resources"] == {"limits": {"cpu": "2"}, "requests": {"cpu": "500m"}}


def test_a_namespace_takes_its_objects_along(http: Http, namespace: str) -> None:
    assert names(http, path(namespace, "serviceaccounts")) == ["default"]
    http.post(path(namespace, "configmaps"), config_map("a"))
    http.post(path(namespace, "deployments", "apps/v1"), deployment("web"))
    said = http.delete(f"/api/v1/namespaces/{namespace}").body
    assert said["status"]["phase"] == "Terminating"
    assert http.get(f"/api/v1/namespaces/{namespace}").status == 404
    assert names(http, path(namespace, "configmaps")) == []


def test_a_namespace_stuck_in_terminating(http: Http, namespace: str) -> None:
    body = config_map("held")
    body["metadata"]["finalizers"] = ["example.com/hold"]
    at = path(namespace, "configmaps")
    http.post(at, body)
    http.delete(f"/api/v1/namespaces/{namespace}")
    stuck = http.get(f"/api/v1/namespaces/{namespace}").body
    assert stuck["status"]["phase"] == "Terminating"
    said = {each["type"]: each for each in stuck["status"]["conditions"]}
    assert said["NamespaceContentRemaining"]["status"] == "True"
    assert said["NamespaceContentRemaining"]["message"] == (
        "Some resources are remaining: configmaps. has 1 resource instances"
    )
    assert said["NamespaceFinalizersRemaining"]["message"] == (
        "Some content in the namespace has finalizers remaining: example.com/hold in 1 resource instances"
    )
    refused = http.post(at, config_map("late"))
    assert (refused.status, refused.body["details"]["causes"][0]["reason"]) == (403, "NamespaceTerminating")
    http.patch(f"{at}/held", {"metadata": {"finalizers": None}})
    assert http.get(f"/api/v1/namespaces/{namespace}").status == 404


def crd(plural: str, kind: str, scope: str = "Namespaced") -> dict[str, Any]:
    schema = {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}
    versions = [{"name": name, "served": True, "storage": name == "v1", "schema": schema} for name in ("v1beta1", "v1")]
    spec: dict[str, Any] = {"group": "test.example.com", "scope": scope, "versions": versions}
    spec["names"] = {"plural": plural, "kind": kind, "shortNames": [plural[:3]]}
    return {"metadata": {"name": f"{plural}.test.example.com"}, "spec": spec}


@pytest.mark.parametrize("scope", ["Namespaced", "Cluster"])
def test_a_crd_is_served_at_once_in_all_of_its_versions(http: Http, namespace: str, scope: str) -> None:
    plural = f"gadget{scope.lower()}s"
    at = f"/namespaces/{namespace}/{plural}" if scope == "Namespaced" else f"/{plural}"
    assert http.get(f"/apis/test.example.com/v1/{plural}").status == 404
    http.post(CRDS, crd(plural, f"Gadget{scope}", scope))
    found = http.get(f"{CRDS}/{plural}.test.example.com").body
    assert conditions(found) == {"NamesAccepted": "True", "Established": "True"}
    assert found["status"]["storedVersions"] == ["v1"]
    (group,) = [each for each in http.get("/apis").body["groups"] if each["name"] == "test.example.com"]
    assert [each["version"] for each in group["versions"]] == ["v1", "v1beta1"]
    body = {
        "apiVersion": "test.example.com/v1",
        "kind": f"Gadget{scope}",
        "metadata": {"name": "g"},
        "spec": {"any": 1},
    }
    assert http.post(f"/apis/test.example.com/v1{at}", body).status == 201
    assert http.get(f"/apis/test.example.com/v1beta1{at}/g").body["apiVersion"] == "test.example.com/v1beta1"
    http.delete(f"{CRDS}/{plural}.test.example.com")
    assert http.get(f"{CRDS}/{plural}.test.example.com").status == 404
    assert http.get(f"/apis/test.example.com/v1{at}").status == 404


def test_an_owner_that_never_was(http: Http, namespace: str) -> None:
    body = config_map("child")
    owner = {"apiVersion": "v1", "kind": "ConfigMap", "name": "none", "uid": "00000000-0000-0000-0000-000000000000"}
    body["metadata"]["ownerReferences"] = [owner]
    http.post(path(namespace, "configmaps"), body)
    assert http.get(f"{path(namespace, 'configmaps')}/child").status == 404
