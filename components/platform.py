"""The whole platform: makes the provider with the tags that everything gets, and composes the components."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_aws as aws

from components.account import look_up
from components.base import PlatformComponent
from components.keys import KeyChoices, KeyPurpose, Keys, KeysArgs
from components.storage import ObjectStore, ObjectStoreArgs, StorageChoices
from components.tags import Ownership, deployment_tags


@dataclass(frozen=True)
class PlatformArgs:
    """What an environment decides about its platform."""

    region: str
    account_id: str | None  # None: ask AWS; a preview without credentials then doesn't know it
    ownership: Ownership
    keys: KeyChoices
    storage: StorageChoices


class Platform(PlatformComponent, area="platform"):
    """Everything that one environment runs."""

    def __init__(self, name: str, args: PlatformArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        provider = self._make_provider(args)
        account = look_up(args.region, args.account_id, provider)
        below = self.options(providers=[provider])
        self.keys = Keys("keys", KeysArgs(account, args.keys), below)
        data_key = self.keys.arns[KeyPurpose.DATA]
        self.storage = ObjectStore("storage", ObjectStoreArgs(account, data_key, args.storage), below)
        self.register_outputs({})

    def exports(self) -> dict[str, Any]:
        """The stack's outputs: what people and other stacks need to find what was made."""
        return {
            "bucketNames": {kind.value: name for kind, name in self.storage.buckets.items()},
            "keyArns": {purpose.value: arn for purpose, arn in self.keys.arns.items()},
        }

    def _make_provider(self, args: PlatformArgs) -> aws.Provider:
        return aws.Provider(
            "aws",
            region=args.region,
            allowed_account_ids=None if args.account_id is None else [args.account_id],
            default_tags={"tags": deployment_tags(self.naming.project, self.naming.stack, args.ownership)},
            opts=self.options(),
        )
