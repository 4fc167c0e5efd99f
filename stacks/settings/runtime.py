"""Settings from the configuration that a Pulumi engine hands to the program."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from typing import Any, cast

from stacks.settings.base import RevealedSecret
from stacks.settings.check import settings_from
from stacks.settings.files import by_section
from stacks.settings.platform import PlatformSettings
from stacks.settings.problems import SettingsError


def from_config(config: Mapping[str, str], secret_keys: Collection[str], source: str) -> PlatformSettings:
    """Settings from Pulumi's configuration: keys with their prefix, objects as JSON text.

    ``secret_keys`` are the keys that hold anything encrypted. ``source`` is named in errors. Raises SettingsError.
    """
    parsed = {key: _parsed(text, secret=key in secret_keys) for key, text in config.items()}
    values, problems = by_section(parsed)
    try:
        settings = settings_from(values, source)
    except SettingsError as error:
        raise SettingsError(source, [*problems, *error.problems]) from None
    if problems:
        raise SettingsError(source, problems)
    return settings


def _parsed(text: str, *, secret: bool) -> Any:
    try:
        value = json.loads(text) if text[:1] in ("{", "[") else text
    except ValueError:
        value = text
    return _marked(value) if secret else value


def _marked(value: Any) -> Any:
    """``value`` with every text in it marked: the engine says which key holds a secret, not which part of its value."""
    if isinstance(value, dict):
        return {key: _marked(each) for key, each in cast("dict[str, Any]", value).items()}
    if isinstance(value, list):
        return [_marked(each) for each in cast("list[Any]", value)]
    return RevealedSecret(value) if isinstance(value, str) else value
