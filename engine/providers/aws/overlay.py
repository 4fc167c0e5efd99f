"""What AWS says, laid over what a program said: equal things keep the program's form, the rest is as it really is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, cast

from engine import paths
from engine.providers.aws import tags
from engine.providers.aws.config import Config
from engine.providers.aws.difference import ABSENT, TAGS, same
from engine.providers.aws.schema import Field, ListOf, MapOf, Object, PropertyType, Scalar
from engine.providers.aws.spec import Spec
from engine.values import Properties, Value

URL: Final = Scalar("url")


def outputs(spec: Spec, known: Properties, live: Properties) -> Properties:
    """A resource's outputs: every declared property that ``live`` has, in the form of the ``known`` inputs."""
    unsaid = {key: value for key, value in known.items() if key not in live and _says_nothing(value)}
    return {**unsaid, **_overlaid(spec, known, live, None)}


def inputs(spec: Spec, config: Config, known: Properties, old_outputs: Properties, live: Properties) -> Properties:
    """A resource's inputs as ``check`` would return them, so that comparing them with a program's shows the drift.

    Of what the program never gave, only what was changed from outside counts: filled in by AWS and never mentioned
    is no drift. With nothing known (an import) it is everything that isn't a default.
    """
    fields = _fields(spec)
    overlaid = _overlaid(spec, known, live, old_outputs)
    found = {key: value for key, value in overlaid.items() if key in known and key in fields}
    for key in known.keys() - found.keys():
        if key in fields and _says_nothing(known[key]):
            found[key] = known[key]
    for key, field in fields.items():
        if key in known or key == "region" or _says_nothing(live.get(key)) or live[key] == spec.defaults.get(key):
            continue
        if not known or (not field.computed and live[key] != old_outputs.get(key)):
            found[key] = live[key]
    if spec.taggable:
        _split_tags(config, known, live, found)
    return found if known else _imported(spec, found)


def _imported(spec: Spec, found: Properties) -> Properties:
    """What was found of a resource that nothing was known of, as a program would say it."""
    left_out = [paths.parse(path) for path in spec.set_by_aws]
    told = {
        key: _told(fields.type, found[key], left_out, (key,)) for key, fields in _fields(spec).items() if key in found
    }
    return {**spec.defaults, **told}


def _told(type_: PropertyType, value: Value, left_out: list[paths.Path], path: paths.Path) -> Value:
    if isinstance(type_, Object) and isinstance(value, dict):
        members = cast("dict[str, Any]", value)
        return {
            key: _told(field.type, members[key], left_out, (*path, key))
            for key, field in type_.fields.items()
            if key in members and (*path, key) not in left_out
        }
    if type_ == URL and isinstance(value, str) and "://" not in value:
        return f"https://{value}"  # AWS says some without it, and takes none so
    return value


def _split_tags(config: Config, known: Properties, live: Properties, found: Properties) -> None:
    found.pop("tags", None)
    everything = cast("dict[str, str]", live.get("tagsAll") or {})
    found["tagsAll"] = everything
    own = tags.own(config, everything, cast("Mapping[str, Any]", known.get("tags") or {}))
    if own or "tags" in known:
        found["tags"] = own


def _fields(spec: Spec) -> Mapping[str, Field]:
    return {**spec.inputs, "tagsAll": TAGS} if spec.taggable else spec.inputs


def _overlaid(spec: Spec, known: Properties, live: Properties, before: Properties | None) -> Properties:
    """``live`` in the form of what is ``known``; with what was there ``before`` only what is not filled in by AWS."""
    sets = [paths.parse(pattern) for pattern in spec.sets]
    fields = {**spec.outputs, **_fields(spec)}
    return {
        key: _value(fields[key].type, known.get(key), value, _below(before, key), sets, (key,))
        for key, value in live.items()
        if key in fields
    }


