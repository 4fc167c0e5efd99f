"""What plays the storage driver of the native sandbox: against a server that a test tells what to say, and for real."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import pytest

from engine.kubernetes import volumes
from engine.sandbox import kubeconfig
from engine.sandbox.api import Api, Refused, Unanswered
from engine.sandbox.following import follow
from engine.sandbox.native import cache_of, control_plane, required
from engine.sandbox.volumes import Driver
from tests.conftest import REPOSITORY
from tests.engine.sandbox.waiting import eventually

LATE = {"provisioner": "ebs.csi.aws.com", "volumeBindingMode": "WaitForFirstConsumer", "reclaimPolicy": "Delete"}
SPEC: dict[str, Any] = {
    "accessModes": ["ReadWriteOnce"], "storageClassName": "gp3", "resources": {"requests": {"storage": "5Gi"}},
}  # fmt: skip
CLASS, NODE = "/apis/storage.k8s.io/v1/storageclasses/gp3", "/api/v1/nodes/one"
VOLUMES = "/api/v1/persistentvolumes"


class Over(Exception):
    """The test has seen what it wanted."""


@dataclass
class Server:
    """Answers what ``there`` has at a path, refuses what ``refuses`` names, and remembers what was written."""

    there: dict[str, Any] = field(default_factory=dict[str, Any])
    refuses: dict[str, int] = field(default_factory=dict[str, int])
    written: list[tuple[str, str, Any]] = field(default_factory=list[tuple[str, str, Any]])

    def request(self, method: str, path: str, body: Any = None) -> Any:
        if status := self.refuses.get(f"{method} {path}"):
            raise Refused(status, "no")
        if method == "GET":
            if path not in self.there:
                raise Refused(404, "not found")
            return self.there[path]
        self.written.append((method, path, body))
        return body


def claim(**annotations: str) -> dict[str, Any]:
    about = {"name": "data", "namespace": "team", "uid": "11111111-2222-3333-4444-555555555555", "resourceVersion": "7"}
    return {"metadata": {**about, "annotations": annotations}, "spec": SPEC}


def asked(node: str = "") -> dict[str, Any]:
    """A claim whose volume the cluster asks for; on ``node``, where the scheduler has chosen."""
    late = {volumes.SELECTED_NODE: node} if node else {}
    return claim(**{volumes.PROVISIONER: "ebs.csi.aws.com", **late})


def on(server: Server) -> Driver:
    return Driver(cast("Api", server))


def test_a_volume_is_made_in_the_zone_of_the_node_that_was_chosen() -> None:
    node = {"metadata": {"labels": {"topology.kubernetes.io/zone": "us-east-1c"}}}
    server = Server({CLASS: {"metadata": {"name": "gp3"}, **LATE}, NODE: node})
    on(server).claim(asked("one"))
    ((method, path, volume),) = server.written
    assert (method, path) == ("POST", VOLUMES)
    assert volume["metadata"]["name"] == "pvc-11111111-2222-3333-4444-555555555555"
    spec = volume["spec"]
    assert spec["capacity"] == {"storage": "5Gi"}
    assert spec["claimRef"]["uid"] == "11111111-2222-3333-4444-555555555555"
    assert (spec["storageClassName"], spec["persistentVolumeReclaimPolicy"]) == ("gp3", "Delete")
    (term,) = spec["nodeAffinity"]["required"]["nodeSelectorTerms"]
    (zone,) = term["matchExpressions"]
    assert zone == {"key": "topology.kubernetes.io/zone", "operator": "In", "values": ["us-east-1c"]}


@pytest.mark.parametrize(
    "waiting",
    [
        pytest.param(claim(), id="nobody is asked yet"),
        pytest.param(asked(), id="the scheduler has not chosen yet"),
        pytest.param(claim(**{volumes.PROVISIONER: "kubernetes.io/no-provisioner"}), id="somebody else is asked"),
        pytest.param({**asked("one"), "spec": {**SPEC, "volumeName": "mine"}}, id="it has one"),
        pytest.param(
            {**asked("one"), "metadata": {**asked("one")["metadata"], "deletionTimestamp": "now"}}, id="it is going"
        ),
    ],
)
def test_nothing_is_made_for_a_claim_that_does_not_wait_for_it(waiting: dict[str, Any]) -> None:
    server = Server({CLASS: {"metadata": {"name": "gp3"}, **LATE}, NODE: {"metadata": {}}})
    on(server).claim(waiting)
    assert server.written == []


def test_a_class_that_binds_at_once_waits_for_no_node() -> None:
    server = Server({CLASS: {"metadata": {"name": "gp3"}, **LATE, "volumeBindingMode": "Immediate"}})
    on(server).claim(asked())
    ((_, _, volume),) = server.written
    assert "nodeAffinity" not in volume["spec"]


def test_a_node_that_is_gone_is_chosen_again() -> None:
    server = Server({CLASS: {"metadata": {"name": "gp3"}, **LATE}})
    on(server).claim(asked("one"))
    ((method, path, change),) = server.written
    assert (method, path) == ("PATCH", "/api/v1/namespaces/team/persistentvolumeclaims/data")
    assert change == {"metadata": {"resourceVersion": "7", "annotations": {volumes.SELECTED_NODE: None}}}


def test_a_volume_that_was_made_before_is_made_once() -> None:
    there = {CLASS: {"metadata": {"name": "gp3"}, **LATE}, NODE: {"metadata": {}}}
    on(Server(there, {f"POST {VOLUMES}": 409})).claim(asked("one"))
    with pytest.raises(Refused, match=r"no \(500\)"):
        on(Server(there, {f"POST {VOLUMES}": 500})).claim(asked("one"))


@pytest.mark.parametrize(
    ("phase", "policy", "by", "goes"),
    [
        ("Released", "Delete", "ebs.csi.aws.com", True),
        ("Released", "Retain", "ebs.csi.aws.com", False),
        ("Bound", "Delete", "ebs.csi.aws.com", False),
        ("Released", "Delete", "kubernetes.io/gce-pd", False),
        ("Released", "Delete", "", False),
    ],
)
def test_a_volume_goes_after_its_claim_where_its_class_says_so(phase: str, policy: str, by: str, goes: bool) -> None:
    about = {"name": "pvc-1", "uid": "u", "resourceVersion": "9", "annotations": {volumes.PROVISIONED_BY: by}}
    server = Server()
    on(server).volume(
        {"metadata": about, "spec": {"persistentVolumeReclaimPolicy": policy}, "status": {"phase": phase}}
    )
    deleted = ("DELETE", f"{VOLUMES}/pvc-1", {"preconditions": {"uid": "u", "resourceVersion": "9"}})
    assert server.written == ([deleted] if goes else [])


@dataclass
class Watched(Server):
    """Lists and watches as told, answer by answer: an error is raised."""

    lists: list[Any] = field(default_factory=list[Any])
    watches: list[Sequence[Any]] = field(default_factory=list[Sequence[Any]])
    paths: list[str] = field(default_factory=list[str])

    def request(self, method: str, path: str, body: Any = None) -> Any:
        if not self.lists:
            raise Over
        answer = self.lists.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return {"items": answer, "metadata": {"resourceVersion": "5"}}

    def events(self, path: str, *, timeout: float) -> Iterator[Any]:
        self.paths.append(path)
        for event in self.watches.pop(0):
            if isinstance(event, Exception):
                raise event
            yield event


def _named(name: str) -> dict[str, Any]:
    return {"metadata": {"name": name}}


def _followed(server: Watched, act: Callable[[dict[str, Any]], None], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.sandbox.following._DELAYS", (0.0,))
    with pytest.raises(Over):
        follow(cast("Api", server), "/things", act)


def test_what_was_missed_is_listed_and_what_breaks_off_is_taken_up_again(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = list[str]()
    server = Watched(
        lists=[Unanswered("not up yet"), [_named("a")], [_named("a"), _named("c")], [_named("d")]],
        watches=[
            [{"type": "ADDED", "object": _named("b")}, Unanswered("broke off")],
            [{"type": "DELETED", "object": _named("a")}, {"type": "ERROR", "object": {"code": 410}}],
            [],
        ],
    )
    _followed(server, lambda one: seen.append(one["metadata"]["name"]), monkeypatch)
    assert seen == ["a", "b", "a", "c", "d"]
    assert all("resourceVersion=5" in path for path in server.paths)


def test_what_is_refused_for_good_holds_up_nothing_and_what_may_pass_is_tried_again(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    tried = list[str]()

    def act(one: dict[str, Any]) -> None:
        name = one["metadata"]["name"]
        tried.append(name)
        if name == "broken":
            raise ValueError("10.0.0.1/16 has host bits set")
        if status := {"wrong": 422, "changed": 409, "busy": 503}.get(name):
            raise Refused(status, name)

    items = [_named(name) for name in ("wrong", "changed", "broken", "good", "busy", "after")]
    _followed(Watched(lists=[items, items]), act, monkeypatch)
    assert tried == ["wrong", "changed", "broken", "good", "busy", "after"] * 2, "the next list tries again"
    told = capsys.readouterr().err
    assert "wrong: wrong (422)" in told
    assert "broken: ValueError: 10.0.0.1/16 has host bits set" in told
    assert "changed: " not in told


@pytest.mark.native
@pytest.mark.slow
def test_claims_of_a_real_cluster_are_bound_and_their_volumes_go(tmp_path: Path) -> None:
    """Faults on the way: the driver dies and another takes over, two run at once, a claim goes before its volume."""
    with control_plane(tmp_path / "plane", required(cache_of(REPOSITORY))) as running:
        api = Api(running.server, kubeconfig.read(running.kubeconfig))
        _surround(api)
        claims, sets = (
            "/api/v1/namespaces/default/persistentvolumeclaims",
            "/apis/apps/v1/namespaces/default/statefulsets",
        )
        api.request("POST", sets, _stateful_set("first"))
        assert eventually(lambda: _ready(api, f"{sets}/first"))
        (volume,) = api.request("GET", VOLUMES)["items"]
        (term,) = volume["spec"]["nodeAffinity"]["required"]["nodeSelectorTerms"]
        assert term["matchExpressions"][0]["values"] == ["us-east-1b"]

        _end(running.processes)
        api.request("POST", sets, _stateful_set("second"))
        api.request("POST", claims, {"metadata": {"name": "gone"}, "spec": {**SPEC, "storageClassName": "now"}})
        assert eventually(lambda: volumes.wants_volume(api.request("GET", f"{claims}/gone")))
        lost = volumes.volume_of(api.request("GET", f"{claims}/gone"), None, None)
        api.request("DELETE", f"{claims}/gone")
        api.request("POST", VOLUMES, lost)  # as one that died between looking and making would have left it
        command = [sys.executable, "-m", "engine.sandbox.volumes", str(running.kubeconfig)]
        drivers = [subprocess.Popen(command, cwd=REPOSITORY, stderr=subprocess.DEVNULL) for _ in range(2)]
        try:
            assert eventually(lambda: _ready(api, f"{sets}/second"))
            for name in ("first", "second"):
                api.request("DELETE", f"{sets}/{name}")
            assert eventually(lambda: api.request("GET", VOLUMES)["items"] == [])
            assert all(driver.poll() is None for driver in drivers)
        finally:
            for driver in drivers:
                driver.kill()
                driver.wait()


def _surround(api: Api) -> None:
    capacity = {"cpu": "8", "memory": "64Gi", "pods": "110"}
    about = {"name": "one", "annotations": {"kwok.x-k8s.io/node": "fake"}}
    about |= {"labels": {"topology.kubernetes.io/zone": "us-east-1b"}}
    status = {"capacity": capacity, "allocatable": capacity}
    api.request("POST", "/api/v1/nodes", {"metadata": about, "status": status})
    for name, mode in (("gp3", "WaitForFirstConsumer"), ("now", "Immediate")):
        body = {"metadata": {"name": name}, **LATE, "volumeBindingMode": mode}
        api.request("POST", "/apis/storage.k8s.io/v1/storageclasses", body)


def _stateful_set(name: str) -> dict[str, Any]:
    labels = {"app": name}
    mount = {"name": "data", "mountPath": "/data"}
    pod = {"containers": [{"name": "main", "image": "example.org/x", "volumeMounts": [mount]}]}
    spec: dict[str, Any] = {
        "replicas": 1, "serviceName": name, "selector": {"matchLabels": labels},
        "template": {"metadata": {"labels": labels}, "spec": pod},
        "volumeClaimTemplates": [{"metadata": {"name": "data"}, "spec": SPEC}],
        "persistentVolumeClaimRetentionPolicy": {"whenDeleted": "Delete"},
    }  # fmt: skip
    return {"metadata": {"name": name}, "spec": spec}


def _ready(api: Api, path: str) -> bool:
    return api.request("GET", path)["status"].get("readyReplicas") == 1


def _end(processes: Sequence[Any]) -> None:
    (found,) = (one for one in processes if one.name == "volumes")
    os.kill(found.pid, signal.SIGKILL)
