"""Pulumi's passphrase encryption: what its CLI sealed opens, a wrong passphrase says so, nothing is derived in vain."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from engine.state import secrets
from engine.state.errors import FormatError, SecretsUnsupported, WrongPassphrase
from engine.state.model import SecretsProvider
from tests.engine.state.stacks import CASES, PASSPHRASE, codec, keyring


def cli_config() -> tuple[str, str]:
    """The salt and the secret in the configuration file that Pulumi's CLI wrote."""
    config = yaml.safe_load((CASES / "Pulumi.dev.yaml").read_text())
    return config["encryptionsalt"], config["config"]["fixture:password"]["secure"]


def test_a_secret_of_the_clis_configuration_opens() -> None:
    salt, ciphertext = cli_config()
    assert secrets.PassphraseCrypter(salt, PASSPHRASE, "dev").decrypt(ciphertext) == 'hunter2 "quoted"'


def test_what_is_sealed_opens_again_and_never_looks_the_same() -> None:
    salt, _ = cli_config()
    crypter = secrets.PassphraseCrypter(salt, PASSPHRASE, "dev")
    first, second = crypter.encrypt("ü"), crypter.encrypt("ü")
    assert first != second
    assert crypter.decrypt(first) == crypter.decrypt(second) == "ü"


@pytest.mark.parametrize("phrase", ["wrong", "", None])
def test_a_wrong_passphrase_names_the_stack_and_the_variables(phrase: str | None) -> None:
    salt, ciphertext = cli_config()
    with pytest.raises(WrongPassphrase) as caught:
        secrets.PassphraseCrypter(salt, phrase, "prod").decrypt(ciphertext)
    for part in ("prod", "PULUMI_CONFIG_PASSPHRASE", "PULUMI_CONFIG_PASSPHRASE_FILE"):
        assert part in str(caught.value)


def test_a_new_salt_belongs_to_its_passphrase_alone() -> None:
    salt = secrets.new_salt("one")
    assert secrets.PassphraseCrypter(salt, "one", "dev").encrypt("x").startswith("v1:")
    with pytest.raises(WrongPassphrase):
        secrets.PassphraseCrypter(salt, "two", "dev").encrypt("x")


@pytest.mark.parametrize(
    ("pattern", "spoilt"), [("....$", "AAA="), ("v1:", "v2:"), (".+", "v1:x"), (".+", "v1:!:!"), (".+", "")]
)
def test_a_damaged_ciphertext_is_told_from_a_wrong_passphrase(pattern: str, spoilt: str) -> None:
    salt, ciphertext = cli_config()
    with pytest.raises(FormatError):
        secrets.PassphraseCrypter(salt, PASSPHRASE, "dev").decrypt(re.sub(pattern, spoilt, ciphertext))


@pytest.mark.parametrize("salt", ["", "v1:AAAA", "v2:AAAA:v1:x:y", "nonsense"])
def test_a_malformed_salt_is_refused(salt: str) -> None:
    with pytest.raises(FormatError, match="encryptionsalt"):
        secrets.PassphraseCrypter(salt, PASSPHRASE, "dev").encrypt("x")


def test_no_key_is_derived_before_the_first_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    derived: list[str] = []

    def derive(passphrase: str, salt: bytes) -> bytes:
        derived.append(passphrase)
        return bytes(32)

    monkeypatch.setattr(secrets, "derive_key", derive)
    salt, _ = cli_config()
    crypter = keyring().open(SecretsProvider("passphrase", {"salt": salt}))
    assert crypter.provider.state == {"salt": salt}
    assert derived == []
    with pytest.raises(WrongPassphrase):
        crypter.encrypt("x")
    assert derived == [PASSPHRASE]


def test_a_cloud_key_is_refused_only_when_it_is_needed() -> None:
    sealed = codec()
    sealed.use(SecretsProvider("cloud", {"url": "awskms://alias/pulumi"}))
    with pytest.raises(SecretsUnsupported, match="'cloud'"):
        sealed.open("v1:a:b")


def test_the_passphrase_comes_from_pulumis_variables(tmp_path: Path) -> None:
    file = tmp_path / "phrase"
    file.write_text(" from a file \n")
    assert secrets.passphrase_from({}) is None
    assert secrets.passphrase_from({"PULUMI_CONFIG_PASSPHRASE": ""}) == ""
    assert secrets.passphrase_from({"PULUMI_CONFIG_PASSPHRASE_FILE": str(file)}) == "from a file"
    both = {"PULUMI_CONFIG_PASSPHRASE": "x", "PULUMI_CONFIG_PASSPHRASE_FILE": str(file)}
    assert secrets.passphrase_from(both) == "x"
    with pytest.raises(WrongPassphrase, match="PULUMI_CONFIG_PASSPHRASE_FILE"):
        secrets.passphrase_from({"PULUMI_CONFIG_PASSPHRASE_FILE": str(tmp_path / "none")})


def test_an_unchanged_secret_keeps_its_ciphertext_and_equal_ones_elsewhere_differ() -> None:
    sealed = codec()
    sealed.enter("urn-1 inputs")
    first = [sealed.seal("same"), sealed.seal("same"), sealed.seal("other")]
    sealed.enter("urn-2 inputs")
    elsewhere = sealed.seal("same")
    sealed.enter("urn-1 inputs")
    assert [sealed.seal("same"), sealed.seal("same"), sealed.seal("other")] == first
    assert len({*first, elsewhere}) == 4


def test_a_configurations_salt_is_used_for_a_stack_without_secrets() -> None:
    salt, _ = cli_config()
    assert secrets.Keyring("dev", PASSPHRASE, salt).create().provider.state == {"salt": salt}
