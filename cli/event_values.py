"""Property values in the event log: Pulumi's wire form, with secrets masked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.redaction import MASK
from engine.values import UNKNOWN, Archive, Asset, ResourceRef, Secret, Value
from engine.wire import UNKNOWN_STRING, special_fields


def masked_properties(properties: Mapping[str, Value]) -> dict[str, Any]:
    """Properties as an event shows them."""
    return {key: _value(value) for key, value in properties.items()}


def _value(value: Value) -> Any:
    if isinstance(value, Secret):
        return MASK
    if value is UNKNOWN:
        return UNKNOWN_STRING
    if isinstance(value, dict):
        return masked_properties(value)
    if isinstance(value, list):
        return [_value(item) for item in value]
    if isinstance(value, Asset | Archive | ResourceRef):
        return masked_properties(special_fields(value))
    return value
