"""The report on the random programs: how many there are, of what, and which come to something else with our engine."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from tests.parity.generate import case_of
from tests.parity.observed import Json
from tests.parity.random_runs import RandomRuns


def report(runs: RandomRuns, differ: Mapping[int, Sequence[str]]) -> str:
    """The report as Markdown; ``differ`` has what differs, by seed."""
    seeds = sorted(runs.by_seed)
    versions = ", ".join(sorted({each.pulumi for each in runs.by_seed.values()}))
    days = sorted({each.at for each in runs.by_seed.values()})
    cases = [case_of(seed) for seed in seeds]
    steps = _steps([run for each in runs.by_seed.values() for run in each.runs])
    failing = sum(bool(run.faults) for case in cases for run in case.runs)
    head = """# Random programs on both engines

Written by `python -m tests.parity.record --seeds N`. A seed makes a program of 5 to 25 declarations and three edits
of it (`generate.py`, `edits.py`). What is compared, and what is meant to differ: `comparison.py` and `DIFFERENCES.md`.
"""
    declared = sum(len(run.program) for case in cases for run in case.runs)
    lines = [
        head,
        f"- recorded with Pulumi {versions}, {days[0]} to {days[-1]}",
        f"- seeds {_ranges(seeds)}: {len(seeds)} programs, {sum(len(case.runs) for case in cases)} runs",
        f"- {declared} declarations; {failing} runs in which operations were made to fail",
        "- steps that Pulumi applied: " + ", ".join(f"{count} {op}" for op, count in steps.most_common()),
        *_cut_short(runs),
        f"- **programs that differ: {len(differ)}**",
    ]
    lines += [f"  - seed {seed}: `{found[0][:160]}`" for seed, found in differ.items()]
    return "\n".join(lines) + "\n"


def _cut_short(runs: RandomRuns) -> list[str]:
    """Seeds whose later runs are not compared, by the reason."""
    by_reason: dict[str, list[int]] = {}
    for seed in sorted(runs.by_seed):
        _, reason = runs.compared(case_of(seed), seed)
        if reason:
            by_reason.setdefault(reason, []).append(seed)
    return [f"- compared only up to where {reason}: seeds {_ranges(seeds)}" for reason, seeds in by_reason.items()]


def _steps(runs: Sequence[Json]) -> Counter[str]:
    applied = [run["apply"]["steps"] for run in runs if run["apply"] is not None]
    return Counter(step.split(" ")[0] for steps in applied for step in steps)


def _ranges(seeds: Sequence[int]) -> str:
    """``0-99, 120``."""
    parts: list[list[int]] = []
    for seed in seeds:
        if parts and seed == parts[-1][-1] + 1:
            parts[-1].append(seed)
        else:
            parts.append([seed])
    return ", ".join(str(part[0]) if len(part) == 1 else f"{part[0]}-{part[-1]}" for part in parts)
