"""What a program asks for: registrations as values, before anything is decided about them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from engine import urn as urns
from engine.packages import Plugin
from engine.state.model import CustomTimeouts
from engine.values import Properties, Value


@dataclass(frozen=True, slots=True)
class Alias:
    """Another name that a resource was known by: a whole ``urn``, or the parts in which it differs from today's."""

    urn: str = ""
    name: str = ""
    type: str = ""
    stack: str = ""
    project: str = ""
    parent: str = ""
    no_parent: bool = False


@dataclass(frozen=True, slots=True)
class Goal:
    """One resource as the program wants it; the names are those of Pulumi's resource options.

    One that is ``remote`` is a component that its provider constructs; its inputs still say what each depends on.
    """

    type: str
    name: str
    custom: bool
    inputs: Properties
    parent: str = ""
    dependencies: tuple[str, ...] = ()
    property_dependencies: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    provider: str = ""
    providers: Mapping[str, str] = field(default_factory=dict[str, str])
    plugin: Plugin = field(default_factory=Plugin)
    env_var_mappings: Mapping[str, str] = field(default_factory=dict[str, str])
    protect: bool | None = None
    delete_before_replace: bool | None = None
    ignore_changes: tuple[str, ...] = ()
    replace_on_changes: tuple[str, ...] = ()
    additional_secret_outputs: tuple[str, ...] = ()
    aliases: tuple[Alias, ...] = ()
    import_id: str = ""
    custom_timeouts: CustomTimeouts = field(default_factory=CustomTimeouts)
    retain_on_delete: bool | None = None
    deleted_with: str = ""
    replace_with: tuple[str, ...] = ()
    replacement_trigger: Value = None
    hide_diffs: tuple[str, ...] = ()
    resource_hooks: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    source_position: str = ""
    remote: bool = False


@dataclass(frozen=True, slots=True)
class Method:
    """A method of a resource that is called. Arguments and ``dependencies`` (URNs) are as a remote component's."""

    token: str
    args: Properties
    dependencies: Mapping[str, tuple[str, ...]]
    provider: str = ""
    plugin: Plugin = field(default_factory=Plugin)

    @property
    def package(self) -> str:
        """The package that answers it; that of ``pulumi:providers:NAME/METHOD`` is NAME."""
        package = urns.package_of(self.token)
        if urns.is_provider_type(self.token):
            package = self.token.removeprefix(urns.PROVIDER_TYPE_PREFIX).partition("/")[0]
        return package


@dataclass(frozen=True, slots=True)
class ReadGoal:
    """A resource that exists already and is only looked at (``Resource.get``)."""

    type: str
    name: str
    id: Value
    inputs: Properties
    parent: str = ""
    dependencies: tuple[str, ...] = ()
    provider: str = ""
    plugin: Plugin = field(default_factory=Plugin)
    additional_secret_outputs: tuple[str, ...] = ()
    source_position: str = ""
