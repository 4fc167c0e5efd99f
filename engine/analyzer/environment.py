"""The environment that a policy pack runs in, as Pulumi sets it."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

_NOT_THEIRS: Final = ("PULUMI_CONFIG_PASSPHRASE", "PULUMI_CONFIG_PASSPHRASE_FILE")  # their config is decrypted already


@dataclass(frozen=True)
class StackFacts:
    """What packs are told of the stack; ``config`` is its configuration in clear, by full key."""

    project: str
    stack: str
    preview: bool = True
    config: Mapping[str, str] = field(default_factory=dict[str, str])
    secret_keys: Sequence[str] = ()
    tags: Mapping[str, str] = field(default_factory=dict[str, str])
    organization: str = "organization"


def pack_environment(stack: StackFacts, environment: Mapping[str, str] | None = None) -> dict[str, str]:
    """What a pack that judges ``stack`` finds in its environment, over ``environment`` (this process's)."""
    given = os.environ if environment is None else environment
    return {
        **{name: value for name, value in given.items() if name not in _NOT_THEIRS},
        "PULUMI_CONFIG": json.dumps(dict(stack.config)),
        "PULUMI_CONFIG_SECRET_KEYS": json.dumps(list(stack.secret_keys)),
        "PULUMI_ORGANIZATION": stack.organization,
        "PULUMI_PROJECT": stack.project,
        "PULUMI_STACK": stack.stack,
        "PULUMI_DRY_RUN": "true" if stack.preview else "false",
        "GRPC_ENABLE_FORK_SUPPORT": "0",
    }
