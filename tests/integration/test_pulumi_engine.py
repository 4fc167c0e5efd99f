"""`bedplate --engine pulumi` with the real Pulumi CLI: what it shows, does, and how it ends, beside our own engine.

Needs the `pulumi` command on PATH, its Python language host beside it, and `uv`; skipped by name elsewhere.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import pytest

from cli.exits import ExitCode
from engine.providers.serve.handlers import handlers
from engine.providers.serve.servicer import ProviderServicer
from tests.engine.lifecycle.cloud import Cloud, CloudProvider
from tests.engine.pulumi_cli.test_killed import until
from tests.integration.commands import REPOSITORY, Ended, Workplace
from tests.integration.test_pulumi_cli import plain, served, work

_ = (plain, work)  # fixtures
PROGRAM = REPOSITORY / "tests" / "engine" / "pulumi_cli" / "program.py"


@pytest.fixture
def there() -> None:
    if shutil.which("pulumi") is None:
        pytest.skip("needs the `pulumi` command on PATH")


def variables(folder: Path, providers: str) -> dict[str, str]:
    """What the CLI needs for a backend and a home of its own in ``folder``."""
    (folder / "state").mkdir(exist_ok=True)
    return {
        "PULUMI_HOME": str(folder / "home"),
        "PULUMI_BACKEND_URL": f"file://{folder / 'state'}",
        "PULUMI_CONFIG_PASSPHRASE": "test",
        "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
        "PULUMI_DEBUG_PROVIDERS": providers,
        "PATH": f"{os.environ['PATH']}:{REPOSITORY / '.bedplate' / 'tools' / 'bin'}",
    }


@contextmanager
def toy(cloud: Cloud) -> Generator[str]:
    """The toy provider over ``cloud``, as the value of PULUMI_DEBUG_PROVIDERS."""
    servicer = ProviderServicer(lambda: CloudProvider(cloud), "1.0.0")
    server = grpc.server(ThreadPoolExecutor(8), handlers=[handlers(servicer)])
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield f"test:{port}"
    finally:
        server.stop(None)


@dataclass
class Small:
    """A program of a few toy resources, and the cloud that they are in."""

    work: Workplace
    cloud: Cloud

    def run(self, *arguments: str, version: str = "1", engine: str = "pulumi") -> Ended:
        return self.work.run(*arguments, "--engine", engine, V=version)


@pytest.fixture
def small(there: None, tmp_path: Path) -> Iterator[Small]:
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "Pulumi.yaml").write_text("name: demo\nruntime: {name: python, options: {virtualenv: .venv}}\n")
    (folder / "Pulumi.dev.yaml").write_text("config: {}\n")
    (folder / ".venv").symlink_to(Path(sys.executable).parents[1])
    shutil.copy(PROGRAM, folder / "__main__.py")
    cloud = Cloud(lenient=True)
    with toy(cloud) as providers:
        yield Small(Workplace(folder, variables(tmp_path, providers)), cloud)


@pytest.mark.pulumi
@pytest.mark.slow
def test_a_stack_lives_with_the_cli_from_its_making_to_its_end(small: Small, tmp_path: Path) -> None:
    small.run("preview", "dev").expect(ExitCode.NO_ENVIRONMENT, "no stack named 'dev' found", "bedplate up dev")
    log = tmp_path / "log"
    made = small.run("up", "dev", "--yes", "--event-log", str(log)).expect(0, "+ 6 created", "Pulumi CLI")
    assert "hunter2" not in made.text + log.read_text()
    events = [json.loads(line) for line in log.read_text().splitlines()]
    assert {"preludeEvent", "resourcePreEvent", "resOutputsEvent", "summaryEvent"} <= {
        key for one in events for key in one
    }
    assert small.cloud.names() == ["a", "b", "c", "d", "gone"]
    small.run("preview", "dev", "--expect-no-changes").expect(0)
    small.run("preview", "dev", "--expect-no-changes", engine="embedded").expect(0)
    shown = small.run("state", "show", "dev", "c").expect(0, "pw: [secret]", 'key: "1"')
    assert "hunter2" not in shown.text
    small.run("state", "show", "dev", "c", "--show-secrets").expect(0, 'pw: "hunter2-secret"')
    assert small.run("outputs", "dev", "--output", "json").expect(0).json()["outputs"]["a"].startswith("arn:a")

    both = [
        small.run("preview", "dev", "--output", "json", "--refresh", version="2", engine=engine).expect(0).json()
        for engine in ("pulumi", "embedded")
    ]
    assert _comparable(both[0]) == _comparable(both[1])

    (drifted,) = [live for live in small.cloud.live.values() if live.name == "b"]
    drifted.inputs["size"] = 99
    found = small.run("refresh", "dev", "--preview-only", "--output", "json").expect(0).json()
    assert [(one["name"], one["op"]) for one in found["steps"] if one["op"] != "same"] == [("b", "update")]
    small.run("up", "dev", "--skip-preview", version="2").expect(0, "+- 3 replaced", "- 1 deleted")
    small.run("destroy", "dev", "--yes").expect(0, "- 5 deleted")
    assert small.cloud.names() == []


@pytest.mark.pulumi
@pytest.mark.slow
def test_how_an_up_by_the_cli_may_end(small: Small) -> None:
    small.run("up", "dev", "--yes").expect(0)
    small.cloud.faults["update b"] = "fail"
    small.run("up", "dev", "--yes", version="2").expect(ExitCode.RESOURCE_FAILED, "update b: refused")
    small.run("preview", "dev", version="3").expect(ExitCode.FAILED, "RuntimeError: program failed")
    small.cloud.faults.clear()

    gate = small.cloud.hold("update b")
    with small.work.start("up", "dev", "--yes", "--engine", "pulumi", V="2") as process:
        assert small.cloud.begun["update b"].wait(120)
        process.send_signal(signal.SIGINT)
        threading.Timer(2, gate.set).start()  # after the CLI has heard of it
        out, err = process.communicate(timeout=120)
    assert process.returncode == ExitCode.CANCELLED, out + err
    assert "cancelling" in err and "Traceback" not in out + err
    small.run("up", "dev", "--yes", version="2").expect(0)
    small.run("preview", "dev", "--expect-no-changes", version="2").expect(0)


@pytest.mark.pulumi
@pytest.mark.slow
def test_a_killed_bedplate_lets_the_cli_finish_its_update(small: Small, tmp_path: Path) -> None:
    small.run("up", "dev", "--yes").expect(0)
    program = small.work.folder / "__main__.py"
    loud = "if not pulumi.runtime.is_dry_run():\n    b.id.apply(lambda _: print('\\n'.join(['x' * 1000] * 200)))\n"
    program.write_text(program.read_text() + loud)  # more than a pipe takes, once b is updated
    gate = small.cloud.hold("update b")
    with small.work.start("up", "dev", "--yes", "--engine", "pulumi", V="2") as process:
        assert small.cloud.begun["update b"].wait(120)
        process.kill()
    small.run("up", "dev", "--yes", version="2").expect(ExitCode.FAILED, "currently locked")
    gate.set()
    until(lambda: not [*(tmp_path / "state" / ".pulumi" / "locks").rglob("*.json")], "the CLI did not end")
    small.run("preview", "dev", "--expect-no-changes", version="2").expect(0)


@pytest.mark.pulumi
@pytest.mark.slow
def test_a_state_is_edited_through_the_cli(small: Small) -> None:
    """Moved to a stack with another key, and back in its place: what has come of the edits shows no change."""
    work = small.work
    (work.folder / "Pulumi.prod.yaml").write_text("config: {}\n")
    small.run("up", "dev", "--yes").expect(0)
    made = ["pulumi", "stack", "init", "prod", "--no-select", "--non-interactive"]
    subprocess.run(made, cwd=work.folder, env=work.environment(), check=True, timeout=60)
    before = small.run("state", "export", "dev").expect(0)
    small.run("state", "rename", "dev", "c", "renamed", "--yes").expect(0, "dev: 1 deleted, 1 added")
    small.run("state", "move", "dev", "renamed", "--to", "prod", "--yes").expect(0, "1 moved to prod")
    moved = small.run("state", "show", "prod", "renamed", "--show-secrets").expect(0, 'pw: "hunter2-secret"')
    assert moved.out.count("hunter2") == 2
    small.run("state", "repair", "prod", "--yes").expect(0, "nothing to change")
    (work.folder / "state.json").write_text(before.out)
    done = small.run("state", "import", "dev", "--file", "state.json", "--yes").expect(0, "dev: 1 added")
    assert "hunter2" not in before.text + done.text
    small.run("preview", "dev", "--expect-no-changes").expect(0)
    small.run("cancel", "dev").expect(0, "dev is not locked")
    assert small.run("history", "dev", "--output", "json").expect(0).json()["updates"][-1]["kind"] == "update"


@pytest.mark.pulumi
@pytest.mark.slow
@pytest.mark.timeout(600)
def test_both_engines_say_the_same_of_production(work: Workplace) -> None:
    """Plan, costs and findings, of 448 resources and rules that refuse and mend."""
    with served(work, "aws", "kubernetes") as providers:
        here = Workplace(work.folder, variables(work.folder.parent, providers))
        made = ["pulumi", "stack", "init", "prod", "--no-select", "--non-interactive"]
        subprocess.run(made, cwd=here.folder, env=here.environment(), check=True, timeout=60)
        both = [_refused_preview(here, engine) for engine in ("pulumi", "embedded")]
    assert _comparable(both[0]) == _comparable(both[1])
    assert len(both[0]["steps"]) > 400 and both[0]["policy"]["remediated"]


def _refused_preview(here: Workplace, engine: str) -> dict[str, Any]:
    with here.start("preview", "prod", "--engine", engine, "--output", "json") as process:
        out, err = process.communicate(timeout=280)
    assert process.returncode == ExitCode.REFUSED, err
    return json.loads(out)


def _comparable(document: dict[str, Any]) -> Any:
    """A run's document without what differs from run to run, or by which of the two engines it is."""
    kept = {key: value for key, value in document.items() if key not in ("engine", "seconds", "notes")}
    return _sorted(kept)


def _sorted(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _sorted(item) for key, item in value.items()}
    if isinstance(value, list):
        return sorted((_sorted(item) for item in value), key=lambda item: json.dumps(item, sort_keys=True))
    # Automatic names end in seven digits that each run draws anew.
    return re.sub(r"-[0-9a-f]{7}\b", "-0000000", value) if isinstance(value, str) else value
