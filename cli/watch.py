"""Watching a program: each time that a file of it is saved, the sandbox is brought to what it declares.

A round that fails is told and waited after: the next save may mend it. With ``--output json`` each line is an event:
``watching``, ``roundStarted``, ``roundEnded`` and ``stopped``.
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from cli import engines, sandboxes
from cli.environments import meant
from cli.exits import ExitCode, UsageError, of_error
from cli.requests.manner import Output
from cli.requests.runs import BringingUp, Watching, preview_of
from cli.requests.stack import Engine
from cli.runs import Command, prepared
from cli.screen import VERSION, Screen
from cli.signals import ended_by_sigterm
from cli.views import markers, report
from cli.views.lines import Line, Style
from cli.watched_files import Watched
from engine import urn as urns
from engine.plan import Op
from engine.project import Project
from engine.run import Outcome, Result
from engine.sandbox import Sandbox

_SHOWN_FILES: Final = 3


def run(request: Watching) -> int:
    """Watch until somebody ends it; returns the exit code: that of a round that was cut off, else 0."""
    project = Project.load(request.cwd)
    stack = meant(request.environment, request.stack, project.environments())
    project.require(stack)
    sandbox = _sandbox_of(request, project, stack)
    watching = _Watching(request, project.root, stack, Screen(request), Watched(project.root), sandbox.endpoint)
    with ended_by_sigterm():
        try:
            return watching.rounds()
        except KeyboardInterrupt:
            watching.stopped()
            return ExitCode.OK


def _sandbox_of(request: Watching, project: Project, stack: str) -> Sandbox:
    """The sandbox that it is about. Raises where there is none: what follows every save must not be dear to anybody."""
    if engines.chosen(request, project, stack, changes=False).engine is Engine.PULUMI:
        raise UsageError(
            f"`watch` is for sandboxes, and {stack} belongs to the Pulumi CLI: saving a file must not change it\n"
            f"  bring it up in a sandbox (`bedplate sandbox up`), or preview it: `bedplate preview {stack}`"
        )
    sandbox = sandboxes.running(project.root, request.sandbox)
    if sandbox is None:
        raise sandboxes.missing(project.root, request.sandbox)
    return sandbox


@dataclass
class _Round(Command):
    """One `up` that says nothing of what it is going to do: that it does it is seen at once."""

    outcome: Outcome | None = None

    def agree(self, preview: Outcome) -> bool:
        if preview.plan.has_changes:
            self._check_sandbox(preview)
        return True

    def _say_where(self, sandbox: Sandbox) -> None:
        """It was said before the first round."""

    def _report(self, outcome: Outcome) -> int:
        self.outcome = outcome
        return self.telling.exit_code(outcome)


class _Watching:
    def __init__(
        self, request: Watching, root: Path, stack: str, screen: Screen, files: Watched, endpoint: str
    ) -> None:
        self._request = request
        self._root = root
        self._stack = stack
        self._screen = screen
        self._files = files
        self._endpoint = endpoint
        self._json = request.output is Output.JSON
        self._number = 0

    def rounds(self) -> int:
        count, root = self._files.count, str(self._root)
        self._tell(
            "watching",
            f"watching {count} files of {root} for the sandbox at {self._endpoint}; Ctrl-C ends it",
            folder=root,
            files=count,
        )
        changed: Sequence[Path] = ()
        while True:
            code = self._round(changed)
            if code == ExitCode.CANCELLED:
                self.stopped()
                return code
            changed = sorted(self._files.wait())

    def stopped(self) -> None:
        rounds = "1 round" if self._number == 1 else f"{self._number} rounds"
        self._tell("stopped", f"stopped after {rounds}", rounds=self._number)

    def _round(self, changed: Sequence[Path]) -> int:
        self._number += 1
        names = [self._name(path) for path in changed]
        if changed:
            more = f" and {len(names) - _SHOWN_FILES} more" if len(names) > _SHOWN_FILES else ""
            self._tell("", f"{', '.join(names[:_SHOWN_FILES])}{more} changed")
        self._event("roundStarted", round=self._number, changed=names)
        before, started = self._files.now(), time.monotonic()
        request = preview_of(
            self._request, BringingUp, yes=True, non_interactive=True, parallel=self._request.parallel,
            message="watch",
        )  # fmt: skip
        try:
            command = prepared(_Round, "up", request)
            code = command.run(lambda session, emit, options, agree: session.up(emit, options, agree))
            self._ended(command, code)
        except Exception as error:
            known = of_error(error)
            if known is None:
                raise
            code = known
            self._failed(error, code, time.monotonic() - started)
        for path in sorted(self._files.ran(before, changed)):
            self._tell("", f"{self._name(path)} is written by the program itself; it is watched no more")
        return code

    def _ended(self, command: _Round, code: int) -> None:
        outcome = command.outcome
        assert outcome is not None, "a round that was run has an outcome"
        if not self._json and outcome.result is Result.SUCCEEDED:
            done = command.transcript.done or markers.counts(outcome.plan.steps)
            self._screen.show([self._line(markers.counts_lines(done, 10_000, past=True)[0], outcome.seconds)])
        elif not self._json:
            self._screen.show(report.result(outcome, command.transcript, {}, width=self._screen.width))
            command.transcript.untold.clear()
        self._event(
            "roundEnded", round=self._number, result=str(outcome.result), exitCode=int(code),
            seconds=round(outcome.seconds, 3),
            changes=[
                {"op": str(step.op), "urn": step.urn, "type": step.type, "name": urns.name_of(step.urn)}
                for step in outcome.plan.steps
                if step.op is not Op.SAME and not markers.is_default_provider(step.urn)
            ],
            diagnostics=[
                {"severity": str(one.severity), "urn": one.urn, "message": one.message}
                for one in command.transcript.diagnostics
            ],
        )  # fmt: skip

    def _failed(self, error: Exception, code: int, seconds: float) -> None:
        if not self._json:
            self._screen.error(str(error))
        self._event(
            "roundEnded", round=self._number, result="failed", exitCode=int(code), seconds=round(seconds, 3),
            changes=[], diagnostics=[{"severity": "error", "urn": "", "message": str(error)}],
        )  # fmt: skip

    def _line(self, tally: Line, seconds: float) -> Line:
        head = Line().add(time.strftime("%H:%M:%S  "), Style.DIM).add(self._stack, Style.STRONG)
        return Line([*head.pieces, *tally.pieces]).add(f"   {report.duration(seconds)}", Style.DIM)

    def _name(self, path: Path) -> str:
        return path.relative_to(self._root).as_posix()

    def _tell(self, event: str, text: str, **facts: Any) -> None:
        if not self._json:
            self._screen.tell(text, Style.DIM)
        elif event:
            self._event(event, **facts)

    def _event(self, name: str, **facts: Any) -> None:
        if self._json:
            line = {"version": VERSION, "event": name, "stack": self._stack, **facts}
            self._screen.write(json.dumps(line, ensure_ascii=False) + "\n")
