"""state unprotect, rename, delete: edits of what is known of a stack. No cloud hears of them."""

from __future__ import annotations

import typer

from cli.declare import command
from cli.exits import UsageError
from cli.state_requests import Deleting, Renaming, Unprotecting


def register(group: typer.Typer) -> None:
    """Add the commands to the group ``state``."""

    @command(group, "unprotect", Unprotecting)
    def unprotect(request: Unprotecting) -> int:
        """Let resources be deleted again that are protected."""
        from cli.state_edits import choice, positional, prepare
        from engine.state import editing

        stack, words = positional(request, request.urn)
        prepared = prepare("state unprotect", request, stack)
        choose = choice(words, everything=request.all, verb=prepared.verb, stack=prepared.session.stack)
        return prepared.run(
            lambda before: editing.unprotect(before, [one for one in choose(before) if not one.delete]),
            *(["--all"] if request.all else words),
        )

    @command(group, "rename", Renaming)
    def rename(request: Renaming) -> int:
        """Give a resource another name in the state; what refers to it follows."""
        from cli.state_edits import one_of, positional, prepare
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
        prepared = prepare("state delete", request, stack)
        choose = choice(words, everything=request.all, verb=prepared.verb, stack=prepared.session.stack)
        return prepared.run(
            lambda before: editing.delete(
                before, choose(before), force=request.force, dependents=request.target_dependents
            ),
            *(["--all"] if request.all else words),
        )

    _ = (unprotect, rename, delete)  # registered above
