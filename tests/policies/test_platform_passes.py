"""Every environment of the platform passes the packs, as its own settings have them: nothing is refused.

What production is excepted from is written down with reason, owner and expiry (the settings' check asks for all three),
and each exception is in use: one that covers nothing any more has to go.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from stacks.settings import environments, load

REPOSITORY = Path(__file__).parents[2]
PACKS = {"security", "budget", "governance"}


def judged(environment: str) -> dict[str, Any]:
    """What `bedplate policy run` says of an environment, judged as its preview would be."""
    ours = {name: value for name, value in os.environ.items() if not name.startswith(("PULUMI_", "BEDPLATE_"))}
    done = subprocess.run(
        [sys.executable, "-m", "cli.main", "policy", "run", environment, "--output", "json"],
        cwd=REPOSITORY, env=ours | {"BEDPLATE_ENGINE": "embedded"}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.stdout, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("environment", environments())
def test_the_platform_passes_its_own_packs(environment: str) -> None:
    report = judged(environment)
    assert {pack["name"] for pack in report["packs"]} == PACKS
    assert not report["broken"]
    mandatory = [
        (one["rule"], one["resource"], one["message"]) for one in report["findings"] if one["level"] != "advisory"
    ]
    assert mandatory == []
    assert not report["refused"]
    if environment == "prod":
        _uses_every_exception(report)


def _uses_every_exception(report: dict[str, Any]) -> None:
    written = [(rule, each) for each in load("prod").policy.exceptions for rule in each.rule]
    told = [one["message"] for one in report["findings"] if one["rule"] == "exceptions"]
    assert all(message.endswith(" is in use") for message in told)
    assert len(told) == len(written)
    for rule, each in written:
        begin = f"{rule} for {each.resource!r} until {each.expires} by {each.owner}: {each.reason}"
        assert any(message.startswith(begin) for message in told), begin
