"""A client's certificate is taken into TLS, and leaves no file."""

from __future__ import annotations

import ssl
import stat
import sys
from pathlib import Path

import pytest

from engine import client_certificates
from engine.sandbox.native.certificates import Authority


@pytest.mark.parametrize("platform", ["linux", "darwin"])
def test_no_file_stays_and_none_is_open_to_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, platform: str
) -> None:
    pair = Authority().client("somebody")
    monkeypatch.setattr(sys, "platform", platform)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    modes: list[int] = []

    class Watched(ssl.SSLContext):
        def load_cert_chain(self, certfile: str, *_: object) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
            modes.extend(stat.S_IMODE(file.stat().st_mode) for file in tmp_path.iterdir())
            super().load_cert_chain(certfile)

    client_certificates.load(Watched(ssl.PROTOCOL_TLS_CLIENT), (pair.certificate + pair.key).encode())
    assert modes == ([] if platform == "linux" else [0o600])
    assert list(tmp_path.iterdir()) == []


def test_what_is_no_certificate_is_an_error_of_tls() -> None:
    with pytest.raises(ssl.SSLError):
        client_certificates.load(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), b"no certificate")
