"""``python -m engine.providers.serve PACKAGE``: one of our providers, for the Pulumi CLI to attach to."""

from __future__ import annotations

import argparse
import signal
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from importlib import metadata
from pathlib import Path

import grpc

from engine.protocol import MESSAGE_SIZES
from engine.providers.serve.handlers import handlers
from engine.providers.serve.servicer import ProviderServicer
from engine.sandbox import DEFAULT_NAME, find
from engine.sandbox.providers import PACKAGES, factories


def main() -> int:
    arguments = _arguments()
    root = Path(arguments.project).resolve()
    sandbox = find(root, arguments.sandbox)
    # The CLI compares it with what the program's SDK asks for.
    version = metadata.version(f"pulumi-{arguments.package}")
    servicer = ProviderServicer(factories(sandbox)[arguments.package], version)
    server = grpc.server(ThreadPoolExecutor(16), handlers=[handlers(servicer)], options=MESSAGE_SIZES)
    port = server.add_insecure_port(f"127.0.0.1:{arguments.port}")
    server.start()
    # The port, and nothing else, as a plugin of Pulumi says it.
    print(port, flush=True)
    where = f"the sandbox '{arguments.sandbox}'" if sandbox else "no sandbox: it previews, and changes nothing"
    print(f"{arguments.package} for {where}; PULUMI_DEBUG_PROVIDERS={arguments.package}:{port}", file=sys.stderr)
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda _number, _frame: ended.set())
    ended.wait()
    server.stop(grace=5).wait()
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m engine.providers.serve", description=__doc__)
    parser.add_argument("package", choices=PACKAGES)
    parser.add_argument("--port", type=int, default=0, help="on loopback; default: a free one")
    parser.add_argument("--project", default=".", help="the folder with Pulumi.yaml, whose sandbox it is")
    parser.add_argument("--sandbox", default=DEFAULT_NAME)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
