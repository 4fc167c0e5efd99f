"""Objects of the embedded Kubernetes API: create, change, list, watch, delete, as a real API server has it."""

from __future__ import annotations

import asyncio
import json
import threading
import urllib.request
from typing import Any

import kubernetes.client
import kubernetes.watch
import pytest

from engine.emulator.kubernetes.server import KubernetesServer
from tests.engine.emulator.kubernetes.http import JSON_PATCH, STRATEGIC, Http


def config_map(name: str, **data: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data}


def deployment(name: str, replicas: int = 2) -> dict[str, Any]:
    labels = {"app": name}
    pod = {"containers": [{"name": "main", "image": "registry/app:1"}]}
    template = {"metadata": {"labels": labels}, "spec": pod}
    spec = {"replicas": replicas, "selector": {"matchLabels": labels}, "template": template}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name}, "spec": spec}


@pytest.fixture
def maps(namespace: str) -> str:
    return f"/api/v1/namespaces/{namespace}/configmaps"


def test_the_version_is_the_declared_one(official: Any) -> None:
    version = kubernetes.client.VersionApi(official).get_code()
    assert (version.major, version.minor) == ("1", "35")
    assert version.git_version.startswith("v1.35.")


def test_discovery_lists_groups_kinds_and_subresources(http: Http) -> None:
    groups = {group["name"]: group for group in http.get("/apis").body["groups"]}
    assert groups["apps"]["preferredVersion"] == {"groupVersion": "apps/v1", "version": "v1"}
    assert groups["autoscaling"]["preferredVersion"]["version"] == "v2"
    entries = {entry["name"]: entry for entry in http.get("/apis/apps/v1").body["resources"]}
    assert entries["deployments"]["shortNames"] == ["deploy"]
    assert entries["deployments"]["namespaced"] is True
    assert entries["deployments/scale"]["kind"] == "Scale"
    assert http.get("/apis/apps").body["kind"] == "APIGroup"
    assert http.get("/api").body["versions"] == ["v1"]
    assert http.get("/readyz").body == "ok"


@pytest.mark.parametrize("path", ["/api/v1/nothings", "/apis/none.example/v1/things", "/api/v2", "/apis/apps/v1beta1"])
def test_a_path_that_the_api_lacks_is_not_found(http: Http, path: str) -> None:
    assert http.get(path).status == 404


def test_what_only_the_api_may_say_is_the_apis(http: Http, maps: str) -> None:
    given = config_map("a", key="1")
    given["metadata"] |= {"uid": "mine", "creationTimestamp": "2000-01-01T00:00:00Z"}
    made = http.post(maps, given)
    assert made.status == 201
    about = made.body["metadata"]
    assert about["uid"] != "mine"
    assert not about["creationTimestamp"].startswith("2000")
    assert int(about["resourceVersion"]) > 0


def test_generate_name(http: Http, maps: str) -> None:
    body = config_map("x")
    body["metadata"] = {"generateName": "run-"}
    names = {http.post(maps, body).body["metadata"]["name"] for _ in range(3)}
    assert len(names) == 3
    assert all(name.startswith("run-") and len(name) == 9 for name in names)


def test_an_object_is_made_once(http: Http, maps: str) -> None:
    http.post(maps, config_map("a"))
    again = http.post(maps, config_map("a"))
    assert (again.status, again.body["reason"]) == (409, "AlreadyExists")
    assert again.body["message"] == 'configmaps "a" already exists'
    assert again.body["details"] == {"name": "a", "kind": "configmaps"}


def test_what_is_not_there(http: Http, namespace: str) -> None:
    said = http.get(f"/apis/apps/v1/namespaces/{namespace}/deployments/none")
    assert (said.status, said.body["reason"]) == (404, "NotFound")
    assert said.body["message"] == 'deployments.apps "none" not found'
    missing = http.post("/api/v1/namespaces/nowhere/configmaps", config_map("a"))
    assert (missing.status, missing.body["message"]) == (404, 'namespaces "nowhere" not found')


@pytest.mark.parametrize("name", ["Upper", "under_score", "-first", "a" * 254])
def test_a_name_must_be_a_dns_name(http: Http, maps: str, name: str) -> None:
    said = http.post(maps, config_map(name))
    assert (said.status, said.body["reason"]) == (422, "Invalid")
    assert said.body["details"]["causes"][0]["field"] == "metadata.name"


