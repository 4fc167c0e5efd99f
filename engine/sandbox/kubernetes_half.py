"""The Kubernetes half of a sandbox, whichever flavour: start it, tell the EKS emulator of it, ask how it is, end it."""

from __future__ import annotations

import json
import time
from collections.abc import Collection
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urlsplit

from engine.sandbox import endpoint as endpoints
from engine.sandbox import kubeconfig, process, supervised
from engine.sandbox.aws_half import EmbeddedKubernetes, log_tail
from engine.sandbox.errors import SandboxError, StartFailed
from engine.sandbox.kubeconfig import Credentials
from engine.sandbox.model import Flavor, KubernetesApi, PartStatus, SandboxFiles, SandboxState
from engine.sandbox.record import Record

READY_TIMEOUT = 30.0  # seconds until a started API must answer
PORT_OPTION = "--kubernetes-port"
TELL_PATH = "/_bedplate/kubernetes"  # as engine.emulator.eks.api_server has it, which is not imported here: layers


@dataclass(frozen=True)
class Wish:
    """Which Kubernetes half is wanted; ``port`` 0 is any free one, ``version`` None the flavour's own.

    ``cache`` is the folder of the native control plane's builds.
    """

    flavor: Flavor
    cache: Path
    port: int = 0
    version: str | None = None


def check_possible(wish: Wish | None, endpoint: str | None) -> None:
    """Raise SandboxError for a flavour that can't be had, before anything is started for it."""
    if wish and wish.flavor is Flavor.NATIVE:
        from engine.sandbox.native import required

        required(wish.cache)
    if wish and wish.flavor is Flavor.KIND:
        from engine.sandbox import docker

        docker.check_possible()
    if wish and wish.flavor is Flavor.EMBEDDED and endpoint is not None:
        raise SandboxError(
            f"the embedded Kubernetes API lives in our emulator, and you use the one at {endpoint}; "
            "leave --endpoint out, or choose --kubernetes native or kind"
        )


def listen(wish: Wish, former: KubernetesApi | None) -> EmbeddedKubernetes:
    """The embedded API's socket; without a wish, on the port of one that died, so that kubeconfigs stay valid."""
    former_port = urlsplit(former.server).port if former and former.flavor is Flavor.EMBEDDED else None
    from engine.kubernetes import DEFAULT_VERSION

    listener = endpoints.listen_like(wish.port, former_port, option=PORT_OPTION)
    server = f"http://{endpoints.LOOPBACK}:{listener.getsockname()[1]}"
    return EmbeddedKubernetes(listener, server, wish.version or DEFAULT_VERSION)


def start(
    files: SandboxFiles,
    record: Record,
    wish: Wish,
    former: KubernetesApi | None,
    served: EmbeddedKubernetes | None = None,
) -> Record:
    """Start what is wished for beside the AWS half, and tell that of it. ``served``: by the emulator."""
    if served:
        api = _embedded(files, record, served)
    elif wish.flavor is Flavor.NATIVE:
        api = _native(files, wish, former)
    else:
        from engine.sandbox import docker

        api = docker.start_kind(files, wish.port)
    _tell(record, api)
    return replace(record, sandbox=replace(record.sandbox, kubernetes=api))


def _embedded(files: SandboxFiles, record: Record, served: EmbeddedKubernetes) -> KubernetesApi:
    kubeconfig.write(files.kubeconfig, served.server, Credentials())
    api = KubernetesApi(Flavor.EMBEDDED, served.server, files.kubeconfig, served.version)
    _wait_until_ready(record, api)
    return api


def _native(files: SandboxFiles, wish: Wish, former: KubernetesApi | None) -> KubernetesApi:
    from engine.sandbox.native import ControlPlane, required

    former_port = urlsplit(former.server).port if former and former.flavor is Flavor.NATIVE else None
    with endpoints.listen_like(wish.port, former_port, option=PORT_OPTION) as probe:
        port = probe.getsockname()[1]
    running = ControlPlane.start(files.kubernetes, required(wish.cache), port=port)
    kubeconfig.write(files.kubeconfig, running.server, kubeconfig.read(running.kubeconfig))
    return KubernetesApi(Flavor.NATIVE, running.server, files.kubeconfig, running.version, running.processes)


def end(files: SandboxFiles) -> None:
    """End what the Kubernetes half runs of its own, however it was left."""
    if files.kubernetes.exists():
        supervised.end(files.kubernetes)
    if files.docker.exists():
        from engine.sandbox import docker

        docker.end(files)


def _wait_until_ready(record: Record, api: KubernetesApi) -> None:
    """The socket is open before the emulator is: the wait is the answer's own, not a poll."""
    deadline = time.monotonic() + READY_TIMEOUT
    while process.start_time(record.sandbox.pid or 0) and time.monotonic() < deadline:
        if answers(api):
            return
    lines = log_tail(record.sandbox.log_file)
    what = f"the embedded Kubernetes API did not answer at {api.server} within {READY_TIMEOUT:.0f} s"
    raise StartFailed("\n  ".join([f"{what}; the end of the emulator's log:", *lines]))


def lives(record: Record) -> bool:
    """Whether all processes of the Kubernetes half are there; so where it has none of its own."""
    return not dead(record.sandbox.kubernetes)


def dead(api: KubernetesApi | None) -> Collection[str]:
    """The names of the processes that have ended."""
    return [one.name for one in (api.processes if api else ()) if not process.is_alive(one.pid, one.started)]


def status(api: KubernetesApi) -> PartStatus:
    """How it is; asks the API server."""
    gone = dead(api)
    if gone:
        detail = f"{api.flavor}: {', '.join(gone)} ended; bring the sandbox up again (it will be empty)"
        return PartStatus("kubernetes", SandboxState.DEAD, detail)
    if not answers(api):
        detail = f"{api.flavor}: {api.server} does not answer"
        return PartStatus("kubernetes", SandboxState.UNRESPONSIVE, detail)
    return PartStatus("kubernetes", SandboxState.RUNNING, f"{api.flavor} {api.version} at {api.server}")


def answers(api: KubernetesApi) -> bool:
    """Whether the API server answers in time."""
    from engine.sandbox.api import Api  # http.client: 15 ms, and only start and status need it

    return Api(api.server, kubeconfig.read(api.kubeconfig)).answers()


def _tell(record: Record, api: KubernetesApi) -> None:
    """Tell the EKS emulator where its clusters' API is, and whether that has no node by itself.

    An emulator that is not ours can't be told; `sandbox up` says so.
    """
    if not record.sandbox.can_be_told:
        return
    import http.client

    parts = urlsplit(record.sandbox.endpoint)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=READY_TIMEOUT)
    try:
        told = kubeconfig.read(api.kubeconfig).told() | {"ownNode": api.flavor is Flavor.NATIVE}
        body = json.dumps({"server": api.server} | told)
        connection.request("PUT", TELL_PATH, body, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        if answer.status != 200:
            said = answer.read(1000).decode(errors="replace")
            raise StartFailed(f"the emulator at {record.sandbox.endpoint} refused to hear of {api.server}: {said}")
    except (OSError, http.client.HTTPException) as error:
        raise StartFailed(
            f"the emulator at {record.sandbox.endpoint} could not be told of {api.server}: {error}"
        ) from error
    finally:
        connection.close()
