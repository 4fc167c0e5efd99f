"""Runs cases with the real Pulumi CLI, which finds its provider and its program in this process.

The CLI attaches to the toy provider by PULUMI_DEBUG_PROVIDERS and to the language host by ``--client``; its events come
through a pipe, since its event log is begun anew between a preview and what follows.
"""

# ruff: noqa: N802 - the protocol's names

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import subprocess
import threading
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import grpc
import pytest
from google.protobuf import empty_pb2
from pulumi.runtime.proto import language_pb2, language_pb2_grpc, plugin_pb2

from engine.protocol import resource_pb2_grpc
from engine.providers.serve.handlers import handlers
from engine.providers.serve.servicer import ProviderServicer
from engine.state.model import Snapshot
from engine.state.secrets import Keyring
from engine.state.storage import open_stack
from tests.engine.lifecycle.cloud import Cloud, CloudProvider
from tests.parity.interpreter import Interpreter, ProgramRaised, Refused
from tests.parity.observed import Normal, Observation, Pass, observation, step_line
from tests.parity.programs import PROJECT, STACK, Run

PASSPHRASE: Final = "correct horse"
SECONDS: Final = 120
_FLAGS: Final = {
    "targets": "--target", "excludes": "--exclude", "replace": "--replace", "target_dependents": "--target-dependents",
    "exclude_dependents": "--exclude-dependents", "continue_on_error": "--continue-on-error", "refresh": "--refresh",
    "plan": "--plan", "skip_preview": "--skip-preview",
}  # fmt: skip


class CliFailed(Exception):
    """The CLI did something that no case is about."""


class CliHangs(CliFailed):
    """It does not end."""


class _OverGrpc:
    def __init__(self, address: str) -> None:
        self.channel = grpc.insecure_channel(address)
        self._stub = resource_pb2_grpc.ResourceMonitorStub(self.channel)

    async def call(self, method: str, request: Any) -> Any:
        try:
            return getattr(self._stub, method)(request)
        except grpc.RpcError as error:
            code: grpc.StatusCode = error.code()  # pyright: ignore[reportAttributeAccessIssue]
            details = str(error.details())  # pyright: ignore[reportAttributeAccessIssue]
            stopping = code in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED) or "shut down" in details
            raise Refused(details, stopping=stopping) from error


class _LanguageHost(language_pb2_grpc.LanguageRuntimeServicer):
    """Runs the current run's program when the CLI asks for it."""

    def __init__(self) -> None:
        self.run = Run()
        self.programs: dict[bool, Interpreter] = {}

    def Handshake(self, request: Any, context: Any) -> Any:
        return language_pb2.LanguageHandshakeResponse()

    def GetRequiredPackages(self, request: Any, context: Any) -> Any:
        return language_pb2.GetRequiredPackagesResponse()

    def GetRequiredPlugins(self, request: Any, context: Any) -> Any:
        return language_pb2.GetRequiredPluginsResponse()

    def GetPluginInfo(self, request: Any, context: Any) -> Any:
        return plugin_pb2.PluginInfo(version="1.0.0")

    def Cancel(self, request: Any, context: Any) -> Any:
        return empty_pb2.Empty()

    def Run(self, request: Any, context: Any) -> Any:
        monitor = _OverGrpc(request.monitor_address)
        interpreter = Interpreter(monitor, request.dryRun)
        self.programs[request.dryRun] = interpreter
        try:
            asyncio.run(interpreter.run(self.run))
        except Refused as refused:
            return language_pb2.RunResponse(error="" if refused.stopping else str(refused))
        except ProgramRaised as error:
            return language_pb2.RunResponse(error=str(error))
        finally:
            monitor.channel.close()
        return language_pb2.RunResponse()


