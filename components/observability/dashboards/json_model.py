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

from components.observability.dashboards.board import TAG, Board, Link, Variable, placed
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
    return json.dumps(_built(board), cls=JSONEncoder, separators=(",", ":"), ensure_ascii=False)


def _built(board: Board) -> models.Dashboard:
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
    made.panels = list(_panels(board))
    made.annotations = models.AnnotationContainer([_firing(board.fires)])
    return made


def _panels(board: Board) -> Iterator[models.Panel | models.RowPanel]:
    """Headings and panels, numbered from 1 in the order in which they are read."""
    for number, each in enumerate(placed(board), 1):
        place = models.GridPos(h=each.place.height, w=each.place.width, x=each.place.x, y=each.place.y)
        if each.panel is None:
            row = builders.Row(each.section.title).id(number).grid_pos(place).collapsed(False)
            yield row.build()
        else:
            links = each.section.links if each.panel is each.section.panels[0] else ()
            yield built(each.panel, number, place, [_link(link) for link in links])


def _source() -> builders.DatasourceVariable:
    chosen = models.VariableOption(selected=True, text="Prometheus", value="prometheus")
    return builders.DatasourceVariable("datasource").label("Source").type("prometheus").current(chosen)


def _variable(variable: Variable) -> builders.QueryVariable | builders.ConstantVariable:
    if variable.value is not None:
        return builders.ConstantVariable(variable.label).label(variable.title).value(variable.value)
    chosen = models.VariableOption(selected=True, text="All", value="$__all")
    query = f"label_values({variable.metric}{{{variable.within}}}, {variable.label})"
    return (
        builders.QueryVariable(variable.label)
        .label(variable.title)
        .datasource(SOURCE)
        .query({"query": query, "refId": f"values of {variable.label}"})
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
