"""Where SQS answers; read by moto."""

from moto.sqs.urls import url_bases, url_paths

__all__ = ["url_bases", "url_paths"]
