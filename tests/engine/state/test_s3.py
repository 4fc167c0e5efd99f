"""A backend in S3 is read in place, with credentials that may only read; everything else says what to do."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, NoCredentialsError
from moto import mock_aws

from engine.state import history
from engine.state.errors import BadUrl, BucketDenied, NoCredentials, StateError
from engine.state.remote import RemoteStore
from engine.state.s3 import S3Bucket
from engine.state.storage import Update
from tests.engine.state.stacks import CASES, codec

URL = "s3://acme-state/teams/ml?region=eu-central-1"
CHECKPOINT = ".pulumi/stacks/fixture/dev.json"


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    for name in ("AWS_PROFILE", "AWS_ENDPOINT_URL", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    with mock_aws():
        client = boto3.client("s3", region_name="eu-central-1")
        client.create_bucket(Bucket="acme-state", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
        yield client


def put(s3: Any, key: str, content: bytes, prefix: str = "teams/ml/") -> None:
    s3.put_object(Bucket="acme-state", Key=prefix + key, Body=content)


def remote(url: str = URL) -> RemoteStore:
    return RemoteStore(S3Bucket.at(url), "fixture", "dev", codec())


def test_a_checkpoint_of_the_cli_is_read_where_it_lies(s3: Any) -> None:
    content = (CASES / "plain.checkpoint.json").read_bytes()
    put(s3, ".pulumi/meta.yaml", b"version: 1\n")
    put(s3, CHECKPOINT, content)
    put(s3, f"{CHECKPOINT}.bak", b"not this one")
    put(s3, CHECKPOINT, b"nor this one", prefix="")
    found = remote().load()
    assert found is not None
    assert len(found.resources) == len(json.loads(content)["checkpoint"]["latest"]["resources"])
    assert [one["Key"] for one in s3.list_objects_v2(Bucket="acme-state")["Contents"]] == [
        CHECKPOINT, "teams/ml/.pulumi/meta.yaml", f"teams/ml/{CHECKPOINT}", f"teams/ml/{CHECKPOINT}.bak",
    ]  # fmt: skip
    put(s3, f"{CHECKPOINT}.gz", gzip.compress(content))
    s3.delete_object(Bucket="acme-state", Key=f"teams/ml/{CHECKPOINT}")
    assert remote().load() == found


def test_a_stack_that_is_not_there(s3: Any) -> None:
    del s3
    assert remote().load() is None
    assert not remote("s3://acme-state").exists()


def test_a_bucket_of_many_objects(s3: Any) -> None:
    for number in range(7):
        put(s3, f".pulumi/history/fixture/dev/dev-{number}.history.json", json.dumps(_update(number)).encode())
    bucket = S3Bucket.at(URL)
    client = bucket._client  # pyright: ignore[reportPrivateUsage] - so that a page is shorter than all of it
    client.get_paginator = partial(_paged, client.get_paginator)
    updates, faults = history.read(bucket, "fixture", "dev")
    assert [one.start for one in updates] == [6, 5, 4, 3, 2, 1, 0]
    assert faults == []


def _paged(make: Callable[[str], Any], name: str) -> Any:
    """A paginator whose pages have three objects."""
    paginator = make(name)
    paginator.paginate = partial(paginator.paginate, PaginationConfig={"PageSize": 3})
    return paginator


def _update(number: int) -> dict[str, Any]:
    return Update("update", number, number, "succeeded").encode()


def test_the_layout_of_2022_is_refused(s3: Any) -> None:
    put(s3, ".pulumi/stacks/dev.json", b"{}")
    with pytest.raises(StateError, match=r"s3://acme-state/teams/ml(.|\n)*pulumi state upgrade"):
        remote().load()


def test_a_bucket_that_is_not_there(s3: Any) -> None:
    del s3
    with pytest.raises(StateError, match=r"NoSuchBucket(.|\n)*look at the bucket's name"):
        remote("s3://acme-stte?region=eu-central-1").load()


@pytest.mark.parametrize("code", ["AccessDenied", "403", "ExpiredToken", "InvalidAccessKeyId"])
def test_credentials_that_may_not(monkeypatch: pytest.MonkeyPatch, code: str) -> None:
    bucket = _failing(monkeypatch, ClientError({"Error": {"Code": code, "Message": "no"}}, "GetObject"))
    with pytest.raises(BucketDenied, match=r"access denied, where s3:GetObject(.|\n)*s3:ListBucket(.|\n)*kms:Decrypt"):
        bucket.read("x")


def test_no_credentials_and_no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(NoCredentials, match="no credentials to read it with"):
        _failing(monkeypatch, NoCredentialsError()).read("x")
    with pytest.raises(StateError, match=r"can't be reached(.|\n)*region and endpoint"):
        _failing(monkeypatch, EndpointConnectionError(endpoint_url="https://s3.nowhere")).read("x")
    wrong = ClientError({"Error": {"Code": "PermanentRedirect", "Message": "elsewhere"}}, "GetObject")
    with pytest.raises(StateError, match=r"PermanentRedirect elsewhere\n.*region"):
        _failing(monkeypatch, wrong).read("x")


def _failing(monkeypatch: pytest.MonkeyPatch, error: Exception) -> S3Bucket:
    class Client:
        def get_object(self, **_arguments: str) -> None:
            raise error

    monkeypatch.setattr(S3Bucket, "_client", Client())
    return S3Bucket.at(URL)


def test_a_profile_that_is_not_there_is_no_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    with pytest.raises(NoCredentials, match="nowhere-profile"):
        S3Bucket.at("s3://acme-state?profile=nowhere-profile").read("x")


@pytest.mark.parametrize(
    ("query", "endpoint", "style"),
    [
        ("", "https://s3.eu-central-1.amazonaws.com", "auto"),
        ("&endpoint=localhost:9000&disableSSL=true&s3ForcePathStyle=true", "http://localhost:9000", "path"),
        ("&endpoint=minio.example&use_path_style=1", "https://minio.example", "path"),
        ("&endpoint=https://r2.example/x&awssdk=v2", "https://r2.example/x", "auto"),
    ],
)
def test_the_urls_parameters_are_pulumis(
    monkeypatch: pytest.MonkeyPatch, query: str, endpoint: str, style: str
) -> None:
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    client = S3Bucket.at(URL + query)._client  # pyright: ignore[reportPrivateUsage] - what it was made with is the point
    assert client.meta.endpoint_url == endpoint
    assert client.meta.region_name == "eu-central-1"
    assert client.meta.config.s3["addressing_style"] == style


def test_a_prefix_with_odd_characters(s3: Any) -> None:
    put(s3, CHECKPOINT, (CASES / "plain.checkpoint.json").read_bytes(), prefix="a b/ü/")
    assert remote("s3://acme-state/a%20b/%C3%BC/?region=eu-central-1").load() is not None


@pytest.mark.parametrize(
    ("url", "text"), [("s3:///prefix", "names no bucket"), ("s3://b?reigon=eu-west-1", "'reigon' is not known here")]
)
def test_urls_that_are_not_understood(url: str, text: str) -> None:
    with pytest.raises(BadUrl, match=text):
        S3Bucket.at(url)
