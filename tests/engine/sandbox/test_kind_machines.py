"""What plays beside a kind cluster what that lacks of EKS, against a server that a test tells what to say."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, cast

import pytest

from engine.kubernetes import pods as status
from engine.kubernetes import volumes
from engine.sandbox.api import Api, Refused, Unanswered
from engine.sandbox.kind import node as containers
from engine.sandbox.kind.certificates import REQUESTS, Certificates
from engine.sandbox.kind.disks import Disks
from engine.sandbox.kind.machines import acts
from engine.sandbox.kind.node import NodeFailed, RealNode
from engine.sandbox.kind.nodes import LEASES, NODES, Nodes, now
from engine.sandbox.kind.pods import PODS, Pods, seconds
from engine.sandbox.kind.policies import MARK, POLICIES, Policies, companion, name_of_companion
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
        if method == "GET" and path.startswith(f"{PODS}?"):
            return self.there.get(path, {"items": []})
        if method in ("GET", "PATCH", "PUT") and path.removesuffix("/approval") not in self.there:
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

    def _do(self, command: list[str], stdin: str = "") -> None:
        if self.broken:
            raise NodeFailed(self.broken)
        self.done.append(" ".join(command) + (f" < {stdin}" if stdin else ""))


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
    assert real.done == ["ip -force -batch - < route replace 10.0.3.91/32 dev eth0\n"]
    ((method, path, lease),) = server.written
    assert (method, path) == ("POST", LEASES)
    assert lease["metadata"]["ownerReferences"][0]["uid"] == "uid-of-ip-10-0-3-91"
    assert nodes.addresses() == ["10.0.3.91"]


@contextmanager
def beating(nodes: Nodes) -> Generator[None]:
    stop = threading.Event()
    thread = threading.Thread(target=nodes.beat, args=(stop,))
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def test_a_node_that_is_gone_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.sandbox.kind.nodes.BEAT", 0.01)
    place = f"{NODES}/ip-10-0-3-91"
    server = Server({place: simulated(), f"{LEASES}/ip-10-0-3-91": {}})
    nodes = Nodes(api(server), container())
    nodes.node(simulated())
    with beating(nodes):
        assert eventually(lambda: len(server.written) > 2), "it says so again and again"
        del server.there[f"{LEASES}/ip-10-0-3-91"], server.there[place]
        assert eventually(lambda: nodes.addresses() == [])


def test_routes_that_a_container_lost_are_made_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """One that was started anew has none, and one that was busy has taken none yet."""
    monkeypatch.setattr("engine.sandbox.kind.nodes.BEAT", 0.01)
    broken = container(broken="busy")
    server = Server({f"{LEASES}/ip-10-0-3-91": {}})
    nodes = Nodes(api(server), broken)
    nodes.node(simulated())
    assert server.written, "it lives all the same"
    again = container()
    monkeypatch.setattr(nodes, "_real", again)
    with beating(nodes):
        assert eventually(lambda: len(again.done) >= 2)


def test_another_node_of_the_same_name_has_its_own_network() -> None:
    server = Server({f"{LEASES}/ip-10-0-3-91": {}})
    nodes = Nodes(api(server), container())
    nodes.node(simulated())
    later = simulated()
    later["metadata"]["uid"], later["spec"]["podCIDR"] = "another", "10.244.9.0/24"
    nodes.node(later)
    found = nodes.find("ip-10-0-3-91")
    assert found is not None
    assert (found.uid, found.pods) == ("another", "10.244.9.0/24")


def test_a_node_that_was_lost_says_again_how_it_is() -> None:
    lost = simulated()
    lost["status"]["conditions"] = [
        {"type": "Ready", "status": "Unknown", "reason": "NodeStatusUnknown"},
        {"type": "DiskPressure", "status": "Unknown"},
        {"type": "NetworkUnavailable", "status": "False"},
    ]
    place = f"{NODES}/ip-10-0-3-91/status"
    server = Server({f"{LEASES}/ip-10-0-3-91": {}, place: {}})
    Nodes(api(server), container()).node(lost)
    said = {one["type"]: one["status"] for one in server.wrote("PATCH")[place]["status"]["conditions"]}
    assert said == {"Ready": "True", "DiskPressure": "False", "NetworkUnavailable": "False"}
    not_ready = simulated()
    not_ready["status"]["conditions"] = [{"type": "Ready", "status": "False"}]
    server.written.clear()
    Nodes(api(server), container()).node(not_ready)
    assert place not in server.wrote("PATCH"), "it has no network yet"


def _living(*addresses: str) -> Json:
    return {"items": [{"status": {"podIP": address}} for address in addresses]}


def test_pods_of_simulated_nodes_run_each_at_its_own_address_and_go() -> None:
    """What another process has given before this one counts, too, in whatever order the pods are seen."""
    of_node = f"{PODS}?fieldSelector=spec.nodeName%3Dip-10-0-3-91"
    server = Server({f"{LEASES}/ip-10-0-3-91": {}, f"{PATH}/status": {}, of_node: _living("10.244.3.1")})
    nodes = Nodes(api(server), container())
    nodes.node(simulated())
    player = Pods(api(server), nodes)
    server.written.clear()
    player.pod(pod("kind-control-plane"))
    player.pod(pod("", uid="unplaced"))
    assert server.written == []
    player.pod(pod(uid="u1"))
    player.pod(pod(uid="u1", spec={"hostNetwork": True}))
    assert [body["status"]["podIP"] for _, _, body in server.written] == ["10.244.3.2", "10.0.3.91"]

    with pytest.raises(Unanswered, match="no address left"):
        server.there[of_node] = _living("10.244.3.1", "10.244.3.2")
        player.pod(pod(uid="u2"))
    server.there[of_node] = _living("10.244.3.1")
    player.pod(pod(uid="u2"))
    assert server.written[-1][2]["status"]["podIP"] == "10.244.3.2", "that of a pod that has gone"
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
    of_job = {"ownerReferences": [{"kind": "Job"}], "annotations": {"bedplate.dev/runs-for": "1500ms"}}
    begun = status.running(pod(metadata=of_job), address="10.244.3.2", host="10.0.3.91", now=now())
    player = Pods(api(server), nodes)
    for _ in range(3):
        player.pod(pod(metadata=of_job, status=begun))
    assert eventually(lambda: bool(server.written))
    ((_, _, body),) = server.written
    assert (body["status"]["phase"], body["metadata"]["uid"]) == ("Succeeded", "u1")


def test_a_completion_that_could_not_be_said_is_said_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.sandbox.kind.pods.AGAIN", 0.01)
    server = Server({f"{PATH}/status": {}})
    failures = [Unanswered("no route to host"), Unanswered("too many open files")]
    answer = server.request

    def request(method: str, path: str, body: Any = None) -> Any:
        if failures and path.endswith("/status"):
            raise failures.pop()
        return answer(method, path, body)

    monkeypatch.setattr(server, "request", request)
    nodes = Nodes(api(server), container())

    def find(_: str) -> object:
        return object()  # any simulated node

    monkeypatch.setattr(nodes, "find", find)
    of_job = {"ownerReferences": [{"kind": "Job"}], "annotations": {"bedplate.dev/runs-for": "1h"}}
    begun = status.running(pod(metadata=of_job), address="10.244.3.9", host="10.0.3.91", now="2026-01-01T00:00:00Z")
    Pods(api(server), nodes).pod(pod(metadata=of_job, status=begun))
    assert eventually(lambda: bool(server.written)), "it began long ago, so its hour is over"
    assert (failures, server.written[0][2]["status"]["phase"]) == ([], "Succeeded")


def test_go_durations() -> None:
    assert [seconds(each) for each in ("90s", "2h", "1m30s", "250ms", "", "x")] == [90, 7200, 90, 0.25, 1, 1]


def _claim(provisioner: str, node: str) -> Json:
    annotations = {volumes.PROVISIONER: provisioner, volumes.SELECTED_NODE: node}
    about = {"name": "data", "namespace": "team", "uid": "1111-2222", "resourceVersion": "7"}
    spec = {"storageClassName": "gp3", "resources": {"requests": {"storage": "5Gi"}}}
    return {"metadata": about | {"annotations": annotations}, "spec": spec}


def _terms(volume: Json) -> list[tuple[str, str, list[str]]]:
    (term,) = volume["spec"]["nodeAffinity"]["required"]["nodeSelectorTerms"]
    return [(one["key"], one["operator"], one["values"]) for one in term["matchExpressions"]]


def test_a_volume_for_the_real_node_is_a_directory_that_pods_may_write_and_goes_with_it() -> None:
    server, real = Server({f"{NODES}/kind-control-plane": REAL}), container()
    disks = Disks(api(server), real)
    disks.claim(_claim("ebs.csi.aws.com", "kind-control-plane"))
    ((_, _, made),) = server.written
    path = "/var/bedplate/volumes/pvc-1111-2222"
    assert made["spec"]["hostPath"] == {"path": path, "type": "Directory"}
    assert "csi" not in made["spec"]
    assert _terms(made) == [("kubernetes.io/hostname", "In", ["kind-control-plane"])], "only there is what it holds"
    assert real.done[-1] == f"mkdir -p -m 0777 {path}"

    real.done.clear()
    about = made["metadata"] | {"uid": "u", "resourceVersion": "9"}
    disks.volume({**made, "metadata": about, "status": {"phase": "Bound"}})
    assert real.done == []
    released = {**made, "metadata": about, "status": {"phase": "Released"}}
    disks.volume({**released, "spec": {**made["spec"], "hostPath": {"path": "/var/bedplate/volumes/"}}})
    assert real.done == [], "another's directory, or all of them, are not its own"
    disks.volume(released)
    assert real.done == [f"rm -rf {path}"]
    assert server.written[-1][:2] == ("DELETE", "/api/v1/persistentvolumes/pvc-1111-2222")


@pytest.mark.parametrize(("node", "mode"), [("ip-10-0-3-91", "Filesystem"), ("kind-control-plane", "Block")])
def test_a_volume_in_name_only_keeps_its_pods_from_the_real_node(node: str, mode: str) -> None:
    zoned = simulated()
    zoned["metadata"]["labels"] = {"topology.kubernetes.io/zone": "us-east-1a"}
    server, real = Server({f"{NODES}/kind-control-plane": REAL, f"{NODES}/ip-10-0-3-91": zoned}), container()
    claim = _claim("ebs.csi.aws.com", node)
    claim["spec"]["volumeMode"] = mode
    Disks(api(server), real).claim(claim)
    ((_, _, made),) = server.written
    assert "csi" in made["spec"]
    assert real.done == []
    assert _terms(made) == [
        ("topology.kubernetes.io/zone", "In", ["us-east-1a"]),
        ("kubernetes.io/hostname", "NotIn", ["kind-control-plane"]),
    ]


def test_what_kinds_own_driver_makes_is_left_to_it() -> None:
    server = Server({f"{NODES}/kind-control-plane": REAL})
    disks = Disks(api(server), container())
    disks.claim(_claim("rancher.io/local-path", "kind-control-plane"))
    about = {"name": "pvc-1", "uid": "u", "annotations": {volumes.PROVISIONED_BY: "rancher.io/local-path"}}
    spec = {"persistentVolumeReclaimPolicy": "Delete", "hostPath": {"path": "/var/bedplate/volumes/pvc-1"}}
    disks.volume({"metadata": about, "spec": spec, "status": {"phase": "Released"}})
    assert server.written == []


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
    with pytest.raises(NodeFailed, match=r"`docker exec --interactive x rm -rf /var/bedplate/volumes/v`: No such"):
        RealNode("x").remove_disk("v")


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
        ([{"to": [{"ipBlock": {"cidr": "10.0.0.1/16"}}]}], [HERE]),  # which API servers take
        ([{"to": [{"ipBlock": {"cidr": "010.0.0.0/16"}}]}], None),
        (
            [
                {
                    "to": [{"ipBlock": {"cidr": "10.0.0.0/16"}}],
                    "ports": [{"port": 1, "endPort": 1024, "protocol": "TCP"}],
                }
            ],
            [{"ports": [{"port": 1, "endPort": 1024, "protocol": "TCP"}, {"port": 6443, "protocol": "TCP"}], **HERE}],
        ),
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
    assert made["metadata"]["labels"] == {MARK: "policy"}


def test_the_kubelets_certificate_is_approved_and_no_other() -> None:
    server = Server({f"{REQUESTS}/csr-1": {}})
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


def test_a_companion_isolates_nobody() -> None:
    """Rules of a direction that the policy does not apply to are ignored; a companion with them would not be."""
    spec = {"podSelector": {}, "policyTypes": ["Ingress"], "egress": [_to("10.0.0.0/16", 443)]}
    assert companion(_policy(spec), ["10.0.3.91"], ["172.19.0.2"]) is None


def test_ports_of_pods_stay_theirs() -> None:
    rules = [{"from": [{"ipBlock": {"cidr": "10.0.0.0/16"}}], "ports": [{"port": 443, "protocol": "TCP"}]}]
    made = companion(_policy({"podSelector": {}, "ingress": rules}), ["10.0.3.91"], ["172.19.0.2"])
    assert made is not None
    assert made["spec"]["ingress"][0]["ports"] == [{"port": 443, "protocol": "TCP"}]


def test_long_names_stay_apart() -> None:
    names = [name_of_companion("a" * 252 + last) for last in "ab"]
    assert len(set(names)) == 2
    assert {len(name) for name in names} == {253}


IN_TEAM = "/apis/networking.k8s.io/v1/namespaces/team/networkpolicies"
FROM_VPC = {"podSelector": {}, "ingress": [{"from": [{"ipBlock": {"cidr": "10.0.0.0/16"}}]}]}


def _policies(**there: Any) -> tuple[Server, Nodes, Policies]:
    server = Server(
        {f"{NODES}/kind-control-plane": REAL, f"{LEASES}/ip-10-0-3-91": {}, POLICIES: {"items": []}, **there}
    )
    nodes = Nodes(api(server), container())
    return server, nodes, Policies(api(server), nodes, container())


def test_companions_come_with_the_first_node_and_follow_their_policies() -> None:
    policy = _policy(FROM_VPC)
    server, nodes, policies = _policies()
    policies.policy(policy)
    assert server.written == [], "nobody knows yet what is in the VPC"
    nodes.node(simulated())
    server.written.clear()
    broken = _policy({"podSelector": {}, "ingress": [{"from": [{"ipBlock": {"cidr": 7}}]}]}, name="broken")
    server.there[POLICIES] = {"items": [broken, policy]}
    policies.node(simulated())
    ((method, path, made),) = server.written
    assert (method, path) == ("POST", IN_TEAM), "one that nobody understands holds up no other"
    assert made["spec"]["ingress"] == [{"from": [{"ipBlock": {"cidr": "172.19.0.2/32"}}]}]
    policies.node(simulated())
    assert len(server.written) == 1, "nothing new is in the VPC"

    there = {**made, "metadata": {**made["metadata"], "resourceVersion": "4"}}
    server.there[f"{path}/p-in-kind"] = there
    policies.policy(there)
    policies.policy(policy)
    assert len(server.written) == 1, "it is as it should be"
    policies.policy(_policy({**policy["spec"], "podSelector": {"matchLabels": {"a": "b"}}}))
    method, place, changed = server.written[-1]
    assert (method, place, changed["metadata"]["resourceVersion"]) == ("PUT", f"{path}/p-in-kind", "4")
    policies.policy(_policy({"podSelector": {}, "ingress": []}))
    assert server.written[-1][:2] == ("DELETE", f"{path}/p-in-kind"), "it would go on opening, and isolating"
    policies.policy(_policy({"podSelector": {}, "ingress": []}))
    assert server.written[-1][0] == "DELETE"
    assert len([one for one in server.written if one[0] == "DELETE"]) == 1


def test_a_policy_of_the_same_name_is_left_alone(capsys: pytest.CaptureFixture[str]) -> None:
    server, nodes, policies = _policies(**{f"{IN_TEAM}/p-in-kind": _policy({"podSelector": {}}, name="p-in-kind")})
    nodes.node(simulated())
    server.written.clear()
    policies.policy(_policy(FROM_VPC))
    assert server.written == []
    assert "p-in-kind is somebody's own" in capsys.readouterr().err


def test_every_kind_has_who_acts_on_it() -> None:
    """A node's event reaches both who keeps it alive and who keeps the policies."""
    server, nodes, _ = _policies()
    server.there[POLICIES] = {"items": [_policy(FROM_VPC)]}
    of_kind = acts(api(server), nodes, container())
    assert {NODES, PODS, POLICIES, REQUESTS} < of_kind.keys()
    of_kind[NODES](simulated())
    assert {path for _, path, _ in server.written} == {f"{LEASES}/ip-10-0-3-91", IN_TEAM}
