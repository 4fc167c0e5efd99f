"""The lint of dashboards: nothing to say of a good one, and each thing that can be wrong is found, with its place."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from components.observability.dashboards.board import Board, Folder, Link, Section, Variable
from components.observability.dashboards.json_model import dashboard
from components.observability.lint import CHECKS, Finding, lint
from components.observability.values import Panel, PanelKind, Query, Threshold

METRICS = {
    "requests_total": {"model", "team", "code", "version"},
    "latency_bucket": {"model", "le"},
    "model:info": {"model", "team"},
    "ALERTS": {"alertname", "alertstate", "severity", "team", "model"},
}
KINDS: tuple[PanelKind, ...] = ("timeseries", "stat", "gauge", "table", "bargauge", "state-timeline")
ERRORS = Query('sum by (model) (rate(requests_total{code=~"5..", model="$model"}[5m]))', "{{model}}")

Document = dict[str, Any]
Change = Callable[[Document], object]


def good() -> Board:
    panels = [
        Panel(f"Errors as {kind}", [ERRORS], "reqps", "Requests that fail.", kind, thresholds=[Threshold(0.1, "red")])
        for kind in KINDS
    ]
    return Board(
        "model-fraud", "Fraud", "All of it.", Folder("f", "F"), [Section("Requests", panels)],
        variables=[Variable("model", "Model", "model:info")], links=[Link("Itself", "/d/model-fraud")],
        fires='model=~"$model"',
    )  # fmt: skip


def document() -> Document:
    return dashboard(good())


def test_a_good_dashboard_has_no_findings() -> None:
    assert lint([document()], METRICS.get) == []


def panel_of(document: Document, index: int = 1) -> Document:
    return document["panels"][index]


def set_query(expr: str, legend: str = "") -> Change:
    return lambda document: panel_of(document)["targets"][0].update(expr=expr, legendFormat=legend)


def set_panel(**values: Any) -> Change:
    return lambda document: panel_of(document).update(values)


def set_default(**values: Any) -> Change:
    return lambda document: panel_of(document)["fieldConfig"]["defaults"].update(values)


def set_root(**values: Any) -> Change:
    return lambda document: document.update(values)


def set_variable(**values: Any) -> Change:
    return lambda document: document["templating"]["list"][1].update(values)


FIRST = "Errors as timeseries"
M = 'model="$model"'
BAD: list[tuple[str, Change, str, str]] = [
    ("syntax", set_query(f"sum(rate(requests_total{{{M}}}[5m])"), FIRST, "query A: does not parse"),
    ("metric", set_query(f"rate(requests_totl{{{M}}}[5m])"), FIRST, "no exporter and no rule gives 'requests_totl'"),
    ("matcher", set_query(f'requests_total{{pod="a",{M}}}'), FIRST, "'requests_total' has no label 'pod'"),
    ("grouping", set_query("sum by (pod) (requests_total)"), FIRST, "what 'sum' is given has no label 'pod'"),
    ("matching", set_query("requests_total / on(code) model:info"), FIRST, "not both sides of '/' has no label 'code'"),
    ("legend", set_query("sum by (model) (requests_total)", "{{model}} {{version}}"), FIRST,
     "the legend names 'version', which its series don't have: those have model"),
    ("legend of nothing", set_query("sum(requests_total)", "{{ model }}"), FIRST, "those have no labels"),
    ("no query", set_panel(targets=[]), FIRST, "has no query"),
    ("two queries of one name", lambda document: panel_of(document)["targets"].append(panel_of(document)["targets"][0]),
     FIRST, "2 queries are called A"),
    ("no unit", set_default(unit=""), FIRST, "has no unit"),
    ("unit", set_default(unit="fortnights"), FIRST, "has the unit 'fortnights', which Grafana does not know"),
    ("no description", set_panel(description=""), FIRST, "has no description"),
    ("no title", set_panel(title=""), "", "panel 2 has no title"),
    ("titles", set_panel(title="Errors as stat"), "", "2 panels have the title 'Errors as stat'"),
    ("ids", set_panel(id=3), "", "2 panels have the id 3"),
    ("overlap", set_panel(gridPos={"x": 6, "y": 1, "w": 12, "h": 8}), FIRST, "lies on panel 'Errors as stat'"),
    ("width", set_panel(gridPos={"x": 16, "y": 90, "w": 12, "h": 8}), FIRST, "a dashboard has 24 columns"),
    ("source", set_panel(datasource={"type": "prometheus", "uid": "prometheus"}), FIRST,
     "asks the source 'prometheus', not the one that is chosen"),
    ("thresholds that fall", set_default(thresholds={"mode": "absolute", "steps": [
        {"value": None, "color": "green"}, {"value": 2, "color": "red"}, {"value": 1, "color": "red"}]}),
     FIRST, "thresholds must rise, but are [2, 1]"),
    ("a first threshold with a value", set_default(thresholds={"mode": "absolute", "steps": [
        {"value": 0, "color": "green"}]}), FIRST, "the first threshold must have no value"),
    ("undefined variable", set_query("requests_total{model='${mdl:regex}'}"), FIRST, "names the variable 'mdl'"),
    ("unused variable", lambda document: document["templating"]["list"].append(
        {**document["templating"]["list"][1], "name": "version"}), "", "the variable 'version' is used nowhere"),
    ("variable given twice", lambda document: document["templating"]["list"].append(
        document["templating"]["list"][1]), "", "the variable 'model' is defined 2 times"),
    ("a variable's query", set_variable(query="query_result(up)"), "", "which is no label_values(...)"),
    ("a variable's metric", set_variable(query="label_values(model:nfo, model)"), "", "gives 'model:nfo'"),
    ("a variable's label", set_variable(query="label_values(model:info, version)"), "",
     "the variable 'model': the legend names 'version'"),
    ("annotation", lambda document: document["annotations"]["list"][0].update(expr="ALERTS{state='firing'}"), "",
     "annotation 'Firing alerts': 'ALERTS' has no label 'state'"),
    ("uid", set_root(uid="a b"), "", "the uid 'a b' is none"),
    ("long uid", set_root(uid="a" * 41), "", "up to 40 letters"),
    ("dashboard without title", set_root(title=""), "", "has no title"),
    ("a link to nowhere", lambda document: document["links"][1].update(url="/d/nosuch"), "",
     "links to the dashboard 'nosuch', which there is not"),
    ("a link without encryption", lambda document: document["links"][1].update(url="http://a.example"), "",
     "'http://a.example', which is no https:// address"),
    ("a field that is none", set_panel(colour="red"), "", "the document.panels[1].colour is no field that Grafana"),
    ("a field of another type", set_panel(id="one"), "", "the document.panels[1].id is 'one', which is no"),
    ("a field of no such value", lambda document: panel_of(document)["options"]["legend"].update(displayMode="lst"), "",
     "display_mode is 'lst', which is no one of list, table, hidden"),
    ("a field of a query", lambda document: panel_of(document)["targets"][0].update(instant="yes"), "",
     "targets[0].instant is 'yes'"),
    ("a transformation", lambda document: panel_of(document, 4)["transformations"].append({"options": 1, "id": 2}), "",
     "the document.panels[4].transformations"),
    ("a panel that is none", lambda document: document["panels"].append("x"), "", "is no Dashboard"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "panel", "message"), [case[1:] for case in BAD], ids=[case[0] for case in BAD])
def test_what_is_wrong_is_found(change: Change, panel: str, message: str) -> None:
    bad = document()
    change(bad)
    found = lint([json.loads(json.dumps(bad))], METRICS.get)
    assert any(one.panel == panel and message in one.message for one in found), "\n".join(map(str, found))


def test_two_dashboards_of_one_uid() -> None:
    assert lint([document(), document()], METRICS.get) == [Finding("model-fraud", "", "2 dashboards have this uid")]


def test_a_finding_says_where() -> None:
    assert str(Finding("area-gpus", "Idle", "has no unit")) == "area-gpus, panel 'Idle': has no unit"
    assert str(Finding("area-gpus", "", "has no title")) == "area-gpus: has no title"


def test_no_check_is_without_a_case() -> None:
    """Each check alone finds something in at least one of the cases."""
    silent = set(CHECKS)
    for _, change, _, _ in BAD:
        bad = document()
        change(bad)
        silent -= {check for check in silent if _finds(check, bad)}
    assert not silent


def _finds(check: Any, bad: Document) -> bool:
    from components.observability.lint import Subject

    try:
        return bool(list(check(Subject(bad, METRICS.get, frozenset({"model-fraud"})))))
    except (KeyError, TypeError, AttributeError):
        return False  # the schema refuses it before


def test_durations_that_grafana_fills_in_parse() -> None:
    board = good()
    query = Query('sum by (model) (rate(requests_total{model="$model"}[$__rate_interval]))', "{{model}}")
    panel = Panel("Requests", [query], "reqps", "How many.")
    assert lint([dashboard(replace(board, sections=[Section("One", [panel])]))], METRICS.get) == []
