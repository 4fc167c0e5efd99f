"""`kill -9` of bedplate while the Pulumi CLI works for it: the CLI goes on to its end and leaves nothing behind."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from tests.engine.pulumi_cli.fake import FakePulumi, event

BEDPLATE = Path(sys.executable).parent / "bedplate"
BEGUN = event(preludeEvent={"config": {}})
PADDING = event(diagnosticEvent={"severity": "info", "message": "x" * 1000})


def until(happened: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + 60
    while not happened():
        assert time.monotonic() < deadline, what
        time.sleep(0.02)


def test_a_cli_whose_listener_is_killed_goes_on_to_its_end(fake: FakePulumi, tmp_path: Path) -> None:
    project = tmp_path / "project"
    project.mkdir()
    (project / "Pulumi.yaml").write_text("name: demo\nruntime: python\n")
    (project / "Pulumi.dev.yaml").write_text("config: {}\n")
    fake.has_stack()
    fake.answer("preview", events=[BEGUN, "orphaned", *[PADDING] * 200])  # more than a pipe takes
    environment = {**os.environ, "PULUMI_CONFIG_PASSPHRASE": "test"}
    command = [str(BEDPLATE), "preview", "dev", "--engine", "pulumi", "-C", str(project)]
    with subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        until(lambda: fake.called("preview"), "the CLI was not started")
        process.kill()
    until(lambda: any("preview" in call for call in fake.ended), "the CLI waits for whoever heard it")
    (call,) = fake.called("preview")
    folder = Path(call[call.index("--event-log") + 1]).parent
    until(lambda: not folder.exists(), f"{folder} was left behind")
