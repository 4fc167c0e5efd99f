"""Exit codes, and which of them an error or a run's result leads to. The numbers are those of Pulumi's CLI."""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from engine.run import Result


class ExitCode(enum.IntEnum):
    """What the process says at its end."""

    OK = 0
    FAILED = 1
    USAGE = 2  # arguments, settings, a missing --yes
    CREDENTIALS = 3
    RESOURCE_FAILED = 4
    REFUSED = 5  # by policy or budget
    NO_ENVIRONMENT = 6
    CHANGES = 7  # where --expect-no-changes was said
    CANCELLED = 8
    TIMED_OUT = 9
    BUG = 255


DETAILED_CHANGES = 2  # `preview --detailed-exitcode`: 0 nothing to do, 1 error, 2 changes


class CommandError(Exception):
    """A command can't go on; the message is for the user."""

    def __init__(self, message: str, code: ExitCode) -> None:
        super().__init__(message)
        self.code = code


class UsageError(CommandError):
    """The command was used wrongly."""

    def __init__(self, message: str) -> None:
        super().__init__(message, ExitCode.USAGE)


def of_result(result: Result) -> ExitCode:
    """The exit code of a run that ended with ``result``."""
    return {
        "succeeded": ExitCode.OK,
        "resource failed": ExitCode.RESOURCE_FAILED,
        "cancelled": ExitCode.CANCELLED,
        "timed out": ExitCode.TIMED_OUT,
        "refused by policy": ExitCode.REFUSED,
        "broken": ExitCode.BUG,
    }.get(result.value, ExitCode.FAILED)


ERROR_CODES: Final = {
    "stacks.settings.problems.UnknownEnvironment": ExitCode.NO_ENVIRONMENT,
    "engine.project.UnknownStack": ExitCode.NO_ENVIRONMENT,
    "stacks.settings.problems.SettingsError": ExitCode.USAGE,
    "engine.stack_config.ProjectError": ExitCode.USAGE,
    "engine.importing.wanted.BadImport": ExitCode.USAGE,
    "engine.saved_plan_file.BadPlan": ExitCode.USAGE,
    "engine.analyzer.errors.BadPack": ExitCode.USAGE,
    "engine.analyzer.errors.BadConfig": ExitCode.USAGE,
    "engine.analyzer.errors.PolicyError": ExitCode.FAILED,
    "engine.sandbox.errors.SandboxMismatch": ExitCode.USAGE,
    "engine.sandbox.errors.EndpointNotAllowed": ExitCode.USAGE,
    "engine.state.errors.BadName": ExitCode.USAGE,
    "engine.state.errors.WrongPassphrase": ExitCode.CREDENTIALS,
    "engine.state.errors.BadUrl": ExitCode.USAGE,
    "engine.state.errors.BucketDenied": ExitCode.CREDENTIALS,
    "engine.pulumi_cli.errors.NotLoggedIn": ExitCode.CREDENTIALS,
    "engine.pulumi_cli.errors.PassphraseWrong": ExitCode.CREDENTIALS,
    "engine.pulumi_cli.errors.NoSuchStack": ExitCode.NO_ENVIRONMENT,
    "engine.pulumi_cli.errors.PulumiError": ExitCode.FAILED,
    "engine.simulation.files.BadManifests": ExitCode.USAGE,
    "engine.analyzer.sources.BadSource": ExitCode.USAGE,
    "engine.simulation.cluster.TimedOut": ExitCode.TIMED_OUT,
    "engine.simulation.cluster.SimulationError": ExitCode.FAILED,
    "policies.pricing.usage.BadUsage": ExitCode.USAGE,
    "policies.pricing.prices.MalformedPrices": ExitCode.USAGE,
    "policies.pricing.sources.errors.NotAllowed": ExitCode.CREDENTIALS,
    "policies.pricing.sources.errors.NoAnswer": ExitCode.FAILED,
    "engine.providers.base.CredentialsMissing": ExitCode.CREDENTIALS,
    "engine.sandbox.errors.SandboxError": ExitCode.FAILED,
    "engine.state.errors.StateError": ExitCode.FAILED,
    "engine.providers.base.ProviderError": ExitCode.FAILED,
}


def of_error(error: BaseException) -> ExitCode | None:
    """The exit code of an error that is meant for the user; None for one that is a bug of ours.

    The classes are named, not imported: an error's module has been loaded by whoever raised it, and by nobody else.
    """
    if isinstance(error, CommandError):
        return error.code
    for ancestor in type(error).__mro__:
        code = ERROR_CODES.get(f"{ancestor.__module__}.{ancestor.__qualname__}")
        if code is not None:
            return code
    return None
