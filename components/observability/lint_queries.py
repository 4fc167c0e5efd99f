"""What is wrong with a query of a panel: that it does not parse, or that it names what nothing has."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

import promql_parser as promql

from components.observability.labels import LabelsOf, UnknownMetric, result_labels

# Durations that Grafana puts into a query, and one that stands for each while it is parsed.
_DURATIONS: Final = ("$__rate_interval", "$__interval", "$__range")
_LEGEND = re.compile(r"\{\{\s*(\w+)\s*\}\}")


def query_problems(text: str, legend: str, labels_of: LabelsOf) -> Iterator[str]:
    """What is wrong with a query: it does not parse, it names what is not there, or its legend does."""
    for duration in _DURATIONS:
        text = text.replace(duration, "5m")
    try:
        parsed = promql.parse(text)
    except ValueError as error:
        yield f"does not parse: {error}"
        return
    try:
        left = result_labels(parsed, labels_of)
    except UnknownMetric as error:
        yield str(error)
        return
    yield from _unknown_labels(parsed, labels_of)
    for label in dict.fromkeys(_LEGEND.findall(legend)):
        if label not in left:
            there = f"those have {', '.join(sorted(left))}" if left else "those have no labels"
            yield f"the legend names '{label}', which its series don't have: {there}"


def _unknown_labels(parsed: promql.Expr, labels_of: LabelsOf) -> Iterator[str]:
    """Labels by which ``parsed`` chooses or groups, and which nothing there has."""
    found: list[str] = []

    def visit(expression: promql.Expr) -> bool:
        if isinstance(expression, promql.VectorSelector):
            there = labels_of(expression.name or "") or ()
            used, what = [each.name for each in expression.matchers.matchers], f"'{expression.name}'"
        elif isinstance(expression, promql.AggregateExpr) and expression.modifier is not None:
            there = result_labels(expression.expr, labels_of)
            used, what = expression.modifier.labels, f"what '{expression.op}' is given"
        elif isinstance(expression, promql.BinaryExpr) and expression.modifier and expression.modifier.matching:
            there = result_labels(expression.lhs, labels_of) & result_labels(expression.rhs, labels_of)
            used, what = expression.modifier.matching.labels, f"not both sides of '{expression.op}'"
        else:
            return True
        found.extend(f"{what} has no label '{label}'" for label in used if label not in there and label != "__name__")
        return True

    promql.walk(parsed, visit)
    yield from found
