"""`up --skip-preview`: what is declared is made at once, and told of afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.engine.analyzer.packs import write
from tests.engine.sandbox.waiting import naming
from tests.integration.commands import Workplace, project
from tests.integration.conftest import in_sandbox
from tests.integration.emulated import Emulated
from tests.integration.inventory import inventory

PROGRAM = """
import pulumi
import pulumi_aws as aws

key = aws.kms.Key("key", deletion_window_in_days=7)
aws.sns.Topic("news", kms_master_key_id=key.arn)
aws.s3.Bucket("data", force_destroy=True, bucket="data-1")
pulumi.export("word", pulumi.Output.secret("correct-horse-battery"))
"""
PACK = """
from pulumi_policy import *

def encrypted(args, report):
    if args.resource_type == "aws:sns/topic:Topic" and "NoKey" in args.name:
        report("it has no key")

PolicyPack("keys", [
    ResourceValidationPolicy(
        "encrypted", "Topics have keys", encrypted, enforcement_level=EnforcementLevel.MANDATORY
    )
])
"""


@pytest.fixture
def work(tmp_path: Path, emulated: Emulated) -> Iterator[Workplace]:
    yield from in_sandbox(project(tmp_path / "demo", PROGRAM), emulated)


@pytest.mark.slow
def test_what_is_declared_is_made_at_once_judged_as_it_is_made_and_told_of_at_the_end(
    work: Workplace, emulated: Emulated
) -> None:
    pack = str(write(work.folder / "pack", PACK))
    done = work.run("up", "dev", "--skip-preview", "--policy-pack", pack, "--sandbox", "default")
    done.expect(0, "applies to the sandbox", "+ 4 created", "word", "cost ", "policy   1 rule, 0 mandatory")
    assert "bedplate up dev" not in done.out, "nothing was shown first"
    assert "correct-horse-battery" not in done.text
    assert inventory(emulated.client) == {"bucket": 1, "key": 1, "topic": 1}

    refused = PROGRAM.replace('"news"', '"NoKey"').replace('bucket="data-1"', 'bucket="data-1", tags={"a": "b"}')
    (work.folder / "__main__.py").write_text(refused)
    ended = work.run("up", "dev", "-f", "--policy-pack", pack, "--output", "json").expect(5).json()
    assert (ended["result"], ended["applied"]) == ("refused by policy", True)
    assert [one["name"] for one in ended["policy"]["findings"]] == ["NoKey"]
    assert ended["done"].get("update") == 1, "what the rule is not about was done"
    assert "create" not in ended["done"] and "delete" not in ended["done"]
    assert inventory(emulated.client) == {"bucket": 1, "key": 1, "topic": 1}

    work.run("up", "dev", "-f").expect(0, "+ 1 created", "- 1 deleted")
    work.run("up", "dev", "--yes", "--expect-no-changes").expect(0)


def test_what_only_a_preview_can_hold_is_refused_beside_it(work: Workplace) -> None:
    for option in (("--plan", "plan.json"), ("--expect-no-changes",)):
        work.run("up", "dev", "--skip-preview", *option).expect(2, f"{option[0]} is held to by a preview")
    assert work.state("dev") == []


def test_without_a_sandbox_there_is_a_preview_all_the_same(tmp_path: Path) -> None:
    work = project(tmp_path, PROGRAM)
    work.run("up", "dev", "--skip-preview").expect(
        1, "previewed all the same: no sandbox is running", "bedplate sandbox up"
    )
    assert work.state("dev") == []


@pytest.mark.slow
def test_a_sandbox_and_what_is_in_it_come_up_by_one_command(tmp_path: Path, emulated: Emulated) -> None:
    work = project(tmp_path / "demo", PROGRAM, stacks={"dev": "config: {}\n"})
    there = ("sandbox", "up", "dev", "--endpoint", emulated.endpoint)
    work.run(*there).expect(0, f"sandbox default runs at {emulated.endpoint}", "never to AWS", "+ 4 created")
    assert inventory(emulated.client) == {"bucket": 1, "key": 1, "topic": 1}
    work.run(*there).expect(0, "4 unchanged")
    work.run("sandbox", "down").expect(0)


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("nowhere",), 6, "nowhere"),
        (("dev", "--output", "json"), 2, "then run `bedplate up dev`"),
        (("dev", "--endpoint", "http://127.0.0.1:9"), 1, "http://127.0.0.1:9"),
    ],
)
def test_what_can_not_come_up_in_a_sandbox_starts_none(
    tmp_path: Path, arguments: tuple[str, ...], code: int, said: str
) -> None:
    work = project(tmp_path / "demo", PROGRAM, stacks={"dev": "config: {}\n"})
    work.run("sandbox", "up", *arguments).expect(code, said)
    work.run("sandbox", "status").expect(1)
    assert naming(str(work.folder)) == []