@dataclass
class CommandLine:
    """The CLI with everything that it needs, in ``folder``. One for many cases; ``reset`` begins the next."""

    folder: Path
    cloud: Cloud = field(default_factory=Cloud)

    def __post_init__(self) -> None:
        self._host = _LanguageHost()
        self._servers = [grpc.server(ThreadPoolExecutor(8)) for _ in range(2)]
        language_pb2_grpc.add_LanguageRuntimeServicer_to_server(self._host, self._servers[0])
        servicer = ProviderServicer(lambda: CloudProvider(self.cloud), "1.0.0")
        self._servers[1].add_generic_rpc_handlers((handlers(servicer),))
        self._ports = [server.add_insecure_port("127.0.0.1:0") for server in self._servers]
        for server in self._servers:
            server.start()
        self.work = self.folder / "work"
        self._fresh = self.folder / "fresh"
        self._home = self.folder / "home"
        (self.work / "state").mkdir(parents=True)
        (self.work / "Pulumi.yaml").write_text("name: shop\nruntime: python\n")
        os.mkfifo(self.folder / "events")
        self.version = self.pulumi("version").stdout.strip()
        made = self.pulumi("stack", "init", STACK)
        if made.returncode:
            raise CliFailed(made.stdout + made.stderr)
        shutil.copytree(self.work, self._fresh)

    def close(self) -> None:
        for server in self._servers:
            server.stop(None)

    def reset(self, cloud: Cloud) -> None:
        """Begin a case: a stack that was never deployed, and its cloud."""
        self.cloud = cloud
        shutil.rmtree(self.work)
        shutil.copytree(self._fresh, self.work)

    def observe(self, run: Run, normal: Normal) -> Observation:
        """Carry out ``run`` and tell what came of it."""
        self._host.run, self._host.programs = run, {}
        self._configure(run)
        yes = [] if run.verb == "preview" else ["--yes"]
        client = ["--client", f"127.0.0.1:{self._ports[0]}", "--stack", STACK]
        arguments = [
            run.verb,
            *yes,
            *client,
            *_flags(run),
            "--parallel",
            "1",
            "--event-log",
            str(self.folder / "events"),
        ]
        with _Pipe(self.folder / "events") as pipe:
            done = self.pulumi(*arguments)
            lines = pipe.finish()
        events = [json.loads(line) for line in lines]
        looked_at = "resOutputsEvent" if run.verb == "refresh" else "resourcePreEvent"
        preview, applied = self._passes(events, done.returncode, normal, looked_at)
        if preview is None and applied is None:
            raise CliFailed(done.stdout + done.stderr)
        self.said = done.stdout + done.stderr
        return observation(run, preview, applied, self.cloud, normal, self._snapshot())

    def pulumi(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        environment = {
            **{key: value for key, value in os.environ.items() if not key.startswith("PULUMI_")},
            "PULUMI_HOME": str(self._home),
            "PULUMI_BACKEND_URL": f"file://{self.work / 'state'}",
            "PULUMI_CONFIG_PASSPHRASE": PASSPHRASE,
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
            "PULUMI_DIY_BACKEND_DISABLE_CHECKPOINT_BACKUPS": "true",
            "PULUMI_DEBUG_PROVIDERS": f"test:{self._ports[1]}",
            "PULUMI_DEBUG_COMMANDS": "true",
        }
        try:
            return subprocess.run(
                ["pulumi", *arguments, "--non-interactive", "--color", "never"],
                cwd=self.work, env=environment, capture_output=True, text=True, check=False, timeout=SECONDS,
            )  # fmt: skip
        except subprocess.TimeoutExpired as expired:
            raise CliHangs(f"pulumi {' '.join(arguments)}: no end after {SECONDS} s") from expired

    def _configure(self, run: Run) -> None:
        path = self.work / f"Pulumi.{STACK}.yaml"
        salt = re.search(r"^encryptionsalt: .*$", path.read_text(), re.MULTILINE)
        text = "".join(f"  {key}: {value}\n" for key, value in run.config.items())
        path.write_text((f"{salt[0]}\n" if salt else "") + (f"config:\n{text}" if text else ""))

    def _snapshot(self) -> Snapshot:
        """The state as it is, which the CLI may have left so that it refuses it itself."""
        store = open_stack(self.work / "state", PROJECT, STACK, Keyring(STACK, PASSPHRASE))
        return store.read() or Snapshot()

    def _passes(
        self, events: Sequence[Mapping[str, Any]], code: int, normal: Normal, looked_at: str
    ) -> tuple[Pass | None, Pass | None]:
        """The preview and the apply: each ends with its summary, or with a cancelEvent where it was cut short."""
        parts: list[list[Mapping[str, Any]]] = [[]]
        for event in events:
            if "cancelEvent" in event:
                parts.append([])
            else:
                parts[-1].append(event)
        passes: dict[bool, Pass] = {}
        for number, part in enumerate(part for part in parts if part):
            summary = next((event["summaryEvent"] for event in part if "summaryEvent" in event), None)
            preview = bool(summary["isPreview"]) if summary else number == 0
            passes[preview] = _pass_of(part, normal, self._host.programs.get(preview), looked_at)
        last = passes.get(False) or passes.get(True)
        if last is not None:
            last.succeeded = code == 0
        return passes.get(True), passes.get(False)


def _pass_of(events: Sequence[Mapping[str, Any]], normal: Normal, program: Interpreter | None, looked_at: str) -> Pass:
    """``looked_at`` is the event that tells of a step: of a refresh only what comes after it says what it found."""
    found = Pass()
    if program is not None:
        found.answers, found.told = normal.answers(program.answers), list(map(normal.text, program.told))
    for event in events:
        if looked_at in event:
            step = event[looked_at]["metadata"]
            detailed = {path: str(diff["diffKind"]) for path, diff in (step.get("detailedDiff") or {}).items()}
            found.steps.append(step_line(step["op"], normal.text(step["urn"]), step.get("keys") or (), detailed))
        elif "resOpFailedEvent" in event:
            step = event["resOpFailedEvent"]["metadata"]
            found.failed.append(f"{step['op']} {normal.text(step['urn'])}")
        elif "diagnosticEvent" in event and event["diagnosticEvent"]["severity"] == "error":
            urn = event["diagnosticEvent"].get("urn", "")
            found.errors += [normal.text(urn)] if urn else []
    return found


def _flags(run: Run) -> list[str]:
    flags: list[str] = []
    for flag, value in run.flags.items():
        flags += [_FLAGS[flag]] if value is True else [part for each in value for part in (_FLAGS[flag], each)]
    return flags


class _Pipe:
    """Reads what is written to a named pipe, by one writer after another, until it is told that there is no other."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lines: list[str] = []

    def __enter__(self) -> _Pipe:
        self._own = os.open(self._path, os.O_RDWR)  # so that there is always a writer, and opening does not wait
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()
        return self

    def _read(self) -> None:
        with self._path.open() as stream:
            for line in stream:
                if line == "end\n":
                    return
                self._lines.append(line)

    def finish(self) -> list[str]:
        os.write(self._own, b"end\n")
        self._thread.join(SECONDS)
        return self._lines

    def __exit__(self, *exception: object) -> None:
        if self._thread.is_alive():
            os.write(self._own, b"end\n")
        os.close(self._own)


def where_there_is_one(folder: Path) -> Iterator[CommandLine]:
    """A fixture's CLI; where there is none, its tests are skipped, by their own names."""
    __tracebackhide__ = True
    if shutil.which("pulumi") is None:
        pytest.skip("needs the `pulumi` command on PATH")
    started = CommandLine(folder)
    yield started
    started.close()
