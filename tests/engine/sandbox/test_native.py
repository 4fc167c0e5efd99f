"""Native control planes are started and ended for real: every test leaves no process, no port and no file."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from cryptography import x509

from engine import sandbox
from engine.sandbox import Flavor, SandboxState, kubeconfig
from engine.sandbox.api import Api
from engine.sandbox.native import Binaries, ControlPlane, cache_of, control_plane, end_leftovers, required
from engine.sandbox.native.binaries import PROGRAMS
from tests.conftest import REPOSITORY
from tests.engine.sandbox.waiting import alive, eventually, naming

pytestmark = [pytest.mark.native, pytest.mark.slow]
CACHE = cache_of(REPOSITORY)
NAMES = {"supervisor", "volumes", *PROGRAMS}
OWN = ["node/sandbox", "storageclass.storage.k8s.io/standard"]  # as long as there is no EKS cluster
TOKEN = ("SOME_TOKEN", "hunter2-hunter2")  # what the shared sandbox's starter has in its environment


@pytest.fixture
def built() -> Binaries:
    return required(CACHE)


@pytest.fixture
def root(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path
    sandbox.down(tmp_path)
    sandbox.down(tmp_path, "other")
    assert naming(str(tmp_path)) == []
    assert list(tmp_path.iterdir()) == []


@pytest.fixture(scope="module")
def standing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder for those tests that leave a sandbox running as they found it: starting one takes six seconds."""
    folder = tmp_path_factory.mktemp("standing")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(TOKEN[0], TOKEN[1])
        yield folder
        sandbox.down(folder)
        sandbox.down(folder, "other")
    assert naming(str(folder)) == []
    assert list(folder.iterdir()) == []


def up(root: Path, name: str = "default", **wishes: Any) -> sandbox.Sandbox:
    given: dict[str, Any] = {"kubernetes": "native", "cache": CACHE} | wishes
    return sandbox.up(root, name, **given)


def api_of(found: sandbox.Sandbox) -> sandbox.KubernetesApi:
    assert found.kubernetes is not None
    return found.kubernetes


