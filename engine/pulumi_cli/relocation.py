"""Moving resources between two stacks of a backend that the CLI reaches: we show what it comes to, the CLI does it."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import replace

from engine.editing import Edited
from engine.events import Consumer, Diagnostic, Severity
from engine.pulumi_cli.reach import backend_folder, backend_url
from engine.pulumi_cli.state import CliState
from engine.relocation import MovedAway
from engine.state.errors import EditRefused
from engine.state.model import ResourceState, Snapshot
from engine.state.moving import Moved, Place
from engine.state.moving import move as moved_between
from engine.state.storage import ORGANIZATION


def move(
    here: CliState, emit: Consumer, name: str, choose: Callable[[Snapshot], Sequence[ResourceState]],
    agree: Callable[[Moved], bool], *, parents: bool,
) -> MovedAway:  # fmt: skip
    """Move what ``choose`` picks to the stack ``name``, unless ``agree`` says no; both stacks keep a backup."""
    place, name = _place(here, name)
    there = CliState.open(here.project, name)
    before, before_there = here.saved(), there.saved()
    chosen = choose(before)
    moved = moved_between(before, before_there, chosen, place, parents=parents)
    source, destination = Edited(before, moved.source), Edited(before_there, moved.destination)
    for operation in (*before.pending_operations, *before_there.pending_operations):
        urn = operation.resource.urn
        text = f"{operation.kind} {urn} was not seen to end; the Pulumi CLI forgets that when it moves something"
        emit(Diagnostic(Severity.WARNING, text, urn))
    if not agree(moved):
        return MovedAway(moved, source, destination)
    kept_there, kept_here = there.keep_backup(), here.keep_backup()
    here.move([one.urn for one in chosen], name, parents=parents)
    return MovedAway(
        moved, replace(source, applied=True, backup=kept_here), replace(destination, applied=True, backup=kept_there)
    )


def _place(here: CliState, name: str) -> tuple[Place, str]:
    """The stack that ``STACK``, ``PROJECT/STACK`` or ``ORGANIZATION/PROJECT/STACK`` means, and its name for the CLI."""
    *before, stack = name.split("/")
    place = Place(before[-1] if before else here.project.name, stack)
    if place == (here.project.name, here.stack.rpartition("/")[2]):
        raise EditRefused(f"{name} is the stack that the resources are in already; nothing was changed")
    if len(before) == 1 and backend_folder(backend_url(here.project, os.environ)) is not None:
        return place, f"{ORGANIZATION}/{name}"
    return place, name
