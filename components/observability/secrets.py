"""Secrets of the monitoring servers as files in their pods: they lie in Secrets, never in a ConfigMap or a variable."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import pulumi
from pulumi_kubernetes.core.v1 import KeyToPathArgsDict, Secret, VolumeArgsDict

from components.kubernetes import ManifestObject

# Source: External Secrets 2.0, "API specification", ExternalSecret: v1 since 0.17; 2026-11.
_EXTERNAL_VERSION: Final = "external-secrets.io/v1"
# How often External Secrets looks whether the value has changed.
_REFRESH: Final = "1h"
_KEY: Final = "value"


@dataclass(frozen=True)
class SecretPlace:
    """A Secret and the key in it; ``made`` is what has to be there first, if we make it."""

    name: pulumi.Input[str]
    key: str
    made: Sequence[pulumi.Resource] = ()

    def volume(self, name: str, file: str) -> VolumeArgsDict:
        """A volume of that name that holds the value in ``file``."""
        item: KeyToPathArgsDict = {"key": self.key, "path": file}
        return {"name": name, "secret": {"secret_name": self.name, "default_mode": 0o440, "items": [item]}}


class SecretSource(ABC):
    """Where a secret is from."""

    @abstractmethod
    def place(self, name: str, namespace: str, opts: pulumi.ResourceOptions) -> SecretPlace:
        """Where it is in ``namespace``; what it takes to be there is declared as ``name``, below ``opts``."""


@dataclass(frozen=True)
class ExistingSecret(SecretSource):
    """A Secret that somebody else makes."""

    name: str
    key: str

    def place(self, name: str, namespace: str, opts: pulumi.ResourceOptions) -> SecretPlace:
        return SecretPlace(self.name, self.key)


@dataclass(frozen=True)
class ExternalSecret(SecretSource):
    """What External Secrets fetches from the ClusterSecretStore ``store``: ``property`` of ``key``, or all of it."""

    store: str
    key: str
    property: str | None = None

    def place(self, name: str, namespace: str, opts: pulumi.ResourceOptions) -> SecretPlace:
        remote = {"key": self.key, **({"property": self.property} if self.property else {})}
        spec = {
            "refreshInterval": _REFRESH,
            "secretStoreRef": {"kind": "ClusterSecretStore", "name": self.store},
            "target": {"name": name, "creationPolicy": "Owner"},
            "data": [{"secretKey": _KEY, "remoteRef": remote}],
        }
        metadata = {"name": name, "namespace": namespace}
        made = ManifestObject(name, _EXTERNAL_VERSION, "ExternalSecret", metadata, {"spec": spec}, opts)
        return SecretPlace(name, _KEY, [made])


@dataclass(frozen=True)
class GivenSecret(SecretSource):
    """A value of the settings, which are encrypted, and so is the stack's state."""

    value: pulumi.Output[str]

    def place(self, name: str, namespace: str, opts: pulumi.ResourceOptions) -> SecretPlace:
        # Pulumi names it, and another value gets another name: pods that have read the old one are replaced.
        made = Secret(name, metadata={"namespace": namespace}, string_data={_KEY: self.value}, opts=opts)
        return SecretPlace(made.metadata.name, _KEY, [made])
