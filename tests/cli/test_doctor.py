"""doctor and setup, on machines that have this and lack that."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.error import URLError

import pytest

from cli.doctor import engines
from cli.doctor.check import Check
from cli.doctor.examination import examined, is_fit
from engine.pulumi_cli import tools
from tests.cli.standing import Standing

VERSION = 'case "$1" in version) echo v3.260.0 ;; whoami) echo somebody ;; plugin) %s ;; esac\n'


def executable(path: Path, body: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{body}")
    path.chmod(0o755)
    return path


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Standing:
    """A project on a machine with nothing on PATH but what a test puts into ``bin``."""
    place = tmp_path / "project"
    place.mkdir()
    home = tmp_path / "home"
    (tmp_path / "bin").mkdir()
    home.mkdir()
    for name in ("KUBECONFIG", "PULUMI_BACKEND_URL", "PULUMI_ACCESS_TOKEN", "PULUMI_CONFIG_PASSPHRASE", "AWS_PROFILE",
                 "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "PULUMI_DEBUG_PROVIDERS", "PULUMI_HOME"):  # fmt: skip
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")
    monkeypatch.setattr("cli.doctor.surroundings._TOOLS", ())  # whatever the machine of the tests has
    return Standing(place)


def found(place: Standing) -> dict[str, Check]:
    return {check.name: check for check in examined(place.folder, online=False)}


def test_a_bare_machine_is_fit_and_told_what_it_lacks(machine: Standing) -> None:
    text = machine.run("doctor").expect(0, "Bedplate works here", "not on PATH", "`bedplate setup`").out
    assert max(map(len, text.splitlines())) <= 80
    document = machine.run("doctor", "--output", "json").expect(0).json()
    checks = {one["name"]: one for one in document["checks"]}
    assert (document["version"], document["exitCode"]) == (1, 0)
    assert checks["pulumi"]["state"] in ("ok", "missing")
    assert checks["AWS"] | {"detail": ""} == {
        "group": "Credentials", "name": "AWS", "state": "missing", "detail": "", "essential": False,
        "neededFor": "--engine pulumi, `cost --actual` and `--fetch-prices`",
        "howToGet": "`aws configure`, or `aws configure sso`",
    }  # fmt: skip
    assert checks["kubeconfig"]["state"] == "missing"
    assert checks["passphrase"]["detail"] == "by PULUMI_CONFIG_PASSPHRASE"


def test_what_is_there_is_told_with_its_version(machine: Standing, tmp_path: Path) -> None:
    executable(tmp_path / "bin" / "pulumi", VERSION % "true")
    executable(tmp_path / "bin" / "pulumi-language-python", "")
    (tmp_path / "home" / ".pulumi" / "plugins" / "resource-random-v4.16.0").mkdir(parents=True)
    (tmp_path / "home" / ".kube").mkdir()
    (tmp_path / "home" / ".kube" / "config").write_text("current-context: here\n")
    (tmp_path / "home" / ".aws").mkdir()
    (tmp_path / "home" / ".aws" / "credentials").write_text(
        "[default]\naws_access_key_id = AKIAEXAMPLE\naws_secret_access_key = verysecretkey\n"
    )
    text = machine.run("doctor", PULUMI_BACKEND_URL="file:///state").expect(0).out
    for detail in ("v3.260.0", "random 4.16.0", "context here", "the default profile", "file:///state (not asked"):
        assert detail in " ".join(text.split()), detail
    assert "verysecretkey" not in text and "AKIAEXAMPLE" not in text


def test_a_project_that_cannot_be_used_is_not_taken_for_none(machine: Standing) -> None:
    (machine.folder / "Pulumi.yaml").write_text("name: [")
    check = found(machine)["project"]
    assert check.state == "broken"
    assert "Pulumi.yaml" in check.detail and "no Pulumi.yaml" not in check.detail


def test_what_is_there_and_broken_is_told_and_changes_no_exit_code(machine: Standing, tmp_path: Path) -> None:
    executable(tmp_path / "bin" / "pulumi", "echo out of order >&2; exit 3\n")
    (tmp_path / "kubeconfig").write_text("{: ")
    broken = {"KUBECONFIG": str(tmp_path / "kubeconfig"), "PULUMI_DEBUG_PROVIDERS": "random:1"}
    text = " ".join(machine.run("doctor", **broken).expect(0).out.split())
    for detail in ("out of order", "nobody listens at port 1", "kubeconfig:"):
        assert detail in text, detail


def test_without_what_bedplate_itself_needs_the_exit_code_says_so(
    machine: Standing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engines, "_PACKAGES", ("pulumi", "no-such-package"))
    machine.run("doctor").expect(1, "Bedplate does not work here: no-such-package")


def test_an_examination_that_breaks_spoils_no_other(machine: Standing, monkeypatch: pytest.MonkeyPatch) -> None:
    def odd(_place: Any) -> Any:
        raise ZeroDivisionError("odd")

    monkeypatch.setattr("cli.doctor.examination._LOOKS", (odd, engines.ours))
    checks = examined(machine.folder, online=False)
    assert checks[0].detail == "ZeroDivisionError: odd"
    assert is_fit(checks)


def test_outside_of_a_project_the_machine_is_looked_at(machine: Standing, tmp_path: Path) -> None:
    checks = {check.name: check for check in examined(tmp_path / "bin", online=False)}
    assert checks["project"].detail == "no Pulumi.yaml here or above"


# setup


def download(monkeypatch: pytest.MonkeyPatch, fetch: Any) -> None:
    monkeypatch.setattr("pulumi.automation._cmd._download_to_file", fetch)


def left(place: Standing) -> list[str]:
    folder = place.folder / ".bedplate" / "tools"
    return [path.name for path in folder.iterdir()] if folder.is_dir() else []


def test_setup_without_a_network_names_the_url_and_leaves_nothing(
    machine: Standing, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fetch(_url: str, _path: str) -> None:
        raise URLError("[Errno -2] Name or service not known")

    download(monkeypatch, fetch)
    said = machine.run("setup").expect(
        1, "https://get.pulumi.com/install.sh could not be fetched", "nothing was installed"
    )
    assert "Traceback" not in said.err
    assert left(machine) == []


def test_setup_whose_script_fails_tells_what_it_said_and_leaves_nothing(
    machine: Standing, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fetch(_url: str, path: str) -> None:
        Path(path).write_text('#!/bin/sh\nmkdir -p "$3/bin"\necho "error: no https://github.com/pulumi"\nexit 1\n')

    download(monkeypatch, fetch)
    machine.run("setup").expect(1, "error: no https://github.com/pulumi")
    assert left(machine) == []


def test_setup_puts_the_cli_where_it_is_found_afterwards_and_fetches_plugins(
    machine: Standing, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from importlib import metadata

    version = metadata.version("pulumi")

    def fetch(_url: str, path: str) -> None:
        cli = f'case "$1" in version) echo v{version} ;; plugin) echo "$@" >> {tmp_path}/plugins ;; esac'
        body = f'mkdir -p "$3/bin"\ncat > "$3/bin/pulumi" <<\'END\'\n#!/bin/sh\n{cli}\nEND\nchmod 755 "$3/bin/pulumi"\n'
        Path(path).write_text(f"#!/bin/sh\n{body}")

    download(monkeypatch, fetch)
    done = machine.run("setup", "--output", "json").expect(0).json()
    assert done["installed"] == [
        "pulumi",
        *(f"{one} {metadata.version(f'pulumi-{one}')}" for one in ("aws", "kubernetes")),
    ]
    assert left(machine) == ["pulumi"]
    assert tools.pulumi_command(machine.folder) == str(machine.folder / tools.FOLDER / "bin" / "pulumi")
    assert found(machine)["pulumi"].detail.startswith(f"v{version}")
    asked = (tmp_path / "plugins").read_text().splitlines()
    assert asked[0] == f"plugin install resource aws {metadata.version('pulumi-aws')}"


def test_a_plugin_that_cannot_be_had_is_named_with_what_to_do(machine: Standing, tmp_path: Path) -> None:
    refused = 'echo "error: 403 from https://api.github.com/repos/pulumi" >&2; exit 255'
    executable(tmp_path / "bin" / "pulumi", VERSION % refused)
    machine.run("setup").expect(
        1, "the plugin aws", "403 from https://api.github.com", f"into {tmp_path / 'home' / '.pulumi' / 'plugins'}"
    )


def test_setup_where_all_is_there_changes_nothing(
    machine: Standing, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    executable(tmp_path / "bin" / "pulumi", VERSION % "exit 1")

    def nothing(_project: object) -> tuple[()]:
        return ()

    monkeypatch.setattr("engine.pulumi_cli.reach.required", nothing)
    machine.run("setup").expect(0, "everything is there already")
    assert left(machine) == []


def test_the_users_own_cli_goes_before_ours(machine: Standing, tmp_path: Path) -> None:
    executable(machine.folder / tools.FOLDER / "bin" / "pulumi", "")
    assert tools.pulumi_command(machine.folder) == str(machine.folder / tools.FOLDER / "bin" / "pulumi")
    own = executable(tmp_path / "bin" / "pulumi", "")
    assert tools.pulumi_command(machine.folder) == str(own)
