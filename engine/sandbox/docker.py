"""The Docker sandbox: a kind cluster, and LocalStack where there is a token for it. Everything carries our label.

What is made is found by that label, and kind's by a name that holds a digest of the sandbox's folder: never by one that
somebody else may have chosen, too. `down` removes containers and network. The images are those of images.yaml.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from engine.sandbox import endpoint as endpoints
from engine.sandbox import kubeconfig, localstack, supervised
from engine.sandbox.aws_half import environment
from engine.sandbox.errors import SandboxError, StartFailed
from engine.sandbox.kubeconfig import Credentials
from engine.sandbox.localstack import TOKEN
from engine.sandbox.model import Flavor, KubernetesApi, Process, Sandbox, SandboxFiles, mark_localstack

LABEL = "dev.bedplate.sandbox"
CLUSTER_TIMEOUT = 600.0  # seconds: the node's image may have to be pulled first
LOCALSTACK_TIMEOUT = 300.0
ANSWER_TIMEOUT = 10.0
MACHINES = "machines"  # what plays what kind lacks of EKS
POLL = 0.5
SETTLING = 1.0  # seconds in which Docker has made what it was asked for
GRACE = 5.0  # seconds that docker and kind have to end
# The kubelet asks for its certificate, as in EKS; `machines` approves it. A self-signed one nobody would trust.
_KUBELET = {
    "apiVersion": "kubelet.config.k8s.io/v1beta1", "kind": "KubeletConfiguration", "serverTLSBootstrap": True,
}  # fmt: skip


class DockerUnavailable(SandboxError):
    """No Docker engine answers, or kind is missing."""


def engine_problem() -> str | None:
    """Why no Docker engine can be used, in a line; None when one answers."""
    if shutil.which("docker") is None:
        return "there is no `docker` on PATH"
    try:
        done = _run(["docker", "version", "--format", "{{.Server.Version}}"], timeout=ANSWER_TIMEOUT)
    except subprocess.TimeoutExpired:
        return f"`docker version` did not answer within {ANSWER_TIMEOUT:.0f} s"
    lines = [line for line in done.stderr.strip().splitlines() if line]
    return None if done.returncode == 0 else (lines or ["`docker version` failed"])[-1]


def check_possible() -> None:
    """Raise DockerUnavailable unless a kind cluster can be made here."""
    problem = engine_problem()
    if problem:
        raise DockerUnavailable(
            f"no Docker engine answers ({problem}); start one, or choose what needs none: --kubernetes native or "
            "embedded"
        )
    if shutil.which("kind") is None:
        raise DockerUnavailable(
            "a Docker engine answers, but there is no `kind` on PATH; install it (https://kind.sigs.k8s.io), or choose "
            "--kubernetes native or embedded"
        )


def has_token() -> bool:
    """Whether LocalStack can be had; without its token the AWS half is our emulator."""
    return bool(os.environ.get(TOKEN))


def name_of(files: SandboxFiles) -> str:
    """What the sandbox's cluster, network and label are called: two checkouts may each have a sandbox `default`."""
    return _name(files.directory)


def _name(directory: Path) -> str:
    """Of at most 49 characters: a node is called after it, with 14 more, and may have 63."""
    digest = hashlib.sha256(str(directory).encode()).hexdigest()[:8]
    return f"bedplate-{directory.name[:31].rstrip('-')}-{digest}"


def logs_of_localstack(sandbox: Sandbox) -> str:
    """The command that shows what the sandbox's LocalStack has said."""
    return f"docker logs $(docker ps --all --quiet --filter label={LABEL}={_name(sandbox.directory)})"


