"""Dashboards as Grafana reads them: its JSON model, through its own typed builders.

The builders are imported when a dashboard is written, not before: they take longer than all the rest.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Final

from grafana_foundation_sdk.builders import dashboard as builders
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models import dashboard as models

from components.observability.dashboards.board import TAG, Board, Laid, Link, Section, Variable, laid
from components.observability.dashboards.panel_model import SOURCE, built

# Matches every value, and series without the label, too.
ALL: Final = ".*"
# The version of the model that is written, which later versions of Grafana read: 13.2 writes 42 itself.
_SCHEMA_VERSION: Final = 42
_REFRESH: Final = "1m"
_FIRING_COLOR: Final = "red"
_STEP: Final = "60s"


class _Marks(models.AnnotationQuery):
    """A query's own fields lie beside those of the model, which knows only some of them."""

    def to_json(self) -> dict[str, object]:
        texts = {"titleFormat": "{{alertname}}", "textFormat": "{{severity}}: team {{team}}"}
        return {**super().to_json(), **texts, "tagKeys": "team,severity", "step": _STEP}


def dashboard(board: Board) -> dict[str, Any]:
    """``board`` in Grafana's JSON model, as plain values."""
    return json.loads(minified(board))


def minified(board: Board) -> str:
    """The text of the file that Grafana reads."""
    return Writer().text(board)


class Writer:
    """Writes dashboards. A section that several have at the same place, as models have, is written once."""

    def __init__(self) -> None:
        # The sections are kept beside their text, so that no others can have their identity meanwhile.
        self._written: dict[tuple[int, int, int], tuple[Section, str]] = {}

    def text(self, board: Board) -> str:
        """The text of the file that Grafana reads: as short as it can be, and always the same."""
        panels = ",".join(self._section(each) for each in laid(board))
        return f'{_json(_built(board))[:-1]},"panels":[{panels}]}}'

    def _section(self, each: Laid) -> str:
        key = (id(each.section), each.index, each.y)
        if key not in self._written:
            self._written[key] = (each.section, _json(list(_panels(each)))[1:-1])
        return self._written[key][1]


def _json(value: object) -> str:
    return json.dumps(value, cls=JSONEncoder, separators=(",", ":"), ensure_ascii=False)


def _built(board: Board) -> models.Dashboard:
    """All of it but the panels."""
    builder = (
        builders.Dashboard(board.title)
        .uid(board.uid)
        .description(board.description)
        .tags([TAG, *board.tags])
        .readonly()
        .tooltip(models.DashboardCursorSync.CROSSHAIR)
        .time("now-6h", "now")
        .refresh(_REFRESH)
        .timezone("browser")
    )
    builder = builder.with_variable(_source()).links([*_ways(), *map(_link, board.links)])
    for variable in board.variables:
        builder = builder.with_variable(_variable(variable))
    made = builder.build()
    made.schema_version = _SCHEMA_VERSION
    made.annotations = models.AnnotationContainer([_firing(board.fires)])
    return made


def _panels(laid: Laid) -> Iterator[models.Panel | models.RowPanel]:
    """The heading and the panels of a section, with the section's links at the first."""
    section = laid.section
    for number, each in enumerate(laid.parts()):
        place = models.GridPos(h=each.place.height, w=each.place.width, x=each.place.x, y=each.place.y)
        if each.panel is None:
            row = builders.Row(section.title).id(each.number).grid_pos(place).collapsed(False)
            yield row.build()
        else:
            links = section.links if number == 1 else ()
            yield built(each.panel, each.number, place, [_link(link) for link in links])


def _source() -> builders.DatasourceVariable:
    chosen = models.VariableOption(selected=True, text="Prometheus", value="prometheus")
    return builders.DatasourceVariable("datasource").label("Source").type("prometheus").current(chosen)


def _variable(variable: Variable) -> builders.QueryVariable | builders.ConstantVariable:
    if variable.value is not None:
        return builders.ConstantVariable(variable.label).label(variable.title).value(variable.value)
    chosen = models.VariableOption(selected=True, text="All", value="$__all")
    source = f"{variable.metric}{{{variable.within}}}" if variable.within else variable.metric
    query = f"label_values({source}, {variable.label})"
    return (
        builders.QueryVariable(variable.label)
        .label(variable.title)
        .datasource(SOURCE)
        .query(query)
        .refresh(models.VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(models.VariableSort.ALPHABETICAL_ASC)
        .multi(True)
        .include_all(True)
        .all_value(ALL)
        .current(chosen)
    )


def _ways() -> list[builders.DashboardLink]:
    """To all other dashboards, with the time and what was chosen."""
    return [
        builders.DashboardLink("Dashboards")
        .type(models.DashboardLinkType.DASHBOARDS)
        .tags([TAG])
        .as_dropdown(True)
        .keep_time(True)
        .include_vars(False)
    ]


def _link(link: Link) -> builders.DashboardLink:
    inside = link.url.startswith("/")
    kind = models.DashboardLinkType.LINK
    made = builders.DashboardLink(link.title).type(kind).url(link.url).target_blank(not inside)
    return made.icon("dashboard" if inside else "doc").keep_time(inside)


def _firing(matchers: str) -> _Marks:
    """Alerts as marks in all panels."""
    chosen = ",".join(filter(None, ('alertstate="firing"', 'severity!="info"', matchers)))
    return _Marks(name="Firing alerts", datasource=SOURCE, icon_color=_FIRING_COLOR, expr=f"ALERTS{{{chosen}}}")
