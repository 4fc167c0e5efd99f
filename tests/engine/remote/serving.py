"""Providers behind a port: the toy cloud's as ``engine.providers.serve`` serves them, and others that answer oddly."""

from __future__ import annotations

import sys
from collections.abc import Generator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import grpc

from engine.providers.remote.finding import Surroundings
from engine.providers.remote.plugins import Plugins
from engine.providers.serve.servicer import ProviderServicer, handlers
from tests.engine.lifecycle.cloud import Cloud, CloudProvider


@contextmanager
def serving(servicer: Any) -> Generator[int]:
    """Serve at a port of its own, which this gives, what a servicer has of the protocol's methods."""
    server = grpc.server(ThreadPoolExecutor(20), handlers=[handlers(servicer)])
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield port
    finally:
        server.stop(None).wait()


def of_cloud(cloud: Cloud) -> ProviderServicer:
    return ProviderServicer(lambda: CloudProvider(cloud), "1.2.3")


def plugins(folder: Path, environment: Mapping[str, str], **options: Any) -> Plugins:
    return Plugins(Surroundings("shop", folder, Path(sys.executable), environment), **options)


@contextmanager
def attached(folder: Path, servicer: Any, package: str = "test") -> Generator[Plugins]:
    """What finds ``servicer`` by PULUMI_DEBUG_PROVIDERS."""
    with serving(servicer) as port:
        found = plugins(folder, {"PULUMI_DEBUG_PROVIDERS": f"{package}:{port}"})
        try:
            yield found
        finally:
            found.close()
