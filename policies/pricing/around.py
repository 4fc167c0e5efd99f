"""The resources around one that is priced: how it finds its launch template, its schedules, its provider."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from policies.pricing.model import UNKNOWN, Item, Origin

STACK = "pulumi:pulumi:Stack"
_AWS_PROVIDER = "pulumi:providers:aws"
_PACKAGES = ("aws", "aws-native", "azure-native", "command", "docker", "kubernetes", "pulumi", "random", "tls")


@dataclass(frozen=True)
class Surroundings:
    """All items of one program, by URN."""

    items: Mapping[str, Item]
    region: str = ""
    _referring: dict[tuple[str, str, str], Mapping[str, Sequence[Item]]] = field(
        default_factory=dict[tuple[str, str, str], Mapping[str, Sequence[Item]]], repr=False, compare=False
    )

    @classmethod
    def of_items(cls, items: Iterable[Item], region: str = "") -> Surroundings:
        return cls({item.urn: item for item in items}, region)

    @cached_property
    def _by_type(self) -> Mapping[str, Sequence[Item]]:
        found: dict[str, list[Item]] = {}
        for item in self.items.values():
            found.setdefault(item.type, []).append(item)
        return found

    @cached_property
    def _children(self) -> Mapping[str, Sequence[Item]]:
        found: dict[str, list[Item]] = {}
        for item in self.items.values():
            found.setdefault(item.parent, []).append(item)
        return found

    def of(self, *types: str) -> Iterator[Item]:
        for type_ in types:
            yield from self._by_type.get(type_, ())

    def referred(self, item: Item, path: str, type_: str, *identities: object) -> list[Item]:
        """The items of ``type_`` that the property ``path`` of ``item`` speaks of.

        By what the property depends on; else by one of ``identities`` being the other's id or name; else, where
        that can't be known yet, by a common parent.
        """
        found = [self.items[urn] for urn in self._leads(item, path) if self.items[urn].type == type_]
        known = [one for one in identities if isinstance(one, str) and one]
        if found or not any(True for _ in self.of(type_)):
            return found
        if known:
            return [one for one in self.of(type_) if any(one.properties.get(key) in known for key in _IDENTITIES)]
        unknown = any(one is UNKNOWN for one in identities)
        siblings = [one for one in self._children.get(item.parent, ()) if one.type == type_]
        return siblings if unknown and item.parent else []

    def referring(self, type_: str, path: str, item: Item) -> Sequence[Item]:
        """The items of ``type_`` whose property ``path`` speaks of ``item``: looked for once for all of its type."""
        key = type_, path, item.type
        if key not in self._referring:
            found: dict[str, list[Item]] = {}
            for one in self.of(type_):
                for other in self.referred(one, path, item.type, one.properties.get(path)):
                    found.setdefault(other.urn, []).append(one)
            self._referring[key] = found
        return self._referring[key].get(item.urn, ())

    def _leads(self, item: Item, path: str) -> Iterator[str]:
        """The URNs that a property depends on, those of components taken as their children's."""
        waiting, seen = list(item.dependencies.get(path, ())), set[str]()
        while waiting:
            urn = waiting.pop(0)
            if urn in seen or urn not in self.items:
                continue
            seen.add(urn)
            yield urn
            if is_component(self.items[urn].type):
                waiting += [child.urn for child in self._children.get(urn, ())]

    def origin(self, item: Item) -> Origin:
        """Who ``item`` belongs to."""
        tags = self.tags(item)
        team = tags.get("Team") or tags.get("team") or ""
        return Origin(item.urn, item.type, item.name, self.component(item), team, tags, self.region_of(item))

    def component(self, item: Item) -> str:
        """The name of the component that ``item`` is a part of; '' where it is in none."""
        parent, seen = item.parent, set[str]()
        while parent and parent not in seen:
            seen.add(parent)
            type_, name = type_and_name(parent)
            if type_ == STACK:
                return ""
            if is_component(type_):
                return name
            above = self.items.get(parent)
            parent = above.parent if above else ""
        return ""

    def tags(self, item: Item) -> Mapping[str, str]:
        """The tags of an AWS resource, the provider's among them, or the labels of a Kubernetes object."""
        properties = item.properties
        if item.type.startswith("kubernetes:"):
            metadata = properties.get("metadata")
            return _texts(metadata.get("labels")) if isinstance(metadata, Mapping) else {}
        return {**self._default_tags, **_texts(properties.get("tags")), **_texts(properties.get("tagsAll"))}

    @cached_property
    def _default_tags(self) -> Mapping[str, str]:
        providers = list(self.of(_AWS_PROVIDER))
        if len(providers) != 1:  # whose it is would have to be known: then the resources' own tags have to do
            return {}
        default = _opened(providers[0].properties.get("defaultTags"))
        return _texts(_opened(default.get("tags"))) if isinstance(default, Mapping) else {}

    def region_of(self, item: Item) -> str:
        """The region of ``item``; '' where that is not known."""
        own = item.properties.get("region")
        if isinstance(own, str) and own:
            return own
        return self.home

    @cached_property
    def home(self) -> str:
        """The region that the program's resources are in where they don't say another; '' where it is not known."""
        if self.region:
            return self.region
        regions = {one.properties.get("region") for one in self.of(_AWS_PROVIDER)}
        known = [region for region in regions if isinstance(region, str)]
        return known[0] if len(known) == 1 else ""


_IDENTITIES = ("id", "name", "arn", "launchTemplateName", "nodeGroupName", "bucket", "clusterName")


def type_and_name(urn: str) -> tuple[str, str]:
    """The type and the name that a URN ends with."""
    parts = urn.split("::", 3)
    if len(parts) < 4:
        return "", urn.rsplit("::", 1)[-1]
    return parts[2].rsplit("$", 1)[-1], parts[3]


def is_component(type_: str) -> bool:
    """Whether a type is that of a component: no known package has it, and it has no module of a provider."""
    package, _, rest = type_.partition(":")
    return bool(rest) and package not in _PACKAGES and "/" not in rest


def _texts(value: object) -> Mapping[str, str]:
    if not isinstance(value, Mapping):
        return {}
    return {str(key): one for key, one in value.items() if isinstance(one, str)}


def _opened(value: object) -> object:
    """A provider's configuration holds its objects as JSON text."""
    if not isinstance(value, str):
        return value
    import json

    try:
        return json.loads(value)
    except ValueError:
        return None
