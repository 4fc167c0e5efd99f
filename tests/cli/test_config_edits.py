"""`config set` and `config rm`: one value of an environment's file, and nothing else of it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cli.exits import ExitCode
from engine.project import Project
from engine.state.secrets import Keyring
from engine.values import Secret
from tests.cli.standing import Standing
from tests.engine.state.stacks import PASSPHRASE

WRITTEN = """\
# the development environment
config:
  shop:size: "1"  # of what is sold
  shop:teams:
    vision: {quota: 3, zones: [a, b]}
    # by size
    speech:
      zones:
        - a
        - b
"""


@pytest.fixture
def shop(tmp_path: Path) -> Standing:
    shop = Standing(tmp_path)
    _file(shop).write_text(WRITTEN)
    return shop


def _file(shop: Standing) -> Path:
    return shop.folder / "Pulumi.dev.yaml"


def _changed(shop: Standing) -> list[str]:
    """Lines that were not there, after a ``-`` those that were."""
    now, before = _file(shop).read_text().splitlines(), WRITTEN.splitlines()
    return [*(f"-{each}" for each in before if each not in now), *(each for each in now if each not in before)]


@pytest.mark.parametrize(
    ("arguments", "changed"),
    [
        (("size", "2"), ['-  shop:size: "1"  # of what is sold', '  shop:size: "2"  # of what is sold']),
        (("shop:size", "two"), ['-  shop:size: "1"  # of what is sold', '  shop:size: "two" # of what is sold']),
        (("aws:region", "eu-west-1"), ["  aws:region: eu-west-1"]),
        (("a.b", "yes"), ["  shop:a.b: yes"]),
        (
            ("--path", "shop:teams.vision.quota", "4"),
            ["-    vision: {quota: 3, zones: [a, b]}", "    vision: {quota: 4, zones: [a, b]}"],
        ),
        (("--path", "teams.speech.zones[1]", "c"), ["-        - b", "        - c"]),
        (("--path", "teams.speech.zones[2]", "c"), ["        - c"]),
        (("--path", "teams.speech.urgent", "true"), ["      urgent: true"]),
        (("--path", 'teams["a.b"].quota', "007"), ["    a.b:", "      quota: '007'"]),
        (("--path", "limits[0].most", "--", "-1"), ["  shop:limits:", "    - most: -1"]),
    ],
)
def test_one_value_is_set(shop: Standing, arguments: tuple[str, ...], changed: list[str]) -> None:
    shop.run("config", "set", "dev", *arguments).expect(0, "is set in")
    assert _changed(shop) == changed


@pytest.mark.parametrize(
    ("arguments", "changed"),
    [
        (("size",), ['-  shop:size: "1"  # of what is sold']),
        (("--path", "teams.speech.zones[0]"), ["-        - a"]),
        (
            ("--path", "shop:teams.vision.quota"),
            ["-    vision: {quota: 3, zones: [a, b]}", "    vision: {zones: [a, b]}"],
        ),
    ],
)
def test_one_value_is_removed(shop: Standing, arguments: tuple[str, ...], changed: list[str]) -> None:
    shop.run("config", "rm", "dev", *arguments).expect(0, "is removed from")
    assert _changed(shop) == changed


def test_a_secret_is_encrypted_and_stays_so(shop: Standing) -> None:
    first = shop.run("config", "set", "dev", "--secret", "token", "hush")
    first.expect(0, "shop:token is set, encrypted, in")
    second = shop.run("config", "set", "dev", "token", given="hush-2\n")
    second.expect(0, "encrypted")
    assert "hush" not in first.text + second.text + _file(shop).read_text()
    assert _config(shop)["shop:token"] == Secret("hush-2")
    shop.run("config", "set", "dev", "--plaintext", "token", "told").expect(0)
    assert _config(shop)["shop:token"] == "told"


def test_a_secret_deep_in_a_group(shop: Standing) -> None:
    shop.run("config", "set", "dev", "--secret", "--path", "teams.vision.key", "hush").expect(0)
    assert "hush" not in _file(shop).read_text()
    teams = _config(shop)["shop:teams"]
    assert isinstance(teams, Secret)
    assert json.loads(str(teams.value))["vision"]["key"] == "hush"


def test_the_first_value_makes_the_file(shop: Standing) -> None:
    _file(shop).unlink()
    shop.run("config", "set", "dev", "size", "1").expect(0)
    assert _file(shop).read_text() == "config:\n  shop:size: '1'\n"


@pytest.mark.parametrize(
    ("arguments", "code", "text"),
    [
        (("set", "dev"), 2, "as in `bedplate config set dev aws:region us-east-1`"),
        (("set", "dev", "a", "b", "--secret", "--plaintext"), 2, "give one of them"),
        (("set", "dev", "--path", "teams[", "b"), 2, "malformed property path"),
        (("set", "dev", "--path", "[0]", "b"), 2, "is no key: expected NAME or NAMESPACE:NAME"),
        (("set", "dev", "--path", "teams.*", "b"), 2, "is no key"),
        (("set", "dev", "--path", "size.most", "b"), 2, "shop:size is not a group that has 'most'"),
        (("set", "dev", "--path", "teams.speech.zones[4]", "b"), 2, "zones is not a list that has 4"),
        (("set", "deev", "a", "b"), 6, "did you mean 'dev'?"),
        (("rm", "dev", "sise"), 2, "has no shop:sise; did you mean shop:size?"),
        (("rm", "dev", "--path", "teams.audio.zones"), 2, "has no shop:teams.audio.zones"),
    ],
)
def test_what_is_refused_writes_nothing(shop: Standing, arguments: tuple[str, ...], code: int, text: str) -> None:
    shop.run("config", *arguments).expect(code, text)
    assert _file(shop).read_text() == WRITTEN
    assert [each.name for each in shop.folder.glob("Pulumi.*.yaml")] == ["Pulumi.dev.yaml"]


def test_a_wrong_passphrase_writes_nothing(shop: Standing) -> None:
    shop.run("config", "set", "dev", "--secret", "token", "hush").expect(0)
    before = _file(shop).read_text()
    shop.run("config", "set", "dev", "token", "other", PULUMI_CONFIG_PASSPHRASE="no").expect(
        ExitCode.CREDENTIALS, "wrong passphrase for stack dev"
    )
    assert _file(shop).read_text() == before


def test_secrets_of_a_key_service_are_left_to_the_cli(shop: Standing) -> None:
    _file(shop).write_text("secretsprovider: awskms://alias/x\n" + WRITTEN)
    shop.run("config", "set", "dev", "--secret", "token", "hush").expect(2, "awskms", "pulumi config set")


def test_a_key_that_stands_there_twice_is_told_of(shop: Standing) -> None:
    _file(shop).write_text(WRITTEN + "  shop:size: '2'\n")
    shop.run("config", "set", "dev", "size", "3").expect(2, "is not valid YAML", "duplicate key")


def test_a_machine_is_told_what_was_done(shop: Standing) -> None:
    told = json.loads(shop.run("config", "set", "--stack", "dev", "a", "b", "--output", "json").out)
    assert told == {"version": 1, "stack": "dev", "file": str(_file(shop)), "key": "shop:a", "secret": False}


def _config(shop: Standing) -> dict[str, object]:
    project = Project.load(shop.folder)
    keyring = Keyring("dev", PASSPHRASE, project.salt("dev"))
    return dict(project.config("dev", keyring, may_stay_sealed=False).values)
