"""Where Auto Scaling answers; read by moto."""

from moto.autoscaling.responses import AutoScalingResponse
from moto.autoscaling.urls import url_bases

__all__ = ["url_bases", "url_paths"]

url_paths = {"{0}/$": AutoScalingResponse.dispatch}
