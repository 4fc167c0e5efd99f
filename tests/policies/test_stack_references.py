"""Which resources of a stack name another, and that they are looked for once, however often rules ask."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from policies.kit import Resource, Stack, Value
from policies.kit.values import UNKNOWNS

BUCKET, BLOCK = "aws:s3/bucket:Bucket", "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock"
UNKNOWN = min(UNKNOWNS)


def resource(token: str, name: str, properties: dict[str, Any], **refers: str) -> Resource:
    urn = f"urn:pulumi:case::bedplate::{token}::{name}"
    depends_on = {key: [f"urn:pulumi:case::bedplate::{BUCKET}::{other}"] for key, other in refers.items()}
    return Resource(token, name, urn, Value(properties), depends_on=depends_on)


def names(found: Iterator[Resource]) -> list[str]:
    return [each.name for each in found]


def test_a_resource_is_named_by_dependency_or_by_an_equal_name_and_found_once_in_its_place() -> None:
    data = resource(BUCKET, "data", {"bucket": "acme-data", "id": "acme-data"})
    stack = Stack(
        [
            resource(BLOCK, "z-by-name", {"bucket": "acme-data"}),
            data,
            resource(BLOCK, "by-both", {"bucket": "acme-data"}, bucket="data"),
            resource(BLOCK, "a-by-dependency", {"bucket": UNKNOWN}, bucket="data"),
            resource(BLOCK, "unknown", {"bucket": UNKNOWN}),
            resource(BLOCK, "other", {"bucket": "acme-other"}),
            resource(BLOCK, "malformed", {"bucket": ["acme-data"]}),
            resource(BUCKET, "another type", {"bucket": "acme-data"}),
        ]
    )
    assert names(stack.referring(data, BLOCK, "bucket")) == ["z-by-name", "by-both", "a-by-dependency"]
    assert [each.refers_to(data, "bucket") for each in stack.of(BLOCK)] == [True, True, True, False, False, False]


def test_a_path_may_lead_through_a_list() -> None:
    logs = resource(BUCKET, "logs", {"bucket": "acme-logs"})
    stack = Stack([logs, resource(BUCKET, "data", {"loggings": [{"targetBucket": "acme-logs"}]})])
    assert names(stack.referring(logs, BUCKET, "loggings", 0, "targetBucket")) == ["data"]


def test_each_resource_is_looked_at_once_however_many_ask(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []
    original = Resource.named_at

    def counted(self: Resource, *path: str | int) -> Iterator[str]:
        seen.append(self.name)
        return original(self, *path)

    monkeypatch.setattr(Resource, "named_at", counted)
    buckets = [resource(BUCKET, f"b{number}", {"bucket": f"acme-{number}"}) for number in range(300)]
    blocks = [resource(BLOCK, f"p{number}", {"bucket": f"acme-{number}"}) for number in range(300)]
    stack = Stack([*buckets, *blocks])
    for number, bucket in enumerate(buckets):
        assert names(stack.referring(bucket, BLOCK, "bucket")) == [f"p{number}"]
    assert len(seen) == len(blocks)
