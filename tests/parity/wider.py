"""What the programs of later seeds have besides: transforms, outputs of components, what a provider's plugin is told.

The programs of the seeds before ``FIRST`` stay what they were recorded as.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from tests.parity.chance import Chance
from tests.parity.generate import Program, give_option, given, value
from tests.parity.programs import Run

FIRST: Final = 302
_OPTIONS: Final = ("ignore_changes", "replace_on_changes", "additional_secret_outputs", "custom_timeouts")
_PLUGINS: Final = ("https://example.com/plugins", "https://example.com/others?of=it")


def widened(chance: Chance, runs: list[Run]) -> list[Run]:
    """``runs`` of one case, each with something more; what one has the next has too, mostly."""
    named = [label for label in runs[0].program if chance.happens(0.3)]
    others = chance.happens(0.3)
    wider: list[Run] = []
    for run in runs:
        program: Program = {label: dict(declared) for label, declared in run.program.items()}
        _of_providers(chance, program)
        program = _with_outputs(chance, program)
        transforms = {} if others and wider else _transforms(chance, program)
        for label in named:
            if transforms and label in program and _takes_transforms(program[label]):
                program[label]["transform"] = chance.one(["t1", "t2", ["t1", "t2"]])
        stack = ["t3"] if transforms and chance.happens(0.4) else []
        invokes = ["t4"] if transforms and chance.happens(0.4) else []
        wider.append(
            replace(run, program=program, transforms=transforms, stack_transforms=stack, invoke_transforms=invokes)
        )
    return wider


def _takes_transforms(declared: Mapping[str, Any]) -> bool:
    return "read" not in declared and declared.get("is") not in ("call", "outputs")


def _transforms(chance: Chance, program: Program) -> dict[str, Any]:
    """Three of resources, which may take from the first that is declared, and one of functions."""
    first = dict(list(program.items())[:1])
    first = first if first and next(iter(first.values())).get("is") in ("Thing", "Named", "Other") else {}
    found: dict[str, Any] = {}
    for name in ("t1", "t2", "t3"):
        sets = {each: given(chance, {}, each) for each in chance.some(["tags", "list", "deep"], 2)}
        if name == "t2" and first and chance.happens(0.5):
            sets["text"] = value(chance, first)
        found[name] = {"when": chance.some(list(program)[1:], 9), "sets": sets}
        if chance.happens(0.5):
            found[name]["options"] = _options(chance)
    found["t4"] = {"of": "calls", "sets": {"name": chance.one(["x", "y"])}}
    return found


def _options(chance: Chance) -> dict[str, Any]:
    options: dict[str, Any] = {}
    for option in chance.some(_OPTIONS, 2):
        give_option(chance, {}, options, option)
    if chance.happens(0.3):
        options["retain_on_delete"] = chance.happens(0.5)
    return options


def _of_providers(chance: Chance, program: Program) -> None:
    for declared in program.values():
        if declared.get("is") != "provider":
            continue
        options = dict(declared.get("options", {}))
        if chance.happens(0.4):
            options["env_var_mappings"] = {chance.one(["A", "B"]): chance.one(["C", "D"])}
        if chance.happens(0.3):
            options |= {"version": "1.0.0", "plugin_download_url": chance.one(_PLUGINS)}
        if options:
            declared["options"] = options


def _with_outputs(chance: Chance, program: Program) -> Program:
    """``program`` whose components say what they came to, after what is below them, and whose last reads of one."""
    wider = dict(program)
    for label, declared in program.items():
        below = [each for each, one in program.items() if one.get("options", {}).get("parent") == label]
        below = [each for each in below if program[each].get("is") in ("Thing", "Named", "Other")]
        if str(declared.get("is")).startswith("component") and below and chance.happens(0.5):
            wider[f"{label}out"] = {"is": "outputs", "of": label, "url": f"${{{chance.one(below)}.arn}}"}
            if chance.happens(0.5):
                wider[f"{label}user"] = {"is": "Thing", "of": f"${{{label}.url}}", "size": chance.below(2)}
    return wider
