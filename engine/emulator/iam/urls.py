"""Where IAM answers; read by moto."""

from moto.iam.urls import url_bases

from engine.emulator.iam.responses import ExtendedIamResponse

__all__ = ["url_bases", "url_paths"]

url_paths = {"{0}/$": ExtendedIamResponse.dispatch}
