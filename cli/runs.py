"""Running a stack's verb from the command line: ask the session, show progress, get agreement, report."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, TypeAlias, TypeVar

from cli import engines, neighbours, packs, sandboxes, selection
from cli.environments import meant
from cli.exits import DETAILED_CHANGES, CommandError, ExitCode, UsageError, of_result
from cli.findings.report import FindingsReport
from cli.findings.written import ReportFile, asked
from cli.interrupts import Interrupts
from cli.requests.importing import Importing
from cli.requests.manner import Output
from cli.requests.runs import Applying, BringingUp, Destroying, Judged, Planned, Previewing, Refreshing, Running
from cli.requests.stack import Engine, InSandbox, Showing
from cli.screen import Screen
from cli.transcript import Transcript
from cli.views import documents, drift, policy, report
from cli.views.lines import Line, Style
from cli.views.progress import REFRESH_SECONDS, Live, Plain, Progress, Silent
from engine.events import Consumer, Event
from engine.plan import Op
from engine.project import Project
from engine.run import Options, Outcome, Result
from engine.sandbox import Sandbox
from engine.sandbox.providers import factories
from engine.session import Session
from engine.stack_session import StackSession
from engine.targets import Targets

if TYPE_CHECKING:
    from cli.costs import Costs
    from engine.pulumi_cli.session import CliSession

Agree: TypeAlias = Callable[[Outcome], bool]
Verb: TypeAlias = Callable[[StackSession, Consumer, Options, Agree], Awaitable[Outcome]]

_QUESTIONS: Final = {
    "up": "Apply these changes?",
    "destroy": "Delete all of this?",
    "refresh": "Write this to the state?",
    "import": "Import this?",
}


def open_session(request: InSandbox, message: str = "", *, changes: bool = False) -> Session | CliSession:
    """The session that a command is about, of the engine that it uses; ``changes`` it, or only looks.

    Raises what ``exits.of_error`` knows, and where the sandbox is not there.
    """
    project = Project.load(request.cwd, any_runtime=True)
    stack = meant(request.environment, request.stack, project.environments())
    choice = engines.chosen(request, project, stack, changes=changes)
    if choice.why:
        Screen(request).tell(f"{choice.why}: the embedded engine is used", Style.DIM)
    if choice.engine is Engine.PULUMI:
        from engine.pulumi_cli.session import CliSession

        return CliSession.open(
            project, stack, message=message, in_clear=isinstance(request, Showing) and request.show_secrets
        )
    return _embedded(request, project, stack, message)


def _embedded(request: InSandbox, project: Project, stack: str, message: str) -> Session:
    project.require_python()
    running = sandboxes.asked_for(project.root, request.sandbox)
    providers = factories(
        running,
        lambda: sandboxes.declared_kubernetes(project, stack),
        sandboxes.gone_servers(project.root, stack, running),
    )
    return Session.open(project, stack, providers, message=message)


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
    previewed: bool = False
    known: int = 0  # diagnostics that the preview's report has shown
    code: ExitCode | None = None  # set where more is known than the outcome tells
    reports: Sequence[ReportFile] = ()  # of what policy packs found
    targets: Targets = field(default_factory=Targets)
    log_failure: str = ""  # why the event log is not complete

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
        if self.log_failure:
            self.screen.error(self.log_failure)
        return code or (ExitCode.FAILED if self.log_failure else code)

    def _outcome(self, go: Verb) -> Outcome:
        """What ``go`` comes to, its events written down where that is asked for."""
        path = self.request.event_log
        if path is None:
            return asyncio.run(self._go(go, [self.transcript, self.progress]))
        from cli.event_log import EventLog

        with EventLog(path) as log:
            outcome = asyncio.run(self._go(go, [self.transcript, self.progress, log]))
        if log.failure is not None:
            self.log_failure = f"{path}: {log.failure.strerror}; the event log is not complete"
        return outcome

    def plan(self) -> Outcome:
        """A preview for whoever makes a report of his own of its plan; ``failed`` reports one that did not succeed."""
        outcome = self._outcome(lambda session, emit, options, _: session.preview(emit, options))
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
                return stopped or await go(self.session, emit, self._options(), self.agree)
        finally:
            ticking.cancel()
            self.progress.close()

    async def _freshened(self, emit: Consumer) -> Outcome | None:
        """See to it that the state does not speak of an emulator that is gone; an outcome says why that failed."""
        root, stack = self.session.project.root, self.session.stack
        stale = sandboxes.is_stale(root, stack, self.sandbox) and not _is_out_of_reach(self.session)
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
        while True:
            await asyncio.sleep(REFRESH_SECONDS)
            self.progress.tick()

    def _options(self) -> Options:
        request = self.request
        return Options(
            request.parallel, self.targets, request.program_timeout, live_functions=self._lives(),
            refresh=isinstance(request, Planned) and request.refresh,
            plan=request.plan if isinstance(request, BringingUp) else None,
            continue_on_error=isinstance(request, BringingUp | Destroying) and request.continue_on_error,
            debug=request.debug,
        )  # fmt: skip

    def _lives(self) -> bool:
        """Whether the stack is up in a sandbox that runs: a preview then knows what functions answer, as `up` does."""
        if not isinstance(self.session, Session) or _is_out_of_reach(self.session):
            return False
        return self.sandbox is not None and sandboxes.needs_sandbox(self.session.snapshot().resources)

    # Agreement

    def agree(self, preview: Outcome) -> bool:
        """Show what would be done, refuse what can't be, ask."""
        self.progress.close()
        self._check_targets(preview)
        self._show_preview(preview)
        if self.request.expect_no_changes and not report.nothing_to_do(preview.plan):
            self.code = ExitCode.CHANGES
            return False
        if not preview.plan.has_changes and not preview.plan.drift:
            return True
        self._check_sandbox(preview)
        return (isinstance(self.request, Applying) and self.request.yes) or self._asked(preview)

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
        root = self.session.project.root
        sandbox = self.sandbox
        if sandbox is None:
            raise sandboxes.missing(root, self.request.sandbox)
        clash = neighbours.clash(self.session, preview.plan, sandbox)
        if clash:
            raise clash.error(self.session.stack, sandbox.name)
        sandboxes.remember(root, self.session.stack, sandbox)
        self._say_where(sandbox)

    def _say_where(self, sandbox: Sandbox) -> None:
        self.screen.tell(f"applies to the sandbox at {sandbox.endpoint}, never to AWS", Style.DIM)

    def _asked(self, preview: Outcome) -> bool:
        while True:
            answer = self._answer(f"{_QUESTIONS[self.verb]} [y]es, [n]o, [d]etails: ")
            if answer in ("d", "details"):
                self.screen.show(report.details(preview.plan))
            elif answer in ("y", "yes", "n", "no", ""):
                return answer in ("y", "yes")

    def may_make(self, stack: str) -> bool:
        """Whether a stack may be made that the backend does not have."""
        if isinstance(self.request, Applying) and self.request.yes:
            return True
        self.progress.close()
        return self._answer(f"there is no stack {stack} yet; make it? [y]es, [n]o: ") in ("y", "yes")

    def _answer(self, question: str) -> str:
        """What somebody types, "" for who goes away."""
        with self.interrupts.asleep():
            try:
                self.screen.err.write(question)
                self.screen.err.flush()
                return input().strip().lower()
            except (EOFError, KeyboardInterrupt):
                self.screen.tell("")
                return ""

    # Reporting

    def heading(self) -> report.Heading:
        return report.Heading(self.verb, self.session.stack, self.session.where)

    def _show_preview(self, outcome: Outcome) -> None:
        if self.request.output is Output.TEXT and not self.previewed:
            self.previewed, self.known = True, len(self.transcript.diagnostics)
            detail = self.request.diff.value
            self.screen.show(
                report.preview(self.heading(), outcome, self.transcript, width=self.screen.width, detail=detail)
            )
            self.screen.show(self._costs(outcome).lines())
            self.screen.show(self._policy_lines(outcome))

    def _costs(self, outcome: Outcome) -> Costs:
        from cli.costs import of_run

        given = self.request.usage if isinstance(self.request, Judged) else None
        return of_run(self.verb, outcome, self.session, given)

    def _further(self, outcome: Outcome) -> dict[str, Any]:
        """What the document of a run has besides the run itself."""
        return self._costs(outcome).section()

    def _policy_lines(self, outcome: Outcome) -> list[Line]:
        if outcome.plan.policy is not None:
            return [policy.summary(outcome.plan.policy, self.screen.width)]
        judged = isinstance(self.request, Judged) and packs.left_out(self.session)
        return [policy.left_out(packs.KEY)] if judged else []

    def _report(self, outcome: Outcome) -> int:
        if not self.previewed:
            self._check_targets(outcome)
        code = self._exit_code(outcome)
        self._write_reports(outcome)
        self._save_plan(outcome)
        if self.request.output is Output.MARKDOWN:
            self.screen.write(drift.markdown(self.session.stack, outcome))
        elif self.request.output is Output.JSON:
            document = documents.run(
                self.verb, self.session.stack, outcome, self.transcript, code=code, engine=self.session.engine
            )
            self.screen.document(document | self._further(outcome))
        elif self.transcript.applying or (self.previewed and self.verb == "refresh"):
            self.screen.show([Line(), *self._result(outcome)])
        elif self.verb == "up" and outcome.result is Result.SUCCEEDED and report.nothing_to_do(outcome.plan):
            self.screen.show(self._result(outcome))
        else:
            self._show_preview(outcome)
        if code == ExitCode.CANCELLED and self.previewed and not self.transcript.applying:
            self.screen.tell("nothing was changed")
        if code == ExitCode.CHANGES:
            self.screen.error("changes, where --expect-no-changes said that there are none")
        return code

    def findings(self, outcome: Outcome) -> FindingsReport | None:
        """What the policy packs found, with the places to show it at; None where none was asked."""
        from cli.findings.places import Places, settings_place

        if outcome.plan.policy is None:
            return None
        project, stack = self.session.project, self.session.stack
        positions = [(step.urn, step.new.source_position) for step in outcome.plan.steps if step.new is not None]
        settings = settings_place(project, stack, project.root)
        places = Places.among(positions, project.root, settings.path, settings)
        rules_url = self.request.rules_url if isinstance(self.request, Judged) else ""
        return FindingsReport.of(outcome.plan.policy, places, stack, rules_url)

    def _write_reports(self, outcome: Outcome) -> None:
        found = self.findings(outcome) if self.reports else None
        if found is not None:
            for one in self.reports:
                one.write(found)

    def _save_plan(self, outcome: Outcome) -> None:
        path = self.request.save_plan if isinstance(self.request, Previewing) else None
        if path is None:
            return
        if outcome.result is not Result.SUCCEEDED:
            self.screen.tell(f"no plan was kept in {path}: the preview did not succeed")
            return
        from engine import saved_plan_file

        try:
            saved_plan_file.write(path, self.session.plan_text(outcome, self._options()))
        except OSError as error:
            raise CommandError(f"the plan can't be kept in {path}: {error.strerror}", ExitCode.FAILED) from error
        self.screen.tell(f"the plan is in {path}; `bedplate up {self.session.stack} --plan {path}` applies it as it is")

    def _result(self, outcome: Outcome) -> list[Line]:
        outputs = outcome.plan.outputs_after if self.verb == "up" else {}
        return report.result(outcome, self.transcript, outputs, width=self.screen.width, known=self.known)

    def _exit_code(self, outcome: Outcome) -> int:
        if self.code is not None:
            return self.code
        code = of_result(outcome.result)
        if outcome.result is Result.PROGRAM_FAILED and self._settings_are_wrong():
            return ExitCode.USAGE
        if code is not ExitCode.OK:
            detailed = isinstance(self.request, Previewing) and self.request.detailed_exitcode
            return ExitCode.FAILED if detailed else code
        if not _only_previews(self.verb, self.request) or report.nothing_to_do(outcome.plan):
            return code
        if self.request.expect_no_changes:
            return ExitCode.CHANGES
        return DETAILED_CHANGES if isinstance(self.request, Previewing) and self.request.detailed_exitcode else code

    def _settings_are_wrong(self) -> bool:
        """Whether the program is the platform's own and has failed for its settings. Asked late: it takes 0.3 s."""
        from stacks.settings import SettingsError, UnknownEnvironment, load
        from stacks.settings.files import PROJECT

        project = self.session.project
        if project.name != PROJECT:
            return False
        try:
            load(self.session.stack, project.config_folder)
        except (SettingsError, UnknownEnvironment):
            return True
        return False


