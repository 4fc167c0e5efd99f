"""The whole examination: everything is looked at at the same time, since most of it waits for other processes."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Final

from cli.doctor import engines, surroundings
from cli.doctor.check import Check, Look, Place, State
from engine.project import Project, file_around
from engine.pulumi_cli import tools
from engine.stack_config import ProjectError

_LOOKS: Final[Sequence[Look]] = (
    engines.ours, engines.pulumi, engines.plugins, surroundings.credentials, surroundings.sandboxes,
)  # fmt: skip


def examined(folder: Path, *, online: bool, environment: Mapping[str, str] | None = None) -> list[Check]:
    """What is found from ``folder``; in the order in which it is told."""
    place = _place(folder, dict(os.environ if environment is None else environment), online)
    with ThreadPoolExecutor(len(_LOOKS)) as threads:
        return [check for found in threads.map(partial(_looked, place), _LOOKS) for check in found]


def is_fit(checks: Sequence[Check]) -> bool:
    """Whether all is there that Bedplate itself needs."""
    return all(check.state is State.OK for check in checks if check.essential)


def _place(folder: Path, environment: dict[str, str], online: bool) -> Place:
    try:
        project = Project.load(folder)
    except ProjectError as error:
        problem = str(error).splitlines()[0] if file_around(folder.resolve()) else ""
        return Place(None, Path(sys.executable), environment, online, problem)
    environment["PATH"] = tools.path_with_ours(project.root, environment.get("PATH", os.defpath))
    return Place(project.root, project.python, environment, online)


def _looked(place: Place, look: Look) -> Sequence[Check]:
    """One that breaks spoils no other."""
    try:
        return look(place)
    except Exception as error:  # noqa: BLE001 - whatever is odd about a machine is a finding
        group = look.__name__.capitalize()
        return [Check(group, "examination", State.BROKEN, f"{type(error).__name__}: {error}", "this report")]
