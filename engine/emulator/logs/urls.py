"""Where CloudWatch Logs answers; read by moto."""

from moto.logs.urls import url_bases

from engine.emulator.logs.responses import ExtendedLogsResponse

__all__ = ["url_bases", "url_paths"]

url_paths = {"{0}/$": ExtendedLogsResponse.dispatch}
