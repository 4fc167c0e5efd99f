"""history, cancel: what has been done to an environment, and the end of a lock that nobody will give back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer

from cli.declare import command
from cli.exits import ExitCode
from cli.requests.manner import Output
from cli.requests.state import Cancelling, LookingBack

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from cli.screen import Screen
    from cli.views.lines import Line
    from engine.state.lock import Holder


def register(app: typer.Typer) -> None:
    """Add the commands to ``app``."""

    @command(app, "history", LookingBack)
    def history(request: LookingBack) -> int:
        """Show what was done to an environment: when, by whom, with which result; the latest first."""
        from cli.screen import Screen
        from cli.state_edits import open_stack
        from cli.views import history as views

        screen, session = Screen(request), open_stack(request)
        updates, faults = session.history()
        shown = updates[: request.limit] if request.limit else updates
        if request.output is Output.JSON:
            screen.document(views.document(session.stack, shown, faults))
        else:
            screen.show(views.listing(shown, len(updates), width=screen.width))
            for fault in faults:
                screen.tell(f"warning: {fault}")
        return ExitCode.OK

    @command(app, "cancel", Cancelling)
    def cancel(request: Cancelling) -> int:
        """Take the lock on an environment away from whoever holds it. The run that holds it is not stopped."""
        from cli.screen import Screen
        from cli.state_edits import open_stack
        from engine.kept_stack import KeptStack
        from engine.state.lock import break_locks

        screen, session = Screen(request), open_stack(request, edits=True)
        if not isinstance(session, KeptStack):
            question = "Cancel the update that holds the stack, as `pulumi cancel` does?"
            return _cancel(request, screen, session.stack, session.lock_folder, question, session.cancel_update)
        session.check_own()
        folder = session.store.lock_folder
        question = "Take the lock away? Whoever still works on the stack will not notice."
        return _cancel(request, screen, session.stack, folder, question, lambda: break_locks(folder))

    _ = (history, cancel)  # registered above


def _cancel(
    request: Cancelling, screen: Screen, stack: str, folder: Path | None, question: str, end: Callable[[], None]
) -> int:
    """Have it ``end`` what holds the stack; who that is, is known where its locks lie in a ``folder``."""
    from cli.asking import agreed, check_can_agree
    from engine.state.lock import locks

    found = locks(folder) if folder is not None else []
    if folder is not None and not found:
        return _cancelled(request, screen, stack, [], done=False)
    check_can_agree(request, screen, "cancel")
    if request.output is Output.TEXT:
        screen.show([_line(path, holder) for path, holder in found])
    done = agreed(request, screen, question)
    if done:
        end()
    return _cancelled(request, screen, stack, found, done=done, asked=True)


def _line(path: Path, holder: Holder | None) -> Line:
    from cli.views.lines import Line
    from engine.state.lock import is_gone

    if holder is None:
        return Line().add(f"  {path} can't be read")
    by = f" running `{holder.command}`" if holder.command else ""
    alive = "; that process is gone" if is_gone(holder) else ""
    return Line().add(f"  locked by {holder.user}@{holder.host}, process {holder.pid}{by}, since {holder.since}{alive}")


def _cancelled(
    request: Cancelling,
    screen: Any,
    stack: str,
    found: list[tuple[Path, Holder | None]],
    *,
    done: bool,
    asked: bool = False,
) -> int:
    from cli.screen import VERSION
    from cli.views.lines import Line

    code = ExitCode.OK if done or not asked else ExitCode.CANCELLED
    if request.output is Output.JSON:
        locks = [{"path": str(path), **(holder.encode() if holder else {})} for path, holder in found]
        screen.document(
            {
                "version": VERSION,
                "command": "cancel",
                "stack": stack,
                "exitCode": int(code),
                "removed": done,
                "locks": locks,
            }
        )
    elif not asked:
        screen.show([Line().add(f"{stack} is not locked")])
    elif done:
        screen.show([Line().add(f"{stack} is not locked any more")])
        screen.tell(f"what its last run was at is looked for by the next one: `bedplate up {stack}`")
    else:
        screen.tell("nothing was changed")
    return code
