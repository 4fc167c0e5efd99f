"""Values that are taken as they are, and commands that are not made: nobody sees a difference to what typer does."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import typer.core
import typer.main

from cli import plain_values
from cli.main import application

TEXTS = ("", "dev", "json", "JSON", "-1", "0", "3", "2.5", "70000", "yes", "full", "FOLDER", "FILE", "absent", "a\0b")


def _commands(made: Any, *names: str) -> Iterator[tuple[tuple[str, ...], Any]]:
    for name, each in getattr(made, "commands", {}).items():
        yield from _commands(each, *names, name)
    yield names, made


ALL = dict(_commands(typer.main.get_command(application())))


def _outcome(process: Any, context: Any, value: Any) -> tuple[str, Any]:
    try:
        taken = process(context, value)
    except Exception as error:  # noqa: BLE001 - whatever is raised has to be the same
        return type(error).__name__, str(error)
    return type(taken).__name__, taken


@pytest.mark.parametrize("names", ALL, ids=" ".join)
def test_every_value_is_what_typer_makes_of_it(names: tuple[str, ...], tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("")
    real = {"FOLDER": str(tmp_path), "FILE": str(file), "absent": str(tmp_path / "absent")}
    command = ALL[names]
    context = command.make_context("bedplate", [], resilient_parsing=True)
    texts = [real.get(text, text) for text in TEXTS]
    for parameter in command.get_params(context):
        if parameter.callback:
            continue  # completion, which ends the process
        ours, typers = parameter.process_value, partial(type(parameter).process_value, parameter)
        many = parameter.multiple or parameter.nargs == -1
        given = [(), *((text,) for text in texts), tuple(texts[:3])] if many else texts
        for value in (None, parameter.get_default(context), *given):
            assert _outcome(ours, context, value) == _outcome(typers, context, value), (parameter.name, value)


@pytest.mark.parametrize(
    "words", [["preview", "dev"], ["up", "--yes", "--cwd", "FOLDER"], ["state", "list", "dev", "--output", "json"]]
)
def test_for_what_is_usual_nothing_is_left_to_typer(
    words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def left_to_typer(self: Any) -> None:
        pytest.fail(f"{self.name} is")

    def invoke(_self: Any, context: Any) -> None:
        run.append(context.params)

    run: list[Any] = []
    monkeypatch.setattr(typer.core.TyperOption, "get_runtime_param", left_to_typer)
    monkeypatch.setattr(typer.core.TyperArgument, "get_runtime_param", left_to_typer)
    monkeypatch.setattr(plain_values.PlainCommand, "invoke", invoke)
    words = [str(tmp_path) if word == "FOLDER" else word for word in words]
    typer.main.get_command(application(words)).main(words, "bedplate", standalone_mode=False)
    assert len(run) == 1


@pytest.mark.parametrize("names", [names for names in ALL if names and not hasattr(ALL[names], "commands")])
def test_a_command_that_is_named_is_made_alone_and_is_the_same(names: tuple[str, ...]) -> None:
    alone = dict(_commands(typer.main.get_command(application([*names, "dev"]))))
    assert sum(not hasattr(each, "commands") for each in alone.values()) <= 3  # "state list" makes "policy list", too
    assert _help(alone, names) == _help(ALL, names)


@pytest.mark.parametrize("words", [[], ["--help"], ["state"], ["state", "--help"], ["nosuch"], ["state", "nosuch"]])
def test_where_none_is_named_all_are_there(words: list[str]) -> None:
    assert set(dict(_commands(typer.main.get_command(application(words))))) == set(ALL)


def _help(commands: dict[tuple[str, ...], Any], names: tuple[str, ...]) -> str:
    command = commands[names]
    return command.get_help(command.make_context(names[-1], [], resilient_parsing=True))


def test_typers_own_coercion_is_not_loaded() -> None:
    program = (
        "import sys; from cli.main import application\n"
        "try: application(['config', 'show', 'nosuch'])(args=['config', 'show', 'nosuch'])\n"
        "except SystemExit: pass\n"
        "print('typer._adapters' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "False"
