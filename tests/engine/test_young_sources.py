"""A program that is saved twice within a second, and run in between."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from engine import urn as urns
from tests.engine.opened import Opened


def test_a_module_saved_again_within_the_second_is_run_as_it_is_now(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)
    monkeypatch.setenv("PYTHONPYCACHEPREFIX", str(tmp_path / "bytecode"))
    project = Opened(tmp_path, environment=os.environ)
    second = int(time.time()) + 3600  # however long the first run takes
    planned: list[list[str]] = []
    for name in ("red", "tan"):
        project.write("import names\nthing(names.NAME)\n")
        names = tmp_path / "names.py"
        names.write_text(f"NAME = {name!r}\n")
        os.utime(names, (second, second))
        planned.append([urns.name_of(step.urn) for step in project.preview().plan.steps])
    assert "red" in planned[0]
    assert "tan" in planned[1]


def test_of_older_sources_bytecode_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)
    monkeypatch.setenv("PYTHONPYCACHEPREFIX", str(tmp_path / "bytecode"))
    project = Opened(tmp_path, environment=os.environ)
    project.write("import names\nthing(names.NAME)\n")
    names = tmp_path / "names.py"
    names.write_text("NAME = 'red'\n")
    os.utime(names, (1, 1))
    project.preview()
    assert list((tmp_path / "bytecode").rglob("names.*.pyc"))
