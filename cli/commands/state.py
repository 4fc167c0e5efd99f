"""state unprotect, rename, delete, move, repair: edits of what is known of a stack. No cloud hears of them."""

from __future__ import annotations

import typer

from cli.declare import command
from cli.exits import UsageError
from cli.requests.state import Deleting, Moving, Renaming, Repairing, Unprotecting


def register(group: typer.Typer) -> None:
    """Add the commands to the group ``state``."""

    @command(group, "unprotect", Unprotecting)
    def unprotect(request: Unprotecting) -> int:
        """Let resources be deleted again that are protected."""
        from cli.state_edits import choice, positional, prepare
        from engine.state import editing

        stack, words = positional(request, request.urn)
        choose = choice(words, everything=request.all, verb="state unprotect")
        prepared = prepare("state unprotect", request, stack)
        return prepared.run(
            lambda before: editing.unprotect(
                before, [one for one in choose(before, prepared.session.stack) if not one.delete]
            ),
            *(["--all"] if request.all else words),
        )

    @command(group, "rename", Renaming)
    def rename(request: Renaming) -> int:
        """Give a resource another name in the state; what refers to it follows."""
        from cli.named import one_of
        from cli.state_edits import positional, prepare
        from engine.state import editing

        stack, words = positional(request, (request.urn, request.name))
        if len(words) != 2:
            raise UsageError("say which resource gets which name, as in `bedplate state rename dev URN NAME`")
        urn, name = words
        prepared = prepare("state rename", request, stack)
        return prepared.run(
            lambda before: editing.rename(before, one_of(before.resources, urn, prepared.session.stack), name), *words
        )

    @command(group, "delete", Deleting)
    def delete(request: Deleting) -> int:
        """Forget resources; what they stand for stays as it is."""
        from cli.state_edits import choice, positional, prepare
        from engine.state import editing

        stack, words = positional(request, request.urn)
        choose = choice(words, everything=request.all, verb="state delete")
        prepared = prepare("state delete", request, stack)
        return prepared.run(
            lambda before: editing.delete(
                before,
                choose(before, prepared.session.stack),
                force=request.force,
                dependents=request.target_dependents,
            ),
            *(["--all"] if request.all else words),
        )

    @command(group, "move", Moving)
    def move(request: Moving) -> int:
        """Move resources to another stack, and what is below them; what they stand for stays as it is."""
        from cli.state_edits import positional, prepare
        from cli.state_moves import run

        stack, words = positional(request, request.urn)
        if not words or not request.to:
            raise UsageError("say what goes where, as in `bedplate state move dev URN --to prod`")
        return run(prepare("state move", request, stack), words, request.to, parents=request.include_parents)

    @command(group, "repair", Repairing)
    def repair(request: Repairing) -> int:
        """Mend a state that is refused: put it in order, take out references to what is not there."""
        from cli.state_edits import prepare
        from cli.views import edits
        from engine.editing import repair as mend
        from engine.state.model import Snapshot
        from engine.state.repair import Pruned

        prepared = prepare("state repair", request)
        lost: list[Pruned] = []

        def agree(before: Snapshot, after: Snapshot, pruned: list[Pruned]) -> bool:
            lost.extend(pruned)
            prepared.say(edits.pruned(pruned))
            return prepared.agree(before, after)

        edited = mend(prepared.session, prepared.heard, agree, prepared.message())
        return prepared.report(edited, pruned=edits.pruned_document(lost))

    _ = (unprotect, rename, delete, move, repair)  # registered above
