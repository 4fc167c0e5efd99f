"""``python -m tests.parity.record``: asks the real Pulumi CLI, on PATH, what the cases come to, and writes it down.

python -m tests.parity.record                 the hand-written cases that are new or were changed
python -m tests.parity.record --all           all of them
python -m tests.parity.record --case TEXT     those whose names hold TEXT
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from tests.parity import expectations
from tests.parity.command_line import CliFailed, CommandLine
from tests.parity.comparison import of_runs
from tests.parity.expectations import Recorded
from tests.parity.generate import case_of
from tests.parity.play import on_the_embedded_engine, with_the_cli
from tests.parity.programs import Case, hand_written
from tests.parity.random_runs import REPORT, RandomRuns
from tests.parity.report import report

SAVE_EACH: Final = 20  # programs, so that a recording that is ended can be gone on with


def main() -> int:
    arguments = _arguments()
    if shutil.which("pulumi") is None:
        print("needs the `pulumi` command on PATH", file=sys.stderr)
        return 2
    chosen = [case for case in hand_written() if arguments.case in case.name]
    due = chosen if arguments.all or arguments.case else [case for case in chosen if _is_due(case)]
    with the_cli() as cli:
        return record_random(arguments.seeds, cli) if arguments.seeds else record(due, cli)


def record(cases: Sequence[Case], cli: CommandLine) -> int:
    """Record ``cases`` and tell where our engine differs; gives how many differ that are not known to."""
    surprising = 0
    for case in cases:
        seen = with_the_cli(case, cli)
        day = datetime.now(UTC).strftime("%Y-%m-%d")
        expectations.write(case, Recorded(case.digest, cli.version, day, seen))
        with scratch() as folder:
            found = of_runs(seen, on_the_embedded_engine(case, folder))
        print(f"{case.name}: {'differs' if found else 'the same'}", flush=True)
        for line in found:
            print(f"    {line[:300]}")
        surprising += bool(found) != bool(case.differs)
    return surprising


def record_random(seeds: int, cli: CommandLine) -> int:
    """Record the random programs of the first ``seeds`` seeds, and report on all that are recorded."""
    runs = RandomRuns.load()
    due = [seed for seed in range(seeds) if runs.due(seed)]
    for number, seed in enumerate(due, 1):
        case = case_of(seed)
        try:
            seen = with_the_cli(case, cli)
        except CliFailed as failed:  # it leaves a lock behind, say, having broken
            print(f"seed {seed} is left out: {failed}", flush=True)
            continue
        runs.by_seed[seed] = Recorded(case.digest, cli.version, f"{datetime.now(UTC):%Y-%m-%d}", seen)
        print(f"seed {seed}: {number} of {len(due)}", flush=True)
        if number % SAVE_EACH == 0:
            runs.save()
    runs.save()
    return write_report(runs)


def write_report(runs: RandomRuns) -> int:
    """Compare our engine with all that is recorded; gives how many differ."""
    differ: dict[int, list[str]] = {}
    for seed in sorted(runs.by_seed):
        case = case_of(seed)
        number, _ = runs.compared(case, seed)
        with scratch() as folder:
            ours = on_the_embedded_engine(replace(case, runs=case.runs[:number]), folder)
        found = of_runs(runs.by_seed[seed].runs[:number], ours)
        if found:
            differ[seed] = found
            print(f"seed {seed} differs: {found[0][:200]}", flush=True)
    REPORT.write_text(report(runs, differ))
    return len(differ)


def _is_due(case: Case) -> bool:
    try:
        expectations.read(case)
    except AssertionError:
        return True
    return False


@contextmanager
def the_cli() -> Generator[CommandLine]:
    with scratch() as folder:
        cli = CommandLine(folder)
        try:
            yield cli
        finally:
            cli.close()


@contextmanager
def scratch() -> Generator[Path]:
    """A folder in memory where there is such: a thousand small runs wait for no disk."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as folder:
        yield Path(folder)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.parity.record", description=__doc__)
    parser.add_argument("--all", action="store_true")
    parser.add_argument("--case", default="")
    parser.add_argument("--seeds", type=int, default=0)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
