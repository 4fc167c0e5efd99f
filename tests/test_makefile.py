"""What `make test` and CI run, with programs in place of those that take minutes: each says that it was called."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY

CHECKS = ["uv run --no-sync ruff format --check", "uv run --no-sync ruff check", "uv run --no-sync basedpyright",
          "uv run --no-sync lint-imports"]  # fmt: skip
TESTS = "uv run --no-sync pytest -n 3 --dist worksteal"


@dataclass(frozen=True)
class Checkout:
    """A checkout whose virtual environment is in step; ``called`` has a line for each program that was started."""

    folder: Path

    def program(self, path: str, *, exits: int = 0) -> None:
        target = self.folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(
            f'#!/bin/sh\necho "{target.name} $*" | sed "s/ *$//" >>"{self.folder}/called"\nexit {exits}\n'
        )
        target.chmod(0o755)

    def run(self, *command: str, **variables: str) -> subprocess.CompletedProcess[str]:
        environment = {"PATH": f"{self.folder / 'bin'}:{self.folder / 'system'}", **variables}
        return subprocess.run(
            command, cwd=self.folder, env=environment, capture_output=True, text=True, timeout=60, check=False
        )

    @property
    def called(self) -> list[str]:
        return (self.folder / "called").read_text().splitlines()


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    made = Checkout(tmp_path)
    shutil.copy(REPOSITORY / "Makefile", tmp_path)
    shutil.copytree(REPOSITORY / ".ci", tmp_path / ".ci")
    for name in ("pyproject.toml", "uv.lock", ".venv/.synced"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "system").mkdir()  # what there is on every machine, but no Go and no uv
    for name in ("sh", "env", "bash", "sed", "make", "dirname", "touch", "mkdir", "awk", "cat", "printf"):
        found = shutil.which(name)
        assert found, f"there is no {name}"
        (tmp_path / "system" / name).symlink_to(found)
    for path in ("bin/uv", "bin/go", "bin/python3", ".venv/bin/bedplate", ".ci/browser"):
        made.program(path)
    return made


def test_everything_that_ci_runs_is_run_by_make_test(checkout: Checkout) -> None:
    done = checkout.run("make", "test")
    assert done.returncode == 0, done.stderr
    assert checkout.called == [*CHECKS, "bedplate sandbox build", "python3 tools/debian.py", TESTS]


def test_ci_gets_a_browser_and_otherwise_runs_the_same_each_once_and_the_tests_last(checkout: Checkout) -> None:
    done = checkout.run(".ci/run", CI="true")
    assert done.returncode == 0, done.stderr
    *before, last = checkout.called
    assert sorted(before) == sorted([*CHECKS, "bedplate sandbox build", "python3 tools/debian.py", "browser"])
    assert last == TESTS


def test_without_go_it_is_said_and_the_tests_run(checkout: Checkout) -> None:
    (checkout.folder / "bin" / "go").unlink()
    done = checkout.run("make", "test")
    assert (done.returncode, "Go is not installed: what needs the real" in done.stdout) == (0, True)
    assert "bedplate sandbox build" not in checkout.called
    assert checkout.called[-1] == TESTS


@pytest.mark.parametrize("broken", [".venv/bin/bedplate", "bin/python3"])
def test_what_can_not_be_had_is_left_out_but_not_in_ci(checkout: Checkout, broken: str) -> None:
    checkout.program(broken, exits=1)
    assert checkout.run("make", "test").returncode == 0
    assert checkout.called[-1] == TESTS
    (checkout.folder / "called").unlink()
    assert checkout.run(".ci/run", CI="true").returncode != 0
    assert TESTS not in checkout.called


def test_a_check_that_fails_stops_the_tests(checkout: Checkout) -> None:
    checkout.program("bin/uv", exits=1)
    assert checkout.run("make", "test").returncode != 0
    assert checkout.called == CHECKS[:1]


def test_the_quick_tests_are_all_that_are_not_slow(checkout: Checkout) -> None:
    assert checkout.run("make", "quick").returncode == 0
    assert checkout.called == [f"{TESTS} -m not slow"]


def test_the_platform_comes_up_with_its_sandbox(checkout: Checkout) -> None:
    assert checkout.run("make", "up").returncode == 0
    assert checkout.called == ["bedplate sandbox up sandbox"]


def test_what_there_is_is_told_of_each_target_that_is_for_people(checkout: Checkout) -> None:
    told = checkout.run("make").stdout
    described = [line.split(":")[0] for line in (REPOSITORY / "Makefile").read_text().splitlines() if ": ## " in line]
    assert {"up", "test", "quick"} <= {line.split()[1] for line in told.splitlines()}
    assert all(f"make {name}" in told for name in described)
