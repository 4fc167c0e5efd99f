"""Where DynamoDB answers; read by moto."""

from moto.dynamodb.urls import url_bases

from engine.emulator.dynamodb.responses import ExtendedDynamoHandler

__all__ = ["url_bases", "url_paths"]

url_paths = {"{0}/": ExtendedDynamoHandler.dispatch}
