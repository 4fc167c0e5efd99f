"""What is known of regions beforehand: descriptions, availability zones with their ids, hosted zones."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import yaml

REGIONS: Final = Path(__file__).parent / "data" / "regions.yaml"


@functools.cache
def regions() -> Mapping[str, Mapping[str, Any]]:
    """The regions by name, each with its ``description`` and ``zones`` (name -> id)."""
    return yaml.load(REGIONS.read_text(encoding="utf-8"), yaml.CSafeLoader)
