"""Runs one Pulumi Python program against a resource monitor, as the language host of the Pulumi CLI does.

This file is started as a script, by the Python of the program's own environment, and so imports the Pulumi SDK and the
standard library only. How it is told what to do: one JSON object on standard input (see ``engine.program``), which is
a socket by which it then calls the engine (``engine.direct_line``). It may come when the SDK has long been imported
(see ``engine.waiting_host``), or never.

Exit codes: 0 the program ran to its end, 32 it failed and said so through the engine's log, anything else is what the
program itself exited with.
"""

from __future__ import annotations

import asyncio
import atexit
import concurrent.futures
import contextlib
import fcntl
import gc
import importlib
import io
import json
import logging
import os
import runpy
import signal
import stat
import sys
import traceback
from collections.abc import Generator
from pathlib import Path
from typing import Any

FAILED_AND_SAID_SO = 32
_OWN_FOLDER = str(Path(__file__).parent)
_WRITTEN_TO = (io.TextIOWrapper, io.BufferedWriter, io.BufferedRandom)


def main() -> int:
    _die_with_the_engine()
    sys.path[:] = [entry for entry in sys.path if entry != _OWN_FOLDER]
    fast = not os.environ.get("BEDPLATE_UNPATCHED_SDK")
    gc.disable()  # what is imported stays
    if fast:
        with _siblings():
            import lazy_annotations  # pyright: ignore[reportImplicitRelativeImport]
            import lazy_dataclasses  # pyright: ignore[reportImplicitRelativeImport]
            import lazy_modules  # pyright: ignore[reportImplicitRelativeImport]
        lazy_dataclasses.install()
        lazy_annotations.install()
        lazy_modules.install()
    try:
        importlib.import_module("pulumi")  # a missing SDK gets a message of its own
    except ImportError:
        sys.stderr.write(
            f"the Pulumi SDK cannot be imported by {sys.executable}: expected the package 'pulumi' there; "
            "install it, or name the program's virtual environment in Pulumi.yaml (runtime.options.virtualenv)\n"
        )
        return FAILED_AND_SAID_SO
    if not fast:
        gc.enable()
    order = _order()
    if order is None:
        return 0  # started ahead, and not needed
    line = _taken_from_standard_input()
    if fast:
        with _siblings():
            import fast_sdk  # pyright: ignore[reportImplicitRelativeImport]

            fast_sdk.install(debug=order["debug"])
    with _siblings():
        import unknown_members  # pyright: ignore[reportImplicitRelativeImport]
        import young_sources  # pyright: ignore[reportImplicitRelativeImport]
    unknown_members.install()
    young_sources.install()
    _configure(order, *(_direct_stubs(line) if fast else (order["monitor"], order["monitor"])))
    os.chdir(order["pwd"])
    sys.argv = [order["program"]]
    return _run(order["program"], order["parallel"])


@contextlib.contextmanager
def _siblings() -> Generator[None]:
    """Within this, the files beside this script can be imported; a program's own modules come first otherwise."""
    sys.path.insert(0, _OWN_FOLDER)
    try:
        yield
    finally:
        sys.path.remove(_OWN_FOLDER)


def _order() -> dict[str, Any] | None:
    """What is to be run; None where the engine has gone without saying so."""
    size = _read(4)
    return json.loads(_read(int.from_bytes(size, "big"))) if size else None


def _read(size: int) -> bytes:
    """As many bytes of standard input, of which no more may be taken: calls to the engine go the same way later."""
    content = b""
    while len(content) < size and (more := os.read(0, size - len(content))):
        content += more
    return content


def _taken_from_standard_input() -> int:
    """The socket to the engine, in whose place the program has an empty standard input."""
    line = os.dup(0)
    with Path(os.devnull).open("rb") as nothing:
        os.dup2(nothing.fileno(), 0)
    return line


def _die_with_the_engine() -> None:
    """Where the kernel can do it: end this process when the engine is killed, so that no program is left behind."""
    if sys.platform == "linux":
        import ctypes

        pr_set_pdeathsig = 1
        ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGKILL)


def _direct_stubs(line: int) -> tuple[Any, Any]:
    """Stubs of the resource monitor and of the engine that call without gRPC."""
    from pulumi.runtime.proto import engine_pb2, resource_pb2

    with _siblings():
        import direct_line  # pyright: ignore[reportImplicitRelativeImport]
    services = (resource_pb2, "ResourceMonitor"), (engine_pb2, "Engine")
    connection = direct_line.Line(line)
    monitor, engine = (direct_line.Stub(connection, each.DESCRIPTOR.services_by_name[name]) for each, name in services)
    return monitor, engine


