"""What a rule says of what it judged."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from policies.kit.resources import Resource


class NotApplicable(Exception):
    """Raised with the reason by a rule that can't judge what it was given: shown as such, not as passed."""


@dataclass(frozen=True)
class Finding:
    """A violation. ``path`` is the property that it is about; ``resource`` is only needed where a rule sees several."""

    message: str
    path: str = ""
    resource: Resource | None = None

    @property
    def text(self) -> str:
        """The message, beginning with the path."""
        return self.message if not self.path or self.message.startswith(self.path) else f"{self.path}: {self.message}"


@dataclass(frozen=True)
class Verdict:
    """A finding with what the kit knows of it. ``urn`` is whom it blames, "" where the whole stack is meant; ``judged``
    is whom the rule judged, where that is somebody else.

    ``certain`` is False where the rule could not judge (a value is unknown or malformed, or the rule failed): that
    is no reason to mend anything.
    """

    text: str
    urn: str
    certain: bool = True
    judged: str = ""
