"""Where a finding is shown: the line that declares the resource, else the settings file of the environment."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from engine.project import Project

# The policies of packs (``policies.kit``) that speak of the settings, not of what is declared.
ABOUT_SETTINGS: Final = frozenset({"policy-settings", "exceptions"})
_SECTION: Final = re.compile(r"""\s*["']?bedplate:policy["']?\s*:""")


@dataclass(frozen=True)
class Place:
    """A line of a file, whose path is written with ``/``, and relative to the project's root where it is below that."""

    path: str
    line: int


@dataclass(frozen=True)
class Places:
    """The places of a stack's resources, and of its settings of policies; ``fallback`` is that of all that has none."""

    root: Path
    fallback: Place
    lines: Mapping[str, Place]
    settings: Place | None = None

    @classmethod
    def among(
        cls,
        positions: Iterable[tuple[str, str]],
        root: Path,
        fallback: str,
        settings: Place | None = None,
        *,
        anywhere: bool = False,
    ) -> Places:
        """The places of resources, given by URN and ``PATH:LINE``; ``fallback`` is a path below ``root``.

        A line that isn't below ``root`` is an SDK's, and no help to anybody; ``anywhere`` says that none is.
        """
        found: dict[str, Place] = {}
        for urn, position in positions:
            place = _place(position, root, anywhere=anywhere)
            if place is not None:
                found[urn] = place
        return cls(root, Place(fallback, 1), found, settings)

    def of(self, urn: str, policy: str = "") -> Place:
        """The place to show for what ``policy`` says of a resource, or of the stack."""
        if policy in ABOUT_SETTINGS and self.settings is not None:
            return self.settings
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


def settings_place(project: Project, stack: str, root: Path) -> Place:
    """Where an environment's settings of policies are: the line of its file, as seen from ``root``."""
    path, top = project.stack_file(stack).resolve(), root.resolve()
    shown = path.relative_to(top) if path.is_relative_to(top) else path
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        lines = []  # an environment need not have a file
    line = next((number for number, text in enumerate(lines, 1) if _SECTION.match(text)), 1)
    return Place(shown.as_posix(), line)
