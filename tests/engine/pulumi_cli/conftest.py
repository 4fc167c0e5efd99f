"""A `pulumi` that a test tells what to answer, before all others on PATH."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.engine.pulumi_cli.fake import FakePulumi


@pytest.fixture
def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakePulumi:
    made = FakePulumi(tmp_path / "bin")
    monkeypatch.setenv("PATH", f"{made.folder}{os.pathsep}{os.environ['PATH']}")
    return made