def test_an_outdated_update_is_refused(http: Http, maps: str) -> None:
    first = http.post(maps, config_map("a", key="1")).body
    second = http.put(f"{maps}/a", first | {"data": {"key": "2"}})
    assert second.status == 200
    assert second.body["metadata"]["resourceVersion"] != first["metadata"]["resourceVersion"]
    third = http.put(f"{maps}/a", first | {"data": {"key": "3"}})
    assert (third.status, third.body["reason"]) == (409, "Conflict")
    assert "the object has been modified" in third.body["message"]


def test_a_write_that_changes_nothing_is_none(http: Http, maps: str) -> None:
    first = http.post(maps, config_map("a", key="1")).body
    same = http.patch(f"{maps}/a", {"data": {"key": "1"}}).body
    assert same["metadata"]["resourceVersion"] == first["metadata"]["resourceVersion"]


def test_merge_patch_and_json_patch(http: Http, maps: str) -> None:
    http.post(maps, config_map("a", one="1", two="2"))
    assert http.patch(f"{maps}/a", {"data": {"one": None, "three": "3"}}).body["data"] == {"two": "2", "three": "3"}
    operations = [{"op": "test", "path": "/data/two", "value": "2"}, {"op": "remove", "path": "/data/two"}]
    assert http.patch(f"{maps}/a", operations, JSON_PATCH).body["data"] == {"three": "3"}
    assert http.patch(f"{maps}/a", operations, JSON_PATCH).status == 422


def test_strategic_merge_patch_merges_lists_by_their_key(http: Http, namespace: str) -> None:
    path = f"/apis/apps/v1/namespaces/{namespace}/deployments"
    http.post(path, deployment("web"))
    containers = [{"name": "main", "image": "registry/app:2"}, {"name": "side", "image": "registry/side:1"}]
    patch = {"spec": {"template": {"spec": {"containers": containers}}}}
    after = http.patch(f"{path}/web", patch, STRATEGIC).body["spec"]["template"]["spec"]["containers"]
    assert [(each["name"], each["image"]) for each in after] == [
        ("main", "registry/app:2"),
        ("side", "registry/side:1"),
    ]
    gone = {"spec": {"template": {"spec": {"containers": [{"name": "side", "$patch": "delete"}]}}}}
    after = http.patch(f"{path}/web", gone, STRATEGIC).body["spec"]["template"]["spec"]["containers"]
    assert [each["name"] for each in after] == ["main"]


def test_a_patch_of_an_unknown_form(http: Http, maps: str) -> None:
    http.post(maps, config_map("a"))
    said = http.patch(f"{maps}/a", {}, "application/yaml-patch")
    assert (said.status, said.body["reason"]) == (415, "UnsupportedMediaType")


def test_unknown_fields(http: Http, namespace: str) -> None:
    path, body = f"/apis/apps/v1/namespaces/{namespace}/deployments", deployment("web")
    body["spec"]["replicaz"] = 3
    strict = http.post(f"{path}?fieldValidation=Strict", body)
    assert (strict.status, strict.body["reason"]) == (400, "BadRequest")
    assert strict.body["message"] == (
        'Deployment in version "v1" cannot be handled as a Deployment: strict decoding error: '
        'unknown field "spec.replicaz"'
    )
    warned = http.post(path, body)
    assert warned.status == 201
    assert warned.warnings == ['299 - "unknown field \\"spec.replicaz\\""']
    assert "replicaz" not in warned.body["spec"]


def test_a_wrong_type(http: Http, namespace: str) -> None:
    body = deployment("web")
    body["spec"]["replicas"] = "two"
    said = http.post(f"/apis/apps/v1/namespaces/{namespace}/deployments", body)
    assert said.status == 400
    assert "cannot unmarshal string" in said.body["message"]


def test_dry_run_stores_nothing(http: Http, maps: str) -> None:
    assert http.post(f"{maps}?dryRun=All", config_map("a")).status == 201
    assert http.get(f"{maps}/a").status == 404
    http.post(maps, config_map("b", key="1"))
    assert http.patch(f"{maps}/b?dryRun=All", {"data": {"key": "2"}}).body["data"] == {"key": "2"}
    assert http.get(f"{maps}/b").body["data"] == {"key": "1"}
    assert http.delete(f"{maps}/b?dryRun=All").status == 200
    assert http.get(f"{maps}/b").status == 200


