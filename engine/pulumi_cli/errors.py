"""What can go wrong with the Pulumi CLI before it has begun its work, or instead of it.

PulumiError              the CLI failed; the message says what it said and what to do
├─ CliMissing            there is no `pulumi` command on PATH, or none that can be run
├─ NotLoggedIn           no backend was chosen, or it does not let us in
├─ PassphraseWrong       the stack's secrets need a passphrase, and it is missing or wrong
├─ BackendUnreachable    the backend does not answer, or is not there
├─ NoSuchStack           the backend has no such stack
├─ StackBusy             another update holds the stack
├─ PluginMissing         a provider's plugin is not installed and could not be fetched
└─ BadInvocation         the CLI refuses its arguments: it is older than what we ask of it
"""

from __future__ import annotations

import re
from typing import Final

GET_IT: Final = "get it with `bedplate setup` or from https://www.pulumi.com/docs/install/"


class PulumiError(Exception):
    """The Pulumi CLI failed; the message is for the user."""


class CliMissing(PulumiError):
    """There is no command to run."""


class NotLoggedIn(PulumiError):
    """The CLI has no backend, or no credentials for it."""


class PassphraseWrong(PulumiError):
    """The CLI cannot open the stack's secrets."""


class BackendUnreachable(PulumiError):
    """The backend does not answer."""


class NoSuchStack(PulumiError):
    """The backend has no such stack."""


class StackBusy(PulumiError):
    """Another update holds the stack."""


class PluginMissing(PulumiError):
    """A provider's plugin is missing."""


class BadInvocation(PulumiError):
    """The CLI does not know what it was asked for."""


_NO_PLUGIN: Final = (
    r"no (?:resource|language|analyzer) plugin '|[Cc]ould not (?:find|load) plugin"
    r"|failed to (?:install|download|load) .*plugin"
)
_NOT_LET_IN: Final = (
    r"PULUMI_ACCESS_TOKEN must be set|not logged in|\b401\b|\b403\b|[Uu]nauthorized|invalid access token"
    r"|NoCredentialProviders|no EC2 IMDS role found|failed to refresh cached credentials|could not find default cred"
    r"|AccessDenied|InvalidAccessKeyId|ExpiredToken"
)
_NO_ANSWER: Final = (
    r"unable to open (?:state directory|bucket)|connection refused|no such host|i/o timeout"
    r"|\.pulumi/meta\.yaml|performing HTTP request"
)
# By what the CLI says (3.260: ``backenderr``, ``backend/diy``, ``secrets/passphrase``, ``workspace/plugins.go``), and
# what to do about it.
_KINDS: Final[tuple[tuple[type[PulumiError], str, str], ...]] = (
    (NoSuchStack, r"no stack named .* found", "`bedplate up {stack}` makes it, or `pulumi stack init {stack}`"),
    (PassphraseWrong, r"passphrase must be set|incorrect passphrase",
     "set PULUMI_CONFIG_PASSPHRASE, or PULUMI_CONFIG_PASSPHRASE_FILE to a file that holds it"),
    (StackBusy, r"currently locked by|Another update is currently in progress",
     "wait for it to end; if it is gone, `pulumi cancel --stack {stack}` frees the stack"),
    (PluginMissing, _NO_PLUGIN,
     "`pulumi install` fetches the program's plugins, or attach to running ones with PULUMI_DEBUG_PROVIDERS"),
    (NotLoggedIn, _NOT_LET_IN, "`pulumi login URL`, or set PULUMI_BACKEND_URL and the credentials that it needs"),
    (BackendUnreachable, _NO_ANSWER, "is PULUMI_BACKEND_URL right, and can it be reached from here?"),
    (BadInvocation, r"unknown (?:shorthand )?flag|unknown command", "update the Pulumi CLI: {get_it}"),
)  # fmt: skip


def of_output(said: str, stack: str) -> PulumiError:
    """The error for a CLI that has failed with ``said`` on its standard error, which holds no secrets."""
    text = _told(said)
    for kind, pattern, remedy in _KINDS:
        if re.search(pattern, said):
            return kind(f"pulumi: {text}\n  {remedy.format(stack=stack, get_it=GET_IT)}")
    return PulumiError(f"pulumi: {text or 'it failed without saying why'}")


def _told(said: str) -> str:
    """The CLI's own errors out of all that it wrote, without colours and without their prefix."""
    plain = re.sub(r"\x1b\[[0-9;]*[A-Za-z]", "", said)
    lines = [line.rstrip() for line in plain.splitlines() if line.strip()]
    first = next((at for at, line in enumerate(lines) if line.startswith("error: ")), None)
    if first is None:
        return "\n  ".join(lines[-5:])
    return "\n  ".join([lines[first].removeprefix("error: "), *lines[first + 1 : first + 6]])
