"""What the Kubernetes API looks like, version by version: kinds, their scope and plural, and the types of their fields.

Plain knowledge, read from data files; nothing here talks to a cluster. The provider checks manifests by it, the API
emulator serves and merges by it.

    api("1.35").kind("apps/v1", "Deployment").plural          deployments
    api("1.35").schema("v1", "Service").field("spec.ports")   a LIST that merges by (port, protocol)

``schema_of_crd`` gives the same form for a custom resource, from the ``openAPIV3Schema`` of its definition.
"""

from engine.kubernetes.api import DEFAULT_VERSION, Api, VersionUnknown, api, versions
from engine.kubernetes.custom import schema_of_crd
from engine.kubernetes.model import Kind, ObjectType, Schema, Shape, group_of
from engine.kubernetes.removed import Removed, removed

__all__ = [
    "DEFAULT_VERSION",
    "Api",
    "Kind",
    "ObjectType",
    "Removed",
    "Schema",
    "Shape",
    "VersionUnknown",
    "api",
    "group_of",
    "removed",
    "schema_of_crd",
    "versions",
]
