"""What of values a provider is handed, and what of those that it gives back is secret.

Most providers get values in plain, and the engine marks again what it knows to be secret. One that speaks Pulumi's
protocol is told what is secret and answers for it itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from engine.decide import annotate_secrets
from engine.providers.base import Provider, TakesMarks
from engine.state.model import ResourceState
from engine.values import Properties, Value, reveal, secret


def handed(provider: Provider, properties: Properties) -> Properties:
    """``properties`` as ``provider`` takes them."""
    return properties if isinstance(provider, TakesMarks) else reveal(properties)


def received(provider: Provider, properties: Mapping[str, Value], state: ResourceState) -> Properties:
    """``properties`` that ``provider`` gave for ``state``, with what is secret in them marked."""
    if not isinstance(provider, TakesMarks):
        return annotate_secrets(properties, state)
    chosen = [name for name in state.additional_secret_outputs if name != "id"]
    return {key: secret(reveal(value)) if key in chosen else value for key, value in properties.items()}


def received_inputs(provider: Provider, properties: Mapping[str, Value], state: ResourceState) -> Properties:
    """As ``received``, of inputs: which outputs are secret says nothing about them."""
    if state.additional_secret_outputs:
        state = replace(state, additional_secret_outputs=())
    return received(provider, properties, state)
