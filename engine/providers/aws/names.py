"""Automatic names, as Pulumi makes them: the resource's name, a dash and seven hexadecimal digits."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping

from engine.providers.aws.spec import Autoname
from engine.values import UNKNOWN, Properties

DIGITS = 7
PREFIXED_DIGITS = 26  # after a `namePrefix` Terraform sets a time and a counter, 26 characters


def automatic(rule: Autoname, resource: str, inputs: Mapping[str, object], seed: str) -> str:
    """A name for ``resource``, cut to the rule's limit; ``namePrefix`` among the inputs takes the place of the name."""
    if rule.plain:
        return resource
    suffix = _suffix(rule, inputs)
    digits = hashlib.sha256(f"{seed}\0{resource}".encode()).hexdigest()
    prefix = inputs.get(rule.prefix) if rule.prefix else None
    if isinstance(prefix, str):
        stem, tail = prefix, digits[:PREFIXED_DIGITS]
        tail = tail[: max(DIGITS, rule.max - len(stem) - len(suffix))]
    else:
        stem, tail = f"{rule.start}{resource}-", digits[:DIGITS]
    if rule.lower:
        stem = stem.lower()
    return stem[: rule.max - len(tail) - len(suffix)] + tail + suffix


def is_automatic(rule: Autoname, resource: str, inputs: Properties) -> bool:
    """Whether the name among ``inputs`` is one that ``automatic`` made, so that a second one can't collide with it."""
    name = inputs.get(rule.property)
    if name is None:
        return True
    if name is UNKNOWN or not isinstance(name, str):
        return False
    if rule.prefix and inputs.get(rule.prefix) is not None:
        return True
    if rule.plain:
        return name == resource
    sample = automatic(rule, resource, inputs, "")
    suffix = _suffix(rule, inputs)
    stem = sample[: len(sample) - DIGITS - len(suffix)]
    return re.fullmatch(f"{re.escape(stem)}[0-9a-f]{{{DIGITS}}}{re.escape(suffix)}", name) is not None


def _suffix(rule: Autoname, inputs: Mapping[str, object]) -> str:
    return next((text for key, text in rule.suffix.items() if inputs.get(key) is True), "")
