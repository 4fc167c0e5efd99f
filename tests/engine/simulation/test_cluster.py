"""The simulated cluster's edges: what is said when it does not come to rest, breaks off, or refuses."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager

import pytest

from engine.providers.kubernetes.connection import Connection
from engine.providers.kubernetes.statuses import Unreachable
from engine.simulation.cluster import Cluster, SimulationError, TimedOut, collection
from engine.simulation.manifests import Manifest


class _Broken(Connection):
    """An API server that lists nothing, and ends while it is watched."""

    def __init__(self) -> None:
        """It needs no address."""

    def get(self, path: str, query: Mapping[str, str] | None = None) -> Manifest | None:
        return {"items": [], "metadata": {"resourceVersion": "1"}}

    @contextmanager
    def watch(self, path: str, query: Mapping[str, str], seconds: float) -> Generator[Iterator[Manifest]]:
        raise Unreachable("nothing answers at https://127.0.0.1:1: it ended")
        yield iter(())


def test_a_cluster_that_does_not_come_to_rest_is_given_up_with_what_was_waited_for() -> None:
    cluster = Cluster(_Broken(), timeout=0.01)
    with pytest.raises(TimedOut, match=r"did not come to rest in 0\.01 s: the scheduler sleeps"):
        cluster.until(lambda: "the scheduler sleeps")


def test_a_cluster_that_ends_is_said_at_once() -> None:
    with Cluster(_Broken(), timeout=60) as cluster, pytest.raises(SimulationError, match="broke off: nothing answers"):
        cluster.until(lambda: "anything")


@pytest.mark.parametrize(
    ("kind", "namespace", "path"),
    [
        ("Pod", "a", "/api/v1/namespaces/a/pods"), ("Node", "", "/api/v1/nodes"),
        ("PriorityClass", "", "/apis/scheduling.k8s.io/v1/priorityclasses"),
        ("ResourceQuota", "a", "/api/v1/namespaces/a/resourcequotas"),
        ("PodDisruptionBudget", "a", "/apis/policy/v1/namespaces/a/poddisruptionbudgets"),
    ],
)  # fmt: skip
def test_where_objects_are(kind: str, namespace: str, path: str) -> None:
    assert collection(kind, namespace) == path
