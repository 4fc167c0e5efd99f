"""Editing a stack's state from the command line: what is meant, what would change, agreement, what was done."""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from cli import engines
from cli.asking import agreed, check_can_agree
from cli.environments import meant
from cli.exits import ExitCode, UsageError
from cli.named import one_of
from cli.requests.manner import Output
from cli.requests.stack import Engine, OfStack
from cli.requests.state import Editing
from cli.screen import VERSION, Screen
from cli.views import edits
from cli.views.lines import Line, Style
from engine.editing import Change, Edited, edit
from engine.events import Diagnostic, Event
from engine.kept_stack import KeptStack
from engine.project import Project
from engine.state.model import ResourceState, Snapshot

if TYPE_CHECKING:
    from engine.pulumi_cli.state import CliState

QUESTION: Final = "Write this to the state?"


@dataclass
class Edit:
    """One command that edits the state of a stack; ``verb`` is its name, such as ``state delete``."""

    verb: str
    request: Editing
    screen: Screen
    session: KeptStack | CliState

    def run(self, change: Change, *words: str) -> int:
        """Do ``change`` and report; returns the exit code. ``words`` tell the history what it was about."""
        return self.report(edit(self.session, self.heard, change, self.agree, self.message(*words)))

    def message(self, *words: str) -> str:
        """What the history is told."""
        return self.request.message or f"{self.verb} {shlex.join(words)}".rstrip()

    def heard(self, event: Event) -> None:
        """Whose lock was taken over."""
        if isinstance(event, Diagnostic):
            self.screen.tell(f"{event.severity}: {event.message}")

    def agree(self, before: Snapshot, after: Snapshot) -> bool:
        """Show what would be changed and ask."""
        self.say(edits.changes(before, after))
        return agreed(self.request, self.screen, QUESTION)

    def say(self, lines: Sequence[Line]) -> None:
        """What is to be known before anybody agrees."""
        if self.request.output is Output.TEXT:
            self.screen.show(lines)

    def report(self, edited: Edited, **further: Any) -> int:
        """Say how it ended; ``further`` is added to the document. Returns the exit code."""
        nothing = edited.before == edited.after
        code = ExitCode.OK if edited.applied or nothing else ExitCode.CANCELLED
        if self.request.output is Output.JSON:
            self.screen.document(self._document(edited, code) | further)
        elif nothing:
            self.screen.show([Line().add(f"{self.session.stack}: nothing to change")])
        elif not edited.applied:
            self.screen.tell("nothing was changed")
        else:
            self.screen.show([Line().add(f"{self.session.stack}: {edits.summary(edited.before, edited.after)}")])
            self.screen.tell(f"the state of before is kept in {edited.backup}", Style.DIM)
        return code

    def _document(self, edited: Edited, code: int) -> dict[str, Any]:
        return {
            "version": VERSION, "command": self.verb, "stack": self.session.stack, "exitCode": int(code),
            "applied": edited.applied, "backup": str(edited.backup) if edited.backup else None,
            **edits.document(edited.before, edited.after),
        }  # fmt: skip


def prepare(verb: str, request: Editing, stack: str | None = None) -> Edit:
    """Open the stack that is to be edited. Raises UsageError where somebody would have to be asked and can't be."""
    screen = Screen(request)
    check_can_agree(request, screen, verb)
    session = open_stack(request, stack, edits=True)
    if request.message and not isinstance(session, KeptStack):
        screen.tell("--message is not kept: the Pulumi CLI takes none for an edit", Style.DIM)
    return Edit(verb, request, screen, session)


def open_stack(request: OfStack, stack: str | None = None, *, edits: bool = False) -> KeptStack | CliState:
    """The stack that is meant (or ``stack``), for who ``edits`` its state or only reads it: no sandbox is needed."""
    project = Project.load(request.cwd, any_runtime=True)
    stack = stack or meant(request.environment, request.stack, project.environments())
    if engines.of_state(request, project, stack, edits=edits) is Engine.PULUMI:
        from engine.pulumi_cli.state import CliState

        return CliState.open(project, stack)
    project.require_python()
    return KeptStack.kept(project, stack, os.environ)


def positional(request: OfStack, rest: Sequence[str | None]) -> tuple[str | None, list[str]]:
    """The stack and what follows it: with --stack the first word is not the environment any more."""
    words = [word for word in rest if word is not None]
    if request.stack and request.environment and request.environment != request.stack:
        return request.stack, [request.environment, *words]
    return None, words


def chosen(snapshot: Snapshot, words: Sequence[str], stack: str) -> list[ResourceState]:
    """The resource that each word means."""
    return [one_of(snapshot.resources, word, stack) for word in words]


Choose = Callable[[Snapshot, str], Sequence[ResourceState]]  # the second is the stack that has the snapshot


def choice(words: Sequence[str], *, everything: bool, verb: str) -> Choose:
    """What is chosen of a snapshot: what ``words`` mean, or all. Raises UsageError unless exactly one is said."""
    if everything and words:
        raise UsageError(f"--all and '{words[0]}' were both given; give one of them")
    if not everything and not words:
        raise UsageError(f"no resource was given; name some, as in `bedplate {verb} ENV URN`, or say --all")
    if everything:
        return lambda snapshot, _: snapshot.resources
    return lambda snapshot, name: chosen(snapshot, words, name)
