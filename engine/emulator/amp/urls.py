"""Where Amazon Managed Service for Prometheus answers; read by moto."""

from moto.amp.urls import url_bases
from moto.amp.urls import url_paths as theirs

from engine.emulator.amp.responses import ExtendedAmpResponse

__all__ = ["url_bases", "url_paths"]

url_paths = dict.fromkeys(theirs, ExtendedAmpResponse.dispatch)
