"""Dashboards as values: places on the grid, identifiers, labels of series, and queries narrowed to what is chosen."""

from __future__ import annotations

from itertools import combinations

import promql_parser
import pytest

from components.observability.dashboards.board import Board, Folder, Section, laid, stable_uid
from components.observability.labels import UnknownMetric, narrowed, result_labels
from components.observability.values import Panel, Query

METRICS = {
    "requests_total": {"model", "team", "code", "pod"},
    "latency_bucket": {"model", "le"},
    "model:info": {"model", "team"},
    "up": {"job", "instance"},
}


def panel(title: str, width: int, height: int) -> Panel:
    return Panel(title, [Query("up")], "short", "Whether it is there.", width=width, height=height)


def test_nothing_lies_on_anything_else_and_all_in_reading_order() -> None:
    sizes = [(12, 8), (6, 4), (6, 8), (24, 3), (16, 9), (12, 2), (8, 8), (8, 4), (8, 4), (8, 4)]
    sections = [Section(name, [panel(str(index), *size) for index, size in enumerate(sizes)]) for name in "ab"]
    found = [each for one in laid(Board("uid", "T", "D", Folder("f", "F"), sections)) for each in one.parts()]
    assert len({each.number for each in found}) == len(found)
    assert [each.panel.title for each in found if each.panel] == [str(index) for index in range(10)] * 2
    assert all(each.place.x + each.place.width <= 24 for each in found)
    for one, other in combinations(found, 2):
        assert not one.place.overlaps(other.place), (one, other)
    assert [each.place.y for each in found] == sorted(each.place.y for each in found)


def test_an_identifier_stays_fits_and_tells_long_names_apart() -> None:
    assert stable_uid("model", "fraud") == "model-fraud"
    long = [stable_uid("model", "a" * 60), stable_uid("model", "a" * 61), stable_uid("model", "a.b"), "model-a-b"]
    assert len(set(long)) == 4
    assert max(map(len, long)) == 40


@pytest.mark.parametrize(
    ("expression", "labels"),
    [
        ("requests_total", {"model", "team", "code", "pod"}),
        ("sum by (model, region) (rate(requests_total[5m]))", {"model"}),
        ("sum without (pod) (requests_total)", {"model", "team", "code"}),
        ("sum(requests_total)", set()),
        ("topk(3, model:info)", {"model", "team"}),
        ("histogram_quantile(0.9, sum by (model, le) (rate(latency_bucket[5m])))", {"model"}),
        ("sum by (model) (requests_total) / on(model) group_left(team) model:info", {"model", "team"}),
        ("requests_total / on(model) model:info", {"model"}),
        ("requests_total - ignoring(pod, code) model:info", {"model", "team"}),
        ("100 * (1 - sum by (model) (requests_total))", {"model"}),
        ("requests_total and on(model) model:info", {"model", "team", "code", "pod"}),
        ("model:info or latency_bucket", {"model"}),
        ('label_replace(up, "node", "$1", "instance", "(.*)")', {"job", "instance", "node"}),
        ('count_values("kind", up)', {"kind"}),
        ('absent(up{job="x", instance=~"y"})', {"job"}),
        ("max_over_time(sum by (team) (requests_total)[1h:5m])", {"team"}),
        ("vector(1)", set()),
        ("time() - up", {"job", "instance"}),
        ("quantile by (team) (0.5, model:info)", {"team"}),
    ],
)
def test_which_labels_are_left(expression: str, labels: set[str]) -> None:
    assert result_labels(promql_parser.parse(expression), METRICS.get) == labels


def test_a_metric_that_nobody_exports_is_named() -> None:
    with pytest.raises(UnknownMetric, match="no exporter and no rule gives 'nosuch'"):
        result_labels(promql_parser.parse("sum(rate(nosuch[5m]))"), METRICS.get)


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("sum(requests_total)", 'sum(requests_total{model="$model"})'),
        ("requests_total{code='5'}[5m]", "requests_total{model=\"$model\",code='5'}[5m]"),
        ("requests_total {}", 'requests_total {model="$model"}'),
        ('requests_total{model="a"}', 'requests_total{model="a"}'),
        ('requests_total{code="model"} offset 5m', 'requests_total{model="$model",code="model"} offset 5m'),
        ("up + on(model) model:info", 'up + on(model) model:info{model="$model"}'),
        ('label_replace(up, "requests_total", "$1", "job", "(.*)")',) * 2,
        ('{__name__="up"} # requests_total',) * 2,
    ],
)
def test_a_query_is_narrowed_where_it_has_the_label(expression: str, expected: str) -> None:
    narrow = narrowed(expression, {"model": '="$model"'}, METRICS.get)
    assert narrow == expected
    promql_parser.parse(narrow)
