"""What the API serves: the built-in kinds of one Kubernetes version, and those that CRDs declare."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from engine.emulator.kubernetes.refusals import Json
from engine.kubernetes import Api, Kind, Schema, api, group_of, schema_of_crd

Storage = tuple[str, str]  # group and plural: what all versions of a resource share
_VERSION = re.compile(r"v(?P<major>\d+)(?:(?P<stage>alpha|beta)(?P<minor>\d+))?")
VERBS = ("create", "delete", "deletecollection", "get", "list", "patch", "update", "watch")
# Kinds that can be posted but are kept nowhere: they are questions.
QUESTIONS = frozenset(
    {
        "TokenReview",
        "SelfSubjectReview",
        "SubjectAccessReview",
        "LocalSubjectAccessReview",
        "SelfSubjectAccessReview",
        "SelfSubjectRulesReview",
    }
)


@dataclass(frozen=True)
class Resource:
    """One kind in one version. ``schema`` is None where nothing is known of a custom resource's fields."""

    served: Kind
    schema: Schema | None = field(default=None, compare=False, repr=False)
    custom: bool = False
    columns: Sequence[Json] = field(default=(), compare=False, repr=False)  # a CRD's additionalPrinterColumns

    @property
    def group(self) -> str:
        return group_of(self.served.api_version)

    @property
    def version(self) -> str:
        return self.served.api_version.rpartition("/")[2]

    @property
    def api_version(self) -> str:
        return self.served.api_version

    @property
    def kind(self) -> str:
        return self.served.kind

    @property
    def plural(self) -> str:
        return self.served.plural

    @property
    def namespaced(self) -> bool:
        return self.served.namespaced

    @property
    def qualified(self) -> str:
        """``deployments.apps``, ``pods``: how messages name it."""
        return f"{self.plural}.{self.group}" if self.group else self.plural

    @property
    def storage(self) -> Storage:
        return self.group, self.plural

    def has(self, subresource: str) -> bool:
        return subresource in self.served.subresources


class Resources:
    """All that is served now, by group, version and plural."""

    def __init__(self, version: str) -> None:
        self.api: Api = api(version)
        self._by_path: dict[tuple[str, str], Resource] = {}  # (api version, plural)
        for kind in self.api.kinds():
            if "alpha" in kind.api_version or "beta" in kind.api_version:
                continue  # switched off unless an API server is told otherwise
            schema = self.api.schema(kind.api_version, kind.kind)
            self._by_path.setdefault((kind.api_version, kind.plural), Resource(kind, schema))
        self._custom: dict[str, list[tuple[str, str]]] = {}  # name of a CRD -> its keys

    def __iter__(self) -> Iterator[Resource]:
        return iter(self._by_path.values())

    def find(self, api_version: str, plural: str) -> Resource | None:
        return self._by_path.get((api_version, plural))

    def of_kind(self, api_version: str, kind: str) -> Resource | None:
        found = (each for each in self._by_path.values() if each.api_version == api_version and each.kind == kind)
        return next(found, None)

    def of_storage(self, storage: Storage) -> Resource | None:
        """The resource in the version that its group prefers."""
        found = (each for each in self._by_path.values() if each.storage == storage)
        return min(found, key=lambda each: _priority(each.version), default=None)

    def storages(self, *, namespaced: bool) -> list[Storage]:
        return list(dict.fromkeys(each.storage for each in self if each.namespaced is namespaced))

    def groups(self) -> dict[str, list[str]]:
        """Group -> its versions, the preferred one first; the core group is ""."""
        served: dict[str, list[str]] = {group: [] for group in self.api.groups}  # in the order of the real one
        for api_version, _ in self._by_path:
            group, version = group_of(api_version), api_version.rpartition("/")[2]
            if version not in served.setdefault(group, []):
                served[group].append(version)
        for versions in served.values():
            versions.sort(key=_priority)
        return {group: versions for group, versions in served.items() if versions}

    def declare(self, crd: Json) -> None:
        """Serve what a CRD declares, in the place of what it declared before."""
        self.withdraw(crd["metadata"]["name"])
        keys: list[tuple[str, str]] = []
        for resource in _custom(crd, self.api):
            key = resource.api_version, resource.plural
            self._by_path[key] = resource
            keys.append(key)
        self._custom[crd["metadata"]["name"]] = keys

    def withdraw(self, name: str) -> None:
        for key in self._custom.pop(name, []):
            self._by_path.pop(key, None)


def _custom(crd: Json, builtin: Api) -> Iterator[Resource]:
    spec = crd["spec"]
    names, group = spec["names"], spec["group"]
    for version in sorted(spec["versions"], key=lambda each: not each.get("storage")):
        if not version.get("served", True):
            continue
        kind = Kind(
            api_version=f"{group}/{version['name']}",
            kind=names["kind"],
            plural=names["plural"],
            singular=names.get("singular") or names["kind"].lower(),
            namespaced=spec["scope"] == "Namespaced",
            short_names=tuple(names.get("shortNames") or ()),
            categories=tuple(names.get("categories") or ()),
            verbs=VERBS,
            subresources=tuple(version.get("subresources") or ()),
        )
        columns = version.get("additionalPrinterColumns") or ()
        yield Resource(kind, schema_of_crd(crd, version["name"], builtin), custom=True, columns=columns)


def _priority(version: str) -> tuple[int, int, int, str]:
    """GA before beta before alpha, later before earlier, and names of no such form last and by the alphabet."""
    found = _VERSION.fullmatch(version)
    if not found:
        return 3, 0, 0, version
    stage = {None: 0, "beta": 1, "alpha": 2}[found["stage"]]
    return stage, -int(found["major"]), -int(found["minor"] or 0), version
