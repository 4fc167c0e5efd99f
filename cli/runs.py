"""Running a stack's verb from the command line: ask the session, show progress, get agreement, report."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Container
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias, TypeVar

from cli import neighbours, packs, sandboxes, selection
from cli.asking import answer, check_can_agree
from cli.exits import CommandError, ExitCode, UsageError
from cli.findings.written import asked
from cli.interrupts import Interrupts
from cli.opening import check_whereabouts, is_out_of_reach, needs_sandbox, open_session
from cli.reporting import Reporting, only_previews
from cli.requests.manner import Output
from cli.requests.runs import Applying, BringingUp, Destroying, Judged, Planned, Running
from cli.screen import Screen
from cli.transcript import Transcript
from cli.views import report
from cli.views.lines import Style
from cli.views.progress import REFRESH_SECONDS, Live, Plain, Progress, Silent
from engine.events import Consumer, Event
from engine.plan import Op
from engine.run import Options, Outcome, Result
from engine.sandbox import Sandbox
from engine.session import Session
from engine.stack_session import StackSession
from engine.targets import Targets

Agree: TypeAlias = Callable[[Outcome], bool]
Verb: TypeAlias = Callable[[StackSession, Consumer, Options, Agree], Awaitable[Outcome]]

_QUESTIONS: Final = {
    "up": "Apply these changes?",
    "destroy": "Delete all of this?",
    "refresh": "Write this to the state?",
    "import": "Import this?",
}


@dataclass
class Command:
    """One command that runs a stack's ``verb``."""

    verb: str
    request: Running
    screen: Screen
    session: StackSession
    transcript: Transcript
    progress: Progress
    interrupts: Interrupts
    telling: Reporting
    targets: Targets = field(default_factory=Targets)
    log_failure: str = ""  # why the event log is not complete
    at_once: bool = False  # nothing is previewed

    @property
    def sandbox(self) -> Sandbox | None:
        """The sandbox that it works in, while that runs; the Pulumi CLI works in none."""
        if not isinstance(self.session, Session):
            return None
        return sandboxes.running(self.session.project.root, self.request.sandbox)

    def run(self, go: Verb) -> int:
        """Do it and report; returns the exit code."""
        outcome = self._outcome(go)
        code = self._report(outcome)
        self.telling.rest()
        if self.log_failure:
            self.screen.error(self.log_failure)
        return code or (ExitCode.FAILED if self.log_failure else code)

    def _outcome(self, go: Verb) -> Outcome:
        """What ``go`` comes to, its events written down where that is asked for."""
        try:
            return self._logged(go)
        except BaseException:
            self.telling.rest()
            raise

    def _logged(self, go: Verb) -> Outcome:
        path = self.request.event_log
        if path is None:
            return asyncio.run(self._go(go, [self._hear]))
        from cli.event_log import EventLog

        with EventLog(path) as log:
            outcome = asyncio.run(self._go(go, [self._hear, log]))
        if log.failure is not None:
            self.log_failure = f"{path}: {log.failure.strerror}; the event log is not complete"
        return outcome

    def _hear(self, event: Event) -> None:
        """Keep an event, and show it as it happens, except for what a report will say in the same place.

        Who watches an apply on a terminal is not to wait for its end to learn what goes wrong.
        """
        if self.transcript.take(event) or (self.transcript.applying and isinstance(self.progress, Live)):
            self.progress(event)

    def plan(self, reported: Container[Result] = (Result.SUCCEEDED,)) -> Outcome:
        """A preview for whoever makes a report of his own of its plan, where it ends as ``reported``.

        ``failed`` reports one that ended otherwise.
        """
        outcome = self._outcome(lambda session, emit, options, _: session.preview(emit, options))
        if outcome.result in reported:
            self.telling.rest()
        if self.log_failure:
            raise CommandError(self.log_failure, ExitCode.FAILED)
        return outcome

    def failed(self, outcome: Outcome) -> int:
        """Report a preview that stands in the way of something else; returns the exit code."""
        return self._report(outcome)

    async def _go(self, go: Verb, consumers: list[Consumer]) -> Outcome:
        def emit(event: Event) -> None:
            for consumer in consumers:
                consumer(event)

        ticking = asyncio.create_task(self._tick())
        try:
            with self.interrupts.listening():
                stopped = await self._freshened(emit)
                if stopped is not None:
                    return stopped
                if self.at_once and (sandbox := self.sandbox) is not None:
                    self._enter(sandbox)
                return await go(self.session, emit, self._options(), self.agree)
        finally:
            ticking.cancel()
            self.progress.close()

    async def _freshened(self, emit: Consumer) -> Outcome | None:
        """See to it that the state does not speak of an emulator that is gone; an outcome says why that failed."""
        root, stack = self.session.project.root, self.session.stack
        stale = sandboxes.is_stale(root, stack, self.sandbox) and not is_out_of_reach(self.session)
        if not stale or not sandboxes.needs_sandbox(self.session.snapshot().resources):
            return None
        if self.verb == "preview":
            command = f"bedplate up {stack}{sandboxes.option(self.request.sandbox)}"
            self.progress.say(f"the sandbox was started anew since; `{command}` will find what is gone")
            return None
        self.progress.say("the sandbox was started anew since: looking for what is gone")
        outcome = await self.session.refresh(emit, self._options(), lambda _outcome: True)
        return None if outcome.result is Result.SUCCEEDED else outcome

    async def _tick(self) -> None:
        await asyncio.sleep(REFRESH_SECONDS)
        self.telling.get_ready()  # a program that takes longer has not declared anything yet
        while True:
            self.progress.tick()
            await asyncio.sleep(REFRESH_SECONDS)

    def _options(self) -> Options:
        request = self.request
        return Options(
            request.parallel, self.targets, request.program_timeout, live_functions=self._lives(),
            refresh=isinstance(request, Planned) and request.refresh,
            plan=request.plan if isinstance(request, BringingUp) else None, skip_preview=self.at_once,
            continue_on_error=isinstance(request, BringingUp | Destroying) and request.continue_on_error,
            debug=request.debug,
        )  # fmt: skip

    def _lives(self) -> bool:
        """Whether the stack is up in a sandbox that runs: a preview then knows what functions answer, as `up` does."""
        if isinstance(self.request, Applying) or not isinstance(self.session, Session):
            return False
        if is_out_of_reach(self.session):
            return False
        return self.sandbox is not None and sandboxes.needs_sandbox(self.session.snapshot().resources)

    # Agreement

    def agree(self, preview: Outcome) -> bool:
        """Show what would be done, refuse what can't be, ask."""
        self.progress.close()
        self._check_targets(preview)
        self.telling.preview(preview)
        if self.request.expect_no_changes and not report.nothing_to_do(preview.plan):
            self.telling.code = ExitCode.CHANGES
            return False
        if not preview.plan.has_changes and not preview.plan.drift:
            return True
        self._check_sandbox(preview)
        return (isinstance(self.request, Applying) and self.request.agreed) or self._asked(preview)

    def _check_targets(self, preview: Outcome) -> None:
        if preview.result not in (Result.SUCCEEDED, Result.PROGRAM_FAILED, Result.RESOURCE_FAILED):
            return
        text = selection.unmatched(self.targets, preview.plan, self._standing, self.session.stack)
        if text and preview.result is Result.SUCCEEDED:
            raise UsageError(text)
        if text:
            self.screen.tell(f"{text}\nthis may be why the rest went wrong:")

    def _standing(self) -> list[str]:
        return [state.urn for state in self.session.snapshot().resources]

    def _check_sandbox(self, preview: Outcome) -> None:
        if not isinstance(self.session, Session):
            return
        touched = [step.state for step in preview.plan.steps if step.op is not Op.SAME]
        if not sandboxes.needs_sandbox(touched):
            return
        sandbox = self.sandbox
        if sandbox is None:
            raise sandboxes.missing(self.session.project.root, self.request.sandbox)
        clash = neighbours.clash(self.session, preview.plan, sandbox)
        if clash:
            raise clash.error(self.session.stack, sandbox.name)
        self._enter(sandbox)

    def skip_preview(self) -> None:
        """Go without a preview, unless only a plan can tell whether something is in the way."""
        if isinstance(self.session, Session):
            sandbox = self.sandbox
            others = neighbours.others(self.session, sandbox) if sandbox else ()
            if sandbox is None or others:
                why = f"stack {others[0]} is in the sandbox, too" if others else "no sandbox is running"
                self.screen.tell(f"previewed all the same: {why}", Style.DIM)
                return
        self.at_once = True

    def _enter(self, sandbox: Sandbox) -> None:
        """Note that the stack is in ``sandbox`` from now on; what is gone since it was in another has been found."""
        sandboxes.remember(self.session.project.root, self.session.stack, sandbox)
        self._say_where(sandbox)

    def _say_where(self, sandbox: Sandbox) -> None:
        self.screen.tell(f"applies to the sandbox at {sandbox.endpoint}, never to AWS", Style.DIM)

    def _asked(self, preview: Outcome) -> bool:
        while True:
            said = self._answer(f"{_QUESTIONS[self.verb]} [y]es, [n]o, [d]etails: ")
            if said in ("d", "details"):
                self.screen.show(report.details(preview.plan))
            elif said in ("y", "yes", "n", "no", ""):
                return said in ("y", "yes")

    def may_make(self, stack: str) -> bool:
        """Whether a stack may be made that the backend does not have."""
        if isinstance(self.request, Applying) and self.request.agreed:
            return True
        self.progress.close()
        return self._answer(f"there is no stack {stack} yet; make it? [y]es, [n]o: ") in ("y", "yes")

    def _answer(self, question: str) -> str:
        """What somebody types, "" for who goes away."""
        with self.interrupts.asleep():
            try:
                return answer(self.screen, question)
            except KeyboardInterrupt:
                self.screen.tell("")
                return ""

    # Reporting

    def _report(self, outcome: Outcome) -> int:
        if not self.telling.previewed:
            self._check_targets(outcome)
        return self.telling.end(outcome, self._options(), self._further(outcome))

    def _further(self, outcome: Outcome) -> dict[str, Any]:
        """What the document of this command has besides what every run's has."""
        return {}


