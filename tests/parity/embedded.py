"""Runs cases on the embedded engine: a session as a command opens it, its program interpreted instead of started."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn
from unittest import mock

import grpc

from engine import saved_plan_file
from engine.events import Diagnostic, Event, RunStarted, Severity, StepDone, StepFailed, StepStarted
from engine.monitor import Monitor
from engine.program import FAILED_AND_SAID_SO, Program
from engine.project import Project
from engine.run import Options, Outcome, Result
from engine.run import Run as EngineRun
from engine.session import Session
from engine.state.secrets import new_salt
from engine.targets import Targets
from tests.engine.lifecycle.cloud import Cloud, CloudProvider
from tests.parity.interpreter import Interpreter, ProgramRaised, Refused
from tests.parity.observed import Normal, Observation, Pass, observation, step_line
from tests.parity.programs import STACK, Run

PASSPHRASE = "correct horse"


@contextmanager
def _nothing(*_: object) -> Generator[None]:
    yield


class _Aborted(Exception):
    def __init__(self, code: grpc.StatusCode, message: str) -> None:
        super().__init__(message)
        self.code = code


class _Context:
    """What a servicer asks of a gRPC call."""

    async def abort(self, code: grpc.StatusCode, message: str) -> NoReturn:
        raise _Aborted(code, message)


@dataclass
class _InProcess:
    """Calls the monitor's methods with the messages that would come over the wire."""

    monitor: Monitor

    async def call(self, method: str, request: Any) -> Any:
        try:
            return await getattr(self.monitor, method)(request, _Context())
        except _Aborted as aborted:
            raise Refused(str(aborted), stopping=aborted.code is grpc.StatusCode.UNAVAILABLE) from aborted


@dataclass
class Embedded:
    """One stack for one case, in ``folder``."""

    folder: Path
    cloud: Cloud
    programs: dict[bool, Interpreter] = field(default_factory=dict[bool, Interpreter])
    events: list[Event] = field(default_factory=list[Event])

    def __post_init__(self) -> None:
        (self.folder / "Pulumi.yaml").write_text("name: shop\nruntime: python\n")
        (self.folder / "__main__.py").touch()

    def observe(self, run: Run, normal: Normal) -> Observation:
        """Carry out ``run`` and tell what came of it."""
        self.programs, self.events = {}, []
        with self._interpreted(run):
            outcome = asyncio.run(self._verb(run))
        preview, applied = self._passes(run, outcome, normal)
        return observation(run, preview, applied, self.cloud, normal, self.session(run).snapshot())

    def keep_plan(self, run: Run, path: Path) -> None:
        """Preview ``run``'s program and keep the plan."""
        session, options = self.session(run), _options(run)
        with self._interpreted(run):
            outcome = asyncio.run(session.preview(self.events.append, options))
        saved_plan_file.write(path, session.plan_text(outcome, options))

    def session(self, run: Run) -> Session:
        text = "".join(f"  {key}: {value}\n" for key, value in run.config.items())
        config = f"encryptionsalt: {_salt()}\n" + (f"config:\n{text}" if text else "")
        (self.folder / f"Pulumi.{STACK}.yaml").write_text(config)
        environment = {"PULUMI_CONFIG_PASSPHRASE": PASSPHRASE, "PULUMI_BACKEND_URL": f"file://{self.folder / 'state'}"}
        (self.folder / "state").mkdir(exist_ok=True)
        factories = {"test": lambda: CloudProvider(self.cloud)}
        return Session.open(Project.load(self.folder), STACK, factories, environment=environment)

    async def _verb(self, run: Run) -> Outcome:
        session, options = self.session(run), _options(run)
        if run.verb == "preview":
            return await session.preview(self.events.append, options)
        verb: Callable[..., Any] = getattr(session, run.verb)
        return await verb(self.events.append, options, _agreed)

    @contextmanager
    def _interpreted(self, run: Run) -> Generator[None]:
        """Programs are interpreted here, in previews and in what they lead to: no process is started ahead for them."""
        kind = self._interpreting(run)
        with (
            mock.patch("engine.previews.Run", kind),
            mock.patch("engine.session.Run", kind),
            mock.patch("engine.session.waiting_host.started_ahead", _nothing),
        ):
            yield

    def _interpreting(self, run: Run) -> type[EngineRun]:
        programs = self.programs

        class Interpreting(EngineRun):
            async def _program(self, program: Program) -> Result:
                monitor = Monitor(self.deployment, dict(program.config), list(program.secret_keys), program.folder)
                interpreter = Interpreter(_InProcess(monitor), self.deployment.preview)
                programs[self.deployment.preview] = interpreter
                try:
                    await interpreter.run(run)
                except (Refused, ProgramRaised):
                    monitor.failed_log = True
                    return self._judged(FAILED_AND_SAID_SO, monitor)
                finally:
                    await monitor.settled()
                return self._judged(0, monitor)

        return Interpreting

    def _passes(self, run: Run, outcome: Outcome, normal: Normal) -> tuple[Pass | None, Pass | None]:
        """The preview and the apply. Of a refresh, only what comes after a step tells what it found."""
        passes: dict[bool, Pass] = {}
        current = Pass()
        for event in self.events:
            if isinstance(event, RunStarted):
                current = passes.setdefault(event.preview, Pass())
            elif isinstance(event, StepDone if run.verb == "refresh" else StepStarted):
                step = event.step
                current.steps.append(step_line(step.op, normal.text(step.urn), step.replace_keys, step.detailed))
            elif isinstance(event, StepFailed):
                current.failed.append(f"{event.step.op} {normal.text(event.step.urn)}")
            elif isinstance(event, Diagnostic) and event.severity is Severity.ERROR and event.urn:
                current.errors.append(normal.text(event.urn))
        current.succeeded = outcome.result is Result.SUCCEEDED
        for preview, each in passes.items():
            program = self.programs.get(preview)
            if program is not None:
                each.answers, each.told = normal.answers(program.answers), list(map(normal.text, program.told))
        return passes.get(True), passes.get(False)


def _options(run: Run) -> Options:
    flags = run.flags
    targets = Targets(
        tuple(flags.get("targets", ())),
        tuple(flags.get("excludes", ())),
        flags.get("target_dependents", False),
        flags.get("exclude_dependents", False),
        tuple(flags.get("replace", ())),
    )
    return Options(
        parallel=1, targets=targets, refresh=bool(flags.get("refresh")),
        continue_on_error=bool(flags.get("continue_on_error")), skip_preview=bool(flags.get("skip_preview")),
    )  # fmt: skip


@functools.cache
def _salt() -> str:
    """One for all stacks: a key takes a few tenths of a second to derive."""
    return new_salt(PASSPHRASE)


def _agreed(_outcome: Outcome) -> bool:
    return True
