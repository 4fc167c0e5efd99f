"""Where KMS answers; read by moto."""

from moto.kms.urls import url_bases

from engine.emulator.kms.responses import ExtendedKmsResponse

__all__ = ["url_bases", "url_paths"]

url_paths = {"{0}/$": ExtendedKmsResponse.dispatch}