def _below(before: Value, part: str | int) -> Value:
    """What was at ``part`` before: ``ABSENT`` where there was nothing, None where nobody asks."""
    if before is None:
        return None
    if isinstance(before, list):
        listed = cast("list[Any]", before)
        return listed[part] if isinstance(part, int) and part < len(listed) else ABSENT
    found = cast("dict[str, Any]", before).get(str(part)) if isinstance(before, dict) else None
    return ABSENT if found is None else found


def _value(
    type_: PropertyType, known: Value, live: Value, before: Value, sets: list[paths.Path], path: paths.Path
) -> Value:
    if known is None or live is None:
        return live
    as_answered = isinstance(type_, Object | ListOf) or type_ == URL
    if same(type_, known, live, sets, path) and not (before is None and as_answered):
        return known
    if isinstance(type_, Object) and isinstance(known, dict) and isinstance(live, dict):
        return _object(type_, cast("dict[str, Any]", known), cast("dict[str, Any]", live), before, sets, path)
    if isinstance(type_, MapOf) and isinstance(known, dict) and isinstance(live, dict):
        pairs, old = cast("dict[str, Any]", live), cast("dict[str, Any]", known)
        return {k: _value(type_.item, old.get(k), v, _below(before, k), sets, (*path, k)) for k, v in pairs.items()}
    if isinstance(type_, ListOf) and isinstance(known, list) and isinstance(live, list):
        return _list(type_, cast("list[Any]", known), cast("list[Any]", live), before, sets, path)
    return live


def _object(
    type_: Object, known: dict[str, Any], live: dict[str, Any], before: Value, sets: list[paths.Path], path: paths.Path
) -> dict[str, Value]:
    """The members that both have; what AWS left out though it says nothing; and what somebody added.

    Where nobody asks what was there ``before``, that is all that AWS has.
    """
    result: dict[str, Value] = {}
    for key, field in type_.fields.items():
        old = _below(before, key)
        if key in known and live.get(key) is not None:
            result[key] = _value(field.type, known[key], live[key], old, sets, (*path, key))
        elif key in known and _says_nothing(known[key]):
            result[key] = known[key]
        elif (before is None and key in live) or _was_added(field, live.get(key), before, old):
            result[key] = live[key]
    return result


def _was_added(field: Field, live: Value, before: Value, old: Value) -> bool:
    """Whether ``live`` is there, isn't what AWS fills in, and was not there when the resource was last looked at."""
    if field.computed or _says_nothing(live) or not isinstance(before, dict):
        return False
    return live != old


def _list(
    type_: ListOf, known: list[Any], live: list[Any], before: Value, sets: list[paths.Path], path: paths.Path
) -> list[Value]:
    ordered = any(len(pattern) == len(path) and paths.contains(pattern, path) for pattern in sets)
    return [
        _value(type_.item, known[at] if at < len(known) else None, item, _below(before, at), sets, (*path, index))
        for index, (at, item) in enumerate(_paired(type_, known, live, sets, path) if ordered else enumerate(live))
    ]


def _paired(
    type_: ListOf, known: list[Any], live: list[Any], sets: list[paths.Path], path: paths.Path
) -> list[tuple[int, Any]]:
    """Elements of the set ``live``, each with the place in ``known`` of what it corresponds to or may have become."""
    rest = list(live)
    places: dict[int, Any] = {}
    for place, item in enumerate(known):
        for index, candidate in enumerate(rest):
            fitted = _value(type_.item, item, candidate, ABSENT, sets, (*path, 0))
            if same(type_.item, item, fitted, sets, (*path, 0)):
                places[place] = rest.pop(index)
                break
    for place in range(len(known)):
        if place not in places and rest:
            places[place] = rest.pop(0)
    return [*sorted(places.items()), *enumerate(rest, len(known))]


def _says_nothing(value: Value) -> bool:
    """Whether a value and its absence mean the same: nothing, false, zero, an empty text, list or map."""
    return value is None or value == 0 or value == "" or value == [] or value == {}
