"""How policies are configured: a file in Pulumi's form, and what it comes to over what a pack brings along.

Source of both: Pulumi's documentation of policy configuration, and ``pkg/resource/analyzer/config.go``, whose order is
kept: the defaults of the schema, the pack's own configuration, the user's; in each ``all`` before single policies.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from engine.analyzer.errors import BadConfig
from engine.analyzer.findings import Level, PackInfo, PolicyConfig, PolicyInfo

ALL: Final = "all"
_LEVEL_KEY: Final = "enforcementLevel"


def read_config(path: Path) -> dict[str, PolicyConfig]:
    """The configuration in a JSON file: by policy a level, or an object of parameters. Raises BadConfig."""
    try:
        text = path.read_text(encoding="utf-8")
        content = json.loads(text) if text.strip() else {}
    except (OSError, ValueError) as error:
        raise BadConfig(f"{path} cannot be read: {error}") from error
    if not isinstance(content, dict):
        raise BadConfig(f'{path}: expected an object of policies, such as {{"all": "advisory"}}')
    return config_in(content, str(path))


def config_in(content: Mapping[str, Any], place: str) -> dict[str, PolicyConfig]:
    """The configuration that was read at ``place``. Raises BadConfig."""
    return {name: _one(entry, f"{place}: {name}") for name, entry in content.items()}


def written(config: Mapping[str, PolicyConfig]) -> dict[str, Any]:
    """The content of a file that ``read_config`` reads as ``config``."""
    return {
        name: {**({_LEVEL_KEY: str(one.level)} if one.level else {}), **one.properties}
        if one.properties or one.level is None else str(one.level)
        for name, one in config.items()
    }  # fmt: skip


def _one(entry: Any, place: str) -> PolicyConfig:
    if isinstance(entry, str):
        return PolicyConfig(_level(entry, place))
    if not isinstance(entry, dict):
        raise BadConfig(f"{place}: expected a level or an object of parameters, got {entry!r}")
    properties = dict(entry)
    level = properties.pop(_LEVEL_KEY, None)
    return PolicyConfig(None if level is None else _level(level, f"{place}.{_LEVEL_KEY}"), properties)


def _level(text: Any, place: str) -> Level:
    if isinstance(text, str) and text in set(Level):
        return Level(text)
    raise BadConfig(f"{place}: {text!r} is no level; expected one of {', '.join(Level)}")


def reconciled(info: PackInfo, given: Mapping[str, PolicyConfig]) -> dict[str, PolicyConfig]:
    """The whole configuration of a pack's policies. Raises BadConfig where it does not fit their schemas."""
    if not info.configurable:
        if given:
            raise BadConfig("takes no configuration")
        return {}
    known = {policy.name for policy in info.policies}
    unknown = sorted(set(given) - known - {ALL})
    if unknown:
        raise BadConfig(f"has no policy {unknown[0]!r} to configure; it has {', '.join(sorted(known)) or 'none'}")
    complete = {policy.name: PolicyConfig(policy.level, _defaults(policy)) for policy in info.policies}
    for layer in (info.initial, given):
        complete = _over(complete, layer)
    problems = [problem for policy in info.policies for problem in _problems(policy, complete[policy.name])]
    if problems:
        raise BadConfig("is configured wrongly:" + "".join(f"\n  {problem}" for problem in problems))
    return complete


def _defaults(policy: PolicyInfo) -> dict[str, Any]:
    schemas = policy.schema.items()
    return {name: schema["default"] for name, schema in schemas if isinstance(schema, dict) and "default" in schema}


def _over(below: Mapping[str, PolicyConfig], layer: Mapping[str, PolicyConfig]) -> dict[str, PolicyConfig]:
    everywhere = layer[ALL].level if ALL in layer else None
    result: dict[str, PolicyConfig] = {}
    for name, config in below.items():
        own = layer.get(name, PolicyConfig())
        level = own.level or everywhere or config.level
        result[name] = PolicyConfig(level, {**config.properties, **own.properties})
    return result


def _problems(policy: PolicyInfo, config: PolicyConfig) -> list[str]:
    """What ``config`` has that the policy's schema does not accept."""
    if config.properties == _defaults(policy) and config.properties.keys() >= set(policy.required):
        return []  # nobody has configured it
    if all(_plainly_fits(policy.schema.get(name), value) for name, value in config.properties.items()):
        return [
            f"{policy.name}: {name!r} is a required property"
            for name in policy.required
            if name not in config.properties
        ]
    from jsonschema import Draft7Validator  # here: a quarter of a second that most packs don't need
    from jsonschema.exceptions import SchemaError

    schema = {"type": "object", "properties": dict(policy.schema), "required": list(policy.required)}
    try:
        Draft7Validator.check_schema(schema)
    except SchemaError as error:
        return [f"{policy.name}: its schema is not valid: {error.message}"]
    errors = sorted(Draft7Validator(schema).iter_errors(dict(config.properties)), key=lambda error: list(error.path))
    return [f"{'.'.join([policy.name, *map(str, error.path)])}: {error.message}" for error in errors]


_PLAIN: Final = frozenset({"type", "title", "description", "default", "minimum"})


def _plainly_fits(schema: Any, value: Any) -> bool:
    """Whether ``value`` is the number or text of a plain schema, or its default; False where that takes more."""
    if not isinstance(schema, dict):
        return False
    if "default" in schema and value == schema["default"]:
        return True
    if not _PLAIN.issuperset(schema):
        return False
    if schema.get("type") == "string":
        return isinstance(value, str)
    if schema.get("type") != "number" or isinstance(value, bool):
        return False
    return isinstance(value, int | float) and value >= schema.get("minimum", value)
