"""kind's real node, which is a container: what has to be done inside it."""

from __future__ import annotations

import subprocess
from collections.abc import Iterable
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

    def disk(self, volume: str) -> str:
        """The directory of a volume."""
        return f"{DISKS}/{volume}"

    def make_disk(self, volume: str) -> None:
        """Make the directory of a volume; any user may write into it, as a pod's group may into a volume of EBS."""
        self._do(["mkdir", "-p", DISKS])
        self._do(["mkdir", "-p", "-m", "0777", self.disk(volume)])

    def remove_disk(self, volume: str) -> None:
        """Remove the directory of a volume, and what is in it."""
        self._do(["rm", "-rf", self.disk(volume)])

    def has_neighbours(self, addresses: Iterable[str]) -> None:
        """Let simulated nodes' addresses seem to be in the node's network.

        kindnetd makes routes through them to the pods of those nodes, and ends where it may not.
        """
        lines = "".join(f"route replace {address}/32 dev {_INTERFACE}\n" for address in addresses)
        if lines:
            self._do(["ip", "-force", "-batch", "-"], lines)

    def _do(self, command: list[str], stdin: str = "") -> None:
        whole = ["docker", "exec", "--interactive", self.name, *command]
        try:
            done = subprocess.run(  # noqa: S603  # our commands; names are those of Kubernetes' objects, and no options
                whole, input=stdin, capture_output=True, text=True, timeout=TIMEOUT, check=False
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise NodeFailed(f"`{' '.join(whole)}`: {error}") from error
        if done.returncode:
            raise NodeFailed(f"`{' '.join(whole)}`: {done.stderr.strip()}")
