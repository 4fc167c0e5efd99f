"""A sandbox of another name than the default: each command goes to the one that it names, to no other by mistake."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.integration.commands import project
from tests.integration.emulated import Emulated, emulator

PROGRAM = "import pulumi\nimport pulumi_aws as aws\npulumi.export('name', aws.s3.Bucket('data').bucket)\n"


def buckets(emulated: Emulated) -> set[str]:
    return {bucket["Name"] for bucket in emulated.client("s3").list_buckets()["Buckets"]}


@pytest.mark.slow
def test_every_command_goes_to_the_sandbox_it_names(tmp_path: Path) -> None:
    work = project(tmp_path, PROGRAM, stacks={"dev": "config: {}\n"})
    with emulator() as emulated:
        others = buckets(emulated)  # of tests before this one: what moto holds is the process's
        work.run("sandbox", "up", "--name", "first", "--endpoint", emulated.endpoint).expect(0)
        work.run("up", "dev", "--yes").expect(1, "no sandbox is running")
        for command in (["preview", "dev"], ["outputs", "dev"], ["simulate", "dev"]):
            work.run(*command, "--sandbox", "furst").expect(
                1, "there is no sandbox 'furst', only: first", "`bedplate sandbox up --name furst`"
            )
        work.run("up", "dev", "--yes", "--sandbox", "first").expect(0, f"applies to the sandbox at {emulated.endpoint}")
        (bucket,) = buckets(emulated) - others
        work.run("outputs", "dev", BEDPLATE_SANDBOX="first").expect(0, bucket)
        work.run("destroy", "dev", "--yes").expect(1, "stack dev is up in sandbox 'first'", "say `--sandbox first`")
        work.run("preview", "dev", "--expect-no-changes").expect(0)  # it asks no sandbox
        up = work.run("sandbox", "up", "--endpoint", emulated.endpoint, "--output", "json").expect(0)
        record = work.folder / ".bedplate" / "sandbox" / "default" / "sandbox.json"
        record.write_text(record.read_text().replace(up.json()["instanceId"], "as if it were another emulator"))
        work.run("preview", "dev").expect(1, "stack dev is up in sandbox 'first'", "say `--sandbox first`")
        assert buckets(emulated) - others == {bucket}
        work.run("destroy", "dev", "--yes", "--sandbox", "first").expect(0, "- 2 deleted")
        assert buckets(emulated) == others
        work.run("sandbox", "down", "--sandbox", "first").expect(0, "sandbox first is down")
        work.run("sandbox", "down").expect(0)
