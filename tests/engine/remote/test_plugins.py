"""Plugin executables: found where the Pulumi CLI finds them, heard, and ended with the engine."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from engine.events import Diagnostic, Severity
from engine.packages import Plugin
from engine.project import Project
from engine.provider_registry import Wanted
from engine.providers.base import ProviderError
from engine.providers.remote import finding
from engine.run import Options, Result
from engine.session import Session
from engine.values import Secret
from tests.engine.lifecycle.harness import Engine, Out, Resource
from tests.engine.remote.serving import REPOSITORY, install_toy, plugins

FAILED = Result.RESOURCE_FAILED


def toy(name: str, **given: Any) -> Resource:
    return Resource(name, {"name": name, **given}, "toy:index:File")


@pytest.fixture
def made(tmp_path: Path) -> Path:
    folder = tmp_path / "made"
    folder.mkdir()
    return folder


@pytest.fixture
def environment(tmp_path: Path, made: Path) -> dict[str, str]:
    install_toy(tmp_path / "bin")
    return {"PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}", "TOY_FOLDER": str(made), "HOME": str(tmp_path)}


Use = Callable[..., Engine]


@pytest.fixture
def use(tmp_path: Path, environment: dict[str, str]) -> Iterator[Use]:
    """Gives an engine that finds plugins, told more variables and limits."""
    there: list[Any] = []

    def make(start_seconds: float = 60, **variables: str) -> Engine:
        there.append(plugins(tmp_path, environment | variables, start_seconds=start_seconds))
        return Engine(tmp_path, elsewhere=there[-1])

    yield make
    for one in there:
        one.close()


def things(made: Path) -> list[str]:
    return sorted(path.name for path in made.iterdir() if not path.name.startswith("process-"))


def processes(made: Path) -> list[int]:
    return [int(path.name.removeprefix("process-")) for path in made.glob("process-*")]


def running(made: Path) -> list[int]:
    return [number for number in processes(made) if Path(f"/proc/{number}").exists() or _lives(number)]


def _lives(number: int) -> bool:
    try:
        os.kill(number, 0)
    except ProcessLookupError:
        return False
    return True


def until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < end, "it never came to that"
        time.sleep(0.02)


def test_a_plugin_on_the_path_makes_changes_and_deletes(use: Use, made: Path) -> None:
    engine = use()
    declared = [toy("a", text="one", word=Secret("hunter2")), toy("b", of=Out("a", "path"))]
    first = engine.up(*declared)
    assert things(made) == ["a", "b"]
    assert first.state("a").outputs["word"] == Secret("hunter2")
    assert first.warnings == ["made a", "made b"], "what it logs is said of its resource"
    assert len(processes(made)) == 1, "what the preview had configured serves the apply"
    engine = use()
    changed = engine.up(toy("a", text="two", word=Secret("hunter2")), toy("c"))
    assert changed.operations == ["~ a", "+ c", "- b"]
    assert len(processes(made)) == 2
    engine.refresh()
    engine.destroy()
    assert things(made) == []


def test_each_provider_resource_has_a_process_of_its_own(use: Use, made: Path) -> None:
    first = Resource("p", {"prefix": "x-"}, "pulumi:providers:toy")
    report = use().up(first, Resource("a", {"name": "a"}, "toy:index:File", provider="p"), toy("b"))
    assert things(made) == ["b", "x-a"]
    assert report.state("a").id == "x-a"
    assert len(processes(made)) == 2


def test_a_plugin_that_dies_leaves_its_operation_pending_and_the_next_run_finds_out(use: Use, made: Path) -> None:
    engine = use()
    engine.up(toy("a", text="one"))
    died = engine.up(toy("a", text="two", does="die"), toy("b"), expect=FAILED)
    (error,) = [one for one in died.errors if "update" in one]
    assert "was gone before it had answered update" in error
    assert "it exited with code 3" in error and "I can't go on" in error
    assert [one.resource.id for one in died.snapshot.pending_operations] == ["a"]
    again = engine.up(toy("a", text="two"), toy("b"))
    assert again.snapshot.pending_operations == ()
    assert (again.state("a").outputs["text"], things(made)) == ("two", ["a", "b"])


def test_what_it_was_creating_when_it_died_is_told_by_name(use: Use, made: Path) -> None:
    engine = use()
    died = engine.up(toy("a", does="die"), expect=FAILED)
    assert [one.resource.urn for one in died.snapshot.pending_operations] == ["urn:pulumi:dev::shop::toy:index:File::a"]
    again = engine.up(toy("a"))
    assert again.names == ["a"]


@pytest.mark.parametrize(
    ("start", "said"),
    [
        ("exit", r"could not start: it exited with code 7\n  there is no toy today"),
        ("words", r"printed 'Welcome to the toy provider' where the number of its port was expected"),
        ("silence", r"printed no port within 0.5 s and was ended"),
    ],
)
def test_one_that_does_not_start_says_why(use: Use, start: str, said: str) -> None:
    report = use(0.5 if start == "silence" else 60, TOY_START=start).preview(toy("a"))
    assert re.search(said, report.errors[0]), report.errors


def test_a_version_that_is_older_than_what_was_asked_for_is_told(use: Use, tmp_path: Path) -> None:
    versioned = Resource("a", {"name": "a"}, "toy:index:File", options={"plugin": Plugin("1.2.0")})
    report = use(TOY_VERSION="1.1.9").preview(versioned)
    assert "is version 1.1.9, and the program asks for 1.2.0" in report.warnings[0]


def test_a_plugin_finds_a_variable_under_the_name_that_its_provider_maps_it_to(use: Use) -> None:
    named = {"version": "1.2.0", "__internal": {"envVarMappings": {"OURS": "TOY_VERSION", "NOT_SET": "TOY_VERSION"}}}
    mapped = Resource("p", named, "pulumi:providers:toy")
    report = use(OURS="1.1.8", TOY_VERSION="9").preview(mapped, Resource("a", {}, "toy:index:File", provider="p"))
    assert "is version 1.1.8, and the program asks for 1.2.0" in report.warnings[0]


def test_without_a_plugin_a_type_is_previewed_as_it_is_given(use: Use) -> None:
    report = use(PATH="/usr/bin:/bin").preview(toy("a", text="one"))
    assert (report.operations, report.plan.unknown_types) == (["+ a"], ("toy:index:File",))


# Where they are found


def found(environment: dict[str, str], version: str = "", named: tuple[finding.Plugin, ...] = ()) -> Path | None:
    return finding.executable(Wanted("toy", version=version), environment, named)


def test_in_the_plugin_folder_the_version_that_is_asked_for_is_taken_else_the_newest(tmp_path: Path) -> None:
    folder = tmp_path / "home" / "plugins"
    for version in ("1.2.0", "1.10.0", "1.9.3", "2.0.0-alpha.1"):
        install_toy(folder / f"resource-toy-v{version}")
    install_toy(folder / "resource-toy-v3.0.0")
    (folder / "resource-toy-v3.0.0.partial").touch()
    (folder / "analyzer-toy-v9.0.0").mkdir()
    environment = {"PULUMI_HOME": str(tmp_path / "home"), "PATH": "/bin"}
    assert found(environment) == folder / "resource-toy-v1.10.0" / "pulumi-resource-toy"
    assert found(environment, "v1.9.3") == folder / "resource-toy-v1.9.3" / "pulumi-resource-toy"
    assert found(environment, "2.0.0-alpha.1") == folder / "resource-toy-v2.0.0-alpha.1" / "pulumi-resource-toy"
    assert found(environment, "1.9.4") is None
    advice = finding.how_to_get("toy", "1.9.4", environment)
    assert "`pulumi plugin install resource toy v1.9.4`" in advice
    assert advice.endswith("not asked for: 1.2.0, 1.9.3, 1.10.0, 2.0.0-alpha.1")


def test_the_path_goes_before_the_plugin_folder_unless_that_is_forbidden(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    installed = install_toy(tmp_path / ".pulumi" / "plugins" / "resource-toy-v1.0.0")
    assert found(environment, "1.0.0") == tmp_path / "bin" / "pulumi-resource-toy"
    assert found(environment | {"PULUMI_IGNORE_AMBIENT_PLUGINS": "true"}, "1.0.0") == installed


def test_what_the_project_names_goes_before_all(tmp_path: Path, environment: dict[str, str]) -> None:
    own = install_toy(tmp_path / "own")
    text = "name: shop\nruntime: python\nplugins:\n  providers:\n    - {name: toy, path: own, version: 1.0.0}\n"
    (tmp_path / "Pulumi.yaml").write_text(text)
    named = tuple(Project.load(tmp_path).plugins)
    assert found(environment, "1.0.0", named) == own
    assert found(environment, "2.0.0", named) == tmp_path / "bin" / "pulumi-resource-toy"


def test_a_plugin_that_is_a_program_of_another_language_is_refused_with_a_way_out(tmp_path: Path) -> None:
    folder = tmp_path / "plugins" / "resource-toy-v1.0.0"
    folder.mkdir(parents=True)
    (folder / "PulumiPlugin.yaml").write_text("runtime: nodejs\n")
    with pytest.raises(ProviderError, match="the embedded engine runs executables only; use the Pulumi CLI"):
        found({"PULUMI_HOME": str(tmp_path), "PATH": "/bin"})


# Their end

PROGRAM = """\
import asyncio, sys
from pathlib import Path
sys.path.insert(0, {repository!r})
from engine.project import Project
from engine.run import Options
from engine.session import Session

