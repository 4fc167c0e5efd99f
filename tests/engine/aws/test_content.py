"""Assets and archives: what they hold reaches S3, and a difference is one of content."""

from __future__ import annotations

import base64
import io
import zipfile
from pathlib import Path

import pytest

from engine.providers.aws import content
from engine.providers.aws.provider import AwsProvider
from engine.providers.base import ProviderError
from engine.values import Archive, Asset, Properties

TYPE = "aws:s3/bucketObjectv2:BucketObjectv2"
URN = f"urn:pulumi:dev::tests::{TYPE}::hello.txt"


def zipped(value: Archive) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(content.of(value))) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_a_folder_is_zipped_the_same_each_time(tmp_path: Path) -> None:
    (tmp_path / "inner").mkdir()
    (tmp_path / "inner" / "b.txt").write_text("b")
    (tmp_path / "a.txt").write_text("a")
    folder = Archive(path=str(tmp_path))
    assert zipped(folder) == {"a.txt": b"a", "inner/b.txt": b"b"}
    before = content.of(folder)
    (tmp_path / "a.txt").touch()
    assert content.of(folder) == before
    mixed = Archive(assets={"one": Asset(text="1"), "two": folder})
    assert zipped(mixed) == {"one": b"1", "two/a.txt": b"a", "two/inner/b.txt": b"b"}


def test_a_file_that_is_an_archive_stays_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "layer.zip").write_bytes(b"PK")
    assert content.of(Archive(path=str(tmp_path / "layer.zip"))) == b"PK"


@pytest.mark.parametrize("asset", [Asset(path="none.txt"), Asset(uri="https://example.com/x")])
def test_what_cannot_be_read_is_named(asset: Asset) -> None:
    with pytest.raises(ProviderError, match=r"none\.txt.*No such file|https://example\.com/x.*give a file"):
        content.of(asset)


def test_only_the_content_of_an_asset_counts() -> None:
    def inputs(asset: Asset) -> Properties:
        return {"bucket": "b", "key": "k", "source": asset}

    provider = AwsProvider()
    old = inputs(Asset(path="/one/place", hash="aa"))
    assert not provider.diff(URN, TYPE, "b/k", old, {}, inputs(Asset(path="/another", hash="aa"))).changes
    assert provider.diff(URN, TYPE, "b/k", old, {}, inputs(Asset(path="/one/place", hash="bb"))).changes


@pytest.mark.parametrize("how", ["content", "contentBase64", "text", "file"])
def test_an_object_holds_what_was_given(provider: AwsProvider, tmp_path: Path, how: str) -> None:
    (tmp_path / "hello.txt").write_text("Hello")
    given = {
        "content": {"content": "Hello"},
        "contentBase64": {"contentBase64": base64.b64encode(b"Hello").decode()},
        "text": {"source": Asset(text="Hello", hash="aa")},
        "file": {"source": Asset(path=str(tmp_path / "hello.txt"), hash="aa")},
    }[how]
    s3 = provider.caller().client("s3", "us-east-1")
    s3.create_bucket(Bucket=f"content-{how.lower()}")
    checked = provider.check(URN, TYPE, None, {"bucket": f"content-{how.lower()}", **given}, seed="s")
    assert not checked.failures
    inputs = dict(checked.inputs)
    made = provider.create(URN, TYPE, inputs, timeout=30, preview=False, token="bedplate-content")
    assert made.id == f"content-{how.lower()}/hello.txt", "the key is the resource's name where none is given"
    assert s3.get_object(Bucket=f"content-{how.lower()}", Key="hello.txt")["Body"].read() == b"Hello"
    found = provider.read(URN, TYPE, made.id, inputs, made.outputs)
    assert found is not None
    assert found.inputs == inputs
    provider.delete(URN, TYPE, made.id, inputs, made.outputs, timeout=30)
    assert "Contents" not in s3.list_objects_v2(Bucket=f"content-{how.lower()}")
