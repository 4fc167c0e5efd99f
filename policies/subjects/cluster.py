"""The Kubernetes objects of a stack: which lie in one namespace, which are called what, which select which pods.

Everything is looked for once and found again by an index, so that a stack of thousands is judged in seconds. What
is not known yet is a candidate wherever it might belong.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Generic, TypeVar

from policies.kit import Resource, Stack, Unreadable, Value
from policies.subjects.kubernetes import DEFAULT_NAMESPACE, KubernetesObject
from policies.subjects.pods import PodTemplate

_Item = TypeVar("_Item")
_Pair = tuple[str, str]


@dataclass(frozen=True)
class Namespace:
    """The namespace of an object, compared without asking for more than is known.

    ``name`` is None where it is not known yet: then ``declared`` (URNs of the Namespace resources that it depends on)
    tells it from others.
    """

    name: str | None
    declared: frozenset[str] = frozenset()

    @property
    def shown(self) -> str:
        return f"'{self.name}'" if self.name is not None else "(not known yet)"

    def is_that_of(self, other: Namespace) -> bool:
        """Whether both are the same, as far as that can be known."""
        if self.name is not None and other.name is not None:
            return self.name == other.name
        return bool(self.declared & other.declared)


class Placed(Generic[_Item]):
    """Things by the namespace in which they lie."""

    def __init__(self, items: Iterable[tuple[_Item, Namespace]]) -> None:
        self._by_key: dict[str | tuple[str], list[tuple[_Item, Namespace]]] = defaultdict(list)
        for item, namespace in items:
            for key in self._keys(namespace):
                self._by_key[key].append((item, namespace))

    def within(self, namespace: Namespace) -> Iterator[_Item]:
        """What lies in ``namespace``, each once."""
        found = {
            id(item): item
            for key in self._keys(namespace)
            for item, own in self._by_key.get(key, ())
            if own.is_that_of(namespace)
        }
        return iter(found.values())

    @staticmethod
    def _keys(namespace: Namespace) -> Iterator[str | tuple[str]]:
        if namespace.name is not None:
            yield namespace.name
        yield from ((urn,) for urn in namespace.declared)


class Objects:
    """The objects of a stack."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._by_kind: dict[tuple[str, str], list[KubernetesObject]] = defaultdict(list)
        for each in (each for resource in stack.resources for each in _readable(resource)):
            self._by_kind[each.group, each.kind].append(each)
        self.namespaces = {each.resource.urn: each for each in self.of("", "Namespace")}
        self._placed: dict[tuple[str, str], Placed[KubernetesObject]] = {}
        self._named: dict[tuple[str, ...], Mapping[str | None, list[KubernetesObject]]] = {}
        self._selectors: dict[tuple[Namespace, str, str], Selectors] = {}
        self._labelled: dict[Namespace, Labelled] = {}

    def of(self, group: str, *kinds: str) -> Iterator[KubernetesObject]:
        return (each for kind in kinds for each in self._by_kind.get((group, kind), ()))

    def within(self, namespace: Namespace, group: str, kind: str) -> Iterator[KubernetesObject]:
        """The objects of a kind in ``namespace``."""
        if (group, kind) not in self._placed:
            self._placed[group, kind] = Placed(self._with_namespaces(self.of(group, kind), lambda each: each))
        return self._placed[group, kind].within(namespace)

    def naming(self, name: Value, group: str, kind: str, *path: str) -> Iterator[KubernetesObject]:
        """The objects of a kind that have that name at ``path``, or may have it: where either is not known yet."""
        key = (group, kind, *path)
        if key not in self._named:
            self._named[key] = _grouped(self.of(group, kind), lambda each: text_of(each.body, *path))
        by_name = self._named[key]
        text = text_of(name)
        if text is None:
            return self.of(group, kind)
        return (each for key in (text, None) for each in by_name.get(key, ()))

    def selecting(self, pod: PodTemplate, group: str, kind: str, *selector: str) -> Iterator[KubernetesObject]:
        """The objects of a kind in the pod's namespace whose selector may match its labels."""
        namespace = self.namespace_of(pod.object)
        key = (namespace, group, kind)
        if key not in self._selectors:
            self._selectors[key] = Selectors(self.within(namespace, group, kind), selector)
        return self._selectors[key].that_may_select(pod.metadata.get("labels"))

    def selected(self, namespace: Namespace, selector: Value) -> Iterator[PodTemplate]:
        """The pods in ``namespace`` whose labels ``selector`` may match."""
        if namespace not in self._labelled:
            self._labelled[namespace] = Labelled(self._pods.within(namespace))
        return self._labelled[namespace].that_may_match(selector)

    @cached_property
    def _pods(self) -> Placed[PodTemplate]:
        """All pods that are declared. Where they can't be read, the rules about pods say so."""
        found = [pod for resource in self._stack.resources for pod in _pods_of(resource)]
        return Placed(self._with_namespaces(found, lambda pod: pod.object))

    def namespace_of(self, each: KubernetesObject) -> Namespace:
        """The namespace in which ``each`` lies: ``default`` where it names none."""
        declared = self._depended_on(each)
        metadata = each.metadata
        if metadata.unknown or metadata.get("namespace").unknown:
            names = {self.identity_of(self.namespaces[urn]).name for urn in declared}
            return Namespace(names.pop() if len(names) == 1 else None, declared)
        name = metadata.get("namespace").text("")
        return Namespace(name or DEFAULT_NAMESPACE, declared)

    def identity_of(self, namespace: KubernetesObject) -> Namespace:
        """A Namespace object itself, as others name it."""
        return Namespace(text_of(namespace.metadata, "name"), frozenset({namespace.resource.urn}))

    def _depended_on(self, each: KubernetesObject) -> frozenset[str]:
        return frozenset(urn for urn in each.resource.depends_on.get("metadata", ()) if urn in self.namespaces)

    def _with_namespaces(
        self, items: Iterable[_Item], object_of: Callable[[_Item], KubernetesObject]
    ) -> Iterator[tuple[_Item, Namespace]]:
        for item in items:
            try:
                yield item, self.namespace_of(object_of(item))
            except Unreadable:
                continue  # it names no namespace that could be one, and default-namespace says so