C = TypeVar("C", bound=Command)


def prepare(verb: str, request: Running) -> Command:
    """Open everything that a command needs. Raises UsageError where somebody would have to be asked and can't be."""
    return prepared(Command, verb, request)


def prepared(kind: type[C], verb: str, request: Running) -> C:
    """As ``prepare``, for a kind of command that has more to it."""
    screen = Screen(request)
    if isinstance(request, Applying) and not (
        request.yes or _only_previews(verb, request) or _may_ask(screen, request)
    ):
        raise UsageError(f"`bedplate {verb}` would have to ask, and nobody is there to answer; pass --yes to go ahead")
    targets = selection.targets_of(request)
    reports = asked(request.report, request.rules_url) if isinstance(request, Judged) else ()
    session = open_session(request, request.message, changes=not _only_previews(verb, request))
    if isinstance(request, Judged):
        _check_usage(session, request)
        session.packs = packs.chosen(session, request)
        if session.packs is not None:
            session.packs.prepare()
    if isinstance(request, Destroying) and request.exclude_protected:
        targets = selection.without_protected(targets, session.snapshot().resources)
    if isinstance(session, Session):
        _check_whereabouts(verb, session, request.sandbox)
    progress = _progress(screen, request)
    transcript = Transcript()
    interrupts = Interrupts(lambda: _cancel(session, progress), lambda: _stop_now(session, progress))
    command = kind(verb, request, screen, session, transcript, progress, interrupts, reports=reports, targets=targets)
    if not isinstance(session, Session):
        session.may_make = command.may_make
    return command


