"""The JSON schema of a settings file, for editors: completes keys, shows what they mean, marks what is wrong.

It is written to ``stacks/settings.schema.json``, which each file names in its first line. What only Bedplate itself can
check (settings that contradict each other) is not in it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from stacks.settings.base import Section
from stacks.settings.descriptions import descriptions
from stacks.settings.files import DIRECTORY, PROJECT
from stacks.settings.platform import AWS_SECTION, PlatformSettings

PATH = DIRECTORY / "settings.schema.json"
_DIALECT = "https://json-schema.org/draft/2020-12/schema"


def json_schema() -> dict[str, Any]:
    """The schema of ``Pulumi.<environment>.yaml``: Pulumi's file, with our sections below ``config``."""
    settings = PlatformSettings.model_json_schema(by_alias=True)
    definitions: dict[str, Any] = settings["$defs"]
    _describe(settings, PlatformSettings)
    for model in _sections(Section):
        if model.__name__ in definitions:
            _describe(definitions[model.__name__], model)
    aws = definitions.pop("AwsSettings")
    keys = {f"{AWS_SECTION}:{name}": schema for name, schema in aws["properties"].items()}
    required = [f"{AWS_SECTION}:{name}" for name in aws["required"]]
    for name, schema in settings["properties"].items():
        if name != AWS_SECTION:
            keys[f"{PROJECT}:{name}"] = schema
    required += [f"{PROJECT}:{name}" for name in settings["required"] if name != AWS_SECTION]
    config = {
        "description": settings["description"],
        "type": "object",
        "properties": keys,
        "required": required,
        # Settings of other providers have prefixes of their own and are none of our business.
        "patternProperties": {rf"^(?!{PROJECT}:|{AWS_SECTION}:)[^:]+:": {}},
        "additionalProperties": False,
    }
    return {
        "$schema": _DIALECT,
        "title": "Settings of one environment of the platform",
        "type": "object",
        "properties": {
            "config": config,
            "encryptionsalt": {"type": "string", "description": "Written by Pulumi: salt of the stack's passphrase."},
            "encryptedkey": {"type": "string", "description": "Written by Pulumi: the stack's encrypted data key."},
            "secretsprovider": {"type": "string", "description": "Written by Pulumi: what encrypts secrets."},
            "environment": {"description": "Pulumi ESC environments to import."},
        },
        "required": ["config"],
        "additionalProperties": False,
        "$defs": definitions,
    }


def _describe(schema: dict[str, Any], model: type[Section]) -> None:
    """Say in ``schema`` what each field means."""
    texts = descriptions(model)
    for name, field in model.model_fields.items():
        if name in texts:
            known = schema["properties"][field.alias or name]
            schema["properties"][field.alias or name] = dict(sorted({**known, "description": texts[name]}.items()))


def _sections(model: type[Section]) -> Iterator[type[Section]]:
    for each in model.__subclasses__():
        yield each
        yield from _sections(each)


def schema_text() -> str:
    """The schema as it is stored: stable, so that a difference means a change of the settings."""
    return json.dumps(json_schema(), indent=2, ensure_ascii=False) + "\n"