C = TypeVar("C", bound=Command)


def prepare(verb: str, request: Running) -> Command:
    """Open everything that a command needs. Raises UsageError where somebody would have to be asked and can't be."""
    return prepared(Command, verb, request)


def prepared(kind: type[C], verb: str, request: Running) -> C:
    """As ``prepare``, for a kind of command that has more to it."""
    screen = Screen(request)
    if isinstance(request, BringingUp) and request.skip_preview and (request.plan or request.expect_no_changes):
        other = "--plan" if request.plan else "--expect-no-changes"
        raise UsageError(f"{other} is held to by a preview, and --skip-preview makes none; give one of them")
    if isinstance(request, Applying) and not request.agreed and not only_previews(verb, request):
        check_can_agree(request, screen, verb)
    targets = selection.targets_of(request)
    reports = asked(request.report, request.rules_url) if isinstance(request, Judged) else ()
    session = open_session(request, request.message, changes=not only_previews(verb, request))
    if isinstance(request, Judged):
        _check_usage(session, request)
        session.packs = packs.chosen(session, request)
        if session.packs is not None:
            session.packs.prepare()
    if isinstance(request, Destroying) and request.exclude_protected:
        targets = selection.without_protected(targets, session.snapshot().resources)
    if isinstance(session, Session):
        check_whereabouts(verb, session, request.sandbox)
    progress = _progress(screen, request)
    transcript = Transcript()
    interrupts = Interrupts(lambda: _cancel(session, progress), lambda: _stop_now(session, progress))
    telling = Reporting(verb, request, screen, session, transcript, reports)
    command = kind(verb, request, screen, session, transcript, progress, interrupts, telling, targets)
    if not isinstance(session, Session):
        session.may_make = command.may_make
    return command


