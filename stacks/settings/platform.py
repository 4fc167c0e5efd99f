"""All settings of one environment, and what its sections must agree on."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from stacks.settings.base import Contradiction, Section
from stacks.settings.environment import AwsSettings, EnvironmentSettings, IdentitySettings, LogSettings, TagSettings
from stacks.settings.storage import StorageSettings

# The section that holds Pulumi's settings of the AWS provider; all others have the project's prefix.
AWS_SECTION = "aws"


class PlatformSettings(Section):
    """Everything that differs between environments."""

    aws: AwsSettings
    environment: EnvironmentSettings
    tags: TagSettings
    identity: IdentitySettings = IdentitySettings()
    logs: LogSettings = LogSettings()
    storage: StorageSettings = StorageSettings()

    def contradictions(self) -> Iterable[Contradiction]:
        for _, rule in ACROSS_SECTIONS:
            yield from rule(self)


def _production_is_protected(settings: PlatformSettings) -> Iterable[Contradiction]:
    if settings.environment.stage == "prod" and not settings.environment.protect:
        yield Contradiction("environment.protect", "must be true for stage 'prod'", "leave it out: true is the default")


def _only_sandboxes_lose_data(settings: PlatformSettings) -> Iterable[Contradiction]:
    stage = settings.environment.stage
    if settings.storage.force_destroy and stage != "sandbox":
        why = f"would delete the data of stage '{stage}' with its buckets"
        yield Contradiction("storage.force_destroy", why, "leave it out; only stage 'sandbox' may use it")


Rule = Callable[[PlatformSettings], Iterable[Contradiction]]

# Each rule with the sections that it reads, so that it can be asked even where another section is broken.
ACROSS_SECTIONS: tuple[tuple[tuple[str, ...], Rule], ...] = (
    (("environment",), _production_is_protected),
    (("environment", "storage"), _only_sandboxes_lose_data),
)
