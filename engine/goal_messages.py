"""Goals and their options in the messages of the protocol, both ways."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final
from urllib.parse import unquote, urlparse

from engine import wire
from engine.durations import seconds, text
from engine.goals import Alias, Goal, Method, ReadGoal
from engine.packages import Parameters, Plugin
from engine.protocol import alias_pb2, resource_pb2
from engine.state.model import CustomTimeouts
from engine.values import UNKNOWN, Value

_HOOKS: Final = {
    "before_create": "BeforeCreate", "after_create": "AfterCreate", "before_update": "BeforeUpdate",
    "after_update": "AfterUpdate", "before_delete": "BeforeDelete", "after_delete": "AfterDelete",
    "on_error": "OnError",
}  # fmt: skip


def goal_of(request: resource_pb2.RegisterResourceRequest) -> Goal:
    """A registration as a value."""
    dependencies = set(request.dependencies)
    inputs = wire.decode(request.object)
    by_property = {key: tuple(sorted(item.urns)) for key, item in request.propertyDependencies.items()}
    if request.remote:
        by_property = wire.dependencies_of(inputs, by_property)
    else:
        inputs = {key: wire.flatten_outputs(value, dependencies) for key, value in inputs.items()}
    return Goal(
        type=request.type,
        name=request.name,
        custom=request.custom,
        inputs=inputs,
        parent=request.parent,
        dependencies=tuple(sorted(dependencies)),
        property_dependencies=by_property,
        provider=request.provider,
        providers=dict(request.providers),
        plugin=Plugin(request.version, request.pluginDownloadURL),
        env_var_mappings=dict(request.envVarMappings),
        protect=request.protect if request.HasField("protect") else None,
        delete_before_replace=request.deleteBeforeReplace if request.deleteBeforeReplaceDefined else None,
        ignore_changes=tuple(request.ignoreChanges),
        replace_on_changes=tuple(request.replaceOnChanges),
        additional_secret_outputs=tuple(request.additionalSecretOutputs),
        aliases=(*(Alias(urn=urn) for urn in request.aliasURNs), *(alias_of(alias) for alias in request.aliases)),
        import_id=request.importId,
        custom_timeouts=timeouts_of(request.customTimeouts),
        retain_on_delete=request.retainOnDelete if request.HasField("retainOnDelete") else None,
        deleted_with=request.deletedWith,
        replace_with=tuple(request.replace_with),
        replacement_trigger=_trigger_of(request),
        hide_diffs=tuple(request.hideDiffs),
        resource_hooks=hooks_of(request.hooks),
        source_position=position_of(request.sourcePosition),
        remote=request.remote,
    )


def registration(goal: Goal) -> resource_pb2.RegisterResourceRequest:
    """What registers ``goal``: the inverse of ``goal_of``."""
    kind = resource_pb2.RegisterResourceRequest
    request = kind(
        type=goal.type,
        name=goal.name,
        custom=goal.custom,
        remote=goal.remote,
        object=wire.encode(goal.inputs),
        parent=goal.parent,
        dependencies=goal.dependencies,
        propertyDependencies={
            key: kind.PropertyDependencies(urns=urns) for key, urns in goal.property_dependencies.items()
        },
        provider=goal.provider,
        providers=dict(goal.providers),
        version=goal.plugin.version,
        pluginDownloadURL=goal.plugin.url,
        envVarMappings=dict(goal.env_var_mappings),
        deleteBeforeReplace=bool(goal.delete_before_replace),
        deleteBeforeReplaceDefined=goal.delete_before_replace is not None,
        ignoreChanges=goal.ignore_changes,
        replaceOnChanges=goal.replace_on_changes,
        additionalSecretOutputs=goal.additional_secret_outputs,
        aliases=[alias_message(alias) for alias in goal.aliases],
        importId=goal.import_id,
        customTimeouts=kind.CustomTimeouts(**timeout_texts(goal.custom_timeouts)),
        deletedWith=goal.deleted_with,
        replace_with=goal.replace_with,
        hideDiffs=goal.hide_diffs,
        hooks=kind.ResourceHooksBinding(**hook_fields(goal.resource_hooks)),
    )
    for name, value in (("protect", goal.protect), ("retainOnDelete", goal.retain_on_delete)):
        if value is not None:
            setattr(request, name, value)
    if goal.replacement_trigger is not None:
        request.replacement_trigger.CopyFrom(wire.encode_value(goal.replacement_trigger))
    return request


def read_goal_of(request: resource_pb2.ReadResourceRequest) -> ReadGoal:
    """A read as a value."""
    dependencies = set(request.dependencies)
    inputs = {key: wire.flatten_outputs(value, dependencies) for key, value in wire.decode(request.properties).items()}
    return ReadGoal(
        type=request.type,
        name=request.name,
        id=UNKNOWN if wire.UNKNOWN_STRING in request.id else request.id,
        inputs=inputs,
        parent=request.parent,
        dependencies=tuple(sorted(dependencies)),
        provider=request.provider,
        plugin=Plugin(request.version, request.pluginDownloadURL),
        additional_secret_outputs=tuple(request.additionalSecretOutputs),
        source_position=position_of(request.sourcePosition),
    )


def _trigger_of(message: Any) -> Value:
    return wire.decode_value(message.replacement_trigger) if message.HasField("replacement_trigger") else None


def method_of(request: resource_pb2.ResourceCallRequest) -> Method:
    """A call of a method as a value."""
    args = wire.decode(request.args)
    return Method(
        token=request.tok,
        args=args,
        dependencies=wire.dependencies_of(args, {key: each.urns for key, each in request.argDependencies.items()}),
        provider=request.provider,
        plugin=Plugin(request.version, request.pluginDownloadURL),
    )


def plugin_of(request: resource_pb2.RegisterPackageRequest) -> Plugin:
    """The plugin of a package that a program registers as a value."""
    url = request.download_url.removesuffix("/")
    if not request.HasField("parameterization"):
        return Plugin(request.version, url)
    made = request.parameterization
    parameters = Parameters(request.name, request.version, made.name, made.version, made.value)
    return Plugin(made.version, url, parameters)


def alias_of(alias: Any) -> Alias:
    """An alias of the wire form (``pulumirpc.Alias``) as a value."""
    if alias.urn:
        return Alias(urn=alias.urn)
    spec = alias.spec
    return Alias(
        name=spec.name,
        type=spec.type,
        stack=spec.stack,
        project=spec.project,
        parent=spec.parentUrn,
        no_parent=spec.noParent,
    )


def timeouts_of(timeouts: Any) -> CustomTimeouts:
    """Custom timeouts of the wire form, where each is a duration such as ``5m``. Raises ValueError."""
    return CustomTimeouts(
        create=seconds(timeouts.create), update=seconds(timeouts.update), delete=seconds(timeouts.delete)
    )


def hooks_of(bound: Any) -> dict[str, tuple[str, ...]]:
    """The names of hooks in a message, by when they run, under the names that the state has for that."""
    return {when: names for field, when in _HOOKS.items() if (names := tuple(getattr(bound, field)))}


def hook_fields(hooks: Mapping[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    """The fields of a message about ``hooks``."""
    return {field: hooks[when] for field, when in _HOOKS.items() if when in hooks}


def position_of(position: Any) -> str:
    """A source position as ``PATH:LINE``, or ""."""
    if not position.uri:
        return ""
    return f"{unquote(urlparse(position.uri).path)}:{position.line}"


def options_of(goal: Goal, request: Any) -> Any:
    """The options of ``goal``, which ``request`` has led to, for a transform."""
    options = resource_pb2.TransformResourceOptions(
        depends_on=goal.dependencies,
        ignore_changes=goal.ignore_changes,
        replace_on_changes=goal.replace_on_changes,
        version=goal.plugin.version,
        aliases=[*(alias_pb2.Alias(urn=urn) for urn in request.aliasURNs), *request.aliases],
        provider=goal.provider,
        custom_timeouts=request.customTimeouts if request.HasField("customTimeouts") else None,
        plugin_download_url=goal.plugin.url,
        deleted_with=goal.deleted_with,
        additional_secret_outputs=goal.additional_secret_outputs,
        providers=dict(request.providers),
        hide_diff=goal.hide_diffs,
        replace_with=goal.replace_with,
        replacement_trigger=request.replacement_trigger if request.HasField("replacement_trigger") else None,
        hooks=request.hooks if request.HasField("hooks") else None,
    )
    setattr(options, "import", goal.import_id)  # a keyword of Python, hence no attribute
    for name in ("protect", "retain_on_delete", "delete_before_replace"):
        if getattr(goal, name) is not None:
            setattr(options, name, getattr(goal, name))
    return options


def with_options(goal: Goal, options: Any) -> Goal:
    def given(name: str) -> bool | None:
        return getattr(options, name) if options.HasField(name) else None

    return replace(
        goal,
        dependencies=tuple(sorted(options.depends_on)),
        ignore_changes=tuple(options.ignore_changes),
        replace_on_changes=tuple(options.replace_on_changes),
        plugin=Plugin(options.version, options.plugin_download_url),
        aliases=tuple(alias_of(alias) for alias in options.aliases),
        provider=options.provider,
        providers=dict(options.providers),
        custom_timeouts=timeouts_of(options.custom_timeouts),
        protect=given("protect"),
        retain_on_delete=given("retain_on_delete"),
        delete_before_replace=given("delete_before_replace"),
        deleted_with=options.deleted_with,
        additional_secret_outputs=tuple(options.additional_secret_outputs),
        import_id=getattr(options, "import"),
        hide_diffs=tuple(options.hide_diff),
        resource_hooks=hooks_of(options.hooks),
        replace_with=tuple(options.replace_with),
        replacement_trigger=_trigger_of(options),
    )


def alias_message(alias: Alias) -> Any:
    """An alias in its wire form."""
    if alias.urn:
        return alias_pb2.Alias(urn=alias.urn)
    spec = alias_pb2.Alias.Spec(name=alias.name, type=alias.type, stack=alias.stack, project=alias.project)
    if alias.no_parent:
        spec.noParent = True
    else:
        spec.parentUrn = alias.parent
    return alias_pb2.Alias(spec=spec)


def timeout_texts(timeouts: CustomTimeouts) -> dict[str, str]:
    """Timeouts by operation, in the form in which messages have them; "" where there is none."""
    return {name: text(getattr(timeouts, name)) for name in ("create", "update", "delete")}
