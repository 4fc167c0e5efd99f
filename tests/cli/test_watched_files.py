"""Which files `watch` sees change, when it says so, and what it learns to pass over."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from cli.watched_files import Watched, changed, look

Step = Callable[[], object]


class Clock:
    """Time that passes only in steps: at each sleep the next of ``steps`` is done."""

    def __init__(self, *steps: Step) -> None:
        self._steps = list(steps)
        self.slept = 0

    def sleep(self, _seconds: float) -> None:
        self.slept += 1
        assert self.slept < 100, "nothing is ever seen"
        if self._steps:
            self._steps.pop(0)()


def write(path: Path, text: str) -> Step:
    def step() -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        before = path.stat().st_mtime_ns if path.exists() else 0
        path.write_text(text)
        os.utime(path, ns=(before + 1, before + 1))  # clocks of file systems are coarser than tests

    return step


def nothing() -> None:
    """A moment in which nothing happens."""


@pytest.fixture
def program(tmp_path: Path) -> Path:
    write(tmp_path / "__main__.py", "a")()
    write(tmp_path / "Pulumi.dev.yaml", "b")()
    return tmp_path


def test_sources_and_settings_are_seen_and_what_tools_make_is_not(program: Path) -> None:
    for name in ("parts/one.py", "parts/policy.json"):
        write(program / name, "x")()
    for name in (".git/x.py", ".bedplate/x.json", "parts/__pycache__/one.py", "env/lib/x.py", "x.pyc", ".x.swp", "x~"):
        write(program / name, "x")()
    (program / "env" / "pyvenv.cfg").touch()
    assert sorted(path.relative_to(program).as_posix() for path in look(program)) == [
        "Pulumi.dev.yaml", "__main__.py", "parts/one.py", "parts/policy.json",
    ]  # fmt: skip


def test_what_was_written_made_and_deleted_has_changed(program: Path) -> None:
    before = look(program)
    write(program / "__main__.py", "other")()
    write(program / "new.py", "")()
    (program / "Pulumi.dev.yaml").unlink()
    assert {path.name for path in changed(before, look(program))} == {"__main__.py", "new.py", "Pulumi.dev.yaml"}


def test_several_saves_are_one_change(program: Path) -> None:
    main, settings = program / "__main__.py", program / "Pulumi.dev.yaml"
    clock = Clock(nothing, write(main, "1"), write(settings, "2"), write(main, "3"))
    assert Watched(program, sleep=clock.sleep).wait() == {main, settings}
    assert clock.slept == 5, "a moment of quiet after the last"


def test_what_is_saved_while_the_program_runs_is_seen_after_it(program: Path) -> None:
    watched = Watched(program, sleep=Clock().sleep)
    before = watched.now()
    write(program / "__main__.py", "while it ran")()
    assert watched.ran(before, []) == frozenset()
    assert watched.wait() == {program / "__main__.py"}


def test_what_the_program_writes_itself_is_soon_watched_no_more(program: Path) -> None:
    own, main = program / "out.json", program / "__main__.py"
    clock = Clock()
    watched = Watched(program, sleep=clock.sleep)
    because: frozenset[Path] = frozenset()
    said = []
    for run in range(2):
        before = watched.now()
        write(own, f"run {run}")()
        said.append(watched.ran(before, because))
        if run == 0:
            because = watched.wait()
    assert said == [frozenset(), {own}]
    again = Clock(nothing, write(own, "once more"), write(main, "by hand"))
    watched._sleep = again.sleep  # pyright: ignore[reportPrivateUsage]
    assert watched.wait() == {main}


def test_a_source_file_that_is_saved_in_each_run_is_watched_on(program: Path) -> None:
    main = program / "__main__.py"
    watched = Watched(program, sleep=Clock().sleep)
    because: frozenset[Path] = frozenset()
    for run in range(3):
        before = watched.now()
        write(main, f"edit {run}")()
        assert watched.ran(before, because) == frozenset()
        because = watched.wait()
        assert because == {main}
