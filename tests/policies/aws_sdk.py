"""What pulumi_aws declares, read in its sources: importing a hundred of its modules takes too long for a test."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

_SPEC = find_spec("pulumi_aws")
assert _SPEC is not None and _SPEC.origin is not None
SDK = Path(_SPEC.origin).parent
# A getter's wire name, where it isn't its Python name; its Python name; what it returns.
_GETTER = re.compile(r"@pulumi\.getter(?:\(name=\"(\w+)\"\))?\n(?:    @.*\n)*    def (\w+)\(self\) -> (.*):")


@functools.cache
def source(type_: str) -> str:
    """The source of a resource type; "" where the SDK has no such type."""
    module, name = type_.split(":")[1].split("/")
    snake = "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name)
    path = SDK / module / f"{snake}.py"
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    return text if f"'{type_}'" in text else ""


def arguments(type_: str) -> Mapping[str, str]:
    """The inputs of a resource type by wire name, each with what it holds, as it is annotated."""
    name = type_.rsplit(":", 1)[-1]
    return _getters(source(type_), f"{name}InitArgs") or _getters(source(type_), f"{name}Args")


def outputs(type_: str) -> frozenset[str]:
    """All that a resource of the type has besides its inputs."""
    return frozenset({"id", *_getters(source(type_), f"_{type_.rsplit(':', 1)[-1]}State")})


def below(type_: str, annotation: str) -> Mapping[str, str] | None:
    """The same of the objects that a property holds, alone, in a list or in a map; None where it holds none.

    Policy documents hold what they like: they are texts, or results of functions.
    """
    found = re.search(r"'(?!PolicyDocumentArgs)(\w+Args)'", annotation)
    return _getters(_inputs(type_.split(":")[1].split("/")[0]), found[1]) if found else None


@functools.cache
def _inputs(module: str) -> str:
    return (SDK / module / "_inputs.py").read_text(encoding="utf-8")


@functools.cache
def _getters(text: str, class_: str) -> Mapping[str, str]:
    start = text.find(f"\nclass {class_}:")
    if start < 0:
        return {}
    end = text.find("\nclass ", start + 1)
    found = _GETTER.findall(text[start : end if end > 0 else None])
    return {wire or python: annotation for wire, python, annotation in found}
