"""Which of the two engines a command uses, and why not the other.

Where nobody says it: what is in a sandbox, or is to be, belongs to the embedded engine. Everything else that changes an
environment is for the Pulumi CLI, where there is one; what only looks takes it when it reaches the stack.
"""

from __future__ import annotations

import os
from dataclasses import dataclass

from cli import sandboxes
from cli.declare import said
from cli.exits import UsageError
from cli.requests.stack import DEFAULT_SANDBOX, Engine, InSandbox, OfStack
from engine.backend import STATE_FOLDER
from engine.project import Project
from engine.pulumi_cli import tools
from engine.stack_config import mapping_in
from engine.state.secrets import Keyring
from engine.state.storage import StackStore


@dataclass(frozen=True)
class Choice:
    """``why`` is told where somebody may have expected the other one."""

    engine: Engine
    why: str = ""


def chosen(request: InSandbox, project: Project, stack: str, *, changes: bool) -> Choice:
    """The engine for a command that ``changes`` the stack, or only looks at it."""
    if request.engine is Engine.PULUMI and said("sandbox"):
        raise UsageError("--sandbox is for the embedded engine, --engine pulumi for the real thing; give one of them")
    tools.put_on_path(project.root)
    if request.engine is not Engine.AUTO:
        return Choice(request.engine)
    from engine.pulumi_cli import command, reach

    if belongs_to_sandbox(request, project, stack) or not command.on_path():
        return Choice(Engine.EMBEDDED)
    if changes:
        return Choice(Engine.PULUMI)
    why = reach.obstacle(project, stack)
    return Choice(Engine.EMBEDDED, f"the Pulumi CLI is here, but {why}") if why else Choice(Engine.PULUMI)


def of_state(request: OfStack, project: Project, stack: str, *, edits: bool) -> Engine:
    """The engine for a command about the state alone, which ``edits`` it, or only reads it: where that lies decides."""
    tools.put_on_path(project.root)
    if request.engine is not Engine.AUTO:
        return request.engine
    from engine.pulumi_cli import command, reach

    url = os.environ.get("PULUMI_BACKEND_URL")
    if url:
        ours = url.startswith("file:") or (url.startswith("s3:") and not edits)
    else:
        ours = belongs_to_sandbox(request, project, stack) or not reach.backend_url(project, os.environ)
    return Engine.EMBEDDED if ours or not command.on_path() else Engine.PULUMI


def belongs_to_sandbox(request: OfStack, project: Project, stack: str) -> bool:
    """Whether the stack is in a sandbox, is meant to be in one, or would be brought up in the one that runs."""
    return (
        said("sandbox")
        or sandboxes.running(project.root, _sandbox(request)) is not None
        or _is_sandbox(project, stack)
        or _is_up_here(project, stack)
    )


def _sandbox(request: OfStack) -> str:
    return request.sandbox if isinstance(request, InSandbox) else DEFAULT_SANDBOX


def _is_sandbox(project: Project, stack: str) -> bool:
    """Whether the environment says of itself that it may be thrown away."""
    path = project.stack_file(stack)
    config = mapping_in(path).get("config") if path.is_file() else None
    environment = config.get(f"{project.name}:environment") if isinstance(config, dict) else None
    return stack == "sandbox" or (isinstance(environment, dict) and environment.get("stage") == "sandbox")


def _is_up_here(project: Project, stack: str) -> bool:
    """Whether the embedded engine has the stack, in its own folder."""
    if os.environ.get("PULUMI_BACKEND_URL"):
        return False
    store = StackStore(project.root / STATE_FOLDER, project.name, stack, Keyring(stack))
    # An empty checkpoint has no such key; whether one can be opened is asked by whoever opens it.
    return store.journal_path.exists() or (store.path.is_file() and b'"resources"' in store.path.read_bytes())
