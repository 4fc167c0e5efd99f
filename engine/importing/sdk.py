"""What a package's Python SDK calls its resources and their arguments.

Every generated SDK registers its resource classes by type with ``pulumi.runtime``, and gives each argument the name
that it has on the wire; nothing here is particular to one package.
"""

from __future__ import annotations

import difflib
import importlib
import importlib.util
import inspect
import re
import subprocess
import sys
import threading
import types
import typing
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Final

from engine import urn as urns

_VERSION_SECONDS: Final = 60.0
_IMPORTING: Final = threading.RLock()  # SDKs load their modules when they are asked for: see below


@dataclass(frozen=True)
class Shape:
    """How a value is written: an object with named ``members``, a list or a map of ``item``, or (neither) as it is."""

    class_: Any = None
    item: Shape | None = None

    @property
    def members(self) -> Mapping[str, tuple[str, Shape]]:
        """By name on the wire: the name in Python and the shape."""
        return {} if self.class_ is None else _members(self.class_)


PLAIN: Final = Shape()


@dataclass(frozen=True)
class ResourceClass:
    """A class to write into a program: ``module`` to import, the ``path`` from there, and its arguments."""

    module: str
    path: str
    arguments: Shape
    given: Mapping[str, str] = field(default_factory=dict[str, str])  # arguments that are the class's own


def module_of(package: str) -> str:
    return "pulumi_" + package.replace("-", "_")


def resource_class(type_: str) -> ResourceClass | None:
    """The class of a resource type; None where its SDK is not installed or does not have it."""
    with _IMPORTING:
        return _resource_class(type_)


def _resource_class(type_: str) -> ResourceClass | None:
    provider = urns.is_provider_type(type_)
    package = type_.removeprefix(urns.PROVIDER_TYPE_PREFIX) if provider else urns.package_of(type_)
    module = module_of(package)
    if not _is_installed(module):
        return None
    place = (module, "Provider") if provider else _classes(package).get(type_)
    if place is None:
        return _custom_resource(type_) if package == "kubernetes" else None
    path = ".".join([*place[0].split(".")[1:], place[1]])
    loaded = importlib.import_module(place[0])
    # Before 3.11.9 and 3.12.3 Python loads a module that waits for its use without a lock, and takes it for loaded from
    # the first moment on: who asks from another thread finds it half-made, and one that was broken off stays so.
    # (Source: python/cpython, gh-114763.)
    if not hasattr(loaded, place[1]):
        loaded = importlib.reload(loaded)
    found = getattr(loaded, place[1])
    return ResourceClass(module, path, Shape(_arguments(found)))


def secret_inputs(type_: str) -> frozenset[str]:
    """The inputs, by their names on the wire, that the SDK of ``type_`` keeps secret."""
    found = resource_class(type_)
    if found is None or found.arguments.class_ is None:
        return frozenset()
    owner = getattr(sys.modules[found.arguments.class_.__module__], found.path.rpartition(".")[2], None)
    if owner is None:  # a class of ours stands for one of many kinds
        return frozenset()
    listed = re.search(r"additional_secret_outputs=\[([^\]]*)\]", inspect.getsource(owner._internal_init))
    names = re.findall(r'"(\w+)"', listed[1]) if listed else []
    return frozenset(names) & found.arguments.members.keys()


def known_types(package: str) -> Sequence[str]:
    """Every resource type of a package's SDK; empty where that is not installed."""
    return sorted(_classes(package))


def close_types(type_: str) -> Sequence[str]:
    """Types that may have been meant by ``type_``: of a like name, or of the same name in another module."""
    known = known_types(urns.package_of(type_))
    name = type_.rpartition(":")[2].lower()
    same = [one for one in known if one.rpartition(":")[2].lower() == name]
    return (same or difflib.get_close_matches(type_, known, 3))[:3]


def advice(type_: str) -> str:
    """What to say of a type that no provider here can read."""
    package = urns.package_of(type_)
    known = known_types(package)
    if type_ in known:
        return f"the embedded engine cannot read {type_}; import it with `pulumi import`, the Pulumi CLI"
    close = close_types(type_)
    if close:
        return f"there is no type {type_}; did you mean {' or '.join(close)}?"
    if known:
        return f"there is no type {type_} in {package}; its documentation lists what there is"
    return f"no provider of the package {package!r} is known here, nor is its SDK {module_of(package)} installed"