def kubectl(config: Path, *arguments: str, stdin: str = "") -> str:
    command = ["kubectl", "--kubeconfig", str(config), *arguments]
    done = subprocess.run(command, input=stdin, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def node(name: str) -> dict[str, Any]:
    """A simulated node with eight GPUs."""
    capacity = {"cpu": "96", "memory": "1Ti", "pods": "110", "nvidia.com/gpu": "8"}
    return {
        "apiVersion": "v1", "kind": "Node",
        "metadata": {"name": name, "annotations": {"kwok.x-k8s.io/node": "fake"}},
        "status": {"capacity": capacity, "allocatable": capacity},
    }  # fmt: skip


def pod(name: str, gpus: int) -> dict[str, Any]:
    container = {"name": "main", "image": "example.org/x", "resources": {"limits": {"nvidia.com/gpu": str(gpus)}}}
    return {
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": {"containers": [container]},
    }  # fmt: skip


def with_a_cluster(running: sandbox.Sandbox) -> Any:
    """A client of EKS, where it has made the cluster ``c``."""

    def client(service: str) -> Any:
        keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test", "region_name": "us-east-1"}
        return boto3.client(service, endpoint_url=running.endpoint, **keys)  # pyright: ignore[reportCallIssue, reportArgumentType]

    subnets = client("ec2").describe_subnets()["Subnets"]
    role = client("iam").create_role(RoleName="cluster", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
    network = {"subnetIds": [each["SubnetId"] for each in subnets[:2]]}
    eks = client("eks")
    eks.create_cluster(name="c", roleArn=role, resourcesVpcConfig=network)
    return eks


def test_up_answers_as_both_halves_and_down_leaves_nothing(root: Path) -> None:
    running = up(root)
    api = api_of(running)
    assert (api.flavor, api.version) == (Flavor.NATIVE, required(CACHE).version)
    assert {one.name for one in api.processes} == NAMES
    status = sandbox.status(root)
    assert [(part.name, part.state) for part in status.parts] == [
        ("aws", SandboxState.RUNNING), ("kubernetes", SandboxState.RUNNING),
    ]  # fmt: skip
    assert sandbox.find(root) == running
    assert up(root) == running, "up is idempotent"
    assert sandbox.up(root) == running, "whoever has no wish takes what there is"
    told = Api(running.endpoint, kubeconfig.Credentials()).first_line("/_bedplate/kubernetes", timeout=5)
    assert json.loads(told)["server"] == api.server, "the EKS emulator knows of it"

    with pytest.raises(sandbox.SandboxMismatch, match=r"Kubernetes embedded \(it has native\)"):
        up(root, kubernetes="embedded")
    with pytest.raises(sandbox.SandboxMismatch, match=r"Kubernetes port 1 \(it has \d+\)"):
        up(root, kubernetes_port=1)
    assert sandbox.down(root) == running
    assert not any(alive(one.pid) for one in api.processes)
    assert list(root.iterdir()) == []


@pytest.mark.skipif(shutil.which("kubectl") is None, reason="there is no kubectl on PATH")
def test_kubectl_schedules_gpus_as_they_will_be(standing: Path, built: Binaries) -> None:
    running = api_of(up(standing))
    version = json.loads(kubectl(running.kubeconfig, "version", "--output", "json"))
    assert version["serverVersion"]["gitVersion"] == f"v{built.version}"
    kubectl(running.kubeconfig, "create", "-f", "-", stdin=json.dumps(node("one")))
    kubectl(running.kubeconfig, "wait", "node/one", "--for=condition=Ready", "--timeout=60s")
    for name in ("a", "b", "c"):
        kubectl(running.kubeconfig, "create", "-f", "-", stdin=json.dumps(pod(name, 3)))
        if name != "c":
            kubectl(running.kubeconfig, "wait", f"pod/{name}", "--for=condition=Ready", "--timeout=60s")
    unscheduled = "--for=jsonpath={.status.conditions[?(@.type=='PodScheduled')].reason}=Unschedulable"
    kubectl(running.kubeconfig, "wait", "pod/c", unscheduled, "--timeout=60s")
    said = json.loads(kubectl(running.kubeconfig, "get", "pod", "c", "--output", "json"))["status"]["conditions"]
    assert "Insufficient nvidia.com/gpu" in said[0]["message"]
    kubectl(running.kubeconfig, "delete", "pod", "a", "--timeout=60s")
    kubectl(running.kubeconfig, "wait", "pod/c", "--for=condition=Ready", "--timeout=60s")
    kubectl(running.kubeconfig, "delete", "pod/b", "pod/c", "node/one", "--timeout=60s")


@pytest.mark.skipif(shutil.which("kubectl") is None, reason="there is no kubectl on PATH")
def test_fifty_nodes_carry_five_hundred_pods(tmp_path: Path, built: Binaries) -> None:
    with control_plane(tmp_path / "plane", built) as running:
        nodes = {"apiVersion": "v1", "kind": "List", "items": [node(f"node-{number}") for number in range(50)]}
        kubectl(running.kubeconfig, "create", "-f", "-", stdin=json.dumps(nodes))
        kubectl(running.kubeconfig, "create", "deployment", "many", "--image=example.org/x", "--replicas=500")
        kubectl(running.kubeconfig, "rollout", "status", "deployment/many", "--timeout=110s")
        shown = kubectl(running.kubeconfig, "get", "pods", "--output=jsonpath={.items[*].status.podIP}").split()
        assert len(shown) == 500
        assert [address for address, pods in Counter(shown).items() if pods > 1] == [], "each has an address of its own"
        log = (running.directory / "kwok.log").read_text()
        assert "ERROR" not in log, log[-2000:]


@pytest.mark.skipif(shutil.which("kubectl") is None, reason="there is no kubectl on PATH")
def test_jobs_complete_and_admission_is_real(standing: Path) -> None:
    config = api_of(up(standing)).kubeconfig
    kubectl(config, "create", "-f", "-", stdin=json.dumps(node("two")))
    kubectl(config, "create", "job", "quick", "--image=example.org/x")
    kubectl(config, "wait", "job/quick", "--for=condition=Complete", "--timeout=60s")
    kubectl(config, "create", "namespace", "team")
    kubectl(config, "label", "namespace", "team", "pod-security.kubernetes.io/enforce=restricted")
    kubectl(config, "create", "quota", "few", "--hard=configmaps=1", "--namespace=team")
    for arguments, said in (
        (("run", "x", "--image=example.org/x", "--namespace=team"), "violates PodSecurity"),
        (("create", "configmap", "second", "--namespace=team"), "exceeded quota"),
    ):
        command = ["kubectl", "--kubeconfig", str(config), *arguments]
        # The quota controller counts what is there (a configmap that each namespace has) a moment after.
        assert eventually(
            lambda command=command, said=said: (
                said in subprocess.run(command, capture_output=True, text=True, check=False).stderr
            )
        )
    refused = ["--as=system:serviceaccount:team:default", "get", "secrets", "--namespace=team"]
    command = ["kubectl", "--kubeconfig", str(config), *refused]
    assert "Forbidden" in subprocess.run(command, capture_output=True, text=True, check=False).stderr, "RBAC is on"
    kubectl(config, "delete", "job/quick", "node/two", "--timeout=60s")


@pytest.mark.skipif(shutil.which("kubectl") is None, reason="there is no kubectl on PATH")
def test_pods_and_claims_find_a_place_until_an_eks_cluster_says_where(root: Path) -> None:
    running = up(root)
    config = api_of(running).kubeconfig
    wanted = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    claims = {"volumeClaimTemplates": [{"metadata": {"name": "data"}, "spec": wanted}]}
    container = {"name": "main", "image": "example.org/x"}
    template = {"metadata": {"labels": {"app": "db"}}, "spec": {"containers": [container]}}
    spec = {"replicas": 1, "serviceName": "db", "selector": {"matchLabels": {"app": "db"}}, "template": template}
    database = {"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": {"name": "db"}, "spec": spec | claims}
    kubectl(config, "create", "-f", "-", stdin=json.dumps(database))
    kubectl(config, "wait", "--for=create", "pod/db-0", "--timeout=60s")
    kubectl(config, "wait", "pod/db-0", "--for=condition=Ready", "--timeout=60s")
    kubectl(config, "wait", "pvc/data-db-0", "--for=jsonpath={.status.phase}=Bound", "--timeout=60s")
    assert kubectl(config, "get", "nodes,storageclasses", "--output=name").split() == OWN

    eks = with_a_cluster(running)
    assert kubectl(config, "get", "nodes,storageclasses", "--output=name") == "", "the platform's nodes decide"
    unscheduled = "--for=jsonpath={.status.conditions[?(@.type=='PodScheduled')].reason}=Unschedulable"
    kubectl(config, "wait", "--for=create", "pod/db-0", "--timeout=60s")
    kubectl(config, "wait", "pod/db-0", unscheduled, "--timeout=60s")
    eks.delete_cluster(name="c")
    assert kubectl(config, "get", "nodes,storageclasses", "--output=name").split() == OWN
    kubectl(config, "wait", "pod/db-0", "--for=condition=Ready", "--timeout=60s")


def test_files_are_their_owners_alone_and_ports_loopbacks(standing: Path) -> None:
    running = up(standing)
    modes = {path: stat.S_IMODE(path.lstat().st_mode) for path in running.directory.rglob("*")}
    wrong = {
        str(path): oct(mode) for path, mode in modes.items()
        if mode != (0o700 if path.is_dir() else 0o600) and not path.is_socket() and "/etcd/" not in str(path)
    }  # fmt: skip
    assert wrong == {}
    assert stat.S_IMODE(running.directory.stat().st_mode) == 0o700, "what is open below is closed by this"
    certificate = x509.load_pem_x509_certificate((running.directory / "kubernetes" / "ca.crt").read_bytes())
    assert certificate.not_valid_before_utc < certificate.not_valid_after_utc
    pids = {one.pid: one.name for one in api_of(running).processes}
    listeners = [(address, pids[pid]) for address, pid in listening() if pid in pids]
    assert ("127.0.0.1", "kube-apiserver") in listeners
    assert {address for address, _ in listeners} == {"127.0.0.1"}
    assert "etcd" not in {name for _, name in listeners}, "neither clients nor peers reach it but by its sockets"


def test_the_processes_get_nothing_of_the_callers_secrets(standing: Path) -> None:
    assert os.environ[TOKEN[0]] == TOKEN[1]
    running = up(standing)
    pids = [one.pid for one in api_of(running).processes]
    assert running.pid is not None
    for pid in (*pids, running.pid):
        assert TOKEN[1].encode() not in Path(f"/proc/{pid}/environ").read_bytes()


def listening() -> Iterator[tuple[str, int]]:
    """Address and pid of each listening TCP socket (IPv6 ones as ``::``)."""
    inodes: dict[str, str] = {}
    for table in ("tcp", "tcp6"):
        for row in Path("/proc/net", table).read_text().splitlines()[1:]:
            fields = row.split()
            if fields[3] == "0A":
                raw = bytes.fromhex(fields[1].partition(":")[0])
                inodes[f"socket:[{fields[9]}]"] = socket.inet_ntoa(raw[::-1]) if len(raw) == 4 else "::"
    for entry in Path("/proc").glob("[0-9]*/fd/*"):
        try:
            target = str(entry.readlink())
        except OSError:
            continue
        if target in inodes:
            yield inodes[target], int(entry.parent.parent.name)


def test_a_client_without_a_certificate_is_refused(standing: Path) -> None:
    running = api_of(up(standing))
    known = kubeconfig.read(running.kubeconfig)
    stranger = kubeconfig.Credentials(known.certificate_authority)
    assert Api(running.server, known).answers("/version")
    assert not Api(running.server, stranger).answers("/version")
    assert not Api(running.server, stranger).answers("/api/v1/secrets")


def test_two_sandboxes_live_side_by_side(standing: Path) -> None:
    first, second = up(standing), up(standing, "other")
    assert api_of(first).server != api_of(second).server
    strange = kubeconfig.read(api_of(first).kubeconfig)
    assert not Api(api_of(second).server, strange).answers(), "each has an authority of its own"
    sandbox.down(standing, "other")
    assert sandbox.status(standing).state is SandboxState.RUNNING


@pytest.mark.parametrize("victim", ["etcd", "kube-apiserver", "kube-scheduler", "supervisor"])
def test_a_process_that_died_is_named_and_up_starts_anew(standing: Path, victim: str) -> None:
    first = up(standing)
    api = api_of(first)
    pid = next(one.pid for one in api.processes if one.name == victim)
    os.kill(pid, signal.SIGKILL)
    assert eventually(lambda: sandbox.status(standing).state is SandboxState.DEAD)
    status = sandbox.status(standing)
    assert victim in status.detail
    assert [part.state for part in status.parts] == [SandboxState.RUNNING, SandboxState.DEAD]
    assert sandbox.find(standing) is None
    if victim == "supervisor":
        assert eventually(lambda: not any(alive(one.pid) for one in api.processes)), "the kernel ends its children"

    second = sandbox.up(standing, cache=CACHE)  # without a wish: as it was
    assert api_of(second).flavor is Flavor.NATIVE
    assert api_of(second).server == api.server, "kubeconfigs that were handed out stay valid"
    assert not any(alive(one.pid) for one in api.processes)
    assert sandbox.status(standing).state is SandboxState.RUNNING


def test_an_api_server_that_does_not_answer_is_told_apart(standing: Path) -> None:
    api = api_of(up(standing))
    pid = next(one.pid for one in api.processes if one.name == "kube-apiserver")
    os.kill(pid, signal.SIGSTOP)
    try:
        status = sandbox.status(standing)
    finally:
        os.kill(pid, signal.SIGCONT)
    assert status.state is SandboxState.UNRESPONSIVE
    assert "does not answer" in status.detail
    assert status.parts[0].state is SandboxState.RUNNING


def test_a_removed_directory_orphans_nothing(root: Path) -> None:
    running = up(root)
    shutil.rmtree(running.directory)
    assert eventually(lambda: not any(alive(one.pid) for one in api_of(running).processes))
    assert eventually(lambda: naming(str(root)) == []), "the supervisor follows what it watched"
    (running.directory.parent / ".default.lock").unlink()
    running.directory.parent.rmdir()
    running.directory.parent.parent.rmdir()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
@pytest.mark.parametrize("moment", ["plan.json", "processes.json", "kwok.log"])
def test_an_up_that_is_interrupted_leaves_what_the_next_cleans(root: Path, number: int, moment: str) -> None:
    program = (
        "import sys; from pathlib import Path; from engine import sandbox;"
        "sandbox.up(Path(sys.argv[1]), kubernetes='native', cache=Path(sys.argv[2]))"
    )
    starting = subprocess.Popen([sys.executable, "-c", program, str(root), str(CACHE)], stderr=subprocess.DEVNULL)
    seen = root / ".bedplate" / "sandbox" / "default" / "kubernetes" / moment
    assert eventually(seen.exists)
    starting.send_signal(number)
    assert starting.wait(30) != 0
    if number == signal.SIGINT:
        assert eventually(lambda: naming(str(root)) == []), "Ctrl-C ends all that was started"
        assert list(root.iterdir()) == []
    elif moment == "kwok.log":
        assert api_of(up(root)).flavor is Flavor.NATIVE
    else:
        sandbox.down(root)
        assert eventually(lambda: naming(str(root)) == [])


def test_leftover_certificates_are_not_taken_for_ours_nor_is_a_path_too_long(tmp_path: Path, built: Binaries) -> None:
    directory = tmp_path / ("x" * 120) / "plane"  # longer than a socket's may be
    directory.mkdir(parents=True)
    for name in ("ca.crt", "ca.key", "kube-apiserver.crt", "kubeconfig", "processes.json"):
        (directory / name).write_text("of another time")
    (directory / "etcd").mkdir()
    with control_plane(directory, built) as running:
        assert Api(running.server, kubeconfig.read(running.kubeconfig)).answers("/readyz")
    assert not directory.exists()


def test_a_folder_that_holds_something_else_is_left_alone(tmp_path: Path, built: Binaries) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(sandbox.StartFailed, match="holds something that is no control plane's"):
        ControlPlane.start(tmp_path, built)
    end_leftovers(tmp_path)
    assert (tmp_path / "thesis.txt").read_text() == "years of work"


def test_a_port_in_use_names_its_holder(root: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(sandbox.PortInUse, match=rf"port {port} .* in use by pid {os.getpid()} .*--kubernetes-port"):
            up(root, kubernetes_port=port)
    assert list(root.iterdir()) == []
    assert api_of(up(root, kubernetes_port=port)).server == f"https://127.0.0.1:{port}"


def test_a_program_that_ends_at_once_shows_its_log(tmp_path: Path, built: Binaries) -> None:
    broken = tmp_path / "broken"
    broken.mkdir()
    for name in PROGRAMS:
        (broken / name).symlink_to(built.path(name))
    (broken / "kube-apiserver").unlink()
    (broken / "kube-apiserver").write_text("#!/bin/sh\necho the reason\nexit 3\n")
    (broken / "kube-apiserver").chmod(0o755)
    with pytest.raises(sandbox.StartFailed, match=r"(?s)kube-apiserver ended at once; the end of its log:.*the reason"):
        ControlPlane.start(tmp_path / "plane", Binaries(broken, built.version))
    assert not (tmp_path / "plane").exists()
    assert naming(str(tmp_path / "plane")) == []


def test_one_that_is_bound_ends_with_its_owner(tmp_path: Path, built: Binaries) -> None:
    program = (
        "import os, sys; from pathlib import Path; from engine.sandbox.native import Binaries, ControlPlane;"
        "ControlPlane.start(Path(sys.argv[1]), Binaries(Path(sys.argv[2]), sys.argv[3]), bound=True);"
        "os.kill(os.getpid(), 9)"
    )
    plane = tmp_path / "plane"
    command = [sys.executable, "-c", program, str(plane), str(built.directory), built.version]
    assert subprocess.run(command, check=False).returncode == -signal.SIGKILL
    assert eventually(lambda: naming(str(plane)) == [])
    end_leftovers(plane)
    assert not plane.exists()
