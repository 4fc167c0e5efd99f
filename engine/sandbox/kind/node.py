"""kind's real node, which is a container: what has to be done inside it."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass

from engine.sandbox.api import Unanswered

DISKS = "/var/bedplate/volumes"  # where the volumes lie that EBS would have
TIMEOUT = 30.0  # seconds for one command
_INTERFACE = "eth0"


class NodeFailed(Unanswered):
    """A command in the node's container did not succeed, and may when it is tried again."""


@dataclass(frozen=True)
class RealNode:
    """``name`` is that of the Node object and of the container."""

    name: str

    def make_disk(self, name: str) -> str:
        """An empty directory that any user may write into, as a pod's group may into a volume of EBS; its path."""
        path = f"{DISKS}/{name}"
        self._do("mkdir", "-p", DISKS)
        self._do("mkdir", "-p", "-m", "0777", path)
        return path

    def remove_disk(self, path: str) -> None:
        """Remove a directory that ``make_disk`` made."""
        if path.startswith(f"{DISKS}/"):
            self._do("rm", "-rf", path)

    def has_neighbour(self, address: str) -> None:
        """Let a simulated node's address seem to be in the node's network.

        kindnetd makes routes through it to the pods of that node, and ends where it may not.
        """
        self._do("ip", "route", "replace", f"{address}/32", "dev", _INTERFACE)

    def _do(self, *command: str) -> None:
        whole = ["docker", "exec", self.name, *command]
        try:
            done = subprocess.run(whole, capture_output=True, text=True, timeout=TIMEOUT, check=False)  # noqa: S603
        except (OSError, subprocess.TimeoutExpired) as error:
            raise NodeFailed(f"`{' '.join(whole)}`: {error}") from error
        if done.returncode:
            raise NodeFailed(f"`{' '.join(whole)}`: {done.stderr.strip()}")
