"""Values of the command line that are what they have to be: typer would load pydantic to see that, which takes 0.1 s.

Whatever is not plainly right is left to typer, which says what is wrong with it.
"""

from __future__ import annotations

import enum
import os
import stat
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, Final, get_args, get_origin

from typer.core import TyperCommand, TyperGroup
from typer.models import ParameterInfo

Process = Callable[[Any, Any], Any]
_UNSURE: Final = object()
# Of an option's settings, those that make more of a value than its kind does.
_SPECIAL: Final = ("parser", "writable", "resolve_path", "allow_dash", "path_type")


class PlainCommand(TyperCommand):
    """A command that takes plain values as they are."""

    def get_params(self, ctx: Any) -> Any:
        return _taking_plain(super().get_params(ctx))


class PlainGroup(TyperGroup):
    """A group of commands that does so."""

    def get_params(self, ctx: Any) -> Any:
        return _taking_plain(super().get_params(ctx))


def _taking_plain(parameters: list[Any]) -> list[Any]:
    for each in parameters:
        if "process_value" not in vars(each):
            each.process_value = partial(_processed, each, each.process_value)
    return parameters


def _processed(parameter: Any, process: Process, context: Any, value: Any) -> Any:
    described = getattr(parameter, "type_descriptor", None)  # other releases of typer have none
    if described is None or parameter.required:
        return process(context, value)
    if value is None:
        taken: Any = () if parameter.multiple or parameter.nargs == -1 else None
    else:
        taken = plain(described.annotation, described.parameter_info, value)
    if taken is _UNSURE:
        return process(context, value)
    return parameter.callback(context, parameter, taken) if parameter.callback else taken


def plain(kind: Any, info: ParameterInfo, value: Any) -> Any:
    """The value that typer makes of ``value``, or something that is none."""
    if any(getattr(info, name) for name in _SPECIAL):
        return _UNSURE
    if get_origin(kind) is list:
        return _all(get_args(kind)[0], info, value)
    if not isinstance(kind, type):
        return _UNSURE
    if issubclass(kind, enum.Enum):
        return _member(kind, info, value)
    if issubclass(kind, Path):
        return _path(info, value)
    return value if type(value) is kind else _UNSURE


def _all(kind: Any, info: ParameterInfo, values: Any) -> Any:
    if not isinstance(values, (list, tuple)):
        return _UNSURE
    taken = [plain(kind, info, each) for each in values]
    return _UNSURE if _UNSURE in taken else taken


def _member(kind: type[enum.Enum], info: ParameterInfo, value: Any) -> Any:
    return next((each for each in kind if value is each or (info.case_sensitive and value == each.value)), _UNSURE)


def _path(info: ParameterInfo, value: Any) -> Any:
    path = Path(value) if type(value) is str else value
    return path if isinstance(path, Path) and _fits(path, info) else _UNSURE


def _fits(path: Path, info: ParameterInfo) -> bool:
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError):
        return False
    wrong = (stat.S_ISREG(mode) and not info.file_okay) or (stat.S_ISDIR(mode) and not info.dir_okay)
    return not wrong and (not info.readable or os.access(path, os.R_OK))
