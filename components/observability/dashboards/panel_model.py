"""Panels in Grafana's JSON model: how each kind of panel draws what its queries give."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, TypeAlias

from grafana_foundation_sdk.builders import bargauge, common, gauge, prometheus, stat, statetimeline, table, timeseries
from grafana_foundation_sdk.builders import dashboard as builders
from grafana_foundation_sdk.models import common as look
from grafana_foundation_sdk.models import dashboard as models
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

from components.observability.values import Panel, PanelKind, Query, Threshold

# The source that whoever looks has chosen.
SOURCE: Final = models.DataSourceRef(type_val="prometheus", uid="${datasource}")
# No step is shorter than what most is scraped and recorded at.
_STEP: Final = "1m"

Builder: TypeAlias = timeseries.Panel | stat.Panel | gauge.Panel | bargauge.Panel | table.Panel | statetimeline.Panel


def built(panel: Panel, number: int, place: models.GridPos, links: Sequence[builders.DashboardLink]) -> models.Panel:
    """``panel`` as the model has it, with ``number`` for its id."""
    made = _BUILDERS[panel.kind](panel)
    made.id(number).title(panel.title).description(panel.description).grid_pos(place).datasource(SOURCE)
    made.unit(panel.unit).thresholds(_thresholds(panel.thresholds)).interval(_STEP)
    made.targets([_target(panel, query, index) for index, query in enumerate(panel.queries)])
    if links:
        made.links(list(links))
    if panel.minimum is not None:
        made.min(panel.minimum)
    if panel.maximum is not None:
        made.max(panel.maximum)
    return made.build()


def _target(panel: Panel, query: Query, index: int) -> prometheus.Dataquery:
    made = prometheus.Dataquery().expr(query.expr).ref_id(reference(index)).datasource(SOURCE)
    if query.legend:
        made.legend_format(query.legend)
    if query.instant or panel.kind == "table":
        made.instant().format(PromQueryFormat.TABLE if panel.kind == "table" else PromQueryFormat.TIME_SERIES)
    else:
        made.range()
    return made


def reference(index: int) -> str:
    """What the query of that number is called in its panel: A to Z."""
    return chr(ord("A") + index)


def _thresholds(thresholds: Sequence[Threshold]) -> builders.ThresholdsConfig:
    """Steps of colour. What is below the first is well, unless it is the end that is well."""
    falling = bool(thresholds) and thresholds[-1].color == "green"
    first = models.Threshold(value=None, color="red" if falling else "green")
    steps = [first, *(models.Threshold(value=each.value, color=each.color) for each in thresholds)]
    return builders.ThresholdsConfig().mode(models.ThresholdsMode.ABSOLUTE).steps(steps)


def _color(panel: Panel) -> builders.FieldColor:
    by_threshold = panel.thresholds and panel.kind not in ("timeseries", "table")
    mode = models.FieldColorModeId.THRESHOLDS if by_threshold else models.FieldColorModeId.PALETTE_CLASSIC
    return builders.FieldColor().mode(mode)


def _last() -> common.ReduceDataOptions:
    return common.ReduceDataOptions().calcs(["lastNotNull"]).values(False)


def _timeseries(panel: Panel) -> Builder:
    legend = common.VizLegendOptions().placement(look.LegendPlacement.BOTTOM).show_legend(True)
    legend.display_mode(look.LegendDisplayMode.LIST).calcs(["lastNotNull"])
    lines = look.GraphThresholdsStyleMode.DASHED if panel.thresholds else look.GraphThresholdsStyleMode.OFF
    return (
        timeseries.Panel()
        .legend(legend)
        .tooltip(common.VizTooltipOptions().mode(look.TooltipDisplayMode.MULTI).sort(look.SortOrder.DESCENDING))
        .color_scheme(_color(panel))
        .thresholds_style(common.GraphThresholdsStyleConfig().mode(lines))
        .line_width(1.5)
        .fill_opacity(8)
        .show_points(look.VisibilityMode.NEVER)
    )


def _stat(panel: Panel) -> Builder:
    trend = (
        look.BigValueGraphMode.NONE if all(query.instant for query in panel.queries) else look.BigValueGraphMode.AREA
    )
    return (
        stat.Panel()
        .reduce_options(_last())
        .graph_mode(trend)
        .color_mode(look.BigValueColorMode.VALUE)
        .color_scheme(_color(panel))
    )


def _gauge(panel: Panel) -> Builder:
    return gauge.Panel().reduce_options(_last()).color_scheme(_color(panel)).show_threshold_labels(False)


def _bargauge(panel: Panel) -> Builder:
    return (
        bargauge.Panel()
        .reduce_options(_last())
        .color_scheme(_color(panel))
        .orientation(look.VizOrientation.HORIZONTAL)
        .display_mode(look.BarGaugeDisplayMode.BASIC)
    )


def _state_timeline(panel: Panel) -> Builder:
    return statetimeline.Panel().color_scheme(_color(panel)).show_value(look.VisibilityMode.NEVER).merge_values(True)


def _table(panel: Panel) -> Builder:
    """A row for each combination of labels, a column for each query."""
    names = {_column(panel, index): _heading(query) for index, query in enumerate(panel.queries)}
    hidden = dict.fromkeys(("Time", "__name__", "job", "instance"), True)
    organized: dict[str, Any] = {"excludeByName": hidden, "renameByName": names}
    made = table.Panel().color_scheme(_color(panel)).cell_height(look.TableCellHeight.SM)
    return made.transformations(
        [
            models.DataTransformerConfig(id_val="merge", options={}),
            models.DataTransformerConfig(id_val="organize", options=organized),
        ]
    )


def _heading(query: Query) -> str:
    """What the column of a query's values is called here: labels have columns of their own."""
    return "Value" if not query.legend or "{{" in query.legend else query.legend


def _column(panel: Panel, index: int) -> str:
    """What Grafana calls the column of a query's values."""
    return f"Value #{reference(index)}" if len(panel.queries) > 1 else "Value"


_BUILDERS: Final[Mapping[PanelKind, Callable[[Panel], Builder]]] = {
    "timeseries": _timeseries,
    "stat": _stat,
    "gauge": _gauge,
    "bargauge": _bargauge,
    "table": _table,
    "state-timeline": _state_timeline,
}
