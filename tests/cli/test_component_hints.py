"""Which components declare what: of a package written here, and of the platform's own."""

from __future__ import annotations

from pathlib import Path

from cli.component_hints import notes

SOURCE = """
import pulumi_aws as aws
from pulumi_kubernetes import apps as workloads
from pulumi_aws.sqs import Queue

class Store:
    def __init__(self):
        self.bucket = aws.s3.Bucket("x")
        self.again = aws.s3.Bucket("y")

class Archive:
    def __init__(self):
        aws.s3.Bucket("x")
        Queue("q")

class _Hidden:
    def __init__(self):
        workloads.v1.StatefulSet("z")

class Web:
    def __init__(self):
        workloads.v1.Deployment("z")
"""


def test_public_classes_are_named_for_the_types_that_they_make(tmp_path: Path) -> None:
    folder = tmp_path / "parts"
    folder.mkdir()
    (folder / "stores.py").write_text(SOURCE)
    types = {
        "bucket": "aws:s3/bucket:Bucket", "queue": "aws:sqs/queue:Queue", "key": "aws:kms/key:Key",
        "web": "kubernetes:apps/v1:Deployment", "db": "kubernetes:apps/v1:StatefulSet", "odd": "random:index/x:X",
    }  # fmt: skip
    assert notes(types, folder) == {
        "bucket": "parts.stores.Store and parts.stores.Archive declare such resources",
        "queue": "parts.stores.Archive declares such resources",
        "web": "parts.stores.Web declares such resources",
    }


def test_the_platforms_own_bucket_is_known() -> None:
    assert notes({"urn": "aws:s3/bucket:Bucket"}) == {"urn": "components.buckets.PrivateBucket declares such resources"}
