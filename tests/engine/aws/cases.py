"""The life of a resource, as a case file tells it (``tests/cases/aws/<module>/<type>.yaml``).

    type: aws:s3/bucketPolicy:BucketPolicy
    prerequisites:                      # made first, in this order
      bucket: {type: aws:s3/bucket:Bucket, inputs: {bucket: case-policy}}
    inputs: {bucket: "${bucket.id}", policy: {Version: "2012-10-17"}}    # ${name.id}, ${name.x[0].y}: of a prerequisite
    outputs: {bucket: case-policy}      # what the outputs must hold (part of them); `null`: absent
    view:                               # what boto3 must see; one or a list. ${id} and ${arn} are the resource's own
      {service: s3, operation: GetBucketPolicy, params: {Bucket: "${id}"}, expect: {Policy: "*"}}
    drift: {tracing: Active}            # each laid over the inputs and set behind our back: seen, and changed back
    update: {policy: {...}}             # laid over the inputs (null removes); must be done in place
    updated_view: ...                   # as view, after the update
    replace: {bucket: other}            # laid over the inputs; must ask for a replacement
    import: [tags]                      # inputs that an import can't tell (beside the specification's `local`)
    after_delete: kept                  # for settings that can only be reset: there is still something to read

``expect`` compares part of the answer: mappings by the keys given, lists whole and in order, ``"*"`` is anything there.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import boto3
import yaml

from engine import paths

CASES = Path(__file__).parents[2] / "cases" / "aws"
REFERENCE = re.compile(r"\$\{([\w.\[\]]+)\}")


@dataclass(frozen=True)
class Case:
    """One case file."""

    path: Path
    type: str
    inputs: dict[str, Any]
    prerequisites: dict[str, dict[str, Any]] = field(default_factory=dict[str, dict[str, Any]])
    outputs: dict[str, Any] = field(default_factory=dict[str, Any])
    view: Any = None
    drift: dict[str, Any] = field(default_factory=dict[str, Any])
    update: dict[str, Any] | None = None
    updated_view: Any = None
    replace: dict[str, Any] | None = None
    unimportable: tuple[str, ...] = ()
    after_delete: str = "gone"


def load(path: Path) -> Case:
    source: dict[str, Any] = yaml.load(path.read_text(encoding="utf-8"), yaml.CSafeLoader)
    source["unimportable"] = tuple(source.pop("import", ()))
    return Case(path=path, **source)


def all_cases() -> list[Case]:
    return [load(path) for path in sorted(CASES.glob("*/*.yaml"))]


def resolved(value: Any, known: Mapping[str, Any]) -> Any:
    """``value`` with every ``${path}`` replaced by what ``known`` has there."""
    if isinstance(value, dict):
        return {key: resolved(item, known) for key, item in cast("dict[str, Any]", value).items()}
    if isinstance(value, list):
        return [resolved(item, known) for item in cast("list[Any]", value)]
    if not isinstance(value, str):
        return value
    if whole := REFERENCE.fullmatch(value):
        return _at(known, whole[1])
    return REFERENCE.sub(lambda match: str(_at(known, match[1])), value)


def _at(known: Mapping[str, Any], path: str) -> Any:
    found: Any = known
    for part in paths.parse(path):
        found = found[part]
    return found


def laid_over(inputs: dict[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """``inputs`` with ``changes``; null removes."""
    return {key: value for key, value in {**inputs, **changes}.items() if value is not None}


def documents_as_text(inputs: dict[str, Any], json_inputs: frozenset[str]) -> dict[str, Any]:
    """Case files write JSON documents as YAML; programs write texts."""
    return {
        key: json.dumps(value) if key in json_inputs and not isinstance(value, str) else value
        for key, value in inputs.items()
    }


def assert_view(views: Any, url: str, region: str, known: Mapping[str, Any]) -> None:
    """Ask the emulator through boto3, past the provider, and compare."""
    for view in cast("list[Any]", views) if isinstance(views, list) else [views] if views else []:
        client: Any = boto3.client(  # pyright: ignore[reportCallIssue, reportUnknownMemberType]  # the service is data
            view["service"],
            region_name=region,
            endpoint_url=url,
            aws_access_key_id="test",
            aws_secret_access_key="test",
        )
        answer = client._make_api_call(view["operation"], resolved(view.get("params", {}), known))
        differences = list(unlike(resolved(view["expect"], known), answer, view["operation"]))
        assert not differences, "\n".join(differences)


def unlike(expected: Any, seen: Any, place: str) -> list[str]:
    """Where ``seen`` isn't as ``expected``."""
    if expected == "*":
        return [] if seen is not None else [f"{place}: expected something, got nothing"]
    if isinstance(expected, dict):
        if not isinstance(seen, dict):
            return [f"{place}: expected an object, got {seen!r}"]
        have = cast("dict[str, Any]", seen)
        members = cast("dict[str, Any]", expected).items()
        return [fault for key, item in members for fault in unlike(item, have.get(key), f"{place}.{key}")]
    if isinstance(expected, list):
        wanted = cast("list[Any]", expected)
        if not isinstance(seen, list) or len(cast("list[Any]", seen)) != len(wanted):
            return [f"{place}: expected {wanted!r}, got {seen!r}"]
        pairs = enumerate(zip(wanted, cast("list[Any]", seen), strict=True))
        return [fault for index, (item, have) in pairs for fault in unlike(item, have, f"{place}[{index}]")]
    return [] if expected == seen else [f"{place}: expected {expected!r}, got {seen!r}"]