def test_generation_counts_changes_of_the_specification_only(http: Http, namespace: str) -> None:
    path = f"/apis/apps/v1/namespaces/{namespace}/deployments"
    assert http.post(path, deployment("web")).body["metadata"]["generation"] == 1
    assert http.patch(f"{path}/web", {"metadata": {"labels": {"x": "y"}}}).body["metadata"]["generation"] == 1
    assert http.patch(f"{path}/web", {"spec": {"replicas": 3}}).body["metadata"]["generation"] == 2


def test_the_status_is_a_subresource(http: Http, namespace: str) -> None:
    path = f"/apis/apps/v1/namespaces/{namespace}/deployments"
    made = http.post(path, deployment("web") | {"status": {"replicas": 99}}).body
    assert made["status"] == {}
    http.patch(f"{path}/web", {"status": {"collisionCount": 7}})
    assert "collisionCount" not in http.get(f"{path}/web").body["status"]
    patch = {"status": {"collisionCount": 7}, "spec": {"replicas": 9}}
    after = http.patch(f"{path}/web/status", patch).body
    assert (after["status"]["collisionCount"], after["spec"]["replicas"]) == (7, 2)


def test_scale(apps: Any, http: Http, namespace: str) -> None:
    http.post(f"/apis/apps/v1/namespaces/{namespace}/deployments", deployment("web"))
    assert apps.read_namespaced_deployment_scale("web", namespace).spec.replicas == 2
    apps.patch_namespaced_deployment_scale("web", namespace, {"spec": {"replicas": 5}})
    assert apps.read_namespaced_deployment("web", namespace).spec.replicas == 5


def test_lists_by_label_and_field(core: Any, namespace: str) -> None:
    for name, labels in {"a": {"tier": "web"}, "b": {"tier": "db", "old": "yes"}, "c": {}}.items():
        core.create_namespaced_config_map(namespace, {"metadata": {"name": name, "labels": labels}})

    def names(**selectors: str) -> list[str]:
        found = core.list_namespaced_config_map(namespace, **selectors).items
        return [each.metadata.name for each in found if each.metadata.name != "kube-root-ca.crt"]

    assert names() == ["a", "b", "c"]
    assert names(label_selector="tier=web") == ["a"]
    assert names(label_selector="tier in (web, db),!old") == ["a"]
    assert names(label_selector="tier!=web,tier") == ["b"]
    assert names(label_selector="tier notin (web)") == ["b", "c"]
    assert names(field_selector="metadata.name=c") == ["c"]


def test_a_field_that_nothing_can_be_selected_by(http: Http, maps: str) -> None:
    said = http.get(f"{maps}?fieldSelector=data.key%3D1")
    assert (said.status, said.body["reason"]) == (400, "BadRequest")


def test_pages_of_a_list(http: Http, maps: str) -> None:
    for name in "abcde":
        http.post(maps, config_map(name))
    first = http.get(f"{maps}?limit=4").body
    assert first["metadata"]["remainingItemCount"] == 2  # with kube-root-ca.crt
    second = http.get(f"{maps}?limit=4&continue={first['metadata']['continue']}").body
    assert [each["metadata"]["name"] for each in second["items"]] == ["e", "kube-root-ca.crt"]
    assert "continue" not in second["metadata"]


def test_a_watch_tells_what_happens(core: Any, namespace: str) -> None:
    start = core.list_namespaced_config_map(namespace).metadata.resource_version
    core.create_namespaced_config_map(namespace, {"metadata": {"name": "a", "labels": {"watched": "yes"}}})
    core.patch_namespaced_config_map("a", namespace, {"metadata": {"labels": {"watched": "no"}}})
    core.create_namespaced_config_map(namespace, {"metadata": {"name": "b"}})
    core.patch_namespaced_config_map("a", namespace, {"metadata": {"labels": {"watched": "yes"}}})
    later = threading.Timer(0.2, core.delete_namespaced_config_map, ("a", namespace))
    later.start()
    watch: Any = kubernetes.watch.Watch()
    seen: list[tuple[str, str]] = []
    selected: Any = {"resource_version": start, "label_selector": "watched=yes", "timeout_seconds": 20}
    for event in watch.stream(core.list_namespaced_config_map, namespace, **selected):
        seen.append((event["type"], event["object"].metadata.name))
        if len(seen) == 4:
            watch.stop()
    later.join()
    assert seen == [("ADDED", "a"), ("DELETED", "a"), ("ADDED", "a"), ("DELETED", "a")]


