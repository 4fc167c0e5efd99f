"""What is wrong with a settings file, said in full: every problem with its path, what was expected and what to do.

SettingsError           the settings can't be used; ``problems`` lists everything that is wrong with them
UnknownEnvironment      there is no file of that name
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong: at which setting, what was expected and seen, what to do, and the line if it's known."""

    path: str
    message: str
    advice: str = ""
    line: int | None = None

    def render(self, width: int) -> str:
        """Two lines: the path padded to ``width``, with the message; and below it, what to do."""
        place = f"(line {self.line})" if self.line else ""
        below = " ".join(filter(None, (self.advice, place)))
        first = f"  {self.path:<{width}}   {self.message}"
        return f"{first}\n      {below}" if below else first


class SettingsError(Exception):
    """The settings in ``source`` (a file, or where else they came from) are wrong; the text names every problem."""

    def __init__(self, source: str, problems: Sequence[Problem]) -> None:
        self.source = source
        self.problems = tuple(problems)
        count = f"{len(self.problems)} problem{'s' if len(self.problems) != 1 else ''}"
        width = max((len(problem.path) for problem in self.problems), default=0)
        super().__init__("\n".join([f"{source}: {count}", "", *(problem.render(width) for problem in self.problems)]))


class UnknownEnvironment(LookupError):
    """No settings file has this name; the text lists those there are."""

    def __init__(self, name: str, known: Sequence[str]) -> None:
        self.name = name
        self.known = tuple(known)
        there = ", ".join(known) or "none: add stacks/Pulumi.<environment>.yaml"
        super().__init__(
            " ".join(filter(None, (f"no environment '{name}'; there are: {there}", did_you_mean(name, known))))
        )


def did_you_mean(seen: str, known: Iterable[str]) -> str:
    """A question that names the nearest of ``known``, or nothing where none is near."""
    candidates = list(known)
    near = difflib.get_close_matches(seen, candidates, n=1, cutoff=0.6)
    near += [each for each in candidates if min(len(each), len(seen)) > 2 and seen.startswith(each)]
    return f"did you mean '{near[0]}'?" if near else ""
