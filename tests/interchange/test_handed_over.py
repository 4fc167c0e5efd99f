"""A stack goes from one engine to the other and back: nothing is lost, and no more is to be done than before."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from engine.state import interchange
from engine.state.secrets import Keyring
from tests.interchange.handed_over import CASES, by_the_cli, by_us, on_with_the_cli, on_with_us, path_of, recorded
from tests.parity.command_line import PASSPHRASE, CommandLine, where_there_is_one
from tests.parity.programs import STACK, Case

NAMES = [case.name for case in CASES]
# What each of these is for: seen in what the CLI has exported, so that it can get lost.
FIELDS = {
    "additionalSecretOutputs", "created", "customTimeouts", "delete", "deletedWith", "dependencies", "external",
    "hideDiff", "id", "ignoreChanges", "importID", "initErrors", "inputs", "modified", "outputs", "parent",
    "pendingReplacement", "propertyDependencies", "protect", "provider", "replaceOnChanges", "replaceWith",
    "replacementTrigger", "retainOnDelete",
}  # fmt: skip


def sealed(value: Any) -> Any:
    """``value`` without what differs between two encryptions of one secret."""
    if isinstance(value, list):
        return [sealed(item) for item in value]
    if isinstance(value, dict):
        return {key: "..." if key == "ciphertext" else sealed(item) for key, item in value.items()}
    return value


@pytest.fixture(scope="module")
def cli(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CommandLine]:
    yield from where_there_is_one(tmp_path_factory.mktemp("pulumi"))


@pytest.mark.parametrize("case", CASES, ids=NAMES)
def test_what_the_cli_has_exported_goes_on_with_us(case: Case, tmp_path: Path) -> None:
    """We preview what it would have previewed, and write each resource as it did, field by field, in its order."""
    handed = recorded(case)
    steps, snapshot, _ = on_with_us(case, json.dumps(handed.export), tmp_path)
    assert steps == handed.steps
    theirs = interchange.read(json.dumps(handed.export).encode(), "it", Keyring(STACK, PASSPHRASE))
    assert snapshot.resources == theirs.resources
    path = next((tmp_path / "state").rglob("dev.json"))
    ours = json.loads(path.read_text())["checkpoint"]["latest"]
    assert sealed(ours["resources"]) == sealed(handed.export["deployment"]["resources"])
    # Sealed anew, where there is anything to seal.
    assert ours.get("secrets_providers") != handed.export["deployment"]["secrets_providers"]
    assert "hunter2" not in path.read_text()


@pytest.mark.parametrize("case", CASES, ids=NAMES)
def test_what_we_have_exported_says_what_the_cli_says(case: Case, tmp_path: Path) -> None:
    """Same resources with the same fields; ids of providers, times and the order of what may stand in any differ."""
    ours, theirs = json.loads(by_us(case, tmp_path)), recorded(case).export
    assert ours["version"] == theirs["version"]
    assert ours.get("features") == theirs.get("features")
    kept = {_key(one): set(one) for one in ours["deployment"]["resources"]}
    assert kept == {_key(one): set(one) for one in theirs["deployment"]["resources"]}


def _key(resource: Any) -> tuple[str, bool]:
    return resource["urn"], bool(resource.get("delete"))


# What neither engine writes by itself into these stacks: by hand, by `pulumi state`, or by a newer Pulumi.
BY_HAND: dict[str, dict[str, Any]] = {
    "tainted": {"taint": True},
    "protected": {"protect": True},
    "of a newer version": {"novelty": {"a": [1]}},
    "with a position": {"sourcePosition": "project:///__main__.py#3", "stackTrace": [{"sourcePosition": "x#1"}]},
    "retained": {"retainOnDelete": True},
}
AFTER = {"tainted": ["create-replacement", "delete-replaced", "replace"]}


def by_hand(case: Case, fields: dict[str, Any]) -> str:
    """What the CLI exported, with ``fields`` added to the resource ``a``."""
    export = json.loads(json.dumps(recorded(case).export))
    for one in export["deployment"]["resources"]:
        if one["urn"].endswith("::a"):
            one.update(fields)
    if "taint" in fields:
        export |= {"version": 4, "features": ["taint"]}
    return json.dumps(export)


@pytest.mark.parametrize("name", BY_HAND)
def test_what_was_written_by_hand_stays_and_counts(name: str, tmp_path: Path) -> None:
    steps, _, again = on_with_us(CASES[-1], by_hand(CASES[-1], BY_HAND[name]), tmp_path)
    (one,) = (one for one in again["deployment"]["resources"] if one["urn"].endswith("::a"))
    assert {key: one[key] for key in BY_HAND[name]} == BY_HAND[name]
    assert (again["version"], again.get("features")) == ((4, ["taint"]) if name == "tainted" else (3, None))
    assert [step.split()[0] for step in steps if "Thing::a" in step and "same" not in step] == AFTER.get(name, [])


@pytest.mark.pulumi
@pytest.mark.slow
@pytest.mark.parametrize("name", BY_HAND)
def test_what_was_written_by_hand_counts_for_the_cli_alike(name: str, cli: CommandLine, tmp_path: Path) -> None:
    export = by_hand(CASES[-1], BY_HAND[name])
    assert on_with_the_cli(CASES[-1], export, cli) == on_with_us(CASES[-1], export, tmp_path)[0]


def test_every_field_is_in_some_export() -> None:
    resources = [one for case in CASES for one in recorded(case).export["deployment"]["resources"]]
    assert {field for one in resources for field in one} >= FIELDS
    assert {path_of(case) for case in CASES} == set(path_of(CASES[0]).parent.glob("*.json"))
    assert all(recorded(case).version.startswith("v3.") for case in CASES)


@pytest.mark.pulumi
@pytest.mark.slow
@pytest.mark.parametrize("case", CASES, ids=NAMES)
def test_what_we_have_exported_goes_on_with_the_cli(case: Case, cli: CommandLine, tmp_path: Path) -> None:
    """The CLI that is here takes it, previews what it previews of its own, and we take it back from there."""
    expected = by_the_cli(case, cli).steps
    assert on_with_the_cli(case, by_us(case, tmp_path), cli) == expected == recorded(case).steps
    back = cli.pulumi("stack", "export", "--stack", STACK).stdout
    again = tmp_path / "again"
    again.mkdir()
    assert on_with_us(case, back, again)[0] == expected
