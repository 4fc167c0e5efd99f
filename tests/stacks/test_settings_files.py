"""Settings files as cases: a bad file in, the exact text of its error out; a good file in, the settings out.

``tests/cases/settings/bad/NAME.yaml`` has its error in ``NAME.txt``, ``good/NAME.yaml`` its settings in ``NAME.json``;
with ACCEPT=1 these are written from what was seen.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from components.registry import UPSTREAMS
from components.storage import BucketKind
from stacks.settings import (
    SettingsError,
    UnknownEnvironment,
    environments,
    from_config,
    json_schema,
    load,
    load_file,
)
from stacks.settings.files import DIRECTORY
from stacks.settings.schema import PATH, schema_text
from stacks.settings.storage import StorageSettings

CASES = Path(__file__).parents[1] / "cases" / "settings"
BAD = sorted((CASES / "bad").glob("*.yaml"))
GOOD = sorted((CASES / "good").glob("*.yaml"))


def _expect(path: Path, seen: str) -> None:
    if os.environ.get("ACCEPT") == "1":
        path.write_text(seen, encoding="utf-8")
    assert seen == path.read_text(encoding="utf-8")


def _config(path: Path) -> dict[str, Any]:
    return yaml.safe_load(path.read_text(encoding="utf-8"))["config"]


def _as_an_engine_hands_it_over(config: dict[str, Any]) -> dict[str, str]:
    return {key: value if isinstance(value, str) else json.dumps(value) for key, value in config.items()}


@pytest.mark.parametrize("path", BAD, ids=lambda path: path.stem)
def test_a_bad_file_is_explained(path: Path) -> None:
    with pytest.raises(SettingsError) as caught:
        load_file(path)
    assert caught.value.problems
    assert all(problem.advice for problem in caught.value.problems), "every problem says what to do"
    _expect(path.with_suffix(".txt"), f"{caught.value}\n")


@pytest.mark.parametrize("path", GOOD, ids=lambda path: path.stem)
def test_a_good_file_becomes_settings(path: Path) -> None:
    settings = load_file(path).model_dump(mode="json", by_alias=True)
    _expect(path.with_suffix(".json"), json.dumps(settings, indent=2) + "\n")


@pytest.mark.parametrize("path", GOOD, ids=lambda path: path.stem)
def test_a_good_file_fits_the_schema(path: Path) -> None:
    jsonschema.Draft202012Validator(json_schema()).validate(yaml.safe_load(path.read_text(encoding="utf-8")))


@pytest.mark.parametrize(
    "name", ["misspelt_key", "misspelt_section", "misspelt_value", "missing", "numbers_out_of_range", "a_list"]
)
def test_the_schema_refuses_what_is_wrong_by_itself(name: str) -> None:
    validator = jsonschema.Draft202012Validator(json_schema())
    document = yaml.safe_load((CASES / "bad" / f"{name}.yaml").read_text(encoding="utf-8"))
    assert not validator.is_valid(document)


def test_the_schema_is_up_to_date() -> None:
    assert PATH.read_text(encoding="utf-8") == schema_text(), "run `python -m stacks.settings`"


def test_every_setting_is_described() -> None:
    definitions = json_schema()["$defs"]
    for name, definition in [*definitions.items(), ("config", json_schema()["properties"]["config"])]:
        for key, schema in definition["properties"].items():
            # Where a group of settings is described in the same words, pydantic leaves them to the definition.
            described = {**definitions.get(schema.get("$ref", "").removeprefix("#/$defs/"), {}), **schema}
            assert described.get("description"), f"{name}.{key}"


@pytest.mark.parametrize("environment", environments())
def test_every_environment_loads_and_fits_the_schema(environment: str) -> None:
    path = DIRECTORY / f"Pulumi.{environment}.yaml"
    assert load(environment).environment.stage == environment
    text = path.read_text(encoding="utf-8")
    assert text.startswith("# yaml-language-server: $schema=settings.schema.json\n")
    jsonschema.Draft202012Validator(json_schema()).validate(yaml.safe_load(text))


@pytest.mark.parametrize("environment", environments())
def test_the_program_reads_what_the_command_line_reads(environment: str) -> None:
    config = _as_an_engine_hands_it_over(_config(DIRECTORY / f"Pulumi.{environment}.yaml"))
    assert from_config(config, (), "test") == load(environment)


def test_files_hold_only_what_differs() -> None:
    for environment in environments():
        smallest = load_file(CASES / "good" / "smallest.yaml").model_dump()
        given = load(environment).model_dump(exclude_unset=True)
        for section in ("identity", "logs", "network", "cluster", "storage", "registry", "cost"):
            for key, value in given.get(section, {}).items():
                assert value != smallest[section][key], f"{environment}: {section}.{key} is the default"


def test_an_unknown_environment_names_those_there_are() -> None:
    with pytest.raises(
        UnknownEnvironment, match=r"no environment 'prdo'; there are: dev, prod, .*did you mean 'prod'\?"
    ):
        load("prdo")


def test_a_name_cannot_lead_out_of_the_folder() -> None:
    with pytest.raises(UnknownEnvironment):
        load("../stacks/Pulumi.dev")


def test_a_folder_without_environments_says_what_to_add(tmp_path: Path) -> None:
    with pytest.raises(UnknownEnvironment, match=r"none: add stacks/Pulumi\.<environment>\.yaml"):
        load("dev", tmp_path)


def test_the_configuration_of_a_program_is_explained_like_a_file() -> None:
    config = _as_an_engine_hands_it_over(_config(CASES / "bad" / "misspelt_key.yaml"))
    with pytest.raises(SettingsError) as caught:
        from_config(config, (), "configuration of stack dev")
    assert "configuration of stack dev: 2 problems" in str(caught.value)
    assert "did you mean 'availability_zones'?" in str(caught.value)


def test_a_secret_is_taken_encrypted_and_never_shown() -> None:
    config = _config(CASES / "good" / "everything_set.yaml")
    config["bedplate:registry"]["pull_through"][0]["access_token"] = "dckr_pat_hunter2"
    texts = _as_an_engine_hands_it_over(config)
    settings = from_config(texts, ["bedplate:registry"], "test")
    token = settings.registry.pull_through[0].access_token
    assert token is not None
    assert token.get_secret_value() == "dckr_pat_hunter2"
    assert "hunter2" not in repr(settings)
    assert "hunter2" not in settings.model_dump_json()
    with pytest.raises(SettingsError, match="must be stored encrypted") as caught:
        from_config(texts, (), "test")
    assert "hunter2" not in str(caught.value)


def test_a_wrong_value_beside_a_secret_is_not_shown_either() -> None:
    registry = json.dumps({"keep_tagged": "hunter2"})
    config = {**_as_an_engine_hands_it_over(_config(CASES / "good" / "smallest.yaml")), "bedplate:registry": registry}
    with pytest.raises(SettingsError) as caught:
        from_config(config, ["bedplate:registry"], "test")
    assert "registry.keep_tagged" in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_settings_and_components_know_the_same_kinds() -> None:
    assert {kind.value for kind in BucketKind} <= set(StorageSettings.model_fields)
    upstreams = json_schema()["$defs"]["PullThroughSettings"]["properties"]["upstream"]["enum"]
    assert set(upstreams) == set(UPSTREAMS)
