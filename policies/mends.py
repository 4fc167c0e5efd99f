"""Mending by setting properties, which is all that most rules need."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def setting(**values: Any) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """Sets these top-level properties to these values, whatever they were."""
    return lambda properties: {**properties, **values}
