"""Where SNS answers; read by moto."""

from moto.sns.urls import url_bases
from moto.sns.urls import url_paths as theirs

from engine.emulator.sns.responses import ExtendedSNSResponse

__all__ = ["url_bases", "url_paths"]

url_paths = {**theirs, "{0}/$": ExtendedSNSResponse.dispatch}
