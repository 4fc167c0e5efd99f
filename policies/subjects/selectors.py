"""Label selectors as Kubernetes matches them, over labels of which some may not be known yet."""

from __future__ import annotations

from collections.abc import Mapping

from policies.kit import UnknownValue, Value, WrongType


def labels_of(value: Value) -> Mapping[str, Value]:
    """Labels by key; their values are read when a selector asks for them."""
    return dict(value.entries())


def selects(selector: Value, labels: Mapping[str, Value]) -> bool:
    """Whether ``selector`` (matchLabels and matchExpressions) matches; an empty one matches everything.

    Raises UnknownValue where it depends on what is not known, and WrongType where an operator is none.
    """
    unsettled: UnknownValue | None = None
    demands = [(_is(key, value, labels)) for key, value in selector.get("matchLabels").entries()]
    demands += [_meets(each, labels) for each in selector.get("matchExpressions").items()]
    for demand in demands:
        if isinstance(demand, UnknownValue):
            unsettled = demand
        elif not demand:
            return False  # whatever the unknown ones turn out to be
    if unsettled is not None:
        raise unsettled
    return True


def _is(key: str, wanted: Value, labels: Mapping[str, Value]) -> bool | UnknownValue:
    if key not in labels:
        return False
    try:
        return labels[key].text() == wanted.text()
    except UnknownValue as unknown:
        return unknown


def _meets(expression: Value, labels: Mapping[str, Value]) -> bool | UnknownValue:
    try:
        return _met(expression, labels)
    except UnknownValue as unknown:
        return unknown


def _met(expression: Value, labels: Mapping[str, Value]) -> bool:
    key, operator = expression.get("key").text(""), expression.get("operator")
    match operator.text(""):
        case "Exists":
            return key in labels
        case "DoesNotExist":
            return key not in labels
        case "In":
            return key in labels and labels[key].text() in _values(expression)
        case "NotIn":
            return key not in labels or labels[key].text() not in _values(expression)
        case _:
            expected = "In, NotIn, Exists or DoesNotExist"
            raise WrongType(operator.path, expected, operator.shown(), operator.owner)


def _values(expression: Value) -> list[str | None]:
    return [each.text() for each in expression.get("values").items()]
