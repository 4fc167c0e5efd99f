"""Random programs: resources of all kinds with references, secrets and options, each by its seed alone.

A program is drawn declaration by declaration, each taking only from those before it. ``edits`` has what becomes of it.
"""

from __future__ import annotations

from typing import Any, Final, TypeAlias

from tests.parity.chance import Chance
from tests.parity.programs import Case, Run

Program: TypeAlias = dict[str, dict[str, Any]]

EXISTS: Final = {f"ext-{number}": {"size": number, "key": number} for number in range(1, 5)}
KINDS: Final = {
    "Thing": 10,
    "Named": 4,
    "Other": 2,
    "component": 3,
    "provider": 0.7,
    "call": 0.7,
    "read": 0.7,
    "import": 0.4,
}
OPTIONS: Final = {
    "depends_on": 0.15, "protect": 0.02, "retain_on_delete": 0.06, "deleted_with": 0.1, "replace_with": 0.1,
    "delete_before_replace": 0.15, "ignore_changes": 0.1, "replace_on_changes": 0.1, "additional_secret_outputs": 0.08,
    "replacement_trigger": 0.1, "custom_timeouts": 0.04, "hide_diffs": 0.04,
}  # fmt: skip
PATHS: Final = ("size", "tags", "tags.x", "tags.*", "list[0]", "list[*]", "key", "of", "deep.password", "*")


def is_gentle(seed: int) -> bool:
    """Whether nothing of this program is deleted before it is replaced. Only then operations are made to fail.

    Pulumi waits for ever for a deletion that fails before a replacement, and deletes the dependents of what it then
    skips: both are hand-written cases, or told in DIFFERENCES.md.
    """
    return seed % 2 == 1


def program_of(seed: int) -> Program:
    """The first program of ``seed``: 5 to 25 declarations."""
    chance = Chance(seed)
    program: Program = {}
    for number in range(chance.between(5, 25)):
        add(chance, program, f"r{number}")
    return gentle(program) if is_gentle(seed) else program


def gentle(program: Program) -> Program:
    """``program`` without what is deleted before it is replaced."""
    for declared in program.values():
        if declared.get("is") == "Named":
            declared["is"] = "Thing"
        declared.get("options", {}).pop("delete_before_replace", None)
    return program


def add(chance: Chance, program: Program, label: str) -> None:
    """Declare one more, as ``label``."""
    kind = chance.weighted(KINDS)
    if kind == "component":
        _add_component(chance, program, label)
    elif kind == "provider":
        program[label] = {"is": "provider", "region": chance.one(["here", "there"])}
    elif kind == "call":
        program[label] = {"is": "call", "function": "lookup", "name": value(chance, program)}
    elif kind == "read":
        program[label] = {"read": chance.one(sorted(EXISTS)), "options": _place(chance, program)}
    elif kind == "import":
        id_ = chance.one(sorted(EXISTS))
        size = {"size": chance.one([EXISTS[id_]["size"], 9])}
        program[label] = {**EXISTS[id_], **size, "options": {"import_": id_}}
    else:
        program[label] = resource(chance, program, kind)


def _add_component(chance: Chance, program: Program, label: str) -> None:
    options = _place(chance, program)
    for option in ("protect", "depends_on", "deleted_with", "replace_with"):
        if chance.happens(OPTIONS[option] / 2):
            give_option(chance, program, options, option)
    given = {"size": chance.below(3)} if chance.happens(0.3) else {}
    program[label] = {"is": chance.one(["component", "component", "component:Other"]), **given, "options": options}


def resource(chance: Chance, program: Program, kind: str) -> dict[str, Any]:
    """A resource of package ``test``."""
    declared: dict[str, Any] = {"is": kind, "size": chance.below(3)}
    if chance.happens(0.5):
        declared["key"] = value(chance, program) if chance.happens(0.3) else chance.below(2)
    for name, probability in (("of", 0.4), ("tags", 0.3), ("list", 0.2), ("deep", 0.15), ("makesPassword", 0.05)):
        if chance.happens(probability):
            declared[name] = given(chance, program, name)
    options = _place(chance, program)
    for option, probability in OPTIONS.items():
        if chance.happens(probability):
            give_option(chance, program, options, option)
    return declared | ({"options": options} if options else {})


