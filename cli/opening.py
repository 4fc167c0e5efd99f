"""Opening the stack that a command is about, in the engine that it uses, and where what that has stands."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cli import engines, sandboxes
from cli.environments import meant
from cli.requests.stack import Engine, InSandbox, Showing
from cli.screen import Screen
from cli.views.lines import Style
from engine.project import Project
from engine.sandbox.providers import factories
from engine.session import Session
from engine.stack_session import StackSession

if TYPE_CHECKING:
    from engine.pulumi_cli.session import CliSession


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


def check_whereabouts(verb: str, session: Session, sandbox: str) -> None:
    """Raise where the stack is up in another sandbox that runs: this one would be filled, and that one forgotten.

    A preview that asks no sandbox is as good as ever.
    """
    root = session.project.root
    if verb == "preview" and sandboxes.running(root, sandbox) is None:
        return
    other = sandboxes.elsewhere(root, session.stack, sandbox)
    if other is not None and needs_sandbox(session):
        raise sandboxes.is_elsewhere(session.stack, other, sandbox)


def is_out_of_reach(session: StackSession) -> bool:
    """Whether the state lies where the embedded engine changes nothing: then it is of no sandbox."""
    return isinstance(session, Session) and bool(session.out_of_reach)


def needs_sandbox(session: Session) -> bool:
    """Whether what the stack has, or was making when a run died, lies in an emulator."""
    if is_out_of_reach(session):
        return False
    snapshot = session.snapshot()
    return sandboxes.needs_sandbox([*snapshot.resources, *(one.resource for one in snapshot.pending_operations)])