def test_a_watch_begins_with_what_there_is_and_ends_when_its_time_is_over(server: KubernetesServer, maps: str) -> None:
    with urllib.request.urlopen(f"{server.url}{maps}?watch=true&timeoutSeconds=1&resourceVersion=0") as answer:
        first = json.loads(answer.readline())
        assert (first["type"], first["object"]["metadata"]["name"]) == ("ADDED", "kube-root-ca.crt")
        assert answer.read() == b""


def test_deleting(http: Http, maps: str) -> None:
    made = http.post(maps, config_map("a")).body
    wrong = http.delete(f"{maps}/a", {"preconditions": {"uid": "another"}})
    assert (wrong.status, wrong.body["reason"]) == (409, "Conflict")
    gone = http.delete(f"{maps}/a", {"preconditions": {"uid": made["metadata"]["uid"]}})
    assert (gone.status, gone.body["status"], gone.body["details"]["uid"]) == (200, "Success", made["metadata"]["uid"])
    assert http.delete(f"{maps}/a").status == 404


def test_finalizers_hold_an_object(http: Http, maps: str) -> None:
    body = config_map("a")
    body["metadata"]["finalizers"] = ["example.com/hold"]
    http.post(maps, body)
    marked = http.delete(f"{maps}/a").body
    assert marked["metadata"]["deletionTimestamp"]
    assert http.get(f"{maps}/a").status == 200
    more = http.patch(f"{maps}/a", {"metadata": {"finalizers": ["example.com/hold", "example.com/more"]}})
    assert more.status == 422
    assert "no new finalizers can be added" in more.body["message"]
    assert http.patch(f"{maps}/a", {"metadata": {"finalizers": None}}).status == 200
    assert http.get(f"{maps}/a").status == 404


@pytest.mark.parametrize(("policy", "left"), [("Background", []), ("Foreground", []), ("Orphan", ["child"])])
def test_what_an_object_owns_goes_with_it_or_stays(http: Http, maps: str, policy: str, left: list[str]) -> None:
    owner = http.post(maps, config_map("owner")).body
    child = config_map("child")
    reference = {"apiVersion": "v1", "kind": "ConfigMap", "name": "owner", "uid": owner["metadata"]["uid"]}
    child["metadata"]["ownerReferences"] = [reference | {"blockOwnerDeletion": True}]
    http.post(maps, child)
    http.delete(f"{maps}/owner", {"propagationPolicy": policy})
    found = [each["metadata"]["name"] for each in http.get(maps).body["items"]]
    assert [name for name in found if name != "kube-root-ca.crt"] == left
    if left:
        assert "ownerReferences" not in http.get(f"{maps}/child").body["metadata"]


def test_deleting_a_collection(http: Http, maps: str) -> None:
    for name, label in (("a", "x"), ("b", "x"), ("c", "y")):
        http.post(maps, config_map(name) | {"metadata": {"name": name, "labels": {"group": label}}})
    assert http.delete(f"{maps}?labelSelector=group%3Dx").status == 200
    assert [each["metadata"]["name"] for each in http.get(maps).body["items"]] == ["c", "kube-root-ca.crt"]


def test_methods_that_a_resource_lacks(http: Http, namespace: str) -> None:
    assert http.post("/api/v1/configmaps", config_map("a")).status == 405
    assert http.delete("/api/v1/namespaces").status == 405
    assert http.get(f"/api/v1/namespaces/{namespace}/nodes").status == 404


def test_a_body_that_is_no_object(http: Http, maps: str) -> None:
    assert http.post(maps, ["no", "object"]).status == 400
    wrong = http.post(maps, deployment("web"))
    assert wrong.status == 400
    assert "cannot be handled as a ConfigMap" in wrong.body["message"]


def test_a_test_can_break_a_request_by_kmock(server: KubernetesServer, http: Http, namespace: str) -> None:
    """The handler's reactions come before the cluster's answers."""
    path = f"/api/v1/namespaces/{namespace}/configmaps/a"

    async def broken() -> Any:
        return server.api[f"get {path}"] << 503

    loop = server.api.loop
    assert loop is not None
    asyncio.run_coroutine_threadsafe(broken(), loop).result()
    assert http.get(path).status == 503
    assert http.get(f"{path}b").status == 404
