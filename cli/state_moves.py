"""Moving resources to another stack from the command line: what goes, what is cut, agreement, what was done."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from cli.asking import agreed
from cli.exits import ExitCode
from cli.requests.manner import Output
from cli.screen import VERSION
from cli.state_edits import Edit, chosen
from cli.views.lines import Line, Style
from engine.kept_stack import KeptStack
from engine.relocation import MovedAway, move, other_stack
from engine.state import moving
from engine.state.model import ResourceState, Snapshot
from engine.state.moving import Moved


def run(command: Edit, words: Sequence[str], name: str, *, parents: bool) -> int:
    """Move what ``words`` mean to the stack ``name``; returns the exit code."""
    session = command.session

    def choose(here: Snapshot) -> Sequence[ResourceState]:
        return chosen(here, words, session.stack)

    def change(here: Snapshot, there: Snapshot) -> Moved:
        return moving.move(here, there, choose(here), to, parents=parents)

    def agree(moved: Moved) -> bool:
        command.say(_lines(moved))
        return agreed(command.request, command.screen, f"Move this to {name}?")

    if not isinstance(session, KeptStack):
        from engine.pulumi_cli import relocation

        return _report(command, relocation.move(session, command.heard, name, choose, agree, parents=parents), name)
    to = other_stack(session, name)
    message = command.message(*words, "--to", name)
    return _report(command, move(session, command.heard, to, change, agree, message), name)


def _lines(moved: Moved) -> list[Line]:
    lines = [Line().add("  → ", Style.CYAN).add(urn) for urn in moved.urns]
    cut = list(moving.cuts(moved))
    lines += [Line().add("  ! ", Style.YELLOW).add(one) for one in cut]
    if cut:
        lines.append(Line().add("  the programs have to say these otherwise, as by a StackReference", Style.DIM))
    return lines


def _report(command: Edit, done: MovedAway, name: str) -> int:
    applied = done.source.applied
    code = ExitCode.OK if applied else ExitCode.CANCELLED
    screen = command.screen
    if command.request.output is Output.JSON:
        screen.document(_document(command, done, name, code))
    elif not applied:
        screen.tell("nothing was changed")
    else:
        count = len(done.moved.urns)
        screen.show([Line().add(f"{command.session.stack}: {count} moved to {name}")])
        for one in (done.source, done.destination):
            if one.backup is not None:
                screen.tell(f"the state of before is kept in {one.backup}", Style.DIM)
    return code


def _document(command: Edit, done: MovedAway, name: str, code: int) -> dict[str, Any]:
    backups = [str(one.backup) for one in (done.source, done.destination) if one.backup]
    return {
        "version": VERSION, "command": command.verb, "stack": command.session.stack, "to": name, "exitCode": int(code),
        "applied": done.source.applied, "backups": backups, "moved": list(done.moved.urns),
        "cut": [
            {"urn": one.urn, "what": one.what, "dependency": one.dependency}
            for one in (*done.moved.cut_here, *done.moved.cut_there)
        ],
    }  # fmt: skip
