"""Assets and archives are known by what they hold, wherever the engine was started."""

from __future__ import annotations

import hashlib
from pathlib import Path

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
