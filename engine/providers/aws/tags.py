"""Tags: what a resource carries in all, and which of a resource's tags a program gets to see."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from engine.providers.aws.config import Config
from engine.providers.aws.spec import OPERATION_TAG
from engine.values import UNKNOWN, Properties, Value, has_unknown

RESERVED_PREFIX = "aws:"  # set by AWS itself; can be neither set nor removed


def merged(config: Config, inputs: Properties) -> Value:
    """``tagsAll`` of a resource: the provider's default tags below its own, unknown if any of them is."""
    own = inputs.get("tags")
    if has_unknown(own) or has_unknown(config.default_tags):
        return UNKNOWN
    defaults = cast("Mapping[str, Value]", config.default_tags)
    tags = {**defaults, **cast("dict[str, Value]", own or {})}
    return {key: value for key, value in tags.items() if not config.ignore_tags.covers(key)}


def visible(config: Config, tags: Mapping[str, str]) -> dict[str, str]:
    """The tags of a resource without those that AWS, this provider or someone else keeps there."""
    return {
        key: value
        for key, value in tags.items()
        if key != OPERATION_TAG and not key.startswith(RESERVED_PREFIX) and not config.ignore_tags.covers(key)
    }


def own(config: Config, tags: Mapping[str, str], known: Mapping[str, Any]) -> dict[str, str]:
    """The part of ``tags`` that the resource has of itself: without the provider's defaults, but with ``known``."""
    defaults = {} if config.default_tags is UNKNOWN else cast("Mapping[str, Value]", config.default_tags)
    return {key: value for key, value in tags.items() if key in known or defaults.get(key) != value}
