"""What manifests declare: objects with a kind and a name, lists taken apart, each in a namespace if its kind has one.

Secrets and what is not known yet stay where they are within an object; what tells which one it is must be known.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final, cast

from engine.providers.base import ProviderError
from engine.providers.kubernetes import manifests
from engine.providers.kubernetes.check import as_secret
from engine.providers.kubernetes.components.sources import Found
from engine.providers.kubernetes.kinds import Kinds
from engine.providers.kubernetes.tokens import ObjectType, of_manifest
from engine.values import UNKNOWN, Properties, Secret, Value, reveal

_IDENTITY: Final = ("name", "namespace")


@dataclass(frozen=True)
class Declared:
    """An object as it is declared, and the place where. ``namespace`` is "" for none."""

    place: str
    kind: ObjectType
    name: str
    namespace: str
    manifest: Properties

    @property
    def identity(self) -> tuple[str, str, str, str]:
        return (self.kind.group, self.kind.kind, self.namespace, self.name)

    @property
    def label(self) -> str:
        return f"{self.namespace}/{self.name}" if self.namespace else self.name

    def __str__(self) -> str:
        return f"{self.kind.kind} {self.label}"


@dataclass(frozen=True)
class Objects:
    """What is declared; it is not the ``whole`` where some of it only the apply will know."""

    declared: tuple[Declared, ...]
    whole: bool


def objects_of(found: Iterable[Found], kinds: Kinds, namespace: str) -> Objects:
    """The objects that were ``found``, put in ``namespace`` unless they say where. Raises ProviderError."""
    declared: list[Declared] = []
    problems: list[str] = []
    whole = True
    for each in _taken_apart(found):
        try:
            one = _declared(each)
        except ProviderError as error:
            problems.append(str(error))
            continue
        whole = whole and one is not None
        if one is not None:
            declared.append(one)
    if problems:
        raise ProviderError("\n".join(problems))
    for one in declared:  # what a definition says of a kind holds for the objects before it, too
        kinds.learn(manifests.outgoing(cast("Properties", reveal(one.manifest))))
    return Objects(tuple(_placed(one, kinds, namespace) for one in declared), whole)


def _taken_apart(found: Iterable[Found]) -> Iterator[Found]:
    """Each by itself: an object with ``items`` is a list, and a list is no object of the API."""
    for each in found:
        content, sealed = _opened(each.content, each.sealed)
        items = cast("Properties", content).get("items") if isinstance(content, dict) else None
        items, sealed_items = _opened(items, sealed)
        if isinstance(items, list):
            within = cast("list[Value]", items)
            yield from _taken_apart(
                Found(f"{each.place}, items[{number}]", item, sealed_items) for number, item in enumerate(within)
            )
        elif content != {}:  # an empty block of a template
            yield Found(each.place, content, sealed)


def _opened(value: Value, sealed: bool) -> tuple[Value, bool]:
    """What a secret holds, and that it is one."""
    return (value.value, True) if isinstance(value, Secret) else (value, sealed)


def _declared(found: Found) -> Declared | None:
    """The object; None where which one it is is not known yet. Raises ProviderError where it is none."""
    content = found.content
    if content is UNKNOWN:
        return None
    if not isinstance(content, dict):
        raise ProviderError(f"{found.place}: expected an object, got {type(content).__name__}")
    given = cast("Properties", content)
    metadata = reveal(given.get("metadata"))
    told = {key: reveal(given.get(key)) for key in ("apiVersion", "kind")}
    for key, value in told.items():
        if value is not UNKNOWN and not (isinstance(value, str) and value):
            raise ProviderError(f"{found.place}: the object has no {key}")
    if metadata is not UNKNOWN and not isinstance(metadata, dict):
        raise ProviderError(f"{found.place}: the {_said(told['kind'])} has no metadata.name")
    named = {} if metadata is UNKNOWN else {key: metadata.get(key) for key in _IDENTITY}
    if UNKNOWN in (metadata, *told.values(), *named.values()):
        return None
    for key, value in named.items():
        if not (isinstance(value, str) and value) and (key == "name" or value not in (None, "")):
            problem = "has no metadata.name" if not value else f"has a metadata.{key} that is no text"
            raise ProviderError(f"{found.place}: the {told['kind']} {problem}")
    api_version = str(told["apiVersion"]).removeprefix("core/")
    manifest = {**given, "apiVersion": api_version, "kind": told["kind"], "metadata": _named(given["metadata"], named)}
    manifest = _sealed(manifest) if found.sealed else manifest
    kind = of_manifest(api_version, str(told["kind"]))
    return Declared(found.place, kind, str(named["name"]), str(named["namespace"] or ""), manifest)


def _said(kind: Value) -> str:
    return "object" if kind is UNKNOWN else str(kind)


def _named(metadata: Value, named: Mapping[str, Value]) -> Properties:
    """Metadata in which name and namespace are no secrets: they are part of a resource's name."""
    if isinstance(metadata, Secret):
        inner = cast("Properties", metadata.value)
        return {key: named[key] if key in named else Secret(reveal(value)) for key, value in inner.items()}
    return {key: named.get(key, value) for key, value in cast("Properties", metadata).items()}


def _sealed(manifest: Properties) -> Properties:
    """An object out of a secret text: all of it is secret but what tells which object it is."""
    plain = ("apiVersion", "kind")
    sealed: Properties = {key: value if key in plain else as_secret(value) for key, value in manifest.items()}
    metadata = cast("Properties", manifest["metadata"]).items()
    sealed["metadata"] = {key: value if key in _IDENTITY else as_secret(value) for key, value in metadata}
    return sealed


def _placed(one: Declared, kinds: Kinds, namespace: str) -> Declared:
    if one.namespace or not kinds.namespaced(one.kind):
        return one
    metadata = {**manifests.metadata(one.manifest), "namespace": namespace}
    return replace(one, namespace=namespace, manifest={**one.manifest, "metadata": metadata})
