"""Command line of the emulator: ``python -m engine.emulator --port N`` (0: the system chooses, and it is printed)."""

from __future__ import annotations

import argparse
import gc
import json
import os
import signal
import socket
import sys
import uuid
from pathlib import Path

from engine.emulator.identity import EmulatorIdentity

# How many there may be before garbage is looked for. What is imported and what users make stays, and Python's own
# limit, 700, has it all looked at again and again: a sixth of what the emulator does while a platform comes up.
YOUNG_OBJECTS = 100_000


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m engine.emulator", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument("--port", type=int, default=0, help="port to listen on; 0 lets the system choose")
    parser.add_argument("--fd", type=int, help="a listening socket to use instead of --host and --port")
    parser.add_argument("--kubernetes-port", type=int, help="serve a Kubernetes API, too; 0 lets the system choose")
    parser.add_argument("--kubernetes-fd", type=int, help="a listening socket to use instead of --kubernetes-port")
    parser.add_argument("--kubernetes-version", help="its version (default: the platform's)")
    parser.add_argument("--record", type=Path, help="end when this sandbox.json is gone or names another instance")
    parser.add_argument("--instance-id", default=uuid.uuid4().hex, help="the name of this run of the emulator")
    return parser.parse_args()


def _listen(host: str, port: int, descriptor: int | None, option: str) -> socket.socket:
    if descriptor is not None:
        return socket.socket(fileno=descriptor)
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        sys.exit(f"cannot listen on {host}:{port}: {error.strerror}; choose another {option}")
    listener.listen(128)
    return listener


def _kubernetes(arguments: argparse.Namespace) -> dict[str, str]:
    """Start the Kubernetes API if it is asked for; what is printed about it."""
    if arguments.kubernetes_fd is None and arguments.kubernetes_port is None:
        return {}
    from engine.emulator.eks.api_server import CURRENT
    from engine.emulator.kubernetes.server import Contents, serve

    port, descriptor = arguments.kubernetes_port or 0, arguments.kubernetes_fd
    listener = _listen(arguments.host, port, descriptor, "--kubernetes-port")
    CURRENT.contents = Contents(serve(listener, arguments.kubernetes_version))
    host, port = listener.getsockname()[:2]
    return {"kubernetes": f"http://{host}:{port}"}


def _environment() -> None:
    """What moto reads from the environment, before it is imported; a caller's own AWS settings must not reach it."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]
    os.environ["AWS_EC2_METADATA_DISABLED"] = "true"
    os.environ.setdefault("MOTO_IAM_LOAD_MANAGED_POLICIES", "true")


def _stop(_signal: int, _frame: object) -> None:
    # Daemon threads hold nothing that outlives the process: leaving at once is the fastest clean end.
    os._exit(0)


def main() -> None:
    gc.set_threshold(YOUNG_OBJECTS)
    arguments = _arguments()
    signal.signal(signal.SIGTERM, _stop)
    signal.signal(signal.SIGINT, _stop)
    listener = _listen(arguments.host, arguments.port, arguments.fd, "--port")
    _environment()
    kubernetes = _kubernetes(arguments)
    identity = EmulatorIdentity.of_this_process(arguments.instance_id)
    if arguments.record is None:
        host, port = listener.getsockname()[:2]
        said = {"endpoint": f"http://{host}:{port}", "instanceId": identity.instance_id} | kubernetes
        print(json.dumps(said), flush=True)
    else:
        from engine.emulator.watch import end_without

        end_without(arguments.record, identity.instance_id)
    from engine.emulator.server import serve

    serve(listener, identity)


if __name__ == "__main__":
    main()
