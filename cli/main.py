"""The command line ``bedplate``. Nothing heavy is imported here: ``bedplate --help`` answers at once."""

from __future__ import annotations

import gc
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from cli.early import start_early

if TYPE_CHECKING:
    import typer

_EPILOG = """\
Every option is also read from BEDPLATE_<OPTION>, such as BEDPLATE_PARALLEL=4.

\b
Exit codes:
    0  ok                                     6  no such environment
    1  failed                                 7  changes where none were expected
    2  used wrongly (options, settings)       8  cancelled
    3  credentials, or a wrong passphrase     9  timed out
    4  a resource failed                    255  a bug of ours
    5  refused by policy or budget"""


def application(words: Sequence[str] = ()) -> typer.Typer:
    """The command line, put together; of its commands only the one that ``words`` begin with, where they name one."""
    from cli.declare import only

    if words:
        with only(words[:2]):
            app = _together()
        if _has(app, words):
            return app
    return _together()


def _has(app: typer.Typer, words: Sequence[str]) -> bool:
    if any(each.name == words[0] for each in app.registered_commands):
        return True
    group = next((each.typer_instance for each in app.registered_groups if each.name == words[0]), None)
    return group is not None and any(each.name in words[1:2] for each in group.registered_commands)


def _together() -> typer.Typer:
    from cli.commands import (
        config,
        cost,
        dashboards,
        doctor,
        history,
        importing,
        inspect,
        interchange,
        policy,
        sandbox,
        simulate,
        stacks,
        state,
        watching,
    )

    app = _group("Preview, bring up and take down the platform, one environment at a time.", epilog=_EPILOG)
    groups = {
        "state": _group("Look at what is known of an environment's resources, and edit it."),
        "sandbox": _group("Start and stop the local AWS emulator and Kubernetes API."),
        "config": _group("Look at an environment's settings, and set them."),
        "dashboards": _group("Look at an environment's dashboards, and write them as Grafana reads them."),
        "policy": _group("Look at the policy rules, test them, have things judged by them."),
    }
    stacks.register(app)
    simulate.register(app)
    cost.register(app)
    importing.register(app)
    watching.register(app)
    inspect.register(app, groups["state"])
    history.register(app)
    doctor.register(app)
    state.register(groups["state"])
    interchange.register(groups["state"])
    sandbox.register(groups["sandbox"])
    config.register(groups["config"])
    policy.register(groups["policy"])
    dashboards.register(groups["dashboards"])
    for name, group in groups.items():
        app.add_typer(group, name=name)
    return app


def _group(text: str, epilog: str | None = None) -> typer.Typer:
    import typer

    from cli.plain_values import PlainGroup

    # Without rich's markup and tracebacks typer needs no rich, which takes 0.1 s to import.
    return typer.Typer(
        cls=PlainGroup, help=text, epilog=epilog, no_args_is_help=True, rich_markup_mode=None,
        pretty_exceptions_enable=False, context_settings={"help_option_names": ["-h", "--help"]},
    )  # fmt: skip


def main() -> None:
    """Entry point of the console script."""
    gc.set_threshold(100_000, 50, 50)  # plans are large and live to the end; Python's own limits cost a tenth
    try:
        start_early(sys.argv[1:])  # before anything of the command line is imported: the program takes longest
        from cli.declare import with_diff_level

        arguments = with_diff_level(sys.argv[1:])
        run = application(arguments)
    except KeyboardInterrupt:
        from cli.exits import ExitCode

        sys.exit(ExitCode.CANCELLED)  # there is nothing yet that could tell it
    run(args=arguments, prog_name="bedplate")


if __name__ == "__main__":
    main()
