"""Programs that know nothing of Bedplate, as in Pulumi's own guides, in the layouts that the Pulumi CLI takes."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.integration.commands import Workplace, project
from tests.integration.emulated import Emulated

WEBSITE = """
import pathlib
import pulumi
from pulumi_aws import s3

bucket = s3.Bucket("site")
website = s3.BucketWebsiteConfiguration("site", bucket=bucket.id, index_document={"suffix": "index.html"})
s3.BucketAccelerateConfiguration("fast", bucket=bucket.id, status="Enabled")
pulumi.export("address", pulumi.Output.concat("http://", website.website_endpoint))
pulumi.export("greeting", pulumi.Config().require("greeting"))
pulumi.export("count", pulumi.Config().require_int("count"))
pulumi.export("region", pulumi.Config("aws").require("region"))
pulumi.export("beside", pathlib.Path("beside.txt").read_text())
pulumi.export("who", f"{pulumi.get_project()}/{pulumi.get_stack()}")
"""
WEBSITE_PROJECT = """
name: quickstart
description: A website
runtime:
  name: python
  options:
    toolchain: pip
    virtualenv: venv
main: app/
config:
  aws:region: us-west-2
  greeting:
    default: hello
  count:
    type: integer
    default: 3
"""
NETWORK = """
import json
import pulumi
import pulumi_aws as aws

zones = aws.get_availability_zones(state="available")
vpc = aws.ec2.Vpc("main", cidr_block="10.0.0.0/16", tags={"Name": "main"})
for number in range(2):
    aws.ec2.Subnet(f"subnet-{number}", vpc_id=vpc.id, cidr_block=f"10.0.{number}.0/24",
                   availability_zone=zones.names[number])
trust = aws.iam.get_policy_document(statements=[{
    "actions": ["sts:AssumeRole"], "principals": [{"type": "Service", "identifiers": ["ec2.amazonaws.com"]}],
}])
aws.iam.Role("role", assume_role_policy=trust.json)
pulumi.export("vpc", vpc.id)
pulumi.export("account", aws.get_caller_identity_output().account_id)
pulumi.export("password", pulumi.Output.secret("hunter2-hunter2"))
"""
USER_OF_THE_NETWORK = """
import pulumi
import pulumi_aws as aws

network = pulumi.StackReference("organization/net/dev")
aws.s3.Bucket("data", tags={"Vpc": network.require_output("vpc")}, force_destroy=True)
pulumi.export("vpc", network.get_output("vpc"))
pulumi.export("password", network.get_output("password"))
"""


def test_a_project_with_a_main_folder_defaults_and_no_stack_file(tmp_path: Path) -> None:
    (tmp_path / "app").mkdir()
    (tmp_path / "Pulumi.yaml").write_text(WEBSITE_PROJECT)
    (tmp_path / "app" / "__main__.py").write_text(WEBSITE)
    (tmp_path / "app" / "beside.txt").write_text("found")
    shown = Workplace(tmp_path).run("preview", "dev", "--output", "json").expect(0).json()
    outputs = shown["outputs"]["after"]
    assert outputs["greeting"] == "hello"
    assert outputs["count"] == 3
    assert outputs["region"] == "us-west-2"
    assert outputs["beside"] == "found"
    assert outputs["who"] == "quickstart/dev"
    assert shown["planned"] == {"create": 4}
    assert shown["unknownTypes"] == ["aws:s3/bucketAccelerateConfiguration:BucketAccelerateConfiguration"]


@pytest.mark.slow
def test_one_stack_uses_the_outputs_of_another_secrets_stay_secret(tmp_path: Path, emulated: Emulated) -> None:
    variables = {"PULUMI_BACKEND_URL": f"file://{tmp_path}/backend", "PULUMI_CONFIG_PASSPHRASE": "open sesame"}
    network = Workplace(project(tmp_path / "net", NETWORK, name="net").folder, variables)
    user = Workplace(project(tmp_path / "use", USER_OF_THE_NETWORK, name="use").folder, variables)
    for work in (network, user):
        work.run("sandbox", "up", "--endpoint", emulated.endpoint).expect(0)
    user.run("up", "dev", "--yes").expect(4, "organization/net/dev", "bring it up first")
    network.run("up", "dev", "--yes").expect(0, "+ 5 created", "123456789012")
    network.run("preview", "dev", "--expect-no-changes").expect(0)
    user.run("up", "dev", "--yes").expect(0, "password  [secret]")
    vpc = network.run("outputs", "dev", "--output", "json").expect(0).json()["outputs"]["vpc"]
    bucket = emulated.client("s3").list_buckets()["Buckets"][0]["Name"]
    tags = emulated.client("s3").get_bucket_tagging(Bucket=bucket)["TagSet"]
    assert {"Key": "Vpc", "Value": vpc} in tags
    user.run("up", "dev", "--yes", "--expect-no-changes").expect(0)
    kept = b"".join(path.read_bytes() for path in (tmp_path / "backend").rglob("*") if path.is_file())
    assert b"hunter2" not in kept
