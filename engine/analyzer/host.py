"""The process that policy packs in our own Python are forked from, so that the Pulumi SDK is imported once for all.

This file is started as a script, by the Python that runs the engine; it imports the Pulumi SDKs and the standard
library only. Orders come through a socket whose number is its argument: a length of four bytes, and so much JSON; the
order to start a pack brings three descriptors along, for the pack's standard output and error and for its line. What it
says goes to standard output, one JSON object a line. It ends, and all packs with it, when the socket closes.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import runpy
import selectors
import signal
import socket
import sys
import traceback
from pathlib import Path
from typing import Any

_Children = dict[int, int]  # the number of each pack that runs, by its process


def main(descriptor: int) -> None:
    _die_with_parent()
    gc.disable()  # what is imported stays
    sys.path[0] = str(Path(__file__).parents[1] / "host")
    import lazy_dataclasses  # pyright: ignore[reportMissingImports] - a sibling's, for scripts
    import lazy_modules  # pyright: ignore[reportMissingImports]

    lazy_dataclasses.install()
    lazy_modules.install()
    sys.path[0] = str(Path(__file__).parent)
    import pack_line  # noqa: F401  # pyright: ignore[reportMissingImports, reportUnusedImport] - used by packs

    del sys.path[0]  # this script's own folder, which no pack is to import from
    says = os.fdopen(os.dup(1), "w", buffering=1)  # a pack gets another standard output; nothing else may write here
    with Path(os.devnull).open("w") as nowhere:
        os.dup2(nowhere.fileno(), 1)
    try:
        import pulumi_policy  # noqa: F401  # pyright: ignore[reportUnusedImport] - what the packs then have
    except ImportError as error:
        says.write(json.dumps({"broken": f"{sys.executable} cannot import pulumi_policy: {error}"}) + "\n")
        return
    gc.collect()
    gc.freeze()  # what is imported stays shared with the packs
    gc.enable()
    _serve(socket.socket(fileno=descriptor), says)


def _serve(orders: socket.socket, says: Any) -> None:
    children: _Children = {}
    ended, waker = os.pipe()
    os.set_blocking(waker, False)
    signal.set_wakeup_fd(waker, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, _noted)
    with selectors.DefaultSelector() as selector:
        selector.register(orders, selectors.EVENT_READ)
        selector.register(ended, selectors.EVENT_READ)
        while True:
            ready = {key.fileobj for key, _ in selector.select()}
            if ended in ready:
                os.read(ended, 4096)
                _reap(children, says)
            if orders in ready and not _obey(orders, children, says):
                os.killpg(0, signal.SIGKILL)  # this process, too: the engine is gone


def _noted(_number: int, _frame: object) -> None:
    """Do nothing: that there is a handler makes the signal arrive in the pipe."""


def _reap(children: _Children, says: Any) -> None:
    while children:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if pid == 0:
            return
        number = children.pop(pid, None)
        if number is not None:
            says.write(json.dumps({"ended": number, "code": os.waitstatus_to_exitcode(status)}) + "\n")


def _obey(orders: socket.socket, children: _Children, says: Any) -> bool:
    """Carry out one order; False where there is nobody any more who gives any."""
    head, descriptors, *_ = socket.recv_fds(orders, 4, 3)
    text = _exactly(orders, int.from_bytes(head, "big")) if len(head) == 4 else None
    if text is None:
        return False
    order: dict[str, Any] = json.loads(text)
    if "end" in order:
        for pid in [pid for pid, number in children.items() if number == order["end"]]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        return True
    pid = os.fork()
    if pid == 0:
        os._exit(_be_a_pack(order, orders, says, descriptors))
    children[pid] = order["number"]
    for descriptor in descriptors:
        os.close(descriptor)
    return True


def _exactly(stream: socket.socket, size: int) -> bytes | None:
    parts = bytearray()
    while len(parts) < size:
        part = stream.recv(size - len(parts))
        if not part:
            return None
        parts += part
    return bytes(parts)


def _be_a_pack(order: dict[str, Any], orders: socket.socket, says: Any, descriptors: list[int]) -> int:
    """Become what ``python -m pulumi.policy ADDRESS ENTRY`` would be; the exit code, once it ends."""
    try:
        _die_with_parent()
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        *printed, line = descriptors
        for descriptor, standard in zip(printed, (1, 2), strict=True):
            os.dup2(descriptor, standard)
            os.close(descriptor)
        orders.close()
        says.close()
        os.environ.clear()
        os.environ.update(order["environment"])
        os.chdir(order["folder"])
        sys.argv = [order["entry"], order["address"]]
        _configure()
        os.set_inheritable(line, False)  # whatever a pack starts would hold it open
        sys.modules["pack_line"].install(socket.socket(fileno=line))
        runpy.run_path(order["entry"], run_name="__main__")
    except SystemExit as error:
        return _code(error)
    except BaseException:  # noqa: BLE001 - whatever a pack raises is its end, told where its errors go
        traceback.print_exc()
        return 1
    finally:
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(OSError, ValueError):
                stream.flush()
    return 0


def _code(error: SystemExit) -> int:
    if error.code is None or isinstance(error.code, int):
        return error.code or 0
    sys.stderr.write(f"{error.code}\n")
    return 1


def _configure() -> None:
    """Let the pack read its stack's configuration while it is being imported, as ``pulumi.policy`` does."""
    import pulumi.runtime

    for key, value in pulumi.runtime.get_config_env().items():
        pulumi.runtime.set_config(key, value)
    environment = os.environ
    pulumi.runtime.configure(
        pulumi.runtime.Settings(
            project=environment["PULUMI_PROJECT"],
            stack=environment["PULUMI_STACK"],
            dry_run=environment["PULUMI_DRY_RUN"] == "true",
            organization=environment["PULUMI_ORGANIZATION"],
        )
    )


def _die_with_parent() -> None:
    """Where the kernel can do it: end when the process that has started this one is killed."""
    if sys.platform == "linux":
        import ctypes

        pr_set_pdeathsig = 1
        ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGKILL)


if __name__ == "__main__":
    main(int(sys.argv[1]))
