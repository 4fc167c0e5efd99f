"""Where EC2 answers; read by moto."""

from moto.ec2.urls import url_bases

from engine.emulator.ec2.responses import ExtendedEC2Response

__all__ = ["url_bases", "url_paths"]

url_paths = {"{0}/": ExtendedEC2Response.dispatch}
