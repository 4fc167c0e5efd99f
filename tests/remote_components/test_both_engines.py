"""Components whose providers are programs of their own come to the same with both engines."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.providers.remote.engine_service import EngineService
from tests.engine.remote.serving import REPOSITORY
from tests.remote_components.cases import CASES, Case
from tests.remote_components.place import Embedded, WithTheCli, is_there
from tests.remote_components.playing import play, recorded

NAMES = [case.name for case in CASES]
# Each starts a program and a plugin several times over: what the others are about, the chosen ones have a part of.
CHOSEN = [case for case in CASES if case.always or "--exhaustive" in sys.argv]


@pytest.fixture(scope="module")
def parts() -> Iterator[str]:
    """One process that all cases attach to, since each takes as long to start as a case takes."""
    service = EngineService(lambda _severity, _message, _urn: None)
    command = [sys.executable, "-m", "tests.remote_components.parts", service.address]
    with subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield f"parts:{process.stdout.readline().strip()}"
        process.terminate()
    service.close()


@pytest.mark.parametrize("case", CHOSEN, ids=[case.name for case in CHOSEN])
def test_ours_comes_to_what_pulumi_s_came_to(case: Case, tmp_path: Path, parts: str) -> None:
    variables = {"PULUMI_DEBUG_PROVIDERS": parts} if case.attached else {}
    assert play(case, Embedded(tmp_path, variables)) == recorded(case)


@pytest.mark.pulumi
@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("case", CASES, ids=NAMES)
def test_pulumi_still_comes_to_what_is_recorded(case: Case, tmp_path: Path) -> None:
    if not is_there():
        pytest.skip("needs the `pulumi` command on PATH")
    assert play(case, WithTheCli(tmp_path)) == recorded(case)
