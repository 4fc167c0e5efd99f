"""A stack of very many resources, killed in its middle: nothing is forgotten. With ``--exhaustive`` it is 10,000."""

from __future__ import annotations

import json
import re
import shutil
import sys
import time
from pathlib import Path

import pytest

from tests.integration.commands import LIMIT, REPOSITORY, Workplace

COUNT = 10_000 if "--exhaustive" in sys.argv else 400
PROGRAM = REPOSITORY / "tests" / "bench" / "programs" / "components"


@pytest.fixture
def work(tmp_path: Path) -> Workplace:
    folder = tmp_path / "many"
    shutil.copytree(PROGRAM, folder, ignore=shutil.ignore_patterns(".bedplate"))
    (folder / "Pulumi.dev.yaml").write_text(f'config:\n  components:count: "{COUNT}"\n')
    return Workplace(folder)


@pytest.mark.slow
def test_many_resources_killed_in_the_middle(work: Workplace) -> None:
    checkpoint = work.checkpoint("dev", "components")
    journal = checkpoint.with_name("dev.journal.jsonl")
    run = work.start("up", "dev", "--yes")
    deadline = time.monotonic() + LIMIT
    while not journal.exists() or journal.read_bytes().count(b"\n") < COUNT // 2:
        assert run.poll() is None, "it ended before it was killed"
        assert time.monotonic() < deadline
        time.sleep(0.01)
    run.kill()
    run.communicate()
    whole = journal.read_bytes().rpartition(b"\n")[0]
    recorded = {urn.decode() for urn in re.findall(rb'"urn":"([^"]+)"', whole)}
    assert len(recorded) > COUNT // 8
    known = {state["urn"] for state in work.state("dev")}
    assert recorded <= known
    work.run("up", "dev", "--yes").expect(0)
    states = json.loads(checkpoint.read_bytes())["checkpoint"]["latest"]["resources"]
    assert len(states) == len({state["urn"] for state in states}) == COUNT + 1
    assert known <= {state["urn"] for state in states}
    work.run("preview", "dev", "--expect-no-changes").expect(0)
