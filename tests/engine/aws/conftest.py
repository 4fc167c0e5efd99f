"""An emulator in this process, one for each worker of the test run, and a provider that talks to it."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator

import pytest
from werkzeug.serving import make_server

from engine.emulator.identity import EmulatorIdentity
from engine.emulator.server import EmulatorApplication, QuietRequestHandler
from engine.providers.aws.endpoint import Endpoint
from engine.providers.aws.provider import AwsProvider


@pytest.fixture(scope="session")
def emulator() -> Iterator[str]:
    """The URL of a running emulator; tests share it, and so name their resources differently."""
    application = EmulatorApplication(EmulatorIdentity.of_this_process("test"))
    threading.Thread(target=application.prepare, daemon=True).start()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        server = make_server(
            "127.0.0.1",
            port,
            application,
            threaded=True,
            request_handler=QuietRequestHandler,
            fd=listener.fileno(),
        )
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{port}"
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def provider(emulator: str) -> AwsProvider:
    provider = AwsProvider(Endpoint(emulator))
    provider.configure({"region": "us-east-1"})
    return provider