session = Session.open(Project.load(Path(".")), "dev", {{}})
outcome = asyncio.run(session.up(lambda event: None, Options(), lambda preview: True))
print(outcome.result)
"""


def project(folder: Path, inputs: str) -> None:
    (folder / "Pulumi.yaml").write_text("name: shop\nruntime: python\n")
    (folder / "__main__.py").write_text(
        f'import pulumi\npulumi.CustomResource("toy:index:File", "a", {{"name": "a", **{inputs}}})\n'
    )


def test_a_plugin_ends_with_an_engine_that_is_killed(tmp_path: Path, environment: dict[str, str], made: Path) -> None:
    project(tmp_path, '{"does": "hang"}')
    engine = subprocess.Popen(
        [sys.executable, "-c", PROGRAM.format(repository=str(REPOSITORY))], cwd=tmp_path, env=environment
    )
    until(lambda: (made / "a").exists())
    assert running(made)
    engine.send_signal(signal.SIGKILL)
    engine.wait()
    until(lambda: not running(made))


def test_a_session_ends_its_plugins(tmp_path: Path, environment: dict[str, str], made: Path) -> None:
    import asyncio

    project(tmp_path, "{}")
    said: list[Diagnostic] = []
    session = Session.open(Project.load(tmp_path), "dev", {}, environment=environment)
    work = session.up(
        lambda event: said.append(event) if isinstance(event, Diagnostic) else None, Options(), lambda _preview: True
    )
    assert asyncio.run(work).result is Result.SUCCEEDED
    assert [one.message for one in said if one.severity is Severity.WARNING] == ["made a"]
    assert things(made) == ["a"]
    assert not running(made)


def test_what_up_refuses_it_says_how_to_get(tmp_path: Path) -> None:
    import asyncio

    project(tmp_path, "{}")
    said: list[str] = []
    bare = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path)}
    session = Session.open(Project.load(tmp_path), "dev", {}, environment=bare)
    work = session.up(
        lambda event: said.append(event.message) if isinstance(event, Diagnostic) else None,
        Options(), lambda _preview: True,
    )  # fmt: skip
    assert asyncio.run(work).result is Result.UNSUPPORTED
    assert "can preview but not create toy:index:File" in said[-1]
    assert "toy: `pulumi plugin install resource toy` installs its plugin" in said[-1]


def test_the_plugin_that_serves_a_package_by_parameters_is_named_where_it_is_not_there(tmp_path: Path) -> None:
    import asyncio

    project(tmp_path, "{}")
    register = 'register_package("terraform-provider", "1.0.0", "", "random", "3.7.2", "e30=")'
    (tmp_path / "__main__.py").write_text(
        "import pulumi\nfrom pulumi.runtime.settings import register_package\n"
        f"pulumi.CustomResource('random:index:Pet', 'a', {{}}, None, False, {register})\n"
    )
    said: list[str] = []
    session = Session.open(Project.load(tmp_path), "dev", {}, environment={"HOME": str(tmp_path), "PATH": "/bin"})
    up = session.up(lambda event: said.append(str(event)), Options(), lambda _preview: True)
    assert asyncio.run(up).result is Result.UNSUPPORTED
    assert any("random: `pulumi plugin install resource terraform-provider v1.0.0`" in one for one in said), said


def test_ctrl_c_ends_an_engine_whose_plugin_hangs(tmp_path: Path, environment: dict[str, str], made: Path) -> None:
    project(tmp_path, '{"does": "hang"}')
    bedplate = Path(sys.executable).parent / "bedplate"
    engine = subprocess.Popen(
        [bedplate, "up", "dev", "--yes", "--engine", "embedded"], cwd=tmp_path, env=environment, text=True,
        stderr=subprocess.PIPE, stdout=subprocess.DEVNULL,
    )  # fmt: skip
    assert engine.stderr is not None
    until(lambda: (made / "a").exists())
    engine.send_signal(signal.SIGINT)
    said = ""
    while "cancelling" not in said:
        said = engine.stderr.readline()
        assert said, "it has ended without a word"
    assert engine.poll() is None, "what is in progress is waited for"
    engine.send_signal(signal.SIGINT)
    assert engine.wait(30) == 8
    engine.stderr.close()
    until(lambda: not running(made))
    session = Session.open(Project.load(tmp_path), "dev", {}, environment=environment)
    assert [one.resource.urn for one in session.snapshot().pending_operations] == [
        "urn:pulumi:dev::shop::toy:index:File::a"
    ]
