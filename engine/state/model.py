"""The state of a stack as the engine holds it: resources, operations in flight, and where they come from.

Field for field what Pulumi's checkpoint (``ResourceV3``, ``OperationV2``, ``DeploymentV3`` of its ``apitype`` package,
version 3.260) keeps, in Python's names. How it is written lies in ``format``, where in ``storage``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from engine.urn import STACK_TYPE
from engine.values import Properties, Value

OperationKind: TypeAlias = Literal["creating", "updating", "deleting", "reading", "importing"]


@dataclass(frozen=True, slots=True)
class CustomTimeouts:
    """How long an operation on a resource may take, in seconds; 0 means the provider's default."""

    create: float = 0
    update: float = 0
    delete: float = 0
    read: float = 0


@dataclass(frozen=True, slots=True)
class ResourceState:
    """One resource as it was last seen. Times are RFC 3339 in UTC; URNs and ids are "" where there is none.

    ``provider`` is a provider reference, ``URN::ID``. ``delete`` marks a replaced resource that is still to be deleted,
    ``pending_replacement`` one that was deleted and not yet made again. ``extra`` keeps what a newer Pulumi wrote.
    """

    urn: str
    type: str
    custom: bool = False
    id: str = ""
    inputs: Properties = field(default_factory=dict[str, Value])
    outputs: Properties = field(default_factory=dict[str, Value])
    parent: str = ""
    provider: str = ""
    dependencies: tuple[str, ...] = ()
    property_dependencies: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    protect: bool = False
    taint: bool = False
    external: bool = False
    delete: bool = False
    pending_replacement: bool = False
    init_errors: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    custom_timeouts: CustomTimeouts = field(default_factory=CustomTimeouts)
    additional_secret_outputs: tuple[str, ...] = ()
    import_id: str = ""
    retain_on_delete: bool = False
    deleted_with: str = ""
    replace_with: tuple[str, ...] = ()
    replacement_trigger: Value = None
    ignore_changes: tuple[str, ...] = ()
    replace_on_changes: tuple[str, ...] = ()
    hide_diff: tuple[Any, ...] = ()  # property paths in the JSON that Pulumi writes
    created: str | None = None
    modified: str | None = None
    source_position: str = ""
    stack_trace: tuple[str, ...] = ()  # source positions, innermost first
    refresh_before_update: bool = False
    view_of: str = ""
    resource_hooks: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    extension_ref: str = ""
    snippet_id: str = ""
    extra: Mapping[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True, slots=True)
class Operation:
    """An operation that was begun and whose end nobody has recorded; ``resource`` is what it set out with."""

    resource: ResourceState
    kind: OperationKind


@dataclass(frozen=True, slots=True)
class Plugin:
    """A plugin that took part in the deployment."""

    name: str
    path: str = ""
    kind: str = ""
    version: str = ""


@dataclass(frozen=True, slots=True)
class Manifest:
    """When and by what a snapshot was made; ``magic`` is derived from ``version`` (see ``format.magic``)."""

    time: str = "0001-01-01T00:00:00Z"
    magic: str = ""
    version: str = ""
    plugins: tuple[Plugin, ...] = ()


@dataclass(frozen=True, slots=True)
class SecretsProvider:
    """How a deployment's secrets are encrypted: ``passphrase`` with ``{"salt": ...}``, or a kind we can't open."""

    type: str
    state: Mapping[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All that is known about a stack. In ``resources`` what is depended on stands before what depends on it.

    ``features`` are those that the file it came from says its reader must know (version 4 of the format). ``sealed``
    is how many secrets of it could not be opened: they are unknown, and it can't be saved.
    """

    resources: tuple[ResourceState, ...] = ()
    pending_operations: tuple[Operation, ...] = ()
    manifest: Manifest = field(default_factory=Manifest)
    secrets_provider: SecretsProvider | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict[str, Any])
    snippets: tuple[Any, ...] = ()
    extensions: Mapping[str, Any] = field(default_factory=dict[str, Any])
    extra: Mapping[str, Any] = field(default_factory=dict[str, Any])
    features: tuple[str, ...] = ()
    sealed: int = 0

    @property
    def outputs(self) -> Properties:
        """The stack's outputs, secrets marked."""
        return next((state.outputs for state in self.resources if state.type == STACK_TYPE), {})
