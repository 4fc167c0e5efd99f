"""Commands from request classes: a frozen dataclass says which arguments a command takes, ``command`` registers it.

Each field is ``Annotated`` with a typer Argument or Option. Every option gets its environment variable here, by one
rule: ``--program-timeout`` is also ``BEDPLATE_PROGRAM_TIMEOUT``; an option of two names has one for each.
"""

from __future__ import annotations

import copy
import dataclasses
import inspect
from collections.abc import Callable, Collection, Generator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial
from typing import Annotated, Any, Final, TypeVar, get_args, get_origin, get_type_hints

import typer
from typer.models import ArgumentInfo, OptionInfo

from cli.exits import ExitCode, UsageError
from cli.plain_values import PlainCommand
from cli.requests.manner import Manner, Output

R = TypeVar("R", bound=Manner)

USUAL_OUTPUTS: Final = (Output.TEXT, Output.JSON)
DIFF_LEVELS: Final = ("none", "brief", "full")
_SAID: Final = ("COMMANDLINE", "ENVIRONMENT")
_CONTEXT: Final = "context_"
_CONTEXT_PARAMETER: Final = inspect.Parameter(_CONTEXT, inspect.Parameter.KEYWORD_ONLY, annotation=typer.Context)
_said: ContextVar[frozenset[str]] = ContextVar("said", default=frozenset())
_names: ContextVar[Collection[str] | None] = ContextVar("names", default=None)


@contextmanager
def only(names: Collection[str] | None) -> Generator[None]:
    """Within this, register the commands with these names alone: making all takes a tenth of a second."""
    token = _names.set(names)
    try:
        yield
    finally:
        _names.reset(token)


def command(
    app: typer.Typer, name: str, request: type[R], outputs: Sequence[Output] = USUAL_OUTPUTS
) -> Callable[[Callable[[R], int]], Callable[[R], int]]:
    """Register the decorated function as a command. It takes one ``request`` and returns the exit code."""

    def register(body: Callable[[R], int]) -> Callable[[R], int]:
        if (names := _names.get()) is not None and name not in names:
            return body

        def run(**values: Any) -> None:
            _said.set(_given(values.pop(_CONTEXT)))
            given: dict[str, Any] = {key: _frozen(value) for key, value in values.items()}
            raise typer.Exit(_guarded(partial(_checked, body, name, outputs), request(**given)))

        run.__dict__["__signature__"] = inspect.Signature([*parameters(request), _CONTEXT_PARAMETER])
        run.__doc__ = body.__doc__
        app.command(name, cls=PlainCommand, epilog="`bedplate --help` lists the exit codes.")(run)
        return body

    return register


def said(option: str) -> bool:
    """Whether the command that runs was given the option (by its field's name), and does not only have its default."""
    return option in _said.get()


def _given(context: typer.Context) -> frozenset[str]:
    sources = {name: context.get_parameter_source(name) for name in context.params}
    return frozenset(name for name, source in sources.items() if source and source.name in _SAID)


def _checked(body: Callable[[R], int], name: str, outputs: Sequence[Output], request: R) -> int:
    if request.output not in outputs:
        raise UsageError(f"`{name}` has no output {request.output}; it has {', '.join(outputs)}")
    return body(request)


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _guarded(body: Callable[[R], int], request: R) -> int:
    try:
        return body(request)
    except KeyboardInterrupt:
        return ExitCode.CANCELLED
    except Exception as error:  # noqa: BLE001 - the one place where every error becomes a message and an exit code
        from cli.failures import report

        return report(error, request)


def parameters(request: type[Any]) -> list[inspect.Parameter]:
    """The fields of a request as a function's parameters, arguments first."""
    hints = get_type_hints(request, include_extras=True)
    found: list[inspect.Parameter] = []
    for field in dataclasses.fields(request):
        kind, info = get_args(hints[field.name])
        if get_origin(kind) is tuple:  # a repeated option; a frozen request has a tuple where typer gives a list
            kind = list[get_args(kind)[0]]
        default = list(field.default) if isinstance(field.default, tuple) else field.default
        if default is dataclasses.MISSING:
            default = inspect.Parameter.empty
        annotation = Annotated[kind, _with_variable(info)]
        found.append(
            inspect.Parameter(field.name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)
        )
    return found


def _with_variable(info: ArgumentInfo | OptionInfo) -> ArgumentInfo | OptionInfo:
    info = copy.copy(info)
    if isinstance(info, OptionInfo):
        flags = [info.default, *(info.param_decls or ())]
        long = [flag for flag in flags if isinstance(flag, str) and flag.startswith("--")]
        info.envvar = [variable(flag.split("/")[0]) for flag in long]
        info.show_envvar = False
    return info


def variable(flag: str) -> str:
    """The environment variable of a flag."""
    return "BEDPLATE_" + flag.lstrip("-").replace("-", "_").upper()


def with_diff_level(arguments: Sequence[str]) -> list[str]:
    """``--diff`` alone means ``--diff brief``; the level that may follow it belongs to it."""
    result: list[str] = []
    rest = list(arguments)
    while rest:
        word = rest.pop(0)
        if word == "--":
            return [*result, word, *rest]
        if word == "--diff":
            word = f"--diff={rest.pop(0) if rest and rest[0] in DIFF_LEVELS else 'brief'}"
        result.append(word)
    return result
