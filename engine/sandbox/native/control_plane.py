"""A real Kubernetes control plane on loopback: started in seconds, ended without a trace."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path

from engine.sandbox import kubeconfig, process, supervised
from engine.sandbox.api import Api
from engine.sandbox.aws_half import environment, log_tail
from engine.sandbox.endpoint import LOOPBACK, free_port
from engine.sandbox.errors import StartFailed
from engine.sandbox.kubeconfig import Credentials
from engine.sandbox.model import Process
from engine.sandbox.native import commands
from engine.sandbox.native.binaries import Binaries
from engine.sandbox.supervised import end as end_leftovers
from engine.sandbox.supervised import is_ours, processes

READY_TIMEOUT = 90.0  # seconds until the API must be ready; it takes 5 where nothing else runs
POLL = 0.05  # seconds between two questions while the API server starts
MASTERS = "system:masters"  # the group that may do everything
# Garbage is collected less often: a sixth of the processor time of a start, for 100 MiB more of the API server.
COLLECTING = {"GOGC": "400", "GOMEMLIMIT": "1GiB"}


@dataclass(frozen=True)
class ControlPlane:
    """A control plane that runs. ``kubeconfig`` enters it as an administrator."""

    directory: Path
    server: str
    version: str
    kubeconfig: Path
    processes: tuple[Process, ...]
    _owner: int | None = None  # our end of the pipe that it lives as long as

    @classmethod
    def start(cls, directory: Path, binaries: Binaries, *, port: int = 0, bound: bool = False) -> ControlPlane:
        """Start one in ``directory``, which is its alone and made anew, and wait until its API is ready.

        ``port`` 0 is any free one. With ``bound`` it ends when this process does, however that happens. Raises
        PortInUse, StartFailed.
        """
        if not is_ours(directory):
            raise StartFailed(
                f"{directory} holds something that is no control plane's; name a folder that can be made anew"
            )
        end_leftovers(directory)
        port = free_port(port, option="--kubernetes-port")
        directory.mkdir(mode=0o700, parents=True)
        try:
            server = f"https://{LOOPBACK}:{port}"
            supervised.mark(directory, commands.starts(binaries, port))  # first: it marks the directory as ours
            admin = _make_credentials(directory, server)
            path = directory / "kubeconfig"
            kubeconfig.write(path, server, admin)
            surroundings = environment(directory) | COLLECTING | {"HOME": str(directory)}  # kwok would read ~/.kwok
            owner = supervised.spawn(directory, surroundings, bound=bound)
            _wait_until_ready(directory, Api(server, admin))
            return cls(directory, server, binaries.version, path, processes(directory), owner)
        except BaseException:
            end_leftovers(directory)
            raise

    def stop(self) -> None:
        """End all processes and remove the directory."""
        end_leftovers(self.directory)
        if self._owner is not None:
            with contextlib.suppress(OSError):  # stopped twice
                os.close(self._owner)


@contextlib.contextmanager
def control_plane(directory: Path, binaries: Binaries) -> Generator[ControlPlane]:
    """One that lives as long as the block, or as this process."""
    running = ControlPlane.start(directory, binaries, bound=True)
    try:
        yield running
    finally:
        running.stop()


def _make_credentials(directory: Path, server: str) -> Credentials:
    """Write the keys, certificates and kubeconfigs that the processes read; returns the administrator's."""
    from engine.sandbox.native.certificates import Authority, signing_keys, write_private

    authority = Authority()
    serving = authority.server((LOOPBACK, commands.SERVICE_ADDRESS))
    signing, checking = signing_keys()
    files = {
        "ca.crt": authority.pair.certificate,
        "ca.key": authority.pair.key,
        "kube-apiserver.crt": serving.certificate,
        "kube-apiserver.key": serving.key,
        "service-accounts.key": signing,
        "service-accounts.pub": checking,
    }
    for name, content in files.items():
        write_private(directory / name, content)

    def credentials(user: str, group: str) -> Credentials:
        pair = authority.client(user, group)
        return Credentials(authority.pair.certificate, pair.certificate, pair.key)

    # They start while the API server still makes the roles of its own components, and would be refused until then,
    # and again for as long as they wait after a refusal.
    for user in ("kube-controller-manager", "kube-scheduler", "kwok", commands.VOLUMES):
        path = directory / f"{user}.kubeconfig"
        kubeconfig.write(path, server, credentials(f"system:{user}", MASTERS), user=user)
    return credentials("bedplate:admin", MASTERS)


def _wait_until_ready(directory: Path, api: Api) -> None:
    """Until the API is ready and a pod can be made: its namespace's service account is there."""
    deadline = time.monotonic() + READY_TIMEOUT
    while not api.answers("/readyz"):
        ended = [one.name for one in processes(directory) if not process.is_alive(one.pid, one.started)]
        if ended:
            raise StartFailed(_failure(directory, ended[-1], f"{ended[-1]} ended at once"))
        if time.monotonic() > deadline:
            what = f"the API server was not ready at {api.server} within {READY_TIMEOUT:.0f} s"
            raise StartFailed(_failure(directory, "kube-apiserver", what))
        time.sleep(POLL)
    watch = "/api/v1/namespaces/default/serviceaccounts?watch=1&fieldSelector=metadata.name%3Ddefault"
    if not api.first_line(watch, timeout=READY_TIMEOUT):
        what = f"the controllers made no service account within {READY_TIMEOUT:.0f} s"
        raise StartFailed(_failure(directory, "kube-controller-manager", what))


def _failure(directory: Path, program: str, what: str) -> str:
    lines = log_tail(directory / f"{program}.log")
    return "\n  ".join([f"the native control plane did not start: {what}; the end of its log:", *lines])
