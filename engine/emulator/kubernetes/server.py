"""Serves the Kubernetes API in a thread of its own, beside the AWS emulator or in a test.

    with KubernetesServer(listener) as server:
        server.url, server.api

What the API is made of is imported in that thread, so that the AWS emulator beside it starts no later. Connections that
come before the API is ready wait in the socket's queue.
"""

from __future__ import annotations

import asyncio
import os
import socket
import sys
import threading
import traceback
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from engine.emulator.kubernetes.api import KubernetesApi
    from engine.emulator.kubernetes.resources import Storage
    from engine.emulator.kubernetes.store import Name

START_TIMEOUT = 60.0  # seconds


class KubernetesServer:
    """The API on one listening socket. ``api`` is there once it is ready."""

    def __init__(self, listener: socket.socket, version: str | None = None) -> None:
        host, port = listener.getsockname()[:2]
        self.url = f"http://{host}:{port}"
        self._listener, self._version = listener, version
        self._ready = threading.Event()
        self._failure: BaseException | None = None
        self._api: KubernetesApi | None = None
        self._end: asyncio.Event | None = None
        self._thread = threading.Thread(target=self._run, name="kubernetes", daemon=True)

    def start(self) -> None:
        self._thread.start()

    @property
    def api(self) -> KubernetesApi:
        """Waits until the API is ready. Raises what kept it from that."""
        self._ready.wait(START_TIMEOUT)
        if self._failure is not None:
            raise self._failure
        assert self._api is not None, f"the Kubernetes API was not ready within {START_TIMEOUT:.0f} s"
        return self._api

    def stop(self) -> None:
        """End it; watches that are open end, too."""
        loop, end = self.api.loop, self._end
        if loop is not None and end is not None:
            loop.call_soon_threadsafe(end.set)
        self._thread.join()

    def join(self) -> None:
        self._thread.join()

    def __enter__(self) -> Self:
        self.start()
        _ = self.api
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def failure(self) -> BaseException | None:
        return self._failure

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except BaseException as error:  # noqa: BLE001  # whoever waits for the API is told
            self._failure = error
        finally:
            self._ready.set()

    async def _serve(self) -> None:
        import aiohttp.web

        from engine.emulator.kubernetes.api import BIGGEST_BODY, KubernetesApi
        from engine.emulator.kubernetes.cluster import Cluster
        from engine.kubernetes import DEFAULT_VERSION

        loop, self._end = asyncio.get_running_loop(), asyncio.Event()
        self._api = KubernetesApi(cluster=Cluster(self._version or DEFAULT_VERSION), loop=loop)

        def request(*parts: Any) -> aiohttp.web.BaseRequest:
            make: Any = aiohttp.web.BaseRequest
            return make(*parts, loop, client_max_size=BIGGEST_BODY)

        server = aiohttp.web.Server(self._api, request_factory=request)
        runner = aiohttp.web.ServerRunner(server, shutdown_timeout=0.1)
        await runner.setup()
        await aiohttp.web.SockSite(runner, self._listener).start()
        self._ready.set()
        await self._end.wait()
        await runner.cleanup()


class Contents:
    """What is in a server's API, as the EKS emulator beside it knows it: from the first cluster to the last."""

    def __init__(self, server: KubernetesServer) -> None:
        self._server = server
        self._before: frozenset[tuple[Storage, Name]] | None = None

    def cluster_begins(self) -> None:
        self._before = self._server.api.do(lambda cluster: cluster.names())

    def cluster_ends(self) -> None:
        before, self._before = self._before, None
        if before is not None:
            self._server.api.do(lambda cluster: cluster.forget_all_but(before))


def serve(listener: socket.socket, version: str | None = None) -> KubernetesServer:
    """Serve until the process ends; a failure ends it, with the reason in its log.

    A sandbox whose Kubernetes API is dead would make every command wait: better none.
    """
    server = KubernetesServer(listener, version)
    server.start()

    def watch() -> None:
        server.join()
        if server.failure is not None:
            traceback.print_exception(server.failure, file=sys.stderr)
        os._exit(1)

    threading.Thread(target=watch, name="kubernetes-watch", daemon=True).start()
    return server
