"""``python -m tests.parity.shrink SEED``: the smallest case that is left of a random one and still differs, as YAML.

Needs `pulumi` on PATH: whatever is left out, both engines are asked again.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import yaml

from tests.parity.comparison import of_runs
from tests.parity.edits import remove
from tests.parity.generate import case_of
from tests.parity.play import on_the_embedded_engine, with_the_cli
from tests.parity.programs import Case, Run
from tests.parity.record import scratch, the_cli


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.parity.shrink", description=__doc__)
    parser.add_argument("seed", type=int)
    case = case_of(parser.parse_args().seed)
    with the_cli() as cli:

        def differs(smaller: Case) -> list[str]:
            try:
                theirs = with_the_cli(smaller, cli)
                with scratch() as folder:
                    return of_runs(theirs, on_the_embedded_engine(smaller, folder))
            except KeyError:  # what was left out is still named somewhere
                return []

        smallest = shrunk(case, differs)
        print(as_yaml(smallest))
        print("\n".join(f"# {line}" for line in differs(smallest)))


def shrunk(case: Case, differs: Callable[[Case], object]) -> Case:
    """The smallest case that ``differs`` still holds for, by leaving out one thing after another."""
    while True:
        smaller = next((each for each in _smaller(case) if differs(each)), None)
        if smaller is None:
            return case
        case = smaller


def _smaller(case: Case) -> Iterator[Case]:
    """``case`` with one thing less: a run, a resource, an input, an option, a fault."""
    for number in reversed(range(len(case.runs))):
        yield replace(case, runs=[run for at, run in enumerate(case.runs) if at != number])
    for label in {label: None for run in case.runs for label in run.program}:
        yield replace(case, runs=[_without_label(run, label) for run in case.runs])
    for label, key in {(label, key): None for run in case.runs for label, each in run.program.items() for key in each}:
        if key not in ("is", "read", "of", "function"):
            yield replace(case, runs=[_without(run, label, key) for run in case.runs])
    for number, run in enumerate(case.runs):
        for smaller in _with_less(run):
            yield replace(case, runs=[smaller if at == number else each for at, each in enumerate(case.runs)])


def _without_label(run: Run, label: str) -> Run:
    program = {name: dict(declared) for name, declared in run.program.items()}
    if label in program:
        remove(program, label)
    outputs = {key: value for key, value in run.outputs.items() if f"{{{label}." not in str(value)}
    return replace(run, program=program, outputs=outputs)


def _without(run: Run, label: str, key: str) -> Run:
    program = {
        name: {each: value for each, value in declared.items() if (name, each) != (label, key)}
        for name, declared in run.program.items()
    }
    return replace(run, program=program)


def _with_less(run: Run) -> Iterator[Run]:
    for name in run.faults:
        yield replace(run, faults={other: fault for other, fault in run.faults.items() if other != name})
    for name in run.outputs:
        yield replace(run, outputs={other: value for other, value in run.outputs.items() if other != name})
    for label, declared in run.program.items():
        for option in declared.get("options", {}):
            rest = {key: value for key, value in declared["options"].items() if key != option}
            yield replace(run, program={**run.program, label: {**declared, "options": rest}})


def as_yaml(case: Case) -> str:
    """A case as a hand-written one."""
    document: dict[str, Any] = {"case": case.name, "says": case.says}
    document |= {"exists": case.exists} if case.exists else {}
    document["runs"] = [_document(run) for run in case.runs]
    return yaml.safe_dump(document, sort_keys=False, default_flow_style=None, width=120)


def _document(run: Run) -> Mapping[str, Any]:
    fresh = Run()
    fields = {name: getattr(run, name) for name in ("verb", "program", "outputs", "faults", "drift", "flags")}
    return {name: value for name, value in fields.items() if value != getattr(fresh, name)}


if __name__ == "__main__":
    main()
