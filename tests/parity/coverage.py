"""What the cases hold: each option, verb, flag and kind of value, alone and each option with each other one.

It is read off the programs, so that an option that Pulumi adds, or one whose last case is taken out, is not missing
silently. ``python -m tests.parity.coverage`` writes the table.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from pathlib import Path
from typing import Any, Final

from tests.parity.programs import Case, Run, hand_written

FILE: Final = Path(__file__).parent / "COVERAGE.md"

# Options of the SDK that no case can have, each with the reason.
ELSEWHERE: Final[Mapping[str, str]] = {
    "id": "what is read has it as `read`",
    "urn": "the SDK asks for a resource by it, and registers nothing",
    "transformations": "the SDK applies them itself, before anything is registered",
    "state_migrations": "not offered: the SDK tells a program that asks for one",
}
# Where a name of the programs differs from the SDK's.
_NAMES: Final = {"transform": "transforms"}
_SHOWN: Final = 3


def options_of(run: Run) -> Iterator[set[str]]:
    """The options of each declaration of ``run``, under the SDK's names."""
    for declared in run.program.values():
        options = {name for name, value in declared.get("options", {}).items() if value is not None}
        options |= {_NAMES[name] for name in _NAMES if name in declared}
        yield options | ({"transforms"} if run.stack_transforms and declared.get("is") != "call" else set())


def held(cases: Sequence[Case]) -> dict[str, list[str]]:
    """The cases that have each option."""
    found: dict[str, list[str]] = {}
    for case in cases:
        for option in sorted({option for run in case.runs for options in options_of(run) for option in options}):
            found.setdefault(option, []).append(case.name)
    return found


def held_together(cases: Sequence[Case]) -> dict[tuple[str, str], list[str]]:
    """The cases in which two options are at one resource."""
    found: dict[tuple[str, str], list[str]] = {}
    for case in cases:
        pairs = {pair for run in case.runs for options in options_of(run) for pair in combinations(sorted(options), 2)}
        for pair in sorted(pairs):
            found.setdefault(pair, []).append(case.name)
    return found


def flags_of(cases: Sequence[Case]) -> dict[str, list[str]]:
    """The cases that have each verb, flag, drift, fault and kind of declaration."""
    found: dict[str, list[str]] = {}
    for case in cases:
        names = {name for run in case.runs for name in _of(run)}
        for name in sorted(names):
            found.setdefault(name, []).append(case.name)
    return found


def _of(run: Run) -> Iterator[str]:
    yield f"verb {run.verb}"
    yield from (f"flag {flag}" for flag in run.flags)
    for fault, kinds in run.faults.items():
        yield from (f"fault of a {fault.split(' ')[0]}: {kind}" for kind in {*kinds.split()} - {"ok"})
    if run.drift:
        yield "drift"
    if run.invoke_transforms:
        yield "transforms of functions"
    for declared in run.program.values():
        yield "a read" if "read" in declared else f"a {str(declared.get('is', 'Thing')).partition(':')[0]}"


def table(cases: Sequence[Case], random: Mapping[str, int], random_pairs: int) -> str:
    """All of it as Markdown. ``random`` says how many random programs have each option."""
    lines = [
        "# What the parity suite holds",
        "",
        "Written by `python -m tests.parity.coverage` from the programs themselves; a test keeps it true.",
        "",
        f"{len(cases)} hand-written cases. Options of the pinned SDK:",
        "",
        "| option | cases | random programs | among them |",
        "|---|---|---|---|",
    ]
    for option, names in sorted(held(cases).items()):
        lines.append(f"| `{option}` | {len(names)} | {random.get(option, 0)} | {_few(names)} |")
    lines += [f"| `{option}` | none | 0 | {why} |" for option, why in sorted(ELSEWHERE.items())]
    pairs = held_together(cases)
    possible = len(list(combinations(held(cases), 2)))
    lines += [
        "",
        f"Of {possible} pairs of options {len(pairs)} are at one resource in a case, {random_pairs} in random ones.",
        "",
        "| verb, flag, fault or kind | cases | among them |",
        "|---|---|---|",
    ]
    lines += [f"| {name} | {len(names)} | {_few(names)} |" for name, names in sorted(flags_of(cases).items())]
    return "\n".join(lines) + "\n"


def _few(names: Sequence[str]) -> str:
    rest = len(names) - _SHOWN
    return "; ".join(names[:_SHOWN]) + (f"; {rest} more" if rest > 0 else "")


def written() -> str:
    """The table of the cases and of the random programs that are recorded."""
    from tests.parity.generate import case_of
    from tests.parity.random_runs import RandomRuns

    random: list[Any] = [case_of(seed) for seed in sorted(RandomRuns.load().by_seed)]
    together = held_together(random)
    return table(hand_written(), {name: len(names) for name, names in held(random).items()}, len(together))


if __name__ == "__main__":
    FILE.write_text(written())
    sys.exit(0)
