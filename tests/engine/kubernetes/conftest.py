"""A cluster in this process, and a provider that is configured for it."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from engine.providers.kubernetes.provider import KubernetesProvider
from tests.engine.kubernetes.cluster import Cluster, Server, running


@pytest.fixture
def cluster() -> Cluster:
    return Cluster()


@pytest.fixture
def server(cluster: Cluster) -> Iterator[Server]:
    with running(cluster) as server:
        yield server
    assert server.errors == []


@pytest.fixture
def provider(cluster: Cluster, server: Server) -> KubernetesProvider:
    provider = KubernetesProvider()
    provider.configure({"kubeconfig": kubeconfig(cluster.url)})
    return provider


def kubeconfig(server: str) -> str:
    """A kubeconfig's text that leads to ``server`` without credentials."""
    return json.dumps({
        "apiVersion": "v1", "kind": "Config", "current-context": "it",
        "clusters": [{"name": "it", "cluster": {"server": server}}],
        "contexts": [{"name": "it", "context": {"cluster": "it", "user": "me"}}],
        "users": [{"name": "me", "user": {}}],
    })  # fmt: skip
