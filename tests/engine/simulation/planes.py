"""A native control plane for tests: one for all of them, emptied after each."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pytest

from engine.providers.kubernetes.connection import Connection
from engine.sandbox.native import Binaries, cache_of, find
from engine.simulation.cluster import Cluster, collection
from engine.simulation.running import connected, throw_away

CHECKOUT: Final = Path(__file__).parents[3]
NOT_BUILT: Final = "the native control plane is not built; `bedplate sandbox build` builds it"
_WORKLOADS: Final = ("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job", "Pod")
_SURROUNDINGS: Final = ("ResourceQuota", "LimitRange", "PodDisruptionBudget")
_OURS: Final = ("system-cluster-critical", "system-node-critical")


def built() -> Binaries | None:
    return find(cache_of(CHECKOUT))


@contextmanager
def empty_cluster(folder: Path) -> Generator[tuple[Connection, str]]:
    """A connection to a new control plane, and its version."""
    binaries = built()
    if binaries is None:
        pytest.skip(NOT_BUILT)
    with throw_away(folder, binaries) as plane:
        yield connected(plane), plane.version


def emptied(connection: Connection) -> None:
    """Delete what a case has made, and wait until all of it is gone."""
    for kind in _WORKLOADS:
        for namespace in _namespaces(connection):
            _delete_all(connection, collection(kind, namespace))
    with Cluster(connection, 60) as cluster:
        cluster.until(lambda: next((f"{kind}s are left" for kind in _WORKLOADS if list(cluster.seen.of(kind))), None))
    for namespace in _namespaces(connection):
        for kind in _SURROUNDINGS:
            _delete_all(connection, collection(kind, namespace))
    _delete_all(connection, collection("Node"))
    _delete_all(connection, collection("RuntimeClass"))
    for one in (connection.get(collection("PriorityClass")) or {})["items"]:
        if one["metadata"]["name"] not in _OURS:
            connection.request("DELETE", f"{collection('PriorityClass')}/{one['metadata']['name']}")


def _namespaces(connection: Connection) -> list[str]:
    return [one["metadata"]["name"] for one in (connection.get(collection("Namespace")) or {})["items"]]


def _delete_all(connection: Connection, path: str) -> None:
    connection.request("DELETE", path, {"propagationPolicy": "Background"})
