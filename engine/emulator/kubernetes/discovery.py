"""What the API says of itself: versions, groups, resources, health."""

from __future__ import annotations

import functools

from engine.emulator.kubernetes.refusals import Json, PageNotFound, no_such_path
from engine.emulator.kubernetes.resources import Resource, Resources
from engine.kubernetes import group_of

HEALTH = ("/healthz", "/livez", "/readyz")
# The kind that a subresource takes or gives where it isn't that of its resource, with its own group and version.
_KINDS_OF_SUBRESOURCES = {
    "scale": ("autoscaling", "v1", "Scale"),
    "token": ("authentication.k8s.io", "v1", "TokenRequest"),
}


def document(resources: Resources, path: str) -> Json | None:
    """The discovery document at a path, or None where there is another thing. Raises NotFound."""
    steps = path.strip("/").split("/")
    match steps:
        case [""]:
            return {"paths": _paths(resources)}
        case ["version"]:
            return _version(resources.api.version, resources.api.source)
        case ["api"]:
            address = {"clientCIDR": "0.0.0.0/0", "serverAddress": ""}
            return {"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": [address]}
        case ["apis"]:
            groups = [_group(name, versions) for name, versions in resources.groups().items() if name]
            return {"kind": "APIGroupList", "apiVersion": "v1", "groups": groups}
        case ["apis", group]:
            versions = resources.groups().get(group)
            if not versions:
                raise PageNotFound
            return {"kind": "APIGroup", "apiVersion": "v1"} | _group(group, versions)
        case ["api", version]:
            return _resources(resources, version)
        case ["apis", group, version]:
            return _resources(resources, f"{group}/{version}")
        case _:
            return None


@functools.cache
def _version(version: str, source: str) -> Json:
    major, _, minor = version.partition(".")
    patch = source.rpartition(".")[2]
    said = {
        "major": major,
        "minor": minor,
        "gitVersion": f"v{version}.{patch}",
        "gitCommit": "",
        "gitTreeState": "clean",
    }
    return said | {"buildDate": "", "goVersion": "", "compiler": "bedplate", "platform": "linux/amd64"}


def _paths(resources: Resources) -> list[str]:
    versions = {f"/apis/{each.api_version}" if each.group else "/api/v1" for each in resources}
    groups = {f"/apis/{each.group}" for each in resources if each.group}
    return sorted({"/api", "/apis", "/version", *HEALTH, *versions, *groups})


def _group(name: str, versions: list[str]) -> Json:
    said = [{"groupVersion": f"{name}/{version}", "version": version} for version in versions]
    return {"name": name, "versions": said, "preferredVersion": said[0]}


def _resources(resources: Resources, api_version: str) -> Json:
    of = [resource for resource in resources if resource.api_version == api_version]
    if not of and group_of(api_version) not in resources.groups():
        raise PageNotFound
    if not of:
        raise no_such_path()
    listed = [entry for resource in sorted(of, key=lambda each: each.plural) for entry in _entries(resource)]
    return {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": api_version, "resources": listed}


def _entries(resource: Resource) -> list[Json]:
    served = resource.served
    main: Json = {"name": served.plural, "singularName": served.singular, "namespaced": served.namespaced}
    main |= {"kind": served.kind, "verbs": list(served.verbs)}
    if served.short_names:
        main["shortNames"] = list(served.short_names)
    if served.categories:
        main["categories"] = list(served.categories)
    below: list[Json] = []
    for subresource in sorted(served.subresources):
        entry: Json = {"name": f"{served.plural}/{subresource}", "singularName": "", "namespaced": served.namespaced}
        group, version, kind = _KINDS_OF_SUBRESOURCES.get(subresource, ("", "", served.kind))
        if version and group_of(served.api_version) != group:
            entry |= {"group": group, "version": version}
        below.append(entry | {"kind": kind, "verbs": ["get", "patch", "update"]})
    return [main, *below]
