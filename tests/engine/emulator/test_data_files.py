"""botocore's data files are read once."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.loaders import JSONFileLoader, Loader

from engine.emulator import data_files


def test_a_second_loader_reads_no_file_again(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []

    def reading(_loader: JSONFileLoader, path: str) -> Any:
        read.append(path)
        return {} if path.endswith("endpoints") else None

    monkeypatch.setattr(JSONFileLoader, "load_file", JSONFileLoader.load_file)  # put back at the end
    monkeypatch.setattr(data_files, "_read", reading)
    data_files.kept.cache_clear()
    try:
        data_files.keep()
        first = Loader().load_data("endpoints")
        before = list(read)
        assert Loader().load_data("endpoints") is first
        assert read == before
    finally:
        data_files.kept.cache_clear()
