"""Where SSM answers; read by moto."""

from moto.ssm.urls import url_bases, url_paths

__all__ = ["url_bases", "url_paths"]
