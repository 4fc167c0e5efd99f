"""Where ECR answers; read by moto."""

from moto.ecr.urls import url_bases

from engine.emulator.ecr.responses import ExtendedECRResponse

__all__ = ["url_bases", "url_paths"]

url_paths = {"{0}/$": ExtendedECRResponse.dispatch}