def start_localstack(files: SandboxFiles, port: int, region: str) -> str:
    """Run LocalStack on loopback and wait until it says that it is well; returns its endpoint."""
    port = endpoints.free_port(port, option="--port")
    name = name_of(files)
    _mark(files)
    container = _made_by(
        ["docker", "run", "--detach", "--label", f"{LABEL}={name}", "--publish", f"{endpoints.LOOPBACK}:{port}:4566",
         # By name alone: a value among the arguments could be read by everybody on this machine.
         "--env", TOKEN, "--env", f"AWS_DEFAULT_REGION={region}",
         # Queues' URLs are made of it: its own port is the container's, and not where it is reached.
         "--env", f"LOCALSTACK_HOST=localhost.localstack.cloud:{port}", images()["localstack"]["image"]],
    ).strip()  # fmt: skip
    mark_localstack(files.directory)
    endpoint = f"http://{endpoints.LOOPBACK}:{port}"
    deadline = time.monotonic() + LOCALSTACK_TIMEOUT
    while localstack.at(endpoint) is None:
        if not _containers(name):
            raise StartFailed(f"LocalStack ended; is the token in {TOKEN} valid? {_last_words(container)}")
        if time.monotonic() > deadline:
            raise StartFailed(f"LocalStack did not become well at {endpoint} within {LOCALSTACK_TIMEOUT:.0f} s")
        time.sleep(POLL)
    return endpoint


def _last_words(container: str) -> str:
    """What an ended LocalStack said last, without the token."""
    said = _run(["docker", "logs", "--tail", "20", container], timeout=ANSWER_TIMEOUT)
    text = f"{said.stdout}{said.stderr}".replace(os.environ.get(TOKEN) or TOKEN, f"<{TOKEN}>")
    lines = [f"(image {images()['localstack']['image']}) It said:", *text.strip().splitlines()[-10:]]
    return "\n  ".join(lines)


def start_kind(files: SandboxFiles, port: int) -> KubernetesApi:
    """Make a kind cluster in a network of its own, whose API listens on loopback."""
    port = endpoints.free_port(port, option="--kubernetes-port")
    name, node = name_of(files), images()["kind"]
    _mark(files)
    _checked(["docker", "network", "create", "--label", f"{LABEL}={name}", name], timeout=ANSWER_TIMEOUT)
    wanted = {
        "kind": "Cluster", "apiVersion": "kind.x-k8s.io/v1alpha4",
        "networking": {"apiServerAddress": endpoints.LOOPBACK, "apiServerPort": port},
        "nodes": [{"role": "control-plane", "image": node["image"], "labels": {LABEL: name}}],
        "kubeadmConfigPatches": [json.dumps(_KUBELET)],
    }  # fmt: skip
    scratch = files.directory / "kind.kubeconfig"
    command = ["kind", "create", "cluster", "--name", name, "--config", "-", "--kubeconfig", str(scratch)]
    command += ["--wait", "120s"]
    network = {"KIND_EXPERIMENTAL_DOCKER_NETWORK": name}
    _made_by(command, stdin=json.dumps(wanted), variables=network)
    server = _adopt(scratch, files.kubeconfig)
    return KubernetesApi(Flavor.KIND, server, files.kubeconfig, node["version"], _play(files, f"{name}-control-plane"))


def _play(files: SandboxFiles, node: str) -> tuple[Process, ...]:
    """Start what plays what kind lacks of EKS, beside the cluster whose one node is ``node``."""
    directory = files.kubernetes
    supervised.end(directory)
    directory.mkdir(mode=0o700, parents=True)
    command = [sys.executable, "-P", "-m", "engine.sandbox.kind.machines", str(files.kubeconfig), node]
    supervised.mark(directory, [supervised.Start(MACHINES, command)])
    docker = {key: value for key, value in os.environ.items() if key.startswith("DOCKER_") or key == "SSH_AUTH_SOCK"}
    supervised.spawn(directory, environment(directory) | docker)
    deadline = time.monotonic() + ANSWER_TIMEOUT
    while MACHINES not in {one.name for one in supervised.processes(directory)}:
        if time.monotonic() > deadline:
            raise StartFailed(f"what plays the node groups' machines did not start; see {directory}/supervisor.log")
        time.sleep(0.05)
    return supervised.processes(directory)


def end(files: SandboxFiles) -> None:
    """Remove every container and network of the sandbox. Raises SandboxError where they can't be reached."""
    if not files.docker.exists():
        return
    name = name_of(files)
    problem = engine_problem()
    if problem:
        raise SandboxError(
            f"what the sandbox made in Docker can't be removed: {problem}; start the engine and try again, or remove "
            f"the file {files.docker} if it is gone for good (label {LABEL}={name})"
        )
    _remove(name)
    files.docker.unlink()


