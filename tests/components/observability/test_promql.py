"""Where an expression of PromQL is wrong, and what a right one speaks of."""

from __future__ import annotations

import pytest

from components.observability.promql import parsed, uses
from components.observability.promql_grammar import PromqlError


@pytest.mark.parametrize(
    ("expression", "line", "column", "reason"),
    [
        ("", 1, 1, "expected a metric, a function or a number, but it ends here"),
        ("sum(rate(x[5m])", 1, 16, "expected ')' or ',', but it ends here"),
        ("rate(x[5m])) > 3", 1, 12, "expected an operator or the end, but found ')'"),
        ("a +\n\n  * b", 3, 3, "expected a metric, a function or a number, but found '*'"),
        ('x{a="b}', 1, 5, "expected a text in quotes, but found a text without its closing quote"),
        ("x{a=1}", 1, 5, "expected a text in quotes, but found '1'"),
        ('x{a="b" c="d"}', 1, 9, "expected '}' or ',', but found 'c'"),
        ("x = 3", 1, 3, "expected an operator or the end, but found '='"),
        ("sum(x) by (a, b", 1, 16, "expected ')' or ',', but it ends here"),
        ("sum by (a (x)", 1, 11, "expected ')' or ',', but found '('"),
        ("x[5 m]", 1, 5, "expected ']', but found 'm'"),
        ("x offset y", 1, 10, "expected a duration such as 1h, but found 'y'"),
        ("x > bool # why\n", 1, 15, "expected a metric, a function or a number, but it ends here"),
        # What keeps the grammar, but not the meaning: the smallest part that is wrong by itself.
        ("sum(x) +\n  rte(b[5m])", 2, 3, "unknown function with name 'rte'"),
        ("1 - sum(rate(x))", 1, 9, "expected type matrix in call to function 'rate', got vector"),
        ('y + x{a=~"["}', 1, 5, "illegal regex for ["),
    ],
)
def test_a_mistake_is_found_where_it_is(expression: str, line: int, column: int, reason: str) -> None:
    with pytest.raises(PromqlError) as caught:
        parsed(expression)
    assert (caught.value.line, caught.value.column, caught.value.reason) == (line, column, reason)
    assert str(caught.value) == f"line {line}, column {column}: {reason}"


@pytest.mark.parametrize(
    "expression",
    [
        "-x ^ 2 # a comment",
        'sum without (pod) (rate(x{a="1",b!~"2|3",}[5m] offset -1d)) > bool 3',
        "max_over_time(x[1h:1m]) / on (a) group_left (b, c) y",
        "a and on () b or c unless ignoring (d) e",
        '{__name__=~"a|b"} @ end()',
        "topk by (model) (1, x) * 1e3 + Inf",
    ],
)
def test_what_is_right_is_read(expression: str) -> None:
    parsed(expression)


def test_metrics_and_labels_that_an_expression_uses() -> None:
    seen = uses('sum by (model, le) (rate(a_bucket{code!="2", x="1"}[5m])) / on (team) group_left a_bucket{pod=""} > b')
    assert seen.metrics == {"a_bucket": {"code", "x", "pod"}, "b": frozenset()}
    assert seen.grouped_by == {"model", "le", "team"}
