"""Settings that say where a secret is, never what it is."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

from pydantic import Field

from stacks.settings.base import Contradiction, Secret, Section

ObjectName = Annotated[str, Field(max_length=253, pattern=r"^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$")]
DataKey = Annotated[str, Field(max_length=253, pattern=r"^[A-Za-z0-9._-]+$")]


class ExternalSecretSettings(Section):
    """A secret that External Secrets fetches, such as from AWS Secrets Manager."""

    store: ObjectName
    """Name of the ClusterSecretStore that knows how to get there."""
    key: str = Field(min_length=1, max_length=512)
    """What the secret is called there."""
    property: str | None = Field(default=None, min_length=1, max_length=256)
    """Which property of it, where it is a JSON object; default: all of it."""


class KubernetesSecretSettings(Section):
    """A Secret that exists in the monitoring namespace."""

    name: ObjectName
    """Its name."""
    key: DataKey
    """Key of the value in it."""


class SecretSourceSettings(Section):
    """Where a secret is: one of `external`, `kubernetes` and `value`."""

    external: ExternalSecretSettings | None = None
    """In a store that External Secrets reads."""
    kubernetes: KubernetesSecretSettings | None = None
    """In a Secret that exists in the monitoring namespace."""
    value: Secret | None = None
    """Here, encrypted."""

    def contradictions(self) -> Iterable[Contradiction]:
        given = [name for name in ("external", "kubernetes", "value") if getattr(self, name) is not None]
        if len(given) != 1:
            why = f"names {' and '.join(given)}" if given else "does not say where the secret is"
            yield Contradiction("", why, "give one of external, kubernetes and value")