def remove_leftovers(files: SandboxFiles) -> None:
    """Remove what a start of this sandbox left in Docker when it was ended too early to know of it."""
    _remove(name_of(files))


def _remove(name: str) -> None:
    if shutil.which("kind"):
        _checked(["kind", "delete", "cluster", "--name", name], timeout=CLUSTER_TIMEOUT)
    found = [*_containers(name, every=True), *_listed(["ps", "--all"], f"io.x-k8s.kind.cluster={name}")]
    if found:
        _checked(["docker", "rm", "--force", "--volumes", *found], timeout=CLUSTER_TIMEOUT)
    networks = _listed(["network", "ls"], f"{LABEL}={name}")
    if networks:
        _checked(["docker", "network", "rm", *networks], timeout=CLUSTER_TIMEOUT)


def images() -> dict[str, Any]:
    """The images by name, each with its digest."""
    import yaml

    return yaml.safe_load(Path(__file__).with_name("images.yaml").read_text())


def _mark(files: SandboxFiles) -> None:
    """Note that there is something in Docker before it is made: an `up` that is killed leaves what `down` finds."""
    files.docker.touch(mode=0o600)


def _adopt(path: Path, target: Path) -> str:
    """Rewrite kind's kubeconfig as ours; returns the server."""
    import yaml

    content = yaml.safe_load(path.read_text())
    path.unlink()
    cluster, user = content["clusters"][0]["cluster"], content["users"][0]["user"]
    server = str(cluster["server"])
    credentials = Credentials(
        kubeconfig.decoded(cluster.get("certificate-authority-data", "")),
        kubeconfig.decoded(user.get("client-certificate-data", "")),
        kubeconfig.decoded(user.get("client-key-data", "")),
    )
    kubeconfig.write(target, server, credentials)
    return server


def _containers(name: str, *, every: bool = False) -> list[str]:
    return _listed(["ps", "--all"] if every else ["ps"], f"{LABEL}={name}")


def _listed(arguments: Sequence[str], label: str) -> list[str]:
    command = ["docker", *arguments, "--quiet", "--filter", f"label={label}"]
    return _checked(command, timeout=ANSWER_TIMEOUT).split()


def _made_by(command: Sequence[str], *, stdin: str = "", variables: Mapping[str, str] | None = None) -> str:
    try:
        return _checked(command, timeout=CLUSTER_TIMEOUT, stdin=stdin, variables=variables)
    except BaseException:
        time.sleep(SETTLING)  # Docker may still be making what it was asked for, and then it can be removed
        raise


def _checked(
    command: Sequence[str], *, timeout: float, stdin: str = "", variables: Mapping[str, str] | None = None
) -> str:
    try:
        done = _run(command, timeout=timeout, stdin=stdin, variables=variables)
    except subprocess.TimeoutExpired:
        raise StartFailed(f"`{' '.join(command[:3])}` did not end within {timeout:.0f} s") from None
    if done.returncode != 0:
        said = "\n  ".join(done.stderr.strip().splitlines()[-10:])
        raise StartFailed(f"`{' '.join(command[:3])}` failed:\n  {said}")
    return done.stdout


def _run(
    command: Sequence[str], *, timeout: float, stdin: str = "", variables: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run docker or kind; when it takes too long, or this is interrupted, it ends with all that it has started."""
    with subprocess.Popen(  # noqa: S603  # docker and kind, with arguments of ours
        list(command), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env={**os.environ, **(variables or {})}, start_new_session=True,
    ) as running:  # fmt: skip
        try:
            out, err = running.communicate(stdin, timeout)
        except BaseException:
            with contextlib.suppress(ProcessLookupError, PermissionError):  # the latter: macOS, once all have ended
                os.killpg(running.pid, signal.SIGTERM)
                with contextlib.suppress(subprocess.TimeoutExpired):
                    running.wait(GRACE)
                os.killpg(running.pid, signal.SIGKILL)
            raise
    return subprocess.CompletedProcess(list(command), running.returncode, out, err)
