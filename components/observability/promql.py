"""PromQL: where an expression is wrong, and which metrics and labels it speaks of.

``promql_parser`` judges, as Prometheus itself would, but does not say where the mistake is. So whatever it refuses is
read again here by the grammar alone, up to the first token that can't stand where it stands; where the grammar is kept
(a function that is not there, a vector instead of a range), it is the smallest part that is refused by itself, too.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import promql_parser

from components.observability.promql_grammar import Grammar, PromqlError


def parsed(expression: str) -> promql_parser.Expr:
    """``expression`` as a tree. Raises PromqlError."""
    try:
        return promql_parser.parse(expression)
    except ValueError as error:
        raise _located(expression, str(error)) from None


def _located(expression: str, reason: str) -> PromqlError:
    grammar = Grammar(expression)
    try:
        grammar.whole()
    except PromqlError as error:
        return error
    refused = [(start, end) for start, end in grammar.parts if _refused(expression[start:end])]
    start, _ = min(refused, key=lambda part: (part[1] - part[0], part[0]), default=(0, 0))
    return PromqlError(reason, expression, start)


def _refused(expression: str) -> bool:
    try:
        promql_parser.parse(expression)
    except ValueError:
        return True
    return False


@dataclass(frozen=True)
class Uses:
    """What an expression speaks of: the labels that it chooses by, for each metric, and those that it groups by."""

    metrics: Mapping[str, frozenset[str]]
    grouped_by: frozenset[str]


def uses(expression: str) -> Uses:
    """What ``expression`` speaks of. Raises PromqlError."""
    metrics: dict[str, frozenset[str]] = {}
    grouped: set[str] = set()

    def visit(node: promql_parser.Expr) -> None:
        match node:
            case promql_parser.VectorSelector():
                chosen = frozenset(each.name for each in node.matchers.matchers if each.name != "__name__")
                metrics[node.name or ""] = metrics.get(node.name or "", frozenset()) | chosen
            case promql_parser.MatrixSelector():
                visit(node.vector_selector)
            case promql_parser.AggregateExpr():
                if node.modifier is not None and node.modifier.type == promql_parser.AggModifierType.By:
                    grouped.update(node.modifier.labels)
            case promql_parser.BinaryExpr():
                if node.modifier is not None and node.modifier.matching is not None:
                    grouped.update(node.modifier.matching.labels)
            case _:
                pass

    promql_parser.walk(parsed(expression), visit)
    return Uses(metrics, frozenset(grouped))