@lru_cache(maxsize=1)
def objects_in(stack: Stack) -> Objects:
    """The objects of ``stack``, looked for once for all that ask."""
    return Objects(stack)


def text_of(value: Value, *path: str) -> str | None:
    """The text at a path; None where it is unknown, missing, or no text."""
    try:
        found = value.get(*path)
        return found.plain() if found.kind == "text" else None
    except Unreadable:
        return None


class Selectors:
    """Objects that select pods by labels, of which only those are tried that may match."""

    def __init__(self, objects: Iterable[KubernetesObject], selector: tuple[str, ...]) -> None:
        self._all = list(objects)
        self._by_label: dict[_Pair, list[KubernetesObject]] = defaultdict(list)
        self._others: list[KubernetesObject] = []
        for each in self._all:
            pair = _demanded(lambda each=each: each.body.get(*selector))
            (self._others if pair is None else self._by_label[pair]).append(each)

    def that_may_select(self, labels: Value) -> Iterator[KubernetesObject]:
        pairs = _texts(labels)
        if pairs is None:
            return iter(self._all)
        return iter([*self._others, *(each for pair in pairs.items() for each in self._by_label.get(pair, ()))])


class Labelled:
    """Pods by their labels, of which only those are tried that a selector may match."""

    def __init__(self, pods: Iterable[PodTemplate]) -> None:
        self._all = list(pods)
        self._by_label: dict[_Pair, list[PodTemplate]] = defaultdict(list)
        self._open: list[PodTemplate] = []
        for pod in self._all:
            pairs = _read(lambda pod=pod: _texts(pod.metadata.get("labels")))
            if pairs is None:
                self._open.append(pod)
            for pair in (pairs or {}).items():
                self._by_label[pair].append(pod)

    def that_may_match(self, selector: Value) -> Iterator[PodTemplate]:
        pair = _demanded(lambda: selector)
        return iter(self._all if pair is None else [*self._by_label.get(pair, ()), *self._open])


def _demanded(selector_of: Callable[[], Value]) -> _Pair | None:
    """A label that whatever is selected must have; None where no single one is known."""
    pairs = _read(lambda: _texts(selector_of().get("matchLabels")))
    return next(iter(pairs.items()), None) if pairs else None


def _read(reading: Callable[[], _Item]) -> _Item | None:
    """What can't be read is no reason to stop here: whoever needs it says so."""
    try:
        return reading()
    except Unreadable:
        return None


def _grouped(items: Iterable[_Item], key_of: Callable[[_Item], str | None]) -> Mapping[str | None, list[_Item]]:
    groups: dict[str | None, list[_Item]] = defaultdict(list)
    for item in items:
        groups[key_of(item)].append(item)
    return groups


def _texts(labels: Value) -> Mapping[str, str] | None:
    """Labels as plain text; None where any of them is not known, or is none."""
    if labels.kind == "nothing":
        return {}
    if labels.kind != "an object":
        return None
    found = {key: text_of(value) for key, value in labels.entries()}
    return None if None in found.values() else {key: str(text) for key, text in found.items()}


def _readable(resource: Resource) -> list[KubernetesObject]:
    """A list that is none holds no object; the rules that judge it say so."""
    return _read(lambda: list(KubernetesObject.found_in(resource))) or []


def _pods_of(resource: Resource) -> list[PodTemplate]:
    return _read(lambda: list(PodTemplate.found_in(resource))) or []
