"""The dashboards that an environment's settings declare, for whoever wants to list, keep or look at them.

They are the very dashboards that the platform deploys; only what is in their panels is invented where no server is.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from components.observability import series
from components.observability.dashboards.board import Board, Folder, Laid, Link, Place, Section, Variable, laid
from components.observability.dashboards.boards import LLM, LLM_SERVERS, declared_boards
from components.observability.dashboards.cast import Cast
from components.observability.dashboards.files import in_folders
from components.observability.dashboards.synthetic import HOURS, POINTS, Series, Trouble, series_of
from components.observability.labels import LabelsOf
from components.observability.models import Watched
from components.observability.values import Panel, Query, Threshold
from stacks.monitoring_models import watched
from stacks.settings import PlatformSettings

__all__ = [
    "HOURS",
    "POINTS",
    "Board",
    "Folder",
    "Link",
    "Panel",
    "PicturedBoard",
    "PicturedPanel",
    "PicturedSection",
    "Place",
    "Query",
    "Section",
    "Series",
    "Threshold",
    "Trouble",
    "Variable",
    "dashboards",
    "files",
    "pictured",
]


@dataclass(frozen=True)
class PicturedPanel:
    """A panel, where it lies on its dashboard, and what it shows."""

    panel: Panel
    place: Place
    series: Sequence[Series]


@dataclass(frozen=True)
class PicturedSection:
    """A section with its panels."""

    section: Section
    panels: Sequence[PicturedPanel]


@dataclass(frozen=True)
class PicturedBoard:
    """A dashboard with what its panels show; ``trouble`` is when an alert fires, if any does."""

    board: Board
    sections: Sequence[PicturedSection]
    trouble: Trouble | None


def dashboards(settings: PlatformSettings, environment: str) -> list[Board]:
    """All of them, in the order in which they are read; none where monitoring is off."""
    return declared_boards(watched(settings, environment)) if settings.monitoring.enabled else []


def files(boards: Iterable[Board]) -> dict[str, str]:
    """Grafana's file of each dashboard, by its path: the folder's identifier and the dashboard's."""
    return {
        f"{each.folder.uid}/{name}": text
        for each in in_folders(boards)
        for part in each.parts
        for name, text in part.items()
    }


def pictured(boards: Iterable[Board], settings: PlatformSettings, environment: str) -> list[PicturedBoard]:
    """``boards`` with invented data of ``environment``: always the same for the same settings."""
    of = watched(settings, environment)
    labels_of, cast = series.labels_of(of), Cast.of(of)
    found: list[PicturedBoard] = []
    for board in boards:
        own = cast.only(_models(board, of))
        sections = [_section(each, own, labels_of) for each in laid(board)]
        found.append(PicturedBoard(board, sections, None if own.all_well else Trouble()))
    return found


def _models(board: Board, of: Watched) -> list[str]:
    """The models that appear on ``board``; none: all of them."""
    constant = [each.value for each in board.variables if each.label == "model" and each.value]
    if constant or LLM not in board.tags:
        return constant
    servers = {name: model.telemetry.server for name, model in of.models.items() if model.telemetry is not None}
    return [name for name, server in servers.items() if server in LLM_SERVERS]


def _section(of: Laid, cast: Cast, labels_of: LabelsOf) -> PicturedSection:
    panels = [
        PicturedPanel(each.panel, each.place, series_of(each.panel, cast, labels_of))
        for each in of.parts()
        if each.panel is not None
    ]
    return PicturedSection(of.section, panels)
