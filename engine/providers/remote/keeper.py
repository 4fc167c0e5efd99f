"""Runs a plugin, and ends it and all that it has started as soon as the engine is gone, however that ended.

    python -I -S keeper.py COMMAND [ARGUMENT...]

The engine holds the other end of standard input: when that closes, also because the engine was killed, the plugin is
asked to end and then made to. Started for each plugin, so nothing is imported that takes time.
"""

import contextlib
import os
import signal
import sys
import threading
import time

GRACE_SECONDS = 2.0


def main() -> int:
    readable, writable = os.pipe()  # never written to: some plugins end when their standard input does
    plugin = os.fork()
    if plugin == 0:
        os.close(writable)
        _become(sys.argv[1:], readable)
    os.close(readable)
    _grouped(plugin)
    threading.Thread(target=_end_with_engine, args=(plugin,), daemon=True).start()
    _, status = os.waitpid(plugin, 0)
    _signal(plugin, signal.SIGKILL)  # what it has left behind
    code = os.waitstatus_to_exitcode(status)
    return code if code >= 0 else 128 - code


def _become(command: "list[str]", standard_input: int) -> None:
    try:
        _grouped(0)
        os.dup2(standard_input, 0)
        os.execvp(command[0], command)  # noqa: S606 - the plugin that was asked for
    except OSError as error:
        os.write(2, f"{command[0]}: {error.strerror}\n".encode())
    os._exit(127)


def _grouped(process: int) -> None:
    """Give it a group of its own; both sides do, since either may be first."""
    with contextlib.suppress(OSError):  # it is done already
        os.setpgid(process, process)


def _end_with_engine(plugin: int) -> None:
    while os.read(0, 4096):
        pass
    _signal(plugin, signal.SIGTERM)
    time.sleep(GRACE_SECONDS)
    _signal(plugin, signal.SIGKILL)


def _signal(group: int, number: signal.Signals) -> None:
    with contextlib.suppress(OSError):  # it has ended
        os.killpg(group, number)


if __name__ == "__main__":
    sys.exit(main())
