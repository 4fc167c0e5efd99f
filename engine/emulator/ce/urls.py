"""Where Cost Explorer answers; read by moto."""

from moto.ce.urls import url_bases

from engine.emulator.ce.responses import ExtendedCostExplorerResponse

__all__ = ["url_bases", "url_paths"]

url_paths = {"{0}/$": ExtendedCostExplorerResponse.dispatch}