def _only_previews(verb: str, request: Running) -> bool:
    return verb == "preview" or (isinstance(request, Destroying | Refreshing | Importing) and request.preview_only)


def _check_usage(session: StackSession, request: Judged) -> None:
    """Raise BadUsage where a file that the command names can't be used: nothing is to be judged without it."""
    if request.usage is not None:
        from cli.costs import read_usage

        read_usage(session.project, session.stack, request.usage)


def _may_ask(screen: Screen, request: Running) -> bool:
    return screen.terminal.interactive and not request.non_interactive and request.output is Output.TEXT


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


def check_sandbox(command: Command) -> None:
    """Raise where what the stack has, or was making when a run died, lies in an emulator that is not there."""
    if not isinstance(command.session, Session):
        return
    if command.sandbox is None and _needs_sandbox(command.session):
        raise sandboxes.missing(command.session.project.root, command.request.sandbox)


def _check_whereabouts(verb: str, session: Session, sandbox: str) -> None:
    """Raise where the stack is up in another sandbox that runs: this one would be filled, and that one forgotten.

    A preview that asks no sandbox is as good as ever.
    """
    root = session.project.root
    if verb == "preview" and sandboxes.running(root, sandbox) is None:
        return
    other = sandboxes.elsewhere(root, session.stack, sandbox)
    if other is not None and _needs_sandbox(session):
        raise sandboxes.is_elsewhere(session.stack, other, sandbox)


def _is_out_of_reach(session: StackSession) -> bool:
    """Whether the state lies where the embedded engine changes nothing: then it is of no sandbox."""
    return isinstance(session, Session) and bool(session.out_of_reach)


def _needs_sandbox(session: Session) -> bool:
    if _is_out_of_reach(session):
        return False
    snapshot = session.snapshot()
    return sandboxes.needs_sandbox([*snapshot.resources, *(one.resource for one in snapshot.pending_operations)])
