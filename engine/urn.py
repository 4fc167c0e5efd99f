"""Uniform resource names, in Pulumi's form: ``urn:pulumi:STACK::PROJECT::PARENT_TYPE$TYPE::NAME``.

Source: Pulumi's documentation, "Resource names"; the qualified type joins the types of the component ancestors
with ``$`` and leaves the stack out.
"""

from __future__ import annotations

from typing import NamedTuple

PREFIX = "urn:pulumi:"
STACK_TYPE = "pulumi:pulumi:Stack"
PROVIDER_TYPE_PREFIX = "pulumi:providers:"


class UrnParts(NamedTuple):
    """A URN taken apart; ``qualified_type`` holds the whole ``a$b$c`` chain, ``type`` its last member."""

    stack: str
    project: str
    qualified_type: str
    name: str

    @property
    def type(self) -> str:
        return self.qualified_type.rsplit("$", 1)[-1]


def parse(urn: str) -> UrnParts:
    """Take a URN apart. Raises ValueError when ``urn`` is not one."""
    parts = urn[len(PREFIX) :].split("::", 3) if urn.startswith(PREFIX) else []
    if len(parts) != 4:
        raise ValueError(f"not a URN: {urn!r} (expected {PREFIX}STACK::PROJECT::TYPE::NAME)")
    return UrnParts(*parts)


def join(parts: UrnParts) -> str:
    """The URN that ``parts`` make."""
    return f"{PREFIX}{parts.stack}::{parts.project}::{parts.qualified_type}::{parts.name}"


def make(stack: str, project: str, parent: str | None, type_: str, name: str) -> str:
    """The URN of a resource of ``type_`` called ``name`` below ``parent`` (a URN, or None for none)."""
    chain = ""
    if parent:
        parent_type = parse(parent).qualified_type
        if parent_type != STACK_TYPE:
            chain = parent_type + "$"
    return f"{PREFIX}{stack}::{project}::{chain}{type_}::{name}"


def type_of(urn: str) -> str:
    return parse(urn).type


def name_of(urn: str) -> str:
    return parse(urn).name


def package_of(type_: str) -> str:
    """The package that a type token or function token belongs to (``aws`` of ``aws:s3/bucket:Bucket``)."""
    return type_.split(":", 1)[0]


def is_provider_type(type_: str) -> bool:
    return type_.startswith(PROVIDER_TYPE_PREFIX)
