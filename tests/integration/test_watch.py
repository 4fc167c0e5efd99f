"""`bedplate watch`: a sandbox follows its program, also after a save that was wrong, until somebody ends it."""

from __future__ import annotations

import json
import signal
import subprocess
from pathlib import Path
from typing import Any

from tests.integration.commands import project
from tests.integration.emulated import Emulated

ONE = "import pulumi_aws as aws\naws.sqs.Queue('one')\n"
TWO = ONE + "aws.sqs.Queue('two')\n"


def test_a_sandbox_follows_its_program_until_somebody_ends_it(tmp_path: Path, emulated: Emulated) -> None:
    work = project(tmp_path, ONE, stacks={"dev": "config:\n  aws:region: us-east-1\n"})
    work.run("sandbox", "up", "--endpoint", emulated.endpoint).expect(0)
    process = work.start("watch", "dev", "--output", "json")
    try:
        assert next_of(process, "watching")["files"] == 3
        first = ended(process)
        assert (first["result"], [one["op"] for one in first["changes"]]) == ("succeeded", ["create", "create"])
        save(tmp_path, "import (\n")
        wrong = ended(process)
        assert wrong["exitCode"] == 1
        assert "SyntaxError" in wrong["diagnostics"][0]["message"]
        save(tmp_path, TWO)
        assert next_of(process, "roundStarted")["changed"] == ["__main__.py"]
        mended = ended(process)
        assert [one["name"] for one in mended["changes"]] == ["two"]
        process.send_signal(signal.SIGINT)
        assert next_of(process, "stopped")["rounds"] == 3
        assert process.wait(60) == 0
    finally:
        process.kill()
        process.communicate()
    assert len(emulated.client("sqs").list_queues()["QueueUrls"]) == 2


def save(folder: Path, text: str) -> None:
    """As editors do: another file in the place of the first."""
    new = folder / ".new"
    new.write_text(text)
    new.replace(folder / "__main__.py")


def ended(process: subprocess.Popen[str]) -> dict[str, Any]:
    return next_of(process, "roundEnded")


def next_of(process: subprocess.Popen[str], event: str) -> dict[str, Any]:
    """The next line about ``event``; the test's own limit ends a wait that is in vain."""
    assert process.stdout is not None
    for line in process.stdout:
        found: dict[str, Any] = json.loads(line)
        assert found["version"] == 1
        if found["event"] == event:
            return found
    raise AssertionError(f"ended without {event}")
