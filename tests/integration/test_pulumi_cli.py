"""The Pulumi CLI runs our program and our packs: with our providers attached it finds what our own engine finds.

Needs the `pulumi` command on PATH, its Python language host beside it, and `uv`; skipped by name elsewhere.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.integration.commands import REPOSITORY, Workplace, platform

PACKS = ("security", "budget", "governance")
# What the settings lose for the test, so that there is something to find and to mend.
STRICTER = (
    ("level: mandatory", "level: mandatory\n    remediation: apply"),
    ("allowed_gpus: [H100, L40S, L4, A10G]", "allowed_gpus: [L40S, L4, A10G]"),
    ("max_pool_usd: 85000", "max_pool_usd: 5000"),
)
Finding = tuple[str, str, str, str]


@pytest.fixture
def plain(tmp_path: Path) -> Iterator[Workplace]:
    """The platform in a folder of its own, as the CLI needs it, and a sandbox."""
    if shutil.which("pulumi") is None:
        pytest.skip("needs the `pulumi` command on PATH")
    place = platform(tmp_path / "work")
    for name in ("policies", "components", "engine", "cli"):
        (place.folder / name).symlink_to(REPOSITORY / name)
    (place.folder / ".venv").symlink_to(Path(sys.executable).parents[1])
    place.run("sandbox", "up", "--kubernetes", "embedded").expect(0)
    yield place
    place.run("sandbox", "down").expect(0)


@pytest.fixture
def work(plain: Workplace) -> Workplace:
    """The platform whose production has stricter settings and no exceptions."""
    settings = plain.folder / "stacks" / "Pulumi.prod.yaml"
    text = re.sub(r"    # Each is told in every preview.*\Z", "", settings.read_text(), flags=re.DOTALL)
    for old, new in STRICTER:
        assert old in text
        text = text.replace(old, new)
    settings.write_text(text)
    return plain


@contextmanager
def served(work: Workplace, *packages: str) -> Generator[str]:
    """Our providers, as the value of PULUMI_DEBUG_PROVIDERS."""
    processes = [
        subprocess.Popen(
            [sys.executable, "-m", "engine.providers.serve", package, "--project", str(work.folder)],
            cwd=REPOSITORY, env=work.environment(), text=True, stdout=subprocess.PIPE,
        )
        for package in packages
    ]  # fmt: skip
    try:
        ports = [int(process.stdout.readline()) for process in processes if process.stdout]
        yield ",".join(f"{package}:{port}" for package, port in zip(packages, ports, strict=True))
    finally:
        for process in processes:
            process.terminate()
            process.communicate(timeout=30)


def pulumi(work: Workplace, *arguments: str, stack: str = "prod", **variables: str) -> subprocess.CompletedProcess[str]:
    home = work.folder / "home"
    (home / "state").mkdir(parents=True, exist_ok=True)
    environment = work.environment() | variables | {
        "PULUMI_HOME": str(home),
        "PULUMI_BACKEND_URL": f"file://{home / 'state'}",
        "PULUMI_CONFIG_PASSPHRASE": "test",
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
        "PATH": f"{os.environ['PATH']}:{REPOSITORY / '.bedplate' / 'tools' / 'bin'}",
    }  # fmt: skip
    return subprocess.run(
        ["pulumi", *arguments, "--stack", stack, "--non-interactive"],
        cwd=work.folder, env=environment, capture_output=True, text=True, check=False, timeout=250,
    )  # fmt: skip


@pytest.mark.pulumi
@pytest.mark.slow
def test_the_cli_and_our_engine_find_the_same_in_production(work: Workplace) -> None:
    packs = [argument for pack in PACKS for argument in ("--policy-pack", f"policies/{pack}")]
    with served(work, "aws", "kubernetes") as providers:
        streaming = {"PULUMI_ENABLE_STREAMING_JSON_PREVIEW": "true", "PULUMI_DEBUG_PROVIDERS": providers}
        assert pulumi(work, "stack", "init").returncode == 0
        done = pulumi(work, "preview", "--json", *packs, **streaming)
    events = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    assert events, done.stdout + done.stderr
    summary = next(event["summaryEvent"] for event in events if "summaryEvent" in event)
    ours = work.run("preview", "prod", "--output", "json").expect(5).json()
    assert summary["resourceChanges"]["create"] == len(ours["steps"])
    assert done.returncode != 0
    findings = [event["policyEvent"] for event in events if "policyEvent" in event]
    assert Counter(map(_by_the_cli, findings)) == Counter(map(_by_us, ours["policy"]["findings"]))
    assert len(findings) > 20
    mended = [event["policyRemediationEvent"] for event in events if "policyRemediationEvent" in event]
    assert sorted((one["policyName"], one["resourceUrn"]) for one in mended) == sorted(
        (one["policy"], one["urn"]) for one in ours["policy"]["remediated"]
    )
    assert mended


@pytest.mark.pulumi
@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_the_platform_goes_from_one_engine_to_the_other(plain: Workplace) -> None:
    """What one has brought up in a backend shows no change in the other, and each takes its own down."""
    backend = {"PULUMI_BACKEND_URL": f"file://{plain.folder / 'home' / 'state'}", "PULUMI_CONFIG_PASSPHRASE": "test"}
    with served(plain, "aws", "kubernetes") as providers:
        attached = {"PULUMI_DEBUG_PROVIDERS": providers}

        def cli(*arguments: str) -> str:
            done = pulumi(plain, *arguments, stack="sandbox", **attached)
            assert done.returncode == 0, done.stdout + done.stderr
            return done.stdout

        cli("stack", "init")
        assert " created" in cli("up", "--yes", "--skip-preview")
        plain.run("preview", "sandbox", "--expect-no-changes", **backend).expect(0)
        cli("refresh", "--yes", "--expect-no-changes")
        cli("destroy", "--yes", "--skip-preview")
        plain.run("up", "sandbox", "--yes", **backend).expect(0)
        cli("preview", "--expect-no-changes")
        plain.run("destroy", "sandbox", "--yes", **backend).expect(0)


def _by_the_cli(event: Mapping[str, Any]) -> Finding:
    return event["policyName"], event["resourceUrn"], event["enforcementLevel"], _without_ids(event["message"])


def _by_us(finding: Mapping[str, Any]) -> Finding:
    message = f"{finding['title']}\n{finding['message']}"
    return finding["policy"], finding["urn"], finding["level"], _without_ids(message)


def _without_ids(message: str) -> str:
    """Automatic names end in seven digits that each run draws anew."""
    return re.sub(r"-[0-9a-f]{7}\b", "-0000000", message).strip()
