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
from engine.providers.serve.handlers import handlers
from engine.providers.serve.servicer import ProviderServicer
from tests.engine.lifecycle.cloud import Cloud, CloudProvider

REPOSITORY = Path(__file__).parents[3]


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


def install_toy(folder: Path, name: str = "toy") -> Path:
    """The plugin ``tests.engine.remote.toy`` as an executable in ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"pulumi-resource-{name}"
    path.write_text(f'#!/bin/sh\nPYTHONPATH={REPOSITORY} exec {sys.executable} -m tests.engine.remote.toy "$@"\n')
    path.chmod(0o755)
    return path
