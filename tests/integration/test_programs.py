"""Programs, projects and settings that are wrong, and what somebody at the command line learns of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.integration.commands import Workplace, platform, project
from tests.integration.emulated import Emulated
from tests.integration.inventory import inventory

BUCKET = "import pulumi_aws as aws\naws.s3.Bucket('data')\n"

TWICE = BUCKET + "aws.s3.Bucket('data')\n"
RAISES = BUCKET + "{}['absent']\n"
EXITS = BUCKET + "import sys\nsys.exit(3)\n"
ENDS_AT_ONCE = BUCKET + "import os\nos._exit(0)\n"
NEVER_ENDS = BUCKET + "import threading\nthreading.Event().wait()\n"
NEEDS_ITS_OWN_CHILD = """
import pulumi
import pulumi_aws as aws

parent = pulumi.ComponentResource("demo:index:Parent", "parent")
aws.s3.Bucket("child", opts=pulumi.ResourceOptions(parent=parent, depends_on=[parent]))
"""
NEEDS_EACH_OTHER = """
import asyncio
import pulumi
import pulumi_aws as aws

named = asyncio.get_event_loop().create_future()

async def name() -> str:
    return await named

first = aws.sns.Topic("first", name=pulumi.Output.from_input(name()))
second = aws.sns.Topic("second", display_name=first.name)
second.display_name.apply(named.set_result)
"""
UNKNOWN_TYPE = """
import pulumi
import pulumi_aws as aws

aws.s3.Bucket("data")
for name in ("one", "two"):
    function = aws.lambda_.Function(name, role="arn:aws:iam::123456789012:role/any", handler="h", runtime="python3.13")
    pulumi.export(name, function.arn)
"""


@pytest.mark.parametrize(
    ("program", "code", "said"),
    [
        pytest.param(TWICE, 1, ["Duplicate resource URN", "__main__.py:2", "__main__.py:3"], id="one name twice"),
        pytest.param(RAISES, 1, ["__main__.py", "line 3", "KeyError: 'absent'"], id="raises"),
        pytest.param(EXITS, 1, ["the program exited with code 3"], id="exits"),
        pytest.param(ENDS_AT_ONCE, 1, ["before it had run to its end", "nothing is deleted"], id="ends at once"),
        pytest.param(NEVER_ENDS, 9, ["asked for nothing for 2 s", "--program-timeout"], id="never ends"),
        pytest.param(NEEDS_ITS_OWN_CHILD, 1, ["circular dependency", "named child"], id="depends on itself"),
        pytest.param(NEEDS_EACH_OTHER, 9, ["a dependency cycle", "--program-timeout"], id="wait for each other"),
    ],
)
def test_a_program_that_does_not_end_well(tmp_path: Path, program: str, code: int, said: list[str]) -> None:
    work = project(tmp_path, program)
    ended = work.run("preview", "dev", "--program-timeout", "2" if code == 9 else "60")
    ended.expect(code, *said)
    for inner in ("concurrent/futures", "site-packages", "engine/host"):
        assert inner not in ended.text


def test_what_exists_stays_when_the_program_does_not_end_well(tmp_path: Path, emulated: Emulated) -> None:
    work = project(tmp_path, BUCKET)
    work.run("sandbox", "up", "--endpoint", emulated.endpoint).expect(0)
    work.run("up", "dev", "--yes").expect(0)
    for program, code in ((RAISES, 1), (EXITS, 1), ("import os\nos._exit(0)\n", 1), ("raise SystemExit(7)", 1)):
        (work.folder / "__main__.py").write_text(program.replace("'data'", "'other'"))
        work.run("up", "dev", "--yes").expect(code)
        assert inventory(emulated.client) == {"bucket": 1}
    assert [one["urn"].rpartition("::")[2] for one in work.state("dev") if one["custom"]][-1] == "data"
    (work.folder / "__main__.py").write_text("")
    work.run("up", "dev", "--yes").expect(0, "deleted")
    assert inventory(emulated.client) == {}


def test_a_type_that_nobody_knows_is_previewed_and_refused_before_anything_is_made(
    tmp_path: Path, emulated: Emulated
) -> None:
    work = project(tmp_path, UNKNOWN_TYPE)
    work.run("sandbox", "up", "--endpoint", emulated.endpoint).expect(0)
    shown = work.run("preview", "dev").expect(0, "+ 4 create", "[unknown]")
    assert shown.text.count("aws:lambda/function:Function") == 1
    work.run("up", "dev", "--yes").expect(1, "nothing was changed", "aws:lambda/function:Function")
    assert inventory(emulated.client) == {}
    assert work.state("dev") == []


def test_an_environment_that_is_not_there(tmp_path: Path) -> None:
    work = platform(tmp_path / "checkout")
    for verb in ("preview", "up", "outputs"):
        flags = ["--yes"] if verb == "up" else []
        work.run(verb, "prdo", *flags).expect(6, "did you mean 'prod'?", "staging")
    work.run("preview").expect(2, "no environment was given", "dev")


FIELDS = [
    ("team: ml-platform\n", "taem: ml-platform\n"),
    ("    cost_center: CC-1000\n", ""),
    ("stage: sandbox", "stage: sandpit"),
    ("retention_days: 1\n", "retention_days: soon\n"),
]
SECTION = [("  bedplate:tags:", "  bedplate:tag:")]
SENSE = [("availability_zones: 2", "availability_zones: 2\n    nat: per_az\n    public_subnets: false")]
SETTINGS = [
    (FIELDS, ["tags.taem", "tags.team", "did you mean 'team'?", "tags.cost_center", "missing", "environment.stage",
              "one of dev, staging, prod, sandbox", "logs.retention_days", "soon"]),
    (SECTION, ["tags", "missing", "unknown"]),
    (SENSE, ["nat", "public"]),
]  # fmt: skip


@pytest.mark.parametrize(("wrong", "said"), SETTINGS, ids=["fields", "section", "sense"])
def test_settings_that_are_wrong(tmp_path: Path, wrong: list[tuple[str, str]], said: list[str]) -> None:
    work = platform(tmp_path / "checkout")
    path = work.folder / "stacks" / "Pulumi.sandbox.yaml"
    for old, new in wrong:
        assert old in path.read_text()
        path.write_text(path.read_text().replace(old, new))
    for command in (["preview", "sandbox"], ["config", "show", "sandbox"]):
        ended = work.run(*command).expect(2, "Pulumi.sandbox.yaml", *said)
        assert "Traceback" not in ended.text


def test_a_project_that_is_not_there(tmp_path: Path) -> None:
    Workplace(tmp_path).run("preview", "dev").expect(2, "no Pulumi.yaml", "-C DIR")
