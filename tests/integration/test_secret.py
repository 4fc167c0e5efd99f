"""A secret goes its whole way, from encrypted configuration into AWS, and no byte of it shows anywhere on that way."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.state.secrets import PassphraseCrypter, new_salt
from tests.integration.commands import Ended, Workplace, project
from tests.integration.emulated import Emulated

SECRET = "correct-horse-battery-staple"
DERIVED = f"{SECRET}-and-more"
PASSPHRASE = "open sesame"

PROGRAM = """
import pulumi
import pulumi_aws as aws

token = pulumi.Config().require_secret("token")
print("printed:", pulumi.Config().get("token"))
pulumi.log.warn("logged: " + pulumi.Config().get("token"))
longer = token.apply(lambda text: text + "-and-more")
secret = aws.secretsmanager.Secret("token", recovery_window_in_days=0)
aws.secretsmanager.SecretVersion("token", secret_id=secret.id, secret_string=longer)
aws.ssm.Parameter("token", type="SecureString", value=longer)
pulumi.export("token", longer)
pulumi.export("nested", {"list": [token]})
"""
REFUSED = (
    PROGRAM
    + """
aws.iam.Role("refused", assume_role_policy=token)
"""
)
RAISES = (
    PROGRAM
    + """
raise ValueError("the token is " + pulumi.Config().get("token"))
"""
)


def encrypted() -> str:
    salt = new_salt(PASSPHRASE)
    sealed = PassphraseCrypter(salt, PASSPHRASE, "dev").encrypt(SECRET)
    return f"encryptionsalt: {salt}\nconfig:\n  demo:token:\n    secure: {sealed}\n"


def check_silent(work: Workplace, *ended: Ended) -> None:
    log = work.folder / "events.json"
    logged = log.read_text() if log.exists() else ""
    for text in (*(one.text for one in ended), logged, work.kept().decode(errors="replace")):
        assert SECRET not in text


@pytest.mark.slow
def test_no_byte_of_a_secret_shows(tmp_path: Path, emulated: Emulated) -> None:
    work = project(tmp_path / "demo", PROGRAM, stacks={"dev": encrypted()})
    work = Workplace(work.folder, {"PULUMI_CONFIG_PASSPHRASE": PASSPHRASE})
    work.run("sandbox", "up", "--endpoint", emulated.endpoint).expect(0)
    logging = ("--event-log", str(work.folder / "events.json"))

    unread = work.run("preview", "dev", *logging, PULUMI_CONFIG_PASSPHRASE="")
    check_silent(work, unread)
    for flags in ([], ["--diff"], ["--diff", "full"], ["--debug"], ["--output", "json"]):
        check_silent(work, work.run("preview", "dev", *flags, *logging).expect(0))
    up = work.run("up", "dev", "--yes", *logging).expect(0, "[secret]", "printed: [secret]", "logged: [secret]")
    check_silent(work, up)

    secrets = emulated.client("secretsmanager")
    arn = secrets.list_secrets()["SecretList"][0]["ARN"]
    assert secrets.get_secret_value(SecretId=arn)["SecretString"] == DERIVED
    parameter = emulated.client("ssm").describe_parameters()["Parameters"][0]["Name"]
    stored = emulated.client("ssm").get_parameter(Name=parameter, WithDecryption=True)["Parameter"]["Value"]
    assert stored == DERIVED

    for command in (["outputs", "dev"], ["state", "show", "dev"], ["state", "list", "dev"]):
        for output in ("text", "json"):
            check_silent(work, work.run(*command, "--output", output).expect(0))
    assert work.run("outputs", "dev", "--show-secrets").expect(0).out.count(SECRET) == 2
    check_silent(work, work.run("refresh", "dev", "--yes", "--diff", "full", *logging).expect(0))
    check_silent(work, work.run("up", "dev", "--yes", "--expect-no-changes", *logging).expect(0))

    (work.folder / "__main__.py").write_text(REFUSED)
    check_silent(work, work.run("up", "dev", "--yes", "--debug", *logging).expect(4, "refused"))
    (work.folder / "__main__.py").write_text(RAISES)
    check_silent(work, work.run("up", "dev", "--yes", "--debug", *logging).expect(1, "the token is [secret]"))
    check_silent(work, work.run("destroy", "dev", "--yes", "--diff", "full", *logging).expect(0))