@cache
def version_of(package: str, python: Path) -> str:
    """The version of the plugin that a program run by ``python`` asks for; "" where that has no SDK of ``package``."""
    module = module_of(package)
    if python == Path(sys.executable):
        return _own_version(module)
    script = f"import {module}._utilities as u; print(u.get_version())"
    done = subprocess.run(  # noqa: S603 - the project's own Python
        [str(python), "-c", script], capture_output=True, text=True, timeout=_VERSION_SECONDS, check=False
    )
    return done.stdout.strip() if done.returncode == 0 else ""


def _own_version(module: str) -> str:
    if not _is_installed(module):
        return ""
    return str(importlib.import_module(f"{module}._utilities").get_version() or "")


def _is_installed(module: str) -> bool:
    return module.isidentifier() and importlib.util.find_spec(module) is not None


@cache
def _classes(package: str) -> Mapping[str, tuple[str, str]]:
    """Where the class of each type lies: its module and its name."""
    if not _is_installed(module_of(package)):
        return {}
    importlib.import_module(module_of(package))
    from pulumi.runtime import rpc

    registered: Mapping[str, Sequence[Any]] = getattr(rpc, "_RESOURCE_MODULES", {})
    described = [each.mod_info for modules in registered.values() for each in modules if hasattr(each, "mod_info")]
    return {
        type_: (one["fqn"], name)
        for one in described if one["pkg"] == package
        for type_, name in one["classes"].items()
    }  # fmt: skip


def _custom_resource(type_: str) -> ResourceClass:
    """An object of a kind that only its cluster knows."""
    version, _, kind = type_.removeprefix("kubernetes:").rpartition(":")
    found = getattr(importlib.import_module("pulumi_kubernetes.meta.v1"), "ObjectMetaArgs")  # noqa: B009 - made late
    holder = type("CustomResourceArgs", (), {"metadata": Shape(found), "spec": PLAIN})
    given = {"apiVersion": version, "kind": kind}
    return ResourceClass("pulumi_kubernetes", "apiextensions.CustomResource", Shape(holder), given)


def _arguments(resource: Any) -> Any:
    module = sys.modules[resource.__module__]
    return getattr(module, f"{resource.__name__}InitArgs", None) or getattr(module, f"{resource.__name__}Args", None)


@cache
def _members(class_: Any) -> Mapping[str, tuple[str, Shape]]:
    if class_.__name__ == "CustomResourceArgs":
        return {name: (name, getattr(class_, name)) for name in ("metadata", "spec")}
    return {wire: (python, _shape(hint)) for python, wire, hint in getters(class_)}


def getters(class_: Any) -> Iterator[tuple[str, str, Any]]:
    """The properties of one of an SDK's classes: their names in Python and on the wire, and their types."""
    import pulumi

    names = {**vars(pulumi), "Output": pulumi.Output, "T": typing.TypeVar("T"), "Awaitable": typing.Awaitable}
    names.update(vars(sys.modules[class_.__module__]))
    for python, member in vars(class_).items():
        if isinstance(member, property) and member.fget is not None:
            wire = vars(member.fget).get("_pulumi_name", python)
            yield python, wire, typing.get_type_hints(member.fget, names).get("return")


def _shape(hint: Any) -> Shape:
    """The shape that ``Input[Optional[Sequence[Input[X]]]]`` and its like have."""
    for one in _alternatives(hint):
        origin, arguments = typing.get_origin(one), typing.get_args(one)
        if inspect.isclass(origin) and issubclass(origin, typing.Mapping):
            return Shape(item=_shape(arguments[1]))
        if inspect.isclass(origin) and issubclass(origin, typing.Sequence):
            return Shape(item=_shape(arguments[0]))
        if inspect.isclass(one) and getattr(one, "_pulumi_input_type", False):
            return Shape(one)
    return PLAIN


def _alternatives(hint: Any) -> Iterator[Any]:
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        for member in typing.get_args(hint):
            yield from _alternatives(member)
    else:
        yield hint
