"""Assets and archives are known by what they hold, wherever the engine was started."""

from __future__ import annotations

import hashlib
import tarfile
import zipfile
from pathlib import Path

import pytest

from engine.assets import located
from engine.providers.aws import content
from engine.values import Archive, Asset, Secret, Value


def one(value: Value, folder: Path) -> Value:
    return located({"it": value}, folder)["it"]


def test_a_relative_path_starts_in_the_folder_of_the_program(tmp_path: Path) -> None:
    (tmp_path / "f").write_text("hi")
    digest = hashlib.sha256(b"hi").hexdigest()
    found = one(Asset(path="f"), tmp_path)
    assert (found.path, found.hash) == ("f", digest)
    assert found == Asset(path="f", hash=digest)
    assert content.of(found) == b"hi"
    assert one(Secret([Asset(path="./f")]), tmp_path) == Secret([Asset(path="./f", hash=digest)])
    assert one(Asset(text="hi"), tmp_path).hash == digest
    assert one(Asset(path="nowhere"), tmp_path).hash == ""


def test_an_archive_is_known_by_the_contents_of_its_folder(tmp_path: Path) -> None:
    (tmp_path / "all" / "sub").mkdir(parents=True)
    file = tmp_path / "all" / "sub" / "f"
    file.write_text("hi")
    before = one(Archive(path="all"), tmp_path)
    assert len(content.of(before)) > 0
    file.write_text("ho")
    assert one(Archive(path="all"), tmp_path).hash not in ("", before.hash)


def test_an_archive_of_assets_is_known_by_them(tmp_path: Path) -> None:
    (tmp_path / "f").write_text("hi")
    before = one(Archive(assets={"x": Asset(path="f"), "y": Archive(assets={"z": Asset(path="f")})}), tmp_path)
    (tmp_path / "f").write_text("ho")
    assert one(Archive(assets={"x": Asset(path="f"), "y": Archive(assets={"z": Asset(path="f")})}), tmp_path) != before


# What Go 1.26's archive/tar, and so Pulumi, makes of one file of that name whose content is "content".
NAMES = {
    "d/" * 60 + "f": "ca312db6b6e305497fab3457da08d021305339449fe38b4ff23d5bf54ea86dbb",
    "ä/ö 😀": "c6e11be800eb944ccdcd3f170cc841b509514c2d23a82eb248b89f367e52e4f1",
    "d" * 90 + "/" + "f" * 99: "f112554bc6b4e82fe2bf1b2f5a91d337dbb996b641e490dec05c4a369ec95333",
    "d/" * 100 + "f" * 120: "d6245f1504b6a70e154c1c614ab4336dfb7a4b440ff1caea9420d79d2c89111a",
}


@pytest.mark.parametrize("name", NAMES, ids=["split", "beyond ASCII", "split at the edge", "too long to split"])
def test_an_archive_has_the_hash_that_pulumi_gives_it(tmp_path: Path, name: str) -> None:
    assert one(Archive(assets={name: Asset(text="content")}), tmp_path).hash == NAMES[name]


def test_an_archive_that_is_a_file_is_known_by_its_bytes_and_within_another_by_what_it_holds(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "f").write_text("hi")
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.write(tmp_path / "in" / "f", "f")
    with tarfile.open(tmp_path / "a.tar.gz", "w:gz") as tar:
        tar.add(tmp_path / "in" / "f", "./f")
    for name in ("a.zip", "a.tar.gz"):
        assert one(Archive(path=name), tmp_path).hash == hashlib.sha256((tmp_path / name).read_bytes()).hexdigest()
    hashes = {one(Archive(assets={"x": Archive(path=name)}), tmp_path).hash for name in ("a.zip", "a.tar.gz", "in")}
    assert len(hashes) == 1
    assert hashes != {""}


@pytest.mark.parametrize(
    "archive",
    [
        Archive(path="nowhere"),
        Archive(path="torn.zip"),
        Archive(uri="https://example.com/a.zip"),
        Archive(assets={"x": Asset(uri="https://example.com/x")}),
        Archive(assets={"x": Archive(path="torn.zip")}),
    ],
)
def test_what_cannot_be_read_here_has_no_hash(tmp_path: Path, archive: Archive) -> None:
    (tmp_path / "torn.zip").write_text("no zip")
    expected = hashlib.sha256(b"no zip").hexdigest() if archive.path == "torn.zip" else ""
    assert one(archive, tmp_path).hash == expected
