"""The resources around one that is priced: how it finds its launch template, its schedules, its provider."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from policies.pricing.model import UNKNOWN, Item, Origin

STACK = "pulumi:pulumi:Stack"
# Whose namespace it is, on everything that lies in it (components/scheduling_teams.py).
_TEAM_LABEL = "bedplate.dev/team"
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
        # What lies in a team's namespace carries the deployment's Team, too: the platform's.
        own = tags.get(_TEAM_LABEL, "") if item.type.startswith("kubernetes:") else ""
        team = own or tags.get("Team") or tags.get("team") or ""
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
        return {**self._default_tags_of(item), **_texts(properties.get("tags")), **_texts(properties.get("tagsAll"))}

    def _default_tags_of(self, item: Item) -> Mapping[str, str]:
        provider = self._provider_of(item)
        if provider is None:
            return {}
        if provider.urn not in self._default_tags:
            default = _opened(provider.properties.get("defaultTags"))
            tags = _texts(_opened(default.get("tags"))) if isinstance(default, Mapping) else {}
            self._default_tags[provider.urn] = tags
        return self._default_tags[provider.urn]

    @cached_property
    def _default_tags(self) -> dict[str, Mapping[str, str]]:
        """What was found so far, by provider."""
        return {}

    def _provider_of(self, item: Item) -> Item | None:
        """The AWS provider that makes ``item``: the one it names, else the only one; None where it is not known."""
        named = self.items.get(item.provider)
        if named is not None:
            return named if named.type == _AWS_PROVIDER else None
        return self._only_provider

    @cached_property
    def _only_provider(self) -> Item | None:
        providers = list(self.of(_AWS_PROVIDER))
        return providers[0] if len(providers) == 1 else None

    def region_of(self, item: Item) -> str:
        """The region of ``item``; '' where that is not known."""
        provider = self._provider_of(item)
        for properties in (item.properties, provider.properties if provider else {}):
            region = properties.get("region")
            if isinstance(region, str) and region:
                return region
        return self.home

    @cached_property
    def home(self) -> str:
        """The region that the program's resources are in where they don't say another; '' where it is not known.

        Of several, that of the provider that makes the most: it is where the cluster is, whose objects have no region.
        """
        if self.region:
            return self.region
        made = Counter(item.provider for item in self.items.values())
        regions: Counter[str] = Counter()
        for one in self.of(_AWS_PROVIDER):
            region = one.properties.get("region")
            if isinstance(region, str) and region:
                regions[region] += made[one.urn]
        most = regions.most_common(2)
        return most[0][0] if most and (len(most) == 1 or most[0][1] > most[1][1]) else ""


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
