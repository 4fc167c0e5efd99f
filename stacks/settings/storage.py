"""Settings of the buckets: how long what is kept, and what nobody may delete."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Literal, cast

from pydantic import Field, model_validator

from stacks.settings.base import Contradiction, Section

# S3 moves objects to STANDARD_IA after 30 days at the earliest, and bills at least 30 days of it.
_MINIMUM_INFREQUENT_DAYS = 30
# A hundred years, as for Object Lock: AWS counts days with 32 bits.
MOST_DAYS = 36500


class RetentionSettings(Section):
    """The life of the objects in one bucket."""

    infrequent_access_days: int | None = Field(default=None, ge=_MINIMUM_INFREQUENT_DAYS, le=MOST_DAYS)
    """Days until objects move to STANDARD_IA (S3: at least 30); default: never."""
    archive_days: int | None = Field(default=None, ge=1, le=MOST_DAYS)
    """Days until objects move to GLACIER; default: never."""
    expiry_days: int | None = Field(default=None, ge=1, le=MOST_DAYS)
    """Days until objects are deleted; default: never."""
    noncurrent_days: int = Field(default=90, ge=1, le=MOST_DAYS)
    """Days that overwritten and deleted versions are kept."""
    abort_uploads_days: int = Field(default=7, ge=1, le=MOST_DAYS)
    """Days after which unfinished multipart uploads are removed."""

    def contradictions(self) -> Iterable[Contradiction]:
        warm, cold, end = self.infrequent_access_days, self.archive_days, self.expiry_days
        if warm is not None and cold is not None and cold < warm + _MINIMUM_INFREQUENT_DAYS:
            why = f"archives after {cold} days, but objects are in infrequent access from day {warm} for 30 days"
            yield Contradiction("archive_days", why, f"use {warm + _MINIMUM_INFREQUENT_DAYS} or more")
        for name, days in (("infrequent_access_days", warm), ("archive_days", cold)):
            if days is not None and end is not None and end <= days:
                why = f"deletes after {end} days, before {name} ({days})"
                yield Contradiction("expiry_days", why, f"use more than {days}, or set {name} to null")


class ObjectLockSettings(Section):
    """Retention of audit records that is enforced by S3."""

    mode: Literal["none", "governance", "compliance"] = "governance"
    """Who may shorten it: `governance` privileged principals, `compliance` nobody, not even the account's root."""
    days: int = Field(default=365, ge=1, le=MOST_DAYS)
    """Days that no version of an audit record can be deleted."""


class StorageSettings(Section):
    """Buckets for datasets, features, models, artifacts, logs and audit records."""

    force_destroy: bool = False
    """Delete buckets with what is in them; only where data may be thrown away (stage sandbox)."""
    object_lock: ObjectLockSettings = ObjectLockSettings()
    """Object Lock of the audit bucket."""
    datasets: RetentionSettings = RetentionSettings(infrequent_access_days=90)
    """Raw and prepared training data, and the DVC remote."""
    features: RetentionSettings = RetentionSettings(infrequent_access_days=90, noncurrent_days=30)
    """Offline feature store."""
    models: RetentionSettings = RetentionSettings(noncurrent_days=365)
    """Trained models."""
    artifacts: RetentionSettings = RetentionSettings(expiry_days=180, noncurrent_days=30)
    """What pipelines leave: checkpoints, reports, build outputs."""
    logs: RetentionSettings = RetentionSettings(infrequent_access_days=30, expiry_days=365, noncurrent_days=7)
    """Access logs of the other buckets, and network flow logs if they go to S3."""
    audit: RetentionSettings = RetentionSettings(
        infrequent_access_days=90, archive_days=180, expiry_days=2557, noncurrent_days=365
    )
    """Audit records."""

    @model_validator(mode="before")
    @classmethod
    def _over_defaults(cls, given: Any) -> Any:
        """What a file says of a bucket is laid over that bucket's defaults; all else about the bucket stays."""
        if not isinstance(given, Mapping):
            return given
        return {name: cls._laid_over(str(name), value) for name, value in cast("Mapping[str, Any]", given).items()}

    @classmethod
    def _laid_over(cls, name: str, given: Any) -> Any:
        default = cls.model_fields[name].default if name in cls.model_fields else None
        if not isinstance(default, RetentionSettings) or not isinstance(given, Mapping):
            return given
        return {**default.model_dump(exclude_unset=True), **cast("Mapping[str, Any]", given)}

    def contradictions(self) -> Iterable[Contradiction]:
        lock, end = self.object_lock, self.audit.expiry_days
        if lock.mode != "none" and end is not None and lock.days > end:
            why = f"locks audit records for {lock.days} days, but storage.audit.expiry_days deletes them after {end}"
            yield Contradiction("object_lock.days", why, f"use {end} or less, or let records live longer")
        if lock.mode == "compliance" and self.force_destroy:
            why = "is not possible with object_lock.mode 'compliance': locked versions can't be deleted by anyone"
            yield Contradiction("force_destroy", why, "use mode 'governance' or 'none', or leave force_destroy out")