def _check_usage(session: StackSession, request: Judged) -> None:
    """Raise BadUsage where a file that the command names can't be used: nothing is to be judged without it."""
    if request.usage is not None:
        from cli.costs import read_usage

        read_usage(session.project, session.stack, request.usage)


def _progress(screen: Screen, request: Running) -> Progress:
    if request.output is not Output.TEXT:
        return Silent()
    if screen.terminal.live:
        return Live(screen.err, screen.terminal.width, color=screen.error_color, debug=request.debug)
    return Plain(screen.err, color=screen.error_color, debug=request.debug)


def _cancel(session: StackSession, progress: Progress) -> None:
    progress.say("cancelling: finishing what is in progress; Ctrl-C again stops at once")
    session.cancel()


def _stop_now(session: StackSession, progress: Progress) -> None:
    with contextlib.suppress(Exception):  # nothing may keep the second Ctrl-C from ending the process
        progress.close()
        progress.say("stopped; what was in progress is recorded, and the next run looks for it")
    session.abandon()


def bring_up(request: BringingUp) -> int:
    """Bring an environment to what its program declares; returns the exit code."""
    prepared = prepare("up", request)
    check_sandbox(prepared)
    if request.skip_preview:
        prepared.skip_preview()
    return prepared.run(lambda session, emit, options, agree: session.up(emit, options, agree))


def check_sandbox(command: Command) -> None:
    """Raise where what the stack has, or was making when a run died, lies in an emulator that is not there."""
    if not isinstance(command.session, Session):
        return
    if command.sandbox is None and needs_sandbox(command.session):
        raise sandboxes.missing(command.session.project.root, command.request.sandbox)
