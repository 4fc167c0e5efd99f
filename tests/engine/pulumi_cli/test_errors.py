"""What the CLI says when it can't go on, and what we make of it. The messages are those of 3.260.0."""

from __future__ import annotations

import pytest

from engine.pulumi_cli import errors

NO_PASSPHRASE = (
    "error: getting stack configuration: get stack secrets manager: passphrase must be set with "
    "PULUMI_CONFIG_PASSPHRASE or PULUMI_CONFIG_PASSPHRASE_FILE environment variables"
)
REFUSED = (
    'error: performing HTTP request: Get "https://localhost:1/api/user": dial tcp 127.0.0.1:1: connect: '
    "connection refused"
)
NO_REGION = (
    'error: read ".pulumi/meta.yaml": blob (key ".pulumi/meta.yaml") (code=Unknown): operation error S3: GetObject, '
    "resolve auth scheme: resolve endpoint: endpoint rule error, Invalid region: region was not a valid DNS name."
)


@pytest.mark.parametrize(
    ("said", "kind", "advice"),
    [
        ("error: no stack named 'dev' found", errors.NoSuchStack, "pulumi stack init dev"),
        ("error: getting stack configuration: get stack secrets manager: incorrect passphrase", errors.PassphraseWrong,
         "set PULUMI_CONFIG_PASSPHRASE"),
        (NO_PASSPHRASE, errors.PassphraseWrong, "set PULUMI_CONFIG_PASSPHRASE"),
        ("error: PULUMI_ACCESS_TOKEN must be set for login during non-interactive CLI sessions", errors.NotLoggedIn,
         "pulumi login"),
        ("error: the stack is currently locked by 1 lock(s).", errors.StackBusy, "pulumi cancel --stack dev"),
        ("error: [409] Conflict: Another update is currently in progress.", errors.StackBusy, "wait for it"),
        ('error: unable to open state directory "file:///nowhere": stat /nowhere: no such file or directory',
         errors.BackendUnreachable, "is PULUMI_BACKEND_URL right"),
        (REFUSED, errors.BackendUnreachable, "is PULUMI_BACKEND_URL right"),
        (NO_REGION, errors.BackendUnreachable, "is PULUMI_BACKEND_URL right"),
        ("error: no resource plugin 'pulumi-resource-aws' found in the workspace at version v7.51.1 or on your $PATH",
         errors.PluginMissing, "pulumi install"),
        ("error: unknown flag: --exclude", errors.BadInvocation, "update the Pulumi CLI"),
        ("error: something else\nwith a second line", errors.PulumiError, "with a second line"),
        ("panic: at the disco", errors.PulumiError, "at the disco"),
    ],
)  # fmt: skip
def test_what_the_cli_says_is_one_error(said: str, kind: type[Exception], advice: str) -> None:
    error = errors.of_output(f"warning: of old\n\x1b[31m\x1b[0m{said}\n", "dev")
    assert type(error) is kind
    assert advice in str(error)
    assert "\x1b" not in str(error)


def test_a_cli_that_says_nothing_is_said_to_have_said_nothing() -> None:
    assert str(errors.of_output("", "dev")) == "pulumi: it failed without saying why"
