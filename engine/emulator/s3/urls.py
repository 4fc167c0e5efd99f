"""Where S3 answers; read by moto."""

from typing import Any

from moto.s3 import urls as moto_urls

from engine.emulator.s3.responses import ExtendedS3Response

url_bases = moto_urls.url_bases


def _ours(handler: Any) -> Any:
    return getattr(ExtendedS3Response, handler.__name__)


url_paths = {path: _ours(handler) for path, handler in moto_urls.url_paths.items()}
