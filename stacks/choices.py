"""From settings (what people write) to the arguments of components (what they need)."""

from __future__ import annotations

from components.buckets import ObjectLock, Retention
from components.keys import KeyChoices
from components.platform import PlatformArgs
from components.storage import BucketKind, StorageChoices
from components.tags import Ownership
from stacks.settings import PlatformSettings
from stacks.settings.storage import RetentionSettings


def platform_args(settings: PlatformSettings, project: str, stack: str) -> PlatformArgs:
    """The platform that ``settings`` ask for, as the stack ``stack`` of ``project``."""
    accounts = settings.aws.allowed_account_ids
    return PlatformArgs(
        region=settings.aws.region,
        account_id=accounts[0] if accounts else None,
        ownership=Ownership(
            team=settings.tags.team,
            owner=settings.tags.owner,
            cost_center=settings.tags.cost_center,
            deployment_id=settings.environment.deployment_id or f"{project}-{stack}",
            extra=settings.tags.extra,
        ),
        keys=KeyChoices(
            deletion_window_days=settings.identity.key_deletion_window_days,
            rotation_days=settings.identity.key_rotation_days,
            administrators=settings.identity.key_administrators,
            protect=settings.environment.protect,
        ),
        storage=_storage(settings),
    )


def _storage(settings: PlatformSettings) -> StorageChoices:
    storage = settings.storage
    lock = storage.object_lock
    return StorageChoices(
        retention={kind: _retention(getattr(storage, kind)) for kind in BucketKind},
        object_lock=None if lock.mode == "none" else ObjectLock(mode=lock.mode.upper(), days=lock.days),
        force_destroy=storage.force_destroy,
        protect=settings.environment.protect,
    )


def _retention(settings: RetentionSettings) -> Retention:
    return Retention(
        infrequent_access=settings.infrequent_access_days,
        archive=settings.archive_days,
        expiry=settings.expiry_days,
        noncurrent=settings.noncurrent_days,
        abort_uploads=settings.abort_uploads_days,
    )
