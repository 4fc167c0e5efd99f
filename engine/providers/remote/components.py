"""Components and methods in the messages of a provider that has programs for them, both ways."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from engine import wire
from engine.goal_messages import alias_message, hook_fields, timeout_texts
from engine.goals import Goal, Method
from engine.protocol import provider_pb2
from engine.providers.base import Caller, Returned
from engine.providers.remote.connection import Abilities
from engine.providers.remote.values import sent
from engine.values import Properties

ORGANIZATION: Final = "organization"


def construct_request(goal: Goal, caller: Caller, able: Abilities) -> Any:
    """What a provider is asked that constructs ``goal``."""
    request = provider_pb2.ConstructRequest(
        **_caller(caller),
        type=goal.type,
        name=goal.name,
        parent=goal.parent,
        inputs=_arguments(goal.inputs, able),
        inputDependencies={
            key: provider_pb2.ConstructRequest.PropertyDependencies(urns=urns)
            for key, urns in goal.property_dependencies.items()
        },
        providers=dict(goal.providers),
        dependencies=goal.dependencies,
        aliases=[alias_message(alias) for alias in goal.aliases],
        additionalSecretOutputs=goal.additional_secret_outputs,
        customTimeouts=provider_pb2.ConstructRequest.CustomTimeouts(**timeout_texts(goal.custom_timeouts)),
        deletedWith=goal.deleted_with,
        replace_with=goal.replace_with,
        ignoreChanges=goal.ignore_changes,
        replaceOnChanges=goal.replace_on_changes,
    )
    if goal.resource_hooks:
        bound = provider_pb2.ConstructRequest.ResourceHooksBinding(**hook_fields(goal.resource_hooks))
        request.resource_hooks.CopyFrom(bound)
    for name, value in (
        ("protect", goal.protect),
        ("retainOnDelete", goal.retain_on_delete),
        ("deleteBeforeReplace", goal.delete_before_replace),
    ):
        if value is not None:
            setattr(request, name, value)
    if goal.replacement_trigger is not None:
        request.replacement_trigger.CopyFrom(wire.encode_value(goal.replacement_trigger))
    return request


def call_request(method: Method, caller: Caller, able: Abilities) -> Any:
    """What a provider is asked that answers ``method``. That it takes secrets and references is taken for granted."""
    return provider_pb2.CallRequest(
        **_caller(caller),
        tok=method.token,
        args=_arguments(method.args, replace(able, secrets=True, resources=True)),
        argDependencies={
            key: provider_pb2.CallRequest.ArgumentDependencies(urns=urns) for key, urns in method.dependencies.items()
        },
    )


def _caller(caller: Caller) -> dict[str, Any]:
    return {
        "project": caller.project,
        "stack": caller.stack,
        "organization": ORGANIZATION,
        "config": dict(caller.config),
        "configSecretKeys": list(caller.secret_keys),
        "dryRun": caller.preview,
        "parallel": caller.parallel,
        "monitorEndpoint": caller.monitor,
        "accepts_output_values": True,
    }


def _arguments(properties: Properties, able: Abilities) -> Any:
    """``properties`` with each secret and each unknown value as an OutputValue, where the provider takes such."""
    if not able.outputs:
        return sent(wire.flatten_outputs(properties, set()), able)
    return sent({key: wire.as_outputs(value) for key, value in properties.items()}, able)


def returned(state: Any, said: Mapping[str, Any]) -> Returned:
    """What came back: its values, and what each depends on by what is ``said`` and by the values themselves.

    Raises ValueError where a value has a form that this engine does not know.
    """
    values = wire.decode(state)
    dependencies = wire.dependencies_of(values, {key: each.urns for key, each in said.items()})
    return Returned(wire.flatten_outputs(values, set()), dependencies)
