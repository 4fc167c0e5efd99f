"""A property that changes, as JSON."""

from __future__ import annotations

from typing import Any

from cli.views.changes import PropertyChange
from cli.views.values import to_json
from engine import paths
from engine.differ import ABSENT


def change_document(change: PropertyChange) -> dict[str, Any]:
    """A change as a document; ``old`` or ``new`` is missing where the property is."""
    fields: dict[str, Any] = {"path": paths.join(change.path), "kind": str(change.kind), "replaces": change.replaces}
    if change.old is not ABSENT:
        fields["old"] = to_json(change.old)
    if change.new is not ABSENT:
        fields["new"] = to_json(change.new)
    return fields
