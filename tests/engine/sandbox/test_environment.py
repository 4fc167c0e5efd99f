"""What the processes of a sandbox learn of the environment that it was started from."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.sandbox.aws_half import environment


def test_nothing_that_could_be_a_secret_is_handed_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_SESSION_TOKEN", "GITHUB_TOKEN", "PULUMI_CONFIG_PASSPHRASE", "KUBECONFIG", "PGPASSWORD"):
        monkeypatch.setenv(name, "hunter2-hunter2")
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    monkeypatch.setenv("TMPDIR", "/tmp")
    found = environment(tmp_path)
    assert "hunter2-hunter2" not in found.values()
    assert {"PATH", "LC_ALL", "PYTHONPATH"} <= found.keys()
    assert found["TMPDIR"] == str(tmp_path), "what must be a file lies in the sandbox's own folder"
