"""Automatic names, as ``pulumi_kubernetes`` makes them: the resource's name, a dash and eight hexadecimal digits.

An object with such a name carries an annotation that says so.
"""

from __future__ import annotations

import hashlib
from typing import Final, cast

from engine.providers.kubernetes import manifests
from engine.providers.kubernetes.manifests import absent
from engine.urn import name_of
from engine.values import UNKNOWN, Properties, Value

DIGITS: Final = 8


def named(urn: str, olds: Properties | None, inputs: Properties, seed: str) -> Properties:
    """``inputs`` with a name: their own, the automatic one that ``olds`` have, or one made from ``seed``."""
    metadata = inputs.get("metadata")
    if metadata is not None and not isinstance(metadata, dict):
        return inputs
    given = cast("Properties", {} if metadata is None else metadata)
    if not (absent(given.get("name")) and absent(given.get("generateName"))):
        return inputs
    old_name = manifests.metadata(olds or {}).get("name")
    kept = isinstance(old_name, str) and manifests.is_annotated(olds or {}, manifests.AUTONAMED)
    name = old_name if kept else automatic(name_of(urn), seed)
    return {**inputs, "metadata": {**given, "name": name, **_annotations(given.get("annotations"))}}


def automatic(resource: str, seed: str) -> str:
    """A name for ``resource``. The seed is the run's own, so that a replacement stands beside what it replaces."""
    digits = hashlib.sha256(f"{seed}\0{resource}".encode()).hexdigest()
    return f"{resource}-{digits[:DIGITS]}"


def _annotations(given: Value) -> Properties:
    if given is UNKNOWN:
        return {"annotations": UNKNOWN}
    return {"annotations": {**cast("Properties", given or {}), manifests.AUTONAMED: "true"}}
