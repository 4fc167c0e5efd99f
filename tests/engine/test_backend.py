"""The passphrase that is kept for a state whose user has set none."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from engine.backend import kept_passphrase, new_passphrase, shown


def test_stacks_that_come_up_for_the_first_time_at_once_keep_one_passphrase(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as threads:
        made = set(threads.map(new_passphrase, [tmp_path / "state"] * 32))
    assert made == {kept_passphrase(tmp_path / "state")}
    assert [path.name for path in (tmp_path / "state").iterdir()] == ["passphrase"]
    assert (tmp_path / "state" / "passphrase").stat().st_mode & 0o777 == 0o600


def test_a_file_system_without_links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_arguments: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", refused)
    first = new_passphrase(tmp_path)
    assert first == new_passphrase(tmp_path) == kept_passphrase(tmp_path)


def test_the_password_in_a_backends_url_is_not_shown() -> None:
    assert (
        shown("postgres://me:hunter%402@db:5432/state?sslmode=on") == "postgres://me:[secret]@db:5432/state?sslmode=on"
    )
    for plain in ("", "s3://bucket/states?region=eu-west-1", "https://me@api.pulumi.com", "file:///tmp/a:b@c"):
        assert shown(plain) == plain
