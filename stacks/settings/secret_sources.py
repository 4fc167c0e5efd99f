"""Settings that say where a secret is, never what it is."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any

from pydantic import ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from stacks.settings.base import Contradiction, EncryptedValue, RevealedSecret, Secret, Section

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


def _or_encrypted(schema: dict[str, Any]) -> None:
    schema["properties"]["secure"] = {"type": "string", "description": "Here, as Pulumi has encrypted it."}


class SecretSourceSettings(Section):
    """Where a secret is: one of `external`, `kubernetes` and `value`."""

    # Written as Pulumi writes an encrypted setting, it is a value, too.
    model_config = ConfigDict(json_schema_extra=_or_encrypted)

    external: ExternalSecretSettings | None = None
    """In a store that External Secrets reads."""
    kubernetes: KubernetesSecretSettings | None = None
    """In a Secret that exists in the monitoring namespace."""
    value: Secret | None = None
    """Here, encrypted."""

    @model_validator(mode="before")
    @classmethod
    def _never_in_plain_text(cls, value: Any) -> Any:
        """The secret itself in this place is a mistake that no error may repeat; encrypted, it is a `value`."""
        if isinstance(value, EncryptedValue | RevealedSecret):
            return {"value": value}
        if isinstance(value, str):
            raise PydanticCustomError("plain_secret", "must be stored encrypted")
        return value

    def contradictions(self) -> Iterable[Contradiction]:
        given = [name for name in ("external", "kubernetes", "value") if getattr(self, name) is not None]
        if len(given) != 1:
            why = f"names {' and '.join(given)}" if given else "does not say where the secret is"
            yield Contradiction("", why, "give one of external, kubernetes and value")
