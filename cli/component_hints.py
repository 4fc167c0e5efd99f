"""Which of the platform's components declare a type of resource: read from their source, which is not imported."""

from __future__ import annotations

import ast
import importlib.util
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from engine.importing import sdk

PACKAGE: Final = "components"
_NAMED: Final = 2  # in one note


def notes(types: Mapping[str, str], folder: Path | None = None) -> dict[str, str]:
    """A note for each URN of ``types`` (types by URN) that a component could declare; components lie in ``folder``."""
    folder = folder or _installed()
    if folder is None:
        return {}
    declaring = _declaring(folder)
    found: dict[str, str] = {}
    for urn, type_ in types.items():
        known = sdk.resource_class(type_)
        classes = declaring.get(f"{known.module}.{known.path}", []) if known else []
        if classes:
            found[urn] = f"{' and '.join(classes[:_NAMED])} declare{'s' if len(classes) == 1 else ''} such resources"
    return found


def _installed() -> Path | None:
    spec = importlib.util.find_spec(PACKAGE)
    places = list(spec.submodule_search_locations or ()) if spec else []
    return Path(places[0]) if places else None


def _declaring(folder: Path) -> Mapping[str, list[str]]:
    """Public classes by the resource classes, with their modules, that their code calls."""
    found: dict[str, list[str]] = {}
    for path in sorted(folder.glob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        aliases = dict(_aliases(tree))
        for node in tree.body:
            if not isinstance(node, ast.ClassDef) or node.name.startswith("_"):
                continue
            name = f"{folder.name}.{path.stem}.{node.name}"
            for called in sorted(set(_calls(node, aliases))):
                found.setdefault(called, []).append(name)
    return found


def _aliases(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """What a module calls what it imports, and the full names of that."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for one in node.names:
                yield one.asname or one.name.split(".")[0], one.name if one.asname else one.name.split(".")[0]
        elif isinstance(node, ast.ImportFrom) and node.module:
            for one in node.names:
                yield one.asname or one.name, f"{node.module}.{one.name}"


def _calls(node: ast.AST, aliases: Mapping[str, str]) -> Iterator[str]:
    """The full names of what is called below ``node``, as far as they begin with something imported."""
    for one in ast.walk(node):
        if isinstance(one, ast.Call):
            first, *rest = reversed(list(_chain(one.func)))
            if first in aliases:
                yield ".".join([aliases[first], *rest])


def _chain(expression: ast.expr) -> Iterator[str]:
    while isinstance(expression, ast.Attribute):
        yield expression.attr
        expression = expression.value
    yield expression.id if isinstance(expression, ast.Name) else ""
