"""Which labels the series of an expression have, and how an expression is narrowed to some of its series."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from typing import Final

import promql_parser as promql

# The labels that the series of a metric have; None for a metric that nobody knows.
LabelsOf = Callable[[str], Collection[str] | None]

_NONE: Final = frozenset[str]()
# What these give has no labels, whatever they are given.
_WITHOUT_LABELS: Final = frozenset({"scalar", "vector", "time", "pi"})
_KEPT_WHOLE: Final = frozenset({"topk", "bottomk", "limitk", "limit_ratio"})
# Texts, comments, durations and numbers, names, and what has a meaning of its own.
_TOKENS: Final = re.compile(
    r""""(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|`[^`]*`|\#[^\n]*|[0-9][0-9.a-zA-Z]*|[a-zA-Z_:][a-zA-Z0-9_:]*|[{}]""",
    re.VERBOSE,
)


class UnknownMetric(LookupError):
    """Nothing is known to export a metric of this name, and no rule records it."""

    def __init__(self, name: str) -> None:
        self.name = name
        super().__init__(f"no exporter and no rule gives '{name}'")


def result_labels(expression: promql.Expr, labels_of: LabelsOf) -> frozenset[str]:
    """The labels that the series of ``expression`` may have. Raises UnknownMetric."""
    match expression:
        case promql.VectorSelector():
            return _of_selector(expression, labels_of)
        case promql.MatrixSelector():
            return _of_selector(expression.vector_selector, labels_of)
        case promql.ParenExpr() | promql.UnaryExpr() | promql.SubqueryExpr():
            return result_labels(expression.expr, labels_of)
        case promql.Call():
            return _of_call(expression, labels_of)
        case promql.AggregateExpr():
            return _of_aggregation(expression, labels_of)
        case promql.BinaryExpr():
            return _of_operation(expression, labels_of)
        case _:
            return _NONE


def _of_selector(selector: promql.VectorSelector, labels_of: LabelsOf) -> frozenset[str]:
    name = selector.name or next((each.value for each in selector.matchers.matchers if each.name == "__name__"), "")
    found = labels_of(name)
    if found is None:
        raise UnknownMetric(name)
    return frozenset(found)


def _of_call(call: promql.Call, labels_of: LabelsOf) -> frozenset[str]:
    name, given = call.func.name, call.args
    if name in _WITHOUT_LABELS:
        return _NONE
    labels = _NONE.union(*(result_labels(each, labels_of) for each in given))
    if name in ("label_replace", "label_join"):
        return labels | {_text(given[1])}
    if name.startswith("absent"):
        return _matched(given[0])
    return labels - {"le"} if name == "histogram_quantile" else labels


def _matched(expression: promql.Expr) -> frozenset[str]:
    """What ``absent`` says of series that aren't there: the labels that they would have for certain."""
    selector = expression.vector_selector if isinstance(expression, promql.MatrixSelector) else expression
    if not isinstance(selector, promql.VectorSelector):
        return _NONE
    return frozenset(each.name for each in selector.matchers.matchers if each.op == promql.MatchOp.Equal)


def _of_aggregation(expression: promql.AggregateExpr, labels_of: LabelsOf) -> frozenset[str]:
    inner, operator = result_labels(expression.expr, labels_of), str(expression.op)
    if operator in _KEPT_WHOLE:
        return inner
    modifier, kept = expression.modifier, _NONE
    if modifier is not None:
        named = frozenset(modifier.labels)
        kept = inner & named if modifier.type == promql.AggModifierType.By else inner - named
    return kept | {_text(expression.param)} if operator == "count_values" else kept


def _of_operation(expression: promql.BinaryExpr, labels_of: LabelsOf) -> frozenset[str]:
    left, right = result_labels(expression.lhs, labels_of), result_labels(expression.rhs, labels_of)
    operator, modifier = str(expression.op), expression.modifier
    if operator in ("and", "unless"):
        return left
    if operator == "or":
        return left & right
    if _is_number(expression.lhs) or _is_number(expression.rhs):
        return left | right
    if modifier is None or modifier.matching is None:
        return left
    extra = frozenset(modifier.group_labels or ())
    if modifier.card == promql.VectorMatchCardinality.ManyToOne:
        return left | extra
    if modifier.card == promql.VectorMatchCardinality.OneToMany:
        return right | extra
    named = frozenset(modifier.matching.labels)
    return left & named if modifier.matching.type == promql.LabelModifierType.Include else left - named


def _is_number(expression: promql.Expr) -> bool:
    if isinstance(expression, promql.ParenExpr | promql.UnaryExpr):
        return _is_number(expression.expr)
    if isinstance(expression, promql.BinaryExpr):
        return _is_number(expression.lhs) and _is_number(expression.rhs)
    if isinstance(expression, promql.Call):
        return expression.func.name in ("scalar", "time", "pi")
    return isinstance(expression, promql.NumberLiteral)


def _text(value: object) -> str:
    return value.val if isinstance(value, promql.StringLiteral) else str(value)


def narrowed(expression: str, matchers: Mapping[str, str], labels_of: LabelsOf) -> str:
    """``expression`` over those series only that satisfy ``matchers`` (``{"team": '=~"$team"'}``).

    A selector gets the matchers of labels that its metric has, and that it does not choose by itself.
    """
    parts: list[str] = []
    end = 0
    tokens = list(_TOKENS.finditer(expression))
    inside = False
    for index, token in enumerate(tokens):
        inside = token[0] == "{" or (inside and token[0] != "}")
        known = None if inside or token[0][0] in "\"'`#}" else labels_of(token[0])
        wanted = [label for label in matchers if known is not None and label in known]
        if not wanted:
            continue
        opened = (
            index + 1 < len(tokens)
            and tokens[index + 1][0] == "{"
            and not expression[token.end() : tokens[index + 1].start()].strip()
        )
        chosen = _chosen(tokens[index + 2 :]) if opened else _NONE
        added = ",".join(f"{label}{matchers[label]}" for label in wanted if label not in chosen)
        if not added:
            continue
        start = tokens[index + 1].end() if opened else token.end()
        closing = "," if opened and tokens[index + 2][0] != "}" else ""
        parts += [expression[end:start], f"{added}{closing}" if opened else f"{{{added}}}"]
        end = start
    return "".join([*parts, expression[end:]])


def metrics(expression: str, labels_of: LabelsOf) -> list[str]:
    """The metrics that ``expression`` names and ``labels_of`` knows, in its order."""
    found: list[str] = []
    inside = False
    for token in _TOKENS.finditer(expression):
        inside = token[0] == "{" or (inside and token[0] != "}")
        if not inside and token[0][0] not in "\"'`#}" and labels_of(token[0]) is not None:
            found.append(token[0])
    return found


def _chosen(tokens: Collection[re.Match[str]]) -> frozenset[str]:
    """The labels by which a selector chooses; ``tokens`` begin behind its brace."""
    found: set[str] = set()
    for token in tokens:
        if token[0] == "}":
            break
        if token[0][0] not in "\"'`#":
            found.add(token[0])
    return frozenset(found)
