"""The fields of a resource in a checkpoint, in Pulumi's order: key, attribute, and how a value is written and read.

(Source: ``ResourceV3`` in Pulumi 3.260's ``sdk/go/common/apitype/core.go``. Inputs, outputs and the replacement trigger
hold property values and are seen to in ``format``.)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from engine.state.errors import FormatError
from engine.state.model import CustomTimeouts
from engine.state.properties import Json


@dataclass(frozen=True, slots=True)
class Field:
    """One field. ``write`` gets only values that aren't empty; ``read`` gets anything and may raise FormatError."""

    key: str
    attribute: str
    write: Callable[[Any], Json]
    read: Callable[[Json], Any]
    always: bool = False  # written even when empty


def text(value: Json) -> str:
    if isinstance(value, str):
        return value
    raise FormatError("", f"expected text, found {value!r}")


def flag(value: Json) -> bool:
    if isinstance(value, bool):
        return value
    raise FormatError("", f"expected true or false, found {value!r}")


def seconds(value: Json) -> float:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return value
    raise FormatError("", f"expected a number of seconds, found {value!r}")


def items(value: Json) -> list[Json]:
    """A list; Go writes an empty one as null."""
    if value is None:
        return []
    if isinstance(value, list):
        return value
    raise FormatError("", f"expected a list, found {value!r}")


def mapping(value: Json) -> dict[str, Json]:
    """An object; Go writes an empty one as null."""
    if value is None:
        return {}
    if isinstance(value, dict):
        return value
    raise FormatError("", f"expected an object, found {value!r}")


def texts(value: Json) -> tuple[str, ...]:
    return tuple(text(item) for item in items(value))


def _text_lists(value: Json) -> dict[str, tuple[str, ...]]:
    return {key: texts(item) for key, item in mapping(value).items()}


def _write_text_lists(value: Mapping[str, tuple[str, ...]]) -> Json:
    return {key: list(value[key]) for key in sorted(value)}


def _timeouts(value: Json) -> CustomTimeouts:
    given = mapping(value)
    return CustomTimeouts(*(seconds(given.get(key, 0)) for key in ("create", "update", "delete", "read")))


def _write_timeouts(value: CustomTimeouts) -> Json:
    given = {"create": value.create, "update": value.update, "delete": value.delete, "read": value.read}
    return {key: item for key, item in given.items() if item}


def _frames(value: Json) -> tuple[str, ...]:
    return tuple(text(mapping(frame).get("sourcePosition", "")) for frame in items(value))


def _write_frames(value: tuple[str, ...]) -> Json:
    return [{"sourcePosition": position} if position else {} for position in value]


def _raw(value: Json) -> tuple[Json, ...]:
    return tuple(items(value))


def _same(value: Any) -> Json:
    return value


PROPERTIES: Final = ("inputs", "outputs")  # keys and attributes alike
TRIGGER: Final = "replacementTrigger"

FIELDS: Final = (
    Field("urn", "urn", _same, text, always=True),
    Field("custom", "custom", _same, flag, always=True),
    Field("delete", "delete", _same, flag),
    Field("id", "id", _same, text),
    Field("type", "type", _same, text, always=True),
    Field("inputs", "inputs", _same, mapping),
    Field("outputs", "outputs", _same, mapping),
    Field("parent", "parent", _same, text),
    Field("protect", "protect", _same, flag),
    Field("taint", "taint", _same, flag),
    Field("external", "external", _same, flag),
    Field("dependencies", "dependencies", list, texts),
    Field("initErrors", "init_errors", list, texts),
    Field("provider", "provider", _same, text),
    Field("propertyDependencies", "property_dependencies", _write_text_lists, _text_lists),
    Field("pendingReplacement", "pending_replacement", _same, flag),
    Field("additionalSecretOutputs", "additional_secret_outputs", list, texts),
    Field("aliases", "aliases", list, texts),
    Field("customTimeouts", "custom_timeouts", _write_timeouts, _timeouts),
    Field("importID", "import_id", _same, text),
    Field("retainOnDelete", "retain_on_delete", _same, flag),
    Field("deletedWith", "deleted_with", _same, text),
    Field("replaceWith", "replace_with", list, texts),
    Field("created", "created", _same, text),
    Field("modified", "modified", _same, text),
    Field("sourcePosition", "source_position", _same, text),
    Field("stackTrace", "stack_trace", _write_frames, _frames),
    Field("ignoreChanges", "ignore_changes", list, texts),
    Field("hideDiff", "hide_diff", list, _raw),
    Field("replaceOnChanges", "replace_on_changes", list, texts),
    Field(TRIGGER, "replacement_trigger", _same, _same),
    Field("refreshBeforeUpdate", "refresh_before_update", _same, flag),
    Field("viewOf", "view_of", _same, text),
    Field("resourceHooks", "resource_hooks", _write_text_lists, _text_lists),
    Field("extensionRef", "extension_ref", _same, text),
    Field("snippetID", "snippet_id", _same, text),
)
