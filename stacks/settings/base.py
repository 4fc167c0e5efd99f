"""What all parts of the settings share: strict frozen models, contradictions with a place, and secrets."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Network
from typing import Annotated, Any, Self, cast

from pydantic import BaseModel, BeforeValidator, ConfigDict, PlainSerializer, SecretStr, WithJsonSchema, model_validator
from pydantic_core import PydanticCustomError


@dataclass(frozen=True)
class Contradiction:
    """Settings that can't go together: where (relative to the section), why, and what to do."""

    path: str
    message: str
    advice: str


class Section(BaseModel):
    """A group of settings: unknown keys are refused, values don't change; ``descriptions`` reads what each means."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    def contradictions(self) -> Iterable[Contradiction]:
        """What is wrong with these settings together; each is fine by itself."""
        return ()

    def _named_twice(self) -> Iterable[Contradiction]:
        """No list of names, numbers or ranges means anything by naming one twice; many become resources by name."""
        for name, field in type(self).model_fields.items():
            values = getattr(self, name)
            if isinstance(values, tuple):
                items = cast("tuple[object, ...]", values)
                named = [each for each in items if isinstance(each, str | int | IPv4Network)]
                for twice in dict.fromkeys(each for each in named if named.count(each) > 1):
                    yield Contradiction(field.alias or name, f"names '{twice}' more than once", "keep one of them")

    @model_validator(mode="after")
    def _must_agree(self) -> Self:
        found = (*self._named_twice(), *self.contradictions())
        if found:
            text = "; ".join(f"{each.path}: {each.message}" for each in found)
            raise PydanticCustomError("contradiction", "{text}", {"text": text, "found": found})
        return self


class RevealedSecret(str):
    """A configuration value that the engine keeps encrypted, decrypted for the program; never shown by ``repr``."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "[secret]"


class EncryptedValue:
    """A value that a settings file holds as ``{secure: ...}``; what it is, only the engine can tell."""

    def __repr__(self) -> str:
        return "[secret]"


def _only_encrypted(value: Any) -> Any:
    if isinstance(value, EncryptedValue):
        return SecretStr("")
    if isinstance(value, RevealedSecret):
        return SecretStr(str(value))
    if isinstance(value, SecretStr):
        return value
    raise PydanticCustomError("plain_secret", "must be stored encrypted")


# A setting that is only accepted encrypted: `bedplate config set ENV --secret --path bedplate:...`.
Secret = Annotated[
    SecretStr,
    BeforeValidator(_only_encrypted),
    WithJsonSchema(
        {
            "type": "object",
            "properties": {"secure": {"type": "string"}},
            "required": ["secure"],
            "additionalProperties": False,
        }
    ),
    # A file's reader does not know the secret and holds an empty one: that must not look like an empty setting.
    PlainSerializer(lambda _secret: "[secret]", return_type=str, when_used="json-unless-none"),
]
