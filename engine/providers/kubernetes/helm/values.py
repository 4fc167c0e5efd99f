"""A release's values: those of its YAML files, one laid over the other, and then the program's own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import yaml

from engine.values import Asset, Properties, Value


class BadValues(ValueError):
    """A file of values that can't be read, or that holds no values."""


def merged_values(files: Sequence[Value], values: Properties) -> Properties:
    """What a chart is given, as Helm merges: objects by key, everything else whole. Raises BadValues."""
    result: Properties = {}
    for file in files:
        result = _merged(result, read_values(file))
    return _merged(result, values)


def _merged(below: Mapping[str, Value], above: Mapping[str, Value]) -> Properties:
    result = dict(below)
    for key, value in above.items():
        old = result.get(key)
        if isinstance(old, dict) and isinstance(value, dict):
            result[key] = _merged(cast("Properties", old), cast("Properties", value))
        else:
            result[key] = value
    return result


def read_values(file: Value) -> Properties:
    """The values in an asset. Raises BadValues."""
    if not isinstance(file, Asset):
        raise BadValues(f"expected an asset such as pulumi.FileAsset('values.yaml'), got {type(file).__name__}")
    name = file.path or "the asset"
    try:
        read: Any = yaml.safe_load(_text(file))
    except OSError as error:
        raise BadValues(f"{name} can't be read: {error.strerror}") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        # The error's own text may quote the file, and that may be a secret.
        mark = getattr(error, "problem_mark", None)
        raise BadValues(f"{name} is not YAML{f', line {mark.line + 1}' if mark else ''}") from None
    if read is not None and not isinstance(read, dict):
        raise BadValues(f"expected an object of values in {name}, got {type(read).__name__}")
    return cast("Properties", read or {})


def _text(file: Asset) -> str:
    if file.text is not None:
        return file.text
    if file.path is None:
        raise BadValues("an asset behind a URL is not supported: download it, and use pulumi.FileAsset")
    return (Path(file.folder) / file.path).read_text(encoding="utf-8")
