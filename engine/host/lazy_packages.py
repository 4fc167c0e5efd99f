"""Packages of Pulumi's generated SDKs whose resources are imported when a program asks for them, not before.

``pulumi_aws.ec2`` imports two hundred modules, one a resource or function, and a program uses ten of them. Here the
package only notes which module each name comes from, and imports that at the name's first use.
"""

from __future__ import annotations

import ast
import importlib
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any, Final

EXPORTS: Final = "__lazy_exports__"  # of a package: the module that each name comes from


class LazyPackage(ModuleType):
    """A package that has noted its ``EXPORTS``; without any it is like every other."""

    def __getattr__(self, name: str) -> Any:
        source = self.__dict__.get(EXPORTS, {}).get(name)
        if source is None:
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")
        module = importlib.import_module(f"{self.__name__}.{source}")
        value = module if name == source and not _offers(module, name) else getattr(module, name)
        self.__dict__[name] = value
        return value

    def __setattr__(self, name: str, value: Any) -> None:
        """What Python sets when it has imported a module must not hide the class or function of the same name."""
        exports = self.__dict__.get(EXPORTS, {})
        if isinstance(value, ModuleType) and name in exports:
            if exports[name] != name:
                return
            value = getattr(value, name) if _offers(value, name) else value
        super().__setattr__(name, value)

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *self.__dict__.get(EXPORTS, {})} - {EXPORTS})


def _offers(module: ModuleType, name: str) -> bool:
    """Whether a module of a package has a class or function of its own name, which the package then means by it."""
    return not isinstance(module, LazyPackage) and name in getattr(module, "__all__", ())


def deferred(tree: ast.Module, package: Path) -> ast.Module:
    """The code of a package in ``package`` without its imports of its own modules, which it notes instead.

    What cannot be told from the sources (a module without ``__all__``) is imported as before.
    """
    exports: dict[str, str] = {}
    body: list[ast.stmt] = []
    for node in _statements(tree):
        found = _exported(node, package) or _waiting(node)
        if found is None:
            body.append(node)
        else:
            exports |= found
    exports = {module: module for module in exports.values()} | exports  # as importing them would have it
    if exports:
        body[:0] = ast.parse(f"{EXPORTS} = {exports!r}\n__all__ = {[*_public(exports)]!r}").body
    return ast.Module(body, tree.type_ignores)


def _statements(tree: ast.Module) -> Iterator[ast.stmt]:
    """The statements that run; what is there for type checkers does not."""
    for node in tree.body:
        if isinstance(node, ast.If) and ast.unparse(node.test) == "typing.TYPE_CHECKING":
            yield from node.orelse
        else:
            yield node


def _waiting(node: ast.stmt) -> dict[str, str] | None:
    """The name of a package within the package, which the SDK makes an object for that waits for its first use."""
    match node:
        case ast.Assign(
            targets=[ast.Name(id=name)],
            value=ast.Call(func=ast.Attribute(attr="lazy_import"), args=[ast.Constant(value=str(full))]),
        ) if full.rpartition(".")[2] == name:
            return {name: name}
        case _:
            return None


def _public(exports: dict[str, str]) -> list[str]:
    return [name for name in exports if not name.startswith("_")]


def _exported(node: ast.stmt, package: Path) -> dict[str, str] | None:
    """The names that ``node`` imports from the package's own modules; None where it is another statement."""
    if not isinstance(node, ast.ImportFrom) or node.level != 1:
        return None
    if node.module is None:
        names = [alias.name for alias in node.names if alias.asname is None and not alias.name.startswith("_")]
        return {name: name for name in names} if len(names) == len(node.names) else None
    if "." in node.module or [alias.name for alias in node.names] != ["*"]:
        return None
    names = _all_of(package / f"{node.module}.py")
    return None if names is None else dict.fromkeys(names, node.module)


def _all_of(path: Path) -> list[str] | None:
    """The ``__all__`` of the module at ``path``, where that is a plain list of texts."""
    try:
        source = path.read_bytes()
    except OSError:
        return None
    start = source.find(b"\n__all__ = [")
    end = source.find(b"]", start)
    if start < 0 or end < 0:
        return None
    names = ast.literal_eval(source[start:end].decode().partition("=")[2].strip() + "]")
    return names if all(isinstance(name, str) for name in names) else None
