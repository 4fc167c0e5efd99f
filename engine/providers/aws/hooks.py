"""The few steps that a specification can't write: named functions, each for one type."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias

from engine.providers.aws.calls import Caller
from engine.providers.aws.expressions import Scope
from engine.providers.base import ProviderError

Hook: TypeAlias = Callable[[Caller, Scope], None]
MOST_PER_REQUEST: Final = 1000  # keys in one DeleteObjects; S3's API reference


def empty_bucket(caller: Caller, scope: Scope) -> None:
    """Delete every version and delete marker of the bucket ``scope.id``; governance-mode locks are bypassed."""
    bucket = {"Bucket": str(scope.id)}
    answer = caller.listed("s3", scope.region, "ListObjectVersions", bucket)
    entries = [*answer.get("Versions", ()), *answer.get("DeleteMarkers", ())]
    keys = [{"Key": entry["Key"], "VersionId": entry["VersionId"]} for entry in entries]
    for start in range(0, len(keys), MOST_PER_REQUEST):
        batch = {"Objects": keys[start : start + MOST_PER_REQUEST], "Quiet": True}
        params = {**bucket, "Delete": batch, "BypassGovernanceRetention": True}
        if errors := caller.call("s3", scope.region, "DeleteObjects", params).get("Errors"):
            first: dict[str, Any] = errors[0]
            raise ProviderError(
                f"emptying bucket {scope.id}: {len(errors)} objects can't be deleted; the first is {first.get('Key')}:"
                f" {first.get('Code')} {first.get('Message', '')}"
            )


HOOKS: Final[Mapping[str, Hook]] = {"empty_bucket": empty_bucket}
