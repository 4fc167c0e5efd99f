"""Manifests in texts: YAML documents as the API takes them, each with the place where it stands."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

from engine.kubernetes.documents import UNREADABLE, documents_in, unreadable
from engine.providers.base import ProviderError
from engine.providers.kubernetes.kubeconfig import Loader


class TextualTimes(Loader):
    """Leaves what looks like a time a text, as JSON has it."""


TextualTimes.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in Loader.yaml_implicit_resolvers.items()
}


def documents_of(text: str, name: str) -> list[tuple[str, Any]]:
    """What the documents of a text hold, each with its place; empty ones are left out. Raises ProviderError."""
    try:
        found = [
            (f"{name}:{each.line} (document {each.number})", _as_json(each.content))
            for each in documents_in(text, Path(name), TextualTimes)
        ]
    except UNREADABLE as error:
        raise ProviderError(unreadable(name, error)) from error
    return found


def _as_json(value: Any) -> Any:
    """``value`` as JSON has it: texts for keys, and neither bytes nor sets. Raises ValueError."""
    if isinstance(value, dict):
        return {_key(key): _as_json(item) for key, item in cast("dict[Any, Any]", value).items()}
    if isinstance(value, list | tuple):
        return [_as_json(item) for item in cast("list[Any]", value)]
    if isinstance(value, set):
        return {_key(key): None for key in sorted(cast("set[Any]", value), key=str)}
    return value.decode() if isinstance(value, bytes) else value


def _key(key: Any) -> str:
    return str(key).lower() if isinstance(key, bool) else str(key)
