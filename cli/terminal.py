"""What we may do with the terminal: ask, colour, draw. NO_COLOR, FORCE_COLOR, CI and TERM are honoured here alone."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

ColorChoice: TypeAlias = Literal["auto", "always", "never"]

DEFAULT_WIDTH: Final = 80  # columns, where there is no terminal to ask
_CI_VARIABLES: Final = (
    "CI", "GITHUB_ACTIONS", "GITLAB_CI", "BUILDKITE", "JENKINS_URL", "TF_BUILD", "TEAMCITY_VERSION",
    "CODEBUILD_BUILD_ID",
)  # fmt: skip
_NO: Final = ("", "0", "false", "no")


@dataclass(frozen=True)
class Terminal:
    """The three standard streams (is each a terminal?) and the environment variables that speak of them."""

    stdin: bool
    stdout: bool
    stderr: bool
    environment: Mapping[str, str]

    @property
    def dumb(self) -> bool:
        return self.environment.get("TERM") == "dumb"

    @property
    def ci(self) -> bool:
        """Whether a CI system runs us: nobody is there to answer."""
        return any(self.environment.get(name, "").lower() not in _NO for name in _CI_VARIABLES)

    @property
    def interactive(self) -> bool:
        """Whether somebody can be asked."""
        return self.stdin and self.stdout and not self.dumb and not self.ci

    @property
    def live(self) -> bool:
        """Whether progress can be redrawn in place; it goes to standard error."""
        return self.stderr and not self.dumb and not self.ci

    def color(self, choice: ColorChoice, *, stderr: bool = False) -> bool:
        """Whether a stream is coloured: what was chosen first, then NO_COLOR, FORCE_COLOR, and what it is."""
        if choice != "auto":
            return choice == "always"
        if self.environment.get("NO_COLOR"):
            return False
        if self.environment.get("FORCE_COLOR", "").lower() not in _NO:
            return True
        return (self.stderr if stderr else self.stdout) and not self.dumb

    def width(self) -> int:
        """Columns of the terminal, as it is now (it may be resized)."""
        if not self.stdout and not self.stderr and "COLUMNS" not in self.environment:
            return DEFAULT_WIDTH
        return max(shutil.get_terminal_size((DEFAULT_WIDTH, 24)).columns, 20)


def of_process() -> Terminal:
    """The terminal that this process has."""
    return Terminal(_is_terminal(sys.stdin), _is_terminal(sys.stdout), _is_terminal(sys.stderr), os.environ)


def _is_terminal(stream: object) -> bool:
    try:
        return bool(stream and stream.isatty())  # pyright: ignore[reportAttributeAccessIssue]  # None when closed
    except ValueError:  # closed since
        return False
