"""What plays beside a kind cluster what that lacks of EKS, against a server that a test tells what to say."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast

import pytest

from engine.kubernetes import pods as status
from engine.kubernetes import volumes
from engine.sandbox.api import Api, Refused, Unanswered
from engine.sandbox.kind import node as containers
from engine.sandbox.kind.machines import (
    LEASES,
    NODES,
    POLICIES,
    REQUESTS,
    Certificates,
    Disks,
    Nodes,
    Pods,
    Policies,
    seconds,
)
from engine.sandbox.kind.node import NodeFailed, RealNode
from engine.sandbox.kind.policies import companion
from tests.engine.sandbox.waiting import eventually

Json = dict[str, Any]
NOW = "2026-11-27T00:00:00Z"


@dataclass
class Server:
    """Answers what ``there`` has at a path, and remembers what was written."""

    there: dict[str, Any] = field(default_factory=dict[str, Any])
    written: list[tuple[str, str, Any]] = field(default_factory=list[tuple[str, str, Any]])

    def request(self, method: str, path: str, body: Any = None) -> Any:
        if method == "POST" and f"{path}/{body['metadata']['name']}" in self.there:
            raise Refused(409, "is there")
        if method in ("GET", "PATCH") and path not in self.there:
            raise Refused(404, "not found")
        if method == "GET":
            return self.there[path]
        self.written.append((method, path, body))
        return body

    def wrote(self, method: str) -> dict[str, Any]:
        return {path: body for how, path, body in self.written if how == method}


@dataclass(frozen=True)
class Container(RealNode):
    """Remembers what it was to do."""

    done: list[str] = field(default_factory=list[str])
    broken: str = ""

    def _do(self, *command: str) -> None:
        if self.broken:
            raise NodeFailed(self.broken)
        self.done.append(" ".join(command))


def container(**more: Any) -> Container:
    return Container("kind-control-plane", **more)


def simulated(name: str = "ip-10-0-3-91", address: str = "10.0.3.91") -> Json:
    about = {"name": name, "uid": f"uid-of-{name}", "annotations": {"kwok.x-k8s.io/node": "fake"}}
    addresses = [{"type": "InternalIP", "address": address}] if address else []
    return {"metadata": about, "spec": {"podCIDR": "10.244.3.0/30"}, "status": {"addresses": addresses}}


REAL: Json = {
    "metadata": {"name": "kind-control-plane", "labels": {"topology.kubernetes.io/zone": "us-east-1a"}},
    "status": {"addresses": [{"type": "InternalIP", "address": "172.19.0.2"}]},
}


def api(server: Server) -> Api:
    return cast("Api", server)


def pod(node: str = "ip-10-0-3-91", *, uid: str = "u1", **more: Any) -> Json:
    about = {"name": "p", "namespace": "team", "uid": uid, **more.pop("metadata", {})}
    spec = {"nodeName": node, "containers": [{"name": "main", "image": "i"}], **more.pop("spec", {})}
    return {"metadata": about, "spec": spec, "status": {"phase": "Pending", **more.pop("status", {})}}


PATH = "/api/v1/namespaces/team/pods/p"


def test_a_simulated_node_lives_and_the_real_one_reaches_it() -> None:
    server, real = Server({f"{NODES}/ip-10-0-3-91": simulated()}), container()
    nodes = Nodes(api(server), real)
    nodes.node(simulated(address=""))
    assert server.written == [], "its address comes a moment after it"
    nodes.node(REAL)
    nodes.node(simulated())
    nodes.node(simulated())
    assert real.done == ["ip route replace 10.0.3.91/32 dev eth0"]
    ((method, path, lease),) = server.written
    assert (method, path) == ("POST", LEASES)
    assert lease["metadata"]["ownerReferences"][0]["uid"] == "uid-of-ip-10-0-3-91"
    assert nodes.addresses() == ["10.0.3.91"]


def test_a_node_that_is_gone_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.sandbox.kind.machines.BEAT", 0.01)
    place = f"{NODES}/ip-10-0-3-91"
    server = Server({place: simulated(), f"{LEASES}/ip-10-0-3-91": {}})
    nodes = Nodes(api(server), container())
    nodes.node(simulated())
    threading.Thread(target=nodes.beat_forever, daemon=True).start()
    assert eventually(lambda: len(server.written) > 2), "it says so again and again"
    del server.there[f"{LEASES}/ip-10-0-3-91"], server.there[place]
    assert eventually(lambda: nodes.addresses() == [])


def test_pods_of_simulated_nodes_run_each_at_its_own_address_and_go() -> None:
    server = Server({f"{NODES}/ip-10-0-3-91": simulated(), f"{NODES}/kind-control-plane": REAL, f"{PATH}/status": {}})
    player = Pods(api(server), Nodes(api(server), container()))
    player.pod(pod("kind-control-plane"))
    player.pod(pod("", uid="unplaced"))
    server.written.clear()
    player.pod(pod(status={"podIP": "10.244.3.1", "phase": "Running"}, uid="u0"))  # from a process before this one
    player.pod(pod(uid="u1"))
    player.pod(pod(uid="u1", spec={"hostNetwork": True}))
    addresses = [body["status"]["podIP"] for _, path, body in server.written if path == f"{PATH}/status"]
    assert addresses == ["10.244.3.2", "10.0.3.91"]
    player.pod(pod(uid="u2"))
    assert server.written[-1][2]["status"]["podIP"] == "10.244.3.1", "all have been had: they begin anew"
    player.pod(pod(metadata={"deletionTimestamp": NOW}))
    assert server.wrote("DELETE") == {PATH: {"gracePeriodSeconds": 0, "preconditions": {"uid": "u1"}}}


def test_a_pod_waits_for_its_nodes_address() -> None:
    server = Server({f"{NODES}/ip-10-0-3-91": simulated(address="")})
    with pytest.raises(Unanswered, match="ip-10-0-3-91 has no addresses yet"):
        Pods(api(server), Nodes(api(server), container())).pod(pod())


def test_a_jobs_pod_completes_once() -> None:
    server = Server({f"{NODES}/ip-10-0-3-91": simulated(), f"{PATH}/status": {}})
    nodes = Nodes(api(server), container())
    nodes.node(simulated())
    server.written.clear()
    of_job = {"ownerReferences": [{"kind": "Job"}], "annotations": {"bedplate.dev/runs-for": "10ms"}}
    begun = status.running(pod(metadata=of_job), address="100.64.0.9", host="10.0.3.91", now=NOW)
    player = Pods(api(server), nodes)
    for _ in range(3):
        player.pod(pod(metadata=of_job, status=begun))
    assert eventually(lambda: bool(server.written))
    ((_, _, body),) = server.written
    assert (body["status"]["phase"], body["metadata"]["uid"]) == ("Succeeded", "u1")


def test_go_durations() -> None:
    assert [seconds(each) for each in ("90s", "2h", "1m30s", "250ms", "", "x")] == [90, 7200, 90, 0.25, 1, 1]


def _claim(provisioner: str, node: str) -> Json:
    annotations = {volumes.PROVISIONER: provisioner, volumes.SELECTED_NODE: node}
    about = {"name": "data", "namespace": "team", "uid": "1111-2222", "resourceVersion": "7"}
    spec = {"storageClassName": "gp3", "resources": {"requests": {"storage": "5Gi"}}}
    return {"metadata": about | {"annotations": annotations}, "spec": spec}


def test_a_volume_for_the_real_node_is_a_directory_that_pods_may_write_and_goes_with_it() -> None:
    server, real = Server({f"{NODES}/kind-control-plane": REAL, f"{NODES}/ip-10-0-3-91": simulated()}), container()
    disks = Disks(api(server), real)
    disks.claim(_claim("ebs.csi.aws.com", "kind-control-plane"))
    ((_, _, made),) = server.written
    path = "/var/bedplate/volumes/pvc-1111-2222"
    assert made["spec"]["hostPath"] == {"path": path, "type": "Directory"}
    assert "csi" not in made["spec"]
    assert real.done[-1] == f"mkdir -p -m 0777 {path}"

    real.done.clear()
    disks.claim(_claim("ebs.csi.aws.com", "ip-10-0-3-91"))
    assert "csi" in server.written[-1][2]["spec"]
    assert real.done == [], "nothing is mounted there"

    count = len(server.written)
    disks.claim(_claim("rancher.io/local-path", "kind-control-plane"))
    assert len(server.written) == count, "kind's own driver makes it"

    about = made["metadata"] | {"uid": "u", "resourceVersion": "9"}
    disks.volume({**made, "metadata": about, "status": {"phase": "Bound"}})
    assert real.done == []
    disks.volume({**made, "metadata": about, "status": {"phase": "Released"}})
    assert real.done == [f"rm -rf {path}"]
    assert f"{path.rpartition('/')[2]}" in server.written[-1][1]


def test_nothing_but_our_directories_is_removed() -> None:
    real = container()
    real.remove_disk("/etc")
    assert real.done == []


def test_a_container_that_refuses_is_tried_again() -> None:
    """As whatever may pass: `follow` takes it up after a while."""
    server = Server({f"{NODES}/kind-control-plane": REAL})
    with pytest.raises(Unanswered, match="no space left"):
        Disks(api(server), container(broken="no space left")).claim(_claim("ebs.csi.aws.com", "kind-control-plane"))
    assert server.written == []


def test_what_docker_says_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def run(command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        return subprocess.CompletedProcess(command, 1, "", "No such container: x\n")

    monkeypatch.setattr(containers.subprocess, "run", run)
    with pytest.raises(
        NodeFailed, match=r"`docker exec x ip route replace 10.0.0.4/32 dev eth0`: No such container: x"
    ):
        RealNode("x").has_neighbour("10.0.0.4")


def _policy(spec: Json, **about: Any) -> Json:
    return {"metadata": {"name": "p", "namespace": "team", "uid": "u", **about}, "spec": spec}


def _to(cidr: str, *ports: int, **more: Any) -> Json:
    return {"to": [{"ipBlock": {"cidr": cidr, **more}}], "ports": [{"port": port, "protocol": "TCP"} for port in ports]}


HERE = {"to": [{"ipBlock": {"cidr": "172.19.0.2/32"}}]}


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        ([_to("10.0.0.0/16", 443)], [{"ports": [{"port": 6443, "protocol": "TCP"}], **HERE}]),
        ([_to("10.0.0.0/16", 10250)], [{"ports": [{"port": 10250, "protocol": "TCP"}], **HERE}]),
        ([_to("10.0.0.0/16")], [{"ports": [], **HERE}]),
        ([_to("0.0.0.0/0", 443, **{"except": ["10.0.0.0/8"]})], None),
        ([_to("10.1.0.0/16", 5432)], None),
        ([{"to": [{"podSelector": {}}]}], None),
        ([{"ports": [{"port": 53}]}], None),
    ],
)
def test_what_may_reach_the_vpc_may_reach_kinds_node(
    rules: list[Json], expected: list[Mapping[str, Any]] | None
) -> None:
    made = companion(_policy({"podSelector": {"a": "b"}, "egress": rules}), ["10.0.3.91"], ["172.19.0.2"])
    if expected is None:
        assert made is None
        return
    assert made is not None
    wanted = [{key: value for key, value in rule.items() if value} for rule in expected]
    assert made["spec"] == {"podSelector": {"a": "b"}, "policyTypes": ["Egress"], "egress": wanted}
    assert made["metadata"]["ownerReferences"][0]["uid"] == "u", "it goes with the policy"
    assert companion(made, ["10.0.3.91"], ["172.19.0.2"]) is None, "and has none itself"


def test_the_kubelets_certificate_is_approved_and_no_other() -> None:
    server = Server()
    approver = Certificates(api(server), container())

    def asked(name: str, signer: str, user: str, status: Json) -> Json:
        return {"metadata": {"name": name}, "spec": {"signerName": signer, "username": user}, "status": status}

    serving, node = "kubernetes.io/kubelet-serving", "system:node:kind-control-plane"
    approver.request(asked("other-node", serving, "system:node:other", {}))
    approver.request(asked("client", "kubernetes.io/kube-apiserver-client-kubelet", node, {}))
    approver.request(asked("denied", serving, node, {"conditions": [{"type": "Denied"}]}))
    assert server.written == []
    approver.request(asked("csr-1", serving, node, {}))
    ((method, path, body),) = server.written
    assert (method, path) == ("PUT", f"{REQUESTS}/csr-1/approval")
    assert [one["type"] for one in body["status"]["conditions"]] == ["Approved"]


def test_companions_come_with_the_first_node_and_follow_their_policies() -> None:
    policy = _policy({"podSelector": {}, "ingress": [{"from": [{"ipBlock": {"cidr": "10.0.0.0/16"}}]}]})
    server = Server({f"{NODES}/kind-control-plane": REAL, f"{NODES}/ip-10-0-3-91": simulated()})
    nodes = Nodes(api(server), container())
    policies = Policies(api(server), nodes, container())
    policies.policy(policy)
    assert server.written == [], "nobody knows yet what is in the VPC"
    nodes.node(simulated())
    server.written.clear()
    server.there[POLICIES] = {"items": [policy]}
    policies.node(simulated())
    ((method, path, made),) = server.written
    assert (method, path) == ("POST", "/apis/networking.k8s.io/v1/namespaces/team/networkpolicies")
    assert made["spec"]["ingress"] == [{"from": [{"ipBlock": {"cidr": "172.19.0.2/32"}}]}]

    there = {**made, "metadata": {**made["metadata"], "resourceVersion": "4"}}
    server.there[f"{path}/p-in-kind"] = there
    policies.policy(policy)
    assert len(server.written) == 1, "it is as it should be"
    policies.policy(_policy({**policy["spec"], "podSelector": {"matchLabels": {"a": "b"}}}))
    method, place, changed = server.written[-1]
    assert (method, place, changed["metadata"]["resourceVersion"]) == ("PUT", f"{path}/p-in-kind", "4")
