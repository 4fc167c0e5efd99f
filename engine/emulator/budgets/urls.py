"""Where AWS Budgets answers; read by moto."""

from moto.budgets.urls import url_bases

from engine.emulator.budgets.responses import ExtendedBudgetsResponse

__all__ = ["url_bases", "url_paths"]

url_paths = {"{0}/$": ExtendedBudgetsResponse.dispatch}
