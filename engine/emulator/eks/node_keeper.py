"""Keeps the nodes of all node groups, or the sandbox's own where there is no cluster.

It goes on trying where the Kubernetes API can't be reached. A node group's own operations never fail for that: the
group says it, as a health issue, until it has worked.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from engine.emulator.eks import api_server, own_node
from engine.emulator.eks.nodes import Facts, NoFreeAddress, WantedNodes, keep
from engine.emulator.eks.nodes_client import KubernetesUnreachable, NodesClient

RETRY_EVERY = 2.0  # seconds
# As EKS calls them. Source: Amazon EKS API reference, Issue.
_UNREACHABLE, _FULL = "ClusterUnreachable", "InsufficientFreeAddresses"


@dataclass(frozen=True)
class _Pending:
    wanted: WantedNodes
    group: Facts


class NodeKeeper:
    """One for the process: an API server is one, whatever the account or region that a group is in."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pending: dict[str, _Pending] = {}  # by the group's ARN
        self._groups: dict[str, _Pending] = {}  # those that want nodes
        self._own_wanted: Callable[[], bool] | None = None  # pending: it is not yet what this says
        self._retrying = False

    def keep(self, wanted: WantedNodes, group: Facts) -> None:
        """Make the group's nodes equal to what it wants; ``group`` gets or loses its health issue."""
        with self._lock:
            self._pending[wanted.arn] = self._groups[wanted.arn] = _Pending(wanted, group)
            if not wanted.count:
                del self._groups[wanted.arn]
            self._begin()

    def keep_own(self, wanted: Callable[[], bool]) -> None:
        """Have the sandbox's own node, or have it no more, as ``wanted`` says whenever it is tried."""
        with self._lock:
            self._own_wanted = wanted
            self._begin()

    def _begin(self) -> None:
        self._work()
        if self._is_pending and not self._retrying:
            self._retrying = True
            threading.Thread(target=self._retry, name="nodes", daemon=True).start()

    @property
    def _is_pending(self) -> bool:
        return bool(self._pending) or self._own_wanted is not None

    def _work(self) -> None:
        """Try everything that is pending, in its order."""
        server = api_server.CURRENT.api_server
        if server is None:
            self._pending.clear()
            self._own_wanted = None
            return
        try:
            client = NodesClient(server)
        except (OSError, ValueError) as error:  # a certificate that can't be read
            self._said(f"{server.server}: {error}")
            return
        try:
            if self._own_wanted:
                if server.own_node:
                    (own_node.make if self._own_wanted() else own_node.take_away)(client)
                self._own_wanted = None
            for arn, pending in list(self._pending.items()):
                try:
                    if keep(client, pending.wanted):
                        self._pending = self._groups | self._pending  # the next one bears its labels
                except NoFreeAddress as error:  # of this group only: the others' nodes don't wait for it
                    _tell(pending.group, _FULL, str(error))
                    continue
                _tell(pending.group)
                del self._pending[arn]
        except (KubernetesUnreachable, ValueError) as error:
            self._said(f"{server.server}: {error}")
        finally:
            client.close()

    def _said(self, why: str) -> None:
        message = f"The Kubernetes API can't be reached to make this group's nodes; it is tried again. {why}"
        for pending in self._pending.values():
            _tell(pending.group, _UNREACHABLE, message)

    def _retry(self) -> None:
        try:
            while True:
                time.sleep(RETRY_EVERY)
                with self._lock:
                    self._work()
                    if not self._is_pending:
                        self._retrying = False
                        return
        except BaseException:  # something unforeseen ends it: the next change of a group starts it again
            self._retrying = False
            raise


def _tell(group: Facts, code: str = "", message: str = "") -> None:
    """Replace what was said of the group's nodes; without a code all is well."""
    ours = (_UNREACHABLE, _FULL)
    issues = [issue for issue in group.get("health", {}).get("issues", []) if issue["code"] not in ours]
    if code:
        issues.append({"code": code, "message": message, "resourceIds": [group["nodegroupName"]]})
    group["health"] = {"issues": issues}


KEEPER = NodeKeeper()