def _configure(order: dict[str, Any], monitor: Any, engine: Any) -> None:
    import pulumi.runtime

    # Programs may read the variables themselves, as the Pulumi CLI sets them; set here, no other process can see them.
    os.environ["PULUMI_CONFIG"] = json.dumps(order["config"])
    os.environ["PULUMI_CONFIG_SECRET_KEYS"] = json.dumps(order["secret_keys"])
    pulumi.runtime.set_all_config(order["config"], order["secret_keys"])
    pulumi.runtime.configure(
        pulumi.runtime.Settings(
            monitor=monitor,
            engine=engine,
            project=order["project"],
            stack=order["stack"],
            parallel=order["parallel"],
            dry_run=order["preview"],
            organization="organization",
            root_directory=order["root"],
        )
    )


def _run(program: str, parallel: int) -> int:
    # When the SDK evaluates a program's annotations, `__main__` is this module again. It is the same in the CLI's host,
    # where a program that says `pulumi.Output[str]` finds that name.
    global pulumi
    import pulumi
    import pulumi.runtime

    # The SDK leaves futures of failed graphs unobserved by design; asyncio would report each of them.
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    executor = concurrent.futures.ThreadPoolExecutor(max_workers=max(parallel, 1) * 4)
    loop.set_default_executor(executor)
    try:
        loop.run_until_complete(pulumi.runtime.run_in_stack(lambda: _execute(program)))
    except pulumi.RunError as error:
        pulumi.log.error(str(error))
        return FAILED_AND_SAID_SO
    except Exception as error:  # noqa: BLE001 - whatever the program raises is reported as its failure
        said = "Program failed with an unhandled exception:\n" + _user_traceback(program)
        pulumi.log.error(said + (_where_it_was_sought() if isinstance(error, ModuleNotFoundError) else ""))
        return FAILED_AND_SAID_SO
    finally:
        executor.shutdown(wait=True)
        loop.close()
        sys.stdout.flush()
        sys.stderr.flush()
    return 0


def _execute(program: str) -> None:
    runpy.run_path(program, run_name="__main__")


def _user_traceback(program: str) -> str:
    """The current exception's traceback, without the frames that led to the program and those inside the SDK."""
    _, error, trace = sys.exc_info()
    home = str(Path(program).resolve())
    main_file = home if home.endswith(".py") else str(Path(home) / "__main__.py")
    frames = traceback.extract_tb(trace)
    start = next((at for at, frame in enumerate(frames) if str(Path(frame.filename).resolve()) == main_file), 0)
    shown = [frame for frame in frames[start:] if not _is_ours_or_the_sdks(frame.filename)]
    said = "".join(traceback.format_exception_only(error))
    # Without a frame of the user's (a resource that was refused after the program had gone on) the message says it all.
    return f"Traceback (most recent call last):\n{''.join(traceback.format_list(shown))}{said}" if shown else said


def _where_it_was_sought() -> str:
    return (
        f"The program is run by {sys.executable}: install it there, or in the virtual environment that Pulumi.yaml "
        "names (runtime.options.virtualenv), or activate the one that has it"
    )


def _is_ours_or_the_sdks(filename: str) -> bool:
    import pulumi

    sdks = str(Path(pulumi.__file__).parent)  # pulumi, and beside it pulumi_aws and its like
    pythons = [str(Path(module.__file__ or "").parent) for module in (asyncio, concurrent.futures)]
    return filename.startswith((sdks, str(Path(__file__).parent), *pythons, "<frozen"))


def _leave(code: int | None) -> None:
    """End at once. Taking apart all that was imported takes Python as long as declaring a hundred resources."""
    if code is None:
        return  # the program has ended by itself, with an exit code of its own
    logging.shutdown()
    if _may_write():
        for each in gc.get_objects():
            if type(each) in _WRITTEN_TO:  # what a program has left open
                with contextlib.suppress(OSError, ValueError):
                    each.flush()
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError, AttributeError):  # closed, or none
            stream.flush()
    os._exit(code)


def _may_write() -> bool:
    """Whether a file or a pipe is open for writing; to go through all objects is worth it only then."""
    try:
        return any(_is_written_to(int(entry.name)) for entry in Path("/proc/self/fd").iterdir())
    except OSError:  # a system that does not tell
        return True


def _is_written_to(descriptor: int) -> bool:
    if descriptor <= 2:
        return False
    try:
        mode = os.fstat(descriptor).st_mode
        flags = fcntl.fcntl(descriptor, fcntl.F_GETFL)
    except OSError:  # the one by which the folder was listed
        return False
    kind = stat.S_ISREG(mode) or stat.S_ISFIFO(mode) or stat.S_ISCHR(mode)
    return kind and flags & os.O_ACCMODE != os.O_RDONLY


if __name__ == "__main__":
    ended: int | None = None
    # Registered first, it is called last: after the program's own handlers, and after its threads have ended.
    atexit.register(lambda: _leave(ended))
    ended = main()
    sys.exit(ended)
