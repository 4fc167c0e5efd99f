"""Project files in their odd but valid forms, and what the others are told. What Pulumi 3.260 gives was looked at."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from engine.project import Project, ProjectError
from engine.stack_config import StackConfig
from engine.state.secrets import Keyring
from engine.values import Secret


def project(folder: Path, text: str, **stacks: str) -> Project:
    (folder / "Pulumi.yaml").write_text(text)
    for name, content in stacks.items():
        path = folder / f"Pulumi.{name}.yaml"
        path.write_text(content)
    return Project.load(folder)


def config_of(made: Project, stack: str = "dev") -> StackConfig:
    return made.config(stack, Keyring(stack), may_stay_sealed=True)


HEAD = "name: odd\nruntime: python\n"


@pytest.mark.parametrize(
    ("written", "text"),
    [
        ("1.30", "1.3"),
        ('"1.30"', "1.30"),
        ("yes", "yes"),
        ("Off", "Off"),
        ("y", "y"),
        ("True", "true"),
        ("12:30", "12:30"),
        ("22:22:22", "22:22:22"),
        ("0o12", "10"),
        ("012", "10"),
        ("089", "89"),
        ("0x10", "16"),
        ("-0x10", "-16"),
        ("1_000", "1000"),
        ("1e3", "1000"),
        ("1e21", "1e+21"),
        ("-1.0", "-1"),
        ("0.1", "0.1"),
        ("~", ""),
        ("2020-01-01", "2020-01-01 00:00:00 +0000 UTC"),
        ("2020-01-01T10:00:00Z", "2020-01-01 10:00:00 +0000 UTC"),
        ("2020-01-01T10:00:00.5-05:00", "2020-01-01 10:00:00.5 -0500 -0500"),
        ("{b: 1, a: '<é>', c: 1e3, d: 12:30}", '{"a":"\\u003cé\\u003e","b":1,"c":1000,"d":"12:30"}'),
        ("[~, null, 1.0, yes]", '[null,null,1,"yes"]'),
    ],
)
def test_a_value_becomes_the_text_that_pulumi_gives(tmp_path: Path, written: str, text: str) -> None:
    made = project(tmp_path, HEAD, dev=f"config:\n  odd:key: {written}\n")
    assert config_of(made).texts == {"odd:key": text}


def test_values_of_the_project_stand_behind_those_of_the_stack_whether_or_not_a_key_has_its_namespace(
    tmp_path: Path,
) -> None:
    declared = (
        "config:\n  size: {type: string, default: small}\n  word: {value: hush-hush, secret: true}\n"
        "  aws:region: {value: eu-west-1}\n  plain: 1\n  needed: {type: string}\n"
    )
    made = project(tmp_path, HEAD + declared, dev="config: {odd:size: large, 7: seven}\n")
    config = config_of(made)
    assert config.texts == {
        "odd:size": "large", "odd:word": "hush-hush", "aws:region": "eu-west-1", "odd:plain": "1", "odd:7": "seven",
    }  # fmt: skip
    assert config.secret_keys == ("odd:word",)
    assert config.values["odd:word"] == Secret("hush-hush")


def test_where_stack_files_lie_was_once_said_by_config(tmp_path: Path) -> None:
    (tmp_path / "here").mkdir()
    (tmp_path / "here" / "Pulumi.dev.yml").write_text("config: {odd:x: a}\n")
    assert config_of(project(tmp_path, HEAD + "config: here\n")).texts == {"odd:x": "a"}
    assert config_of(project(tmp_path, HEAD + "stackConfigDir: ./here/\n")).texts == {"odd:x": "a"}


def test_the_programs_python(tmp_path: Path) -> None:
    python = tmp_path / ".venv" / "bin" / "python"
    options = "name: odd\nruntime: {name: python, options: {%s}}\n"
    assert project(tmp_path, options % "toolchain: uv").python == Path(sys.executable)
    python.parent.mkdir(parents=True)
    python.touch()
    for given in ("toolchain: uv", "toolchain: poetry", "virtualenv: .venv", f"virtualenv: {tmp_path}/.venv"):
        assert project(tmp_path, options % given).python == python
    assert project(tmp_path, HEAD).python == Path(sys.executable)


def test_an_activated_environment_with_the_sdk_runs_a_program_that_names_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    active = tmp_path / "active"
    monkeypatch.setenv("VIRTUAL_ENV", str(active))
    assert project(tmp_path, HEAD).python == Path(sys.executable)
    (active / "bin").mkdir(parents=True)
    (active / "bin" / "python").touch()
    assert project(tmp_path, HEAD).python == Path(sys.executable)  # no Pulumi in it: activated for something else
    (active / "lib" / "python3.12" / "site-packages" / "pulumi").mkdir(parents=True)
    assert project(tmp_path, HEAD).python == active / "bin" / "python"
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    (tmp_path / ".venv" / "bin" / "python").touch()
    named = "name: odd\nruntime: {name: python, options: {virtualenv: .venv}}\n"
    assert project(tmp_path, named).python == tmp_path / ".venv" / "bin" / "python"


def test_a_main_that_is_a_folder_or_a_file(tmp_path: Path) -> None:
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "infra.py").touch()
    made = project(tmp_path, HEAD + "main: ./app/\n")
    assert (made.folder, made.entry) == (tmp_path / "app", ".")
    made = project(tmp_path, HEAD + "main: app/infra.py\n")
    assert (made.folder, made.entry) == (tmp_path / "app", "infra.py")


def test_a_project_is_found_from_below(tmp_path: Path) -> None:
    (tmp_path / "deep" / "er").mkdir(parents=True)
    (tmp_path / "Pulumi.yml").write_text(HEAD)
    assert Project.load(tmp_path / "deep" / "er").root == tmp_path


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("runtime: python\n", "'name' is missing"),
        ("name: 7\nruntime: python\n", "'name' is 7, not text"),
        ("name: odd\n", "'runtime' is missing"),
        ("name: odd\nruntime: nodejs\n", "runtime is 'nodejs'"),
        ("name: odd\nruntime: {name: python, options: venv}\n", "'runtime.options' has to be a mapping"),
        (HEAD + "config: [a]\n", "'config' has to be a mapping"),
        (HEAD + "main: nowhere\n", "'main' names 'nowhere'"),
        ("- name\n", "expected a mapping"),
        ("name: [\n", "is not valid YAML"),
        ("name: !!python/object:os.system x\n", "is not valid YAML"),
    ],
)
def test_a_project_file_that_is_wrong_says_where(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(ProjectError, match=r"Pulumi\.yaml") as failed:
        project(tmp_path, text)
    assert said in str(failed.value)


def test_a_stack_file_that_is_wrong_says_where(tmp_path: Path) -> None:
    for text, said in (("config: [a]\n", "'config' has to be a mapping"), ("a: 1: 2\n", "is not valid YAML")):
        with pytest.raises(ProjectError, match=r"Pulumi\.dev\.yaml") as failed:
            config_of(project(tmp_path, HEAD, dev=text))
        assert said in str(failed.value)


def test_a_secret_that_another_service_sealed_is_unknown_in_a_preview_and_refused_otherwise(tmp_path: Path) -> None:
    made = project(tmp_path, HEAD, dev="secretsprovider: awskms://x\nconfig: {odd:word: {secure: AQID}}\n")
    for passphrase in (None, "a passphrase"):
        assert made.config("dev", Keyring("dev", passphrase), may_stay_sealed=True).sealed == ("odd:word",)
    with pytest.raises(ProjectError, match=r"odd:word is encrypted, but the file has no 'encryptionsalt'"):
        made.config("dev", Keyring("dev", "a passphrase"), may_stay_sealed=False)
