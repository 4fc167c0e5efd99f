"""Random edits of a program: what people do to one, and what goes wrong meanwhile."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Sequence
from typing import Any, Final

from tests.parity.chance import Chance
from tests.parity.generate import OPTIONS, Program, add, customs, gentle, give_option, given, outputs_of
from tests.parity.interpreter import type_of
from tests.parity.programs import PROJECT, STACK, Run

_EDITS: Final = {
    "change": 6, "rekey": 4, "remove": 2, "insert": 2, "rename": 1.5, "reparent": 1, "option": 3, "retype": 0.3,
    "reconfigure": 1, "adopt": 0.5, "nothing": 0.3,
}  # fmt: skip
_FAULTS: Final = ("fail", "fail", "partial")


def edited(chance: Chance, runs: Sequence[Run], *, last: bool, softly: bool) -> Run:
    """The run after ``runs``: the last program with some edits; or a refresh after a drift, or the end of it all.

    Operations fail where it goes ``softly``.
    """
    before = next(run for run in reversed(runs) if run.verb == "up")
    program: Program = copy.deepcopy({label: dict(declared) for label, declared in before.program.items()})
    if chance.happens(0.08):
        return Run(program=program, outputs=before.outputs, verb="refresh", drift=_drift(chance, program))
    if last and chance.happens(0.12):
        return Run(program=program, verb="destroy")
    for _ in range(chance.between(1, 4)):
        _edit(chance, program, chance.weighted(_EDITS), f"n{len(runs)}{chance.below(1000)}")
    if softly:
        gentle(program)
    faults = _faults(chance, program) if softly and chance.happens(0.5) else {}
    flags = {"continue_on_error": True} if faults else {}
    return Run(program=program, outputs=outputs_of(chance, program), faults=faults, flags=flags)


def _edit(chance: Chance, program: Program, edit: str, fresh: str) -> None:
    managed = customs(program)
    if edit == "insert":
        add(chance, program, fresh)
    if not managed or edit in ("nothing", "insert"):
        return
    label = chance.one(managed)
    declared = program[label]
    if edit == "change":
        name = chance.one(["size", "size", "of", "tags", "list", "deep"])
        before = dict(list(program.items())[: list(program).index(label)])
        declared[name] = chance.below(5) if name == "size" else given(chance, before, name)
    elif edit == "rekey":
        declared["key"] = chance.between(2, 9)
    elif edit == "remove":
        remove(program, chance.one([each for each in program if program[each].get("is") != "provider"] or [label]))
    elif edit == "rename":
        _rename(program, chance.one(_named(program)), fresh)
    elif edit == "reparent":
        _reparent(chance, program, label)
    elif edit == "option":
        _change_option(chance, program, label)
    elif edit == "retype":
        declared["is"] = "Other" if declared["is"] != "Other" else "Thing"
        _alias(declared, {"type": f"test:index:{'Thing' if declared['is'] == 'Other' else 'Other'}"})
    elif edit == "reconfigure":
        for each in program.values():
            if each.get("is") == "provider":
                each["region"] = chance.one(["here", "there", "elsewhere"])
    elif edit == "adopt":
        for other, each in program.items():
            if "read" in each:
                program[other] = {"is": "Thing", "size": 1} | {"options": each.get("options", {})}
                return


def _named(program: Program) -> list[str]:
    return [label for label, each in program.items() if each.get("is") != "call" and "read" not in each]


def _rename(program: Program, label: str, fresh: str) -> None:
    declared = program[label]
    _alias(declared, {"name": str(declared.get("named", label))})
    declared["named"] = fresh


def _reparent(chance: Chance, program: Program, label: str) -> None:
    options = program[label].setdefault("options", {})
    old = options.pop("parent", None)
    before = list(program)[: list(program).index(label)]
    components = [each for each in before if str(program[each].get("is")).startswith("component") and each != old]
    if components:
        options["parent"] = chance.one(components)
    if chance.happens(0.8):
        _alias(program[label], {"parent": None if old is None else old})


def _change_option(chance: Chance, program: Program, label: str) -> None:
    options = program[label].setdefault("options", {})
    option = chance.one(sorted(OPTIONS))
    if option in options:
        del options[option]
    else:
        before = dict(list(program.items())[: list(program).index(label)])
        give_option(chance, before, options, option)


def _alias(declared: dict[str, Any], alias: dict[str, Any]) -> None:
    declared.setdefault("options", {}).setdefault("aliases", []).append(alias)


def remove(program: Program, label: str) -> None:
    """Take ``label`` out, and each mention of it; what was below it stays, under an alias."""
    urn = urn_of(program, label)
    del program[label]
    for other, declared in program.items():
        options = declared.get("options", {})
        if options.get("parent") == label:
            del options["parent"]
            _alias(declared, {"parent": urn})
        for option in ("deleted_with", "provider"):
            if options.get(option) == label:
                del options[option]
        for option in ("depends_on", "replace_with"):
            options.update({option: [each for each in options[option] if each != label]} if option in options else {})
        for alias in options.get("aliases", []):
            if isinstance(alias, dict) and alias.get("parent") == label:
                alias["parent"] = urn
        text = re.sub(r"\$\{" + re.escape(label) + r"\.[^}]+\}", "gone", json.dumps(declared))
        program[other] = json.loads(text)


def urn_of(program: Program, label: str) -> str:
    """The URN that a declaration's resource has."""
    types: list[str] = []
    at: str | None = label
    while at is not None:
        types.insert(0, type_of(program[at]))
        at = program[at].get("options", {}).get("parent")
    return f"urn:pulumi:{STACK}::{PROJECT}::{'$'.join(types)}::{program[label].get('named', label)}"


def _drift(chance: Chance, program: Program) -> dict[str, Any]:
    """What somebody changed or deleted by hand: by names, since ids are known only then."""
    chosen = chance.some(customs(program), 3)
    return {label: None if chance.happens(0.3) else {"size": chance.between(10, 19)} for label in chosen}


def _faults(chance: Chance, program: Program) -> dict[str, str]:
    faults: dict[str, str] = {}
    for label in chance.some(customs(program), 4):
        verb = chance.one(["create", "update", "delete"])
        name = str(program[label].get("named", label))
        faults[f"{verb} {name}"] = chance.one(_FAULTS) if verb == "update" else "fail"
    return faults
