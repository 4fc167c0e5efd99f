"""From settings that say where a secret is to what components know of it."""

from __future__ import annotations

import pulumi

from components.observability.secrets import ExistingSecret, ExternalSecret, GivenSecret, SecretSource
from stacks.settings.secret_sources import SecretSourceSettings


def secret_source(settings: SecretSourceSettings) -> SecretSource:
    """The source that ``settings`` name; they name exactly one."""
    if settings.external is not None:
        return ExternalSecret(settings.external.store, settings.external.key, settings.external.property)
    if settings.kubernetes is not None:
        return ExistingSecret(settings.kubernetes.name, settings.kubernetes.key)
    assert settings.value is not None, "the settings were checked"
    return GivenSecret(pulumi.Output.secret(settings.value.get_secret_value()))
