"""Where a finding is shown: the line that declares the resource, else the settings file of the environment."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from engine.project import Project


@dataclass(frozen=True)
class Place:
    """A line of a file, whose path is written with ``/``, and relative to the project's root where it is below that."""

    path: str
    line: int


@dataclass(frozen=True)
class Places:
    """The places of a stack's resources; ``fallback`` is that of everything that has none."""

    root: Path
    fallback: Place
    lines: Mapping[str, Place]

    @classmethod
    def among(
        cls, positions: Iterable[tuple[str, str]], root: Path, fallback: str, *, anywhere: bool = False
    ) -> Places:
        """The places of resources, given by URN and ``PATH:LINE``; ``fallback`` is a path below ``root``.

        A line that isn't below ``root`` is an SDK's, and no help to anybody; ``anywhere`` says that none is.
        """
        found: dict[str, Place] = {}
        for urn, position in positions:
            place = _place(position, root, anywhere=anywhere)
            if place is not None:
                found[urn] = place
        return cls(root, Place(fallback, 1), found)

    def of(self, urn: str) -> Place:
        """The place to show for a resource, or for the stack."""
        return self.lines.get(urn, self.fallback)


def _place(position: str, root: Path, *, anywhere: bool) -> Place | None:
    """``PATH:LINE`` as a place, None where it is not one, or not one of the project's own files."""
    path, _, line = position.rpartition(":")
    if not path or not line.isdecimal():
        return None
    file, top = Path(path).resolve(), root.resolve()
    inside = file.is_relative_to(top)
    shown = file.relative_to(top) if inside else file
    hidden = any(part.startswith(".") for part in shown.parts)
    own = anywhere or (inside and not hidden)
    return Place(shown.as_posix(), max(int(line), 1)) if own else None


def settings_path(project: Project, stack: str) -> str:
    """The settings file of an environment, from the project's root."""
    path = project.stack_file(stack)
    return path.relative_to(project.root).as_posix() if path.is_relative_to(project.root) else path.name