def given(chance: Chance, program: Program, name: str) -> Any:
    """Something to give as the input ``name``."""
    if name == "tags":
        return {key: value(chance, program) for key in chance.some(["x", "y", "z"], 3)}
    if name == "list":
        return [value(chance, program) for _ in range(chance.below(3))]
    if name == "deep":
        return {"password": {"secret": value(chance, program)}, "more": [{"n": chance.below(3)}]}
    return f"p{chance.below(3)}" if name == "makesPassword" else value(chance, program)


def value(chance: Chance, program: Program) -> Any:
    """A value: plain, secret, or taken from what was declared before."""
    what = chance.weighted({"number": 3, "text": 2, "secret": 1, "taken": 4, "within": 1})
    sources = [label for label, declared in program.items() if is_source(declared)]
    if what == "number" or (what in ("taken", "within") and not sources):
        return chance.below(4)
    if what == "text":
        return chance.one(["red", "green", "blue"])
    if what == "secret":
        return {"secret": chance.one(["s1", "s2", "s3"])}
    label = chance.one(sources)
    output = "answer" if program[label].get("is") == "call" else chance.one(["arn", "arn", "size", "id", "version"])
    return f"${{{label}.{output}}}" if what == "taken" else f"at-${{{label}.{output}}}-end"


def give_option(chance: Chance, program: Program, options: dict[str, Any], option: str) -> None:
    """Set one option; one that names resources only where there are some."""
    custom, others = customs(program), placed(program)
    if option in ("deleted_with", "depends_on", "replace_with") and not others:
        return
    if option == "depends_on":
        options[option] = [chance.one(others)]
    elif option == "replace_with":
        options[option] = [chance.one(custom or others)]
    elif option == "deleted_with":
        options[option] = chance.one(custom or others)
    elif option in ("ignore_changes", "replace_on_changes", "hide_diffs"):
        options[option] = [chance.one(PATHS)]
    elif option == "additional_secret_outputs":
        options[option] = [chance.one(["arn", "size", "version", "id"])]
    elif option == "replacement_trigger":
        options[option] = chance.one(["x", "y", {"deep": ["x"]}, value(chance, program)])
        if isinstance(options[option], dict) and "secret" in options[option]:
            options[option] = "z"
    elif option == "custom_timeouts":
        options[option] = {"create": chance.one(["5m", "1h"])}
    else:
        options[option] = chance.happens(0.7)


def _place(chance: Chance, program: Program) -> dict[str, Any]:
    """Where a resource belongs: a parent, mostly a component, and a provider of its own."""
    options: dict[str, Any] = {}
    components = [label for label, declared in program.items() if str(declared.get("is")).startswith("component")]
    providers = [label for label, declared in program.items() if declared.get("is") == "provider"]
    if components and chance.happens(0.4):
        options["parent"] = chance.one(components)
    elif customs(program) and chance.happens(0.05):
        options["parent"] = chance.one(customs(program))
    if providers and chance.happens(0.5):
        options["provider"] = chance.one(providers)
    return options


def is_source(declared: dict[str, Any]) -> bool:
    """Whether it has outputs to take."""
    return not str(declared.get("is")).startswith(("component", "provider"))


def customs(program: Program) -> list[str]:
    """Labels of resources that are made here: neither components nor providers, nor read or imported."""
    return [label for label, each in program.items() if each.get("is") in ("Thing", "Named", "Other")]


def placed(program: Program) -> list[str]:
    """Labels of what others may depend on."""
    return [label for label, each in program.items() if each.get("is") not in ("call", "provider", "outputs")]


def outputs_of(chance: Chance, program: Program) -> dict[str, Any]:
    """What a stack gives: some of what its resources give."""
    sources = [label for label, declared in program.items() if is_source(declared) and declared.get("is") != "call"]
    return {f"{label}Arn": f"${{{label}.arn}}" for label in chance.some(sources, 3)}


def case_of(seed: int) -> Case:
    """The program of ``seed`` and three edits of it."""
    from tests.parity.edits import edited  # they draw with what is above
    from tests.parity.wider import FIRST, widened

    chance = Chance(seed + 1_000_000)
    program = program_of(seed)
    runs = [Run(program=program, outputs=outputs_of(chance, program))]
    for number in range(3):
        runs.append(edited(chance, runs, last=number == 2, softly=is_gentle(seed)))
    if seed >= FIRST:
        runs = widened(Chance(seed + 2_000_000), runs)
    return Case(f"seed {seed}", "A random program and three random edits of it.", runs, exists=EXISTS)
