"""The embedded Kubernetes API in this process, and the official client of it."""

from __future__ import annotations

import itertools
import socket
from collections.abc import Iterator
from typing import Any

import kubernetes.client
import pytest

from engine.emulator.kubernetes.server import KubernetesServer
from tests.engine.emulator.kubernetes.http import Http

_NUMBERS = itertools.count()


@pytest.fixture(scope="session")
def server() -> Iterator[KubernetesServer]:
    with socket.create_server(("127.0.0.1", 0)) as listener, KubernetesServer(listener) as running:
        yield running


@pytest.fixture(scope="session")
def official(server: KubernetesServer) -> Iterator[Any]:
    """The official Python client."""
    configuration = kubernetes.client.Configuration()
    configuration.host = server.url
    with kubernetes.client.ApiClient(configuration) as client:
        yield client


@pytest.fixture(scope="session")
def core(official: Any) -> Any:
    """Any: what it takes and gives is typed more narrowly than what it really takes and gives."""
    return kubernetes.client.CoreV1Api(official)


@pytest.fixture(scope="session")
def apps(official: Any) -> Any:
    return kubernetes.client.AppsV1Api(official)


@pytest.fixture
def http(server: KubernetesServer) -> Http:
    return Http(server.url)


@pytest.fixture
def namespace(http: Http) -> str:
    """A namespace of this test's own."""
    name = f"test-{next(_NUMBERS)}"
    assert http.post("/api/v1/namespaces", {"metadata": {"name": name}}).status == 201
    return name
