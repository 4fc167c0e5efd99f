"""Where CloudWatch answers; read by moto."""

from moto.cloudwatch.urls import url_bases

from engine.emulator.cloudwatch.responses import ExtendedCloudWatchResponse

__all__ = ["url_bases", "url_paths"]

url_paths = {"{0}/$": ExtendedCloudWatchResponse.dispatch}
