"""A cluster in this process, a provider that is configured for it, and a ``helm`` of ours."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from engine.providers.kubernetes.provider import KubernetesProvider
from tests.engine.kubernetes import fake_helm
from tests.engine.kubernetes.cluster import Cluster, Server, running
from tests.engine.kubernetes.constructed import Monitor

CHARTS = "https://charts.example/stable"


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


@dataclass
class Helm:
    """The fake on PATH, and what it keeps."""

    folder: Path

    @property
    def state(self) -> dict[str, Any]:
        return json.loads((self.folder / "state.json").read_text())

    def set(self, **members: Any) -> None:
        (self.folder / "state.json").write_text(json.dumps({**self.state, **members}))

    @property
    def commands(self) -> list[str]:
        return [call["arguments"][0] for call in self.state["calls"]]

    def calls(self, command: str) -> list[dict[str, Any]]:
        return [call for call in self.state["calls"] if call["arguments"][0] == command]


@pytest.fixture
def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Helm:
    made = Helm(tmp_path / "helm")
    made.folder.mkdir()
    script = made.folder / "helm"
    script.write_text(f'#!/bin/sh\nexec {sys.executable} -S {fake_helm.__file__} "$@"\n')
    script.chmod(0o755)
    repositories = {CHARTS: {"karpenter": ["1.13.0", "1.14.0"], "kueue": ["0.18.2"], "web": ["1.0.0"]}}
    empty = {"credentials": {}, "broken": [], "slow": [], "releases": {}, "calls": []}
    (made.folder / "state.json").write_text(json.dumps({"repositories": repositories, **empty}))
    monkeypatch.setenv("PATH", f"{made.folder}:/usr/bin:/bin")
    monkeypatch.setenv("FAKE_HELM", str(made.folder))
    return made


@pytest.fixture
def no_helm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))


@pytest.fixture
def monitor() -> Monitor:
    return Monitor()
