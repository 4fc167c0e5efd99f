"""Packs served in this process, each test both with the kit's readings and by the SDK's own code."""

from __future__ import annotations

import pytest

from tests.policies.kit_packs import Serve, serving_with


@pytest.fixture(params=[True, False], ids=["ours", "sdk"])
def serve(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Serve:
    return serving_with(monkeypatch, ours=request.param)


@pytest.fixture
def serve_ours(monkeypatch: pytest.MonkeyPatch) -> Serve:
    return serving_with(monkeypatch, ours=True)
