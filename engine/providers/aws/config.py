"""The provider's own configuration: region, default tags, endpoints; checked, compared and taken into use."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from engine.providers.base import CheckFailure
from engine.values import UNKNOWN, Properties, Value

FALLBACK_REGION = "us-east-1"
# Properties of pulumi_aws.Provider that only tell how to reach real AWS: accepted, of no effect at an emulator.
# fmt: off
REMOTE_ONLY = frozenset({
    "accessKey", "assumeRole", "assumeRoleWithWebIdentity", "assumeRoles", "customCaBundle",
    "ec2MetadataServiceEndpoint", "ec2MetadataServiceEndpointMode", "httpProxy", "httpsProxy", "insecure",
    "maxRetries", "noProxy", "pluginDownloadURL", "profile", "retryMode", "s3UsEast1RegionalEndpoint",
    "s3UsePathStyle", "secretKey", "sharedConfigFiles", "sharedCredentialsFiles", "skipCredentialsValidation",
    "skipMetadataApiCheck", "skipRegionValidation", "skipRequestingAccountId", "stsRegion",
    "tagPolicyCompliance", "token", "tokenBucketRateLimiterCapacity", "useDualstackEndpoint", "useFipsEndpoint",
    "userAgents", "version",
})
# fmt: on
USED = ("region", "defaultTags", "ignoreTags", "endpoints", "allowedAccountIds", "forbiddenAccountIds")
NESTED = frozenset({"defaultTags", "ignoreTags", "endpoints", "allowedAccountIds", "forbiddenAccountIds"})


@dataclass(frozen=True)
class IgnoreTags:
    """Tags that someone else manages: never shown, never removed."""

    keys: frozenset[str] = frozenset()
    prefixes: tuple[str, ...] = ()

    def covers(self, key: str) -> bool:
        return key in self.keys or key.startswith(self.prefixes)


@dataclass(frozen=True)
class Config:
    """The configuration in use. ``endpoints`` maps botocore's name of a service to a URL of its own."""

    region: str | None = None
    default_tags: Mapping[str, Value] | Value = field(default_factory=dict[str, Value])
    ignore_tags: IgnoreTags = IgnoreTags()
    endpoints: Mapping[str, str] = field(default_factory=dict[str, str])
    account_ids: frozenset[str] = frozenset()  # allowed ones; empty: any
    forbidden_account_ids: frozenset[str] = frozenset()

    def region_of(self, properties: Mapping[str, Value]) -> str:
        """The region of a resource: its own, the provider's, the environment's, us-east-1."""
        own = properties.get("region")
        return own if isinstance(own, str) and own else self.region or environment_region()


def environment_region() -> str:
    return os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or FALLBACK_REGION


def parse_config(inputs: Properties) -> tuple[Config, list[CheckFailure]]:
    """The configuration that ``inputs`` write. Nested values may be JSON texts, as provider resources send them."""
    failures: list[CheckFailure] = []
    values = {key: _plain(key, value, failures) for key, value in inputs.items() if value is not None}
    unknown = [key for key in values if key not in USED and key not in REMOTE_ONLY and not key.startswith("__")]
    failures += [CheckFailure(key, f"unknown provider setting; those in use are {', '.join(USED)}") for key in unknown]
    region = values.get("region")
    if isinstance(region, str) and not re.fullmatch(r"[a-z]{2}(-[a-z]+)+-\d", region):
        failures.append(CheckFailure("region", f"{region!r} is not a region; expected one such as us-east-1"))
    config = Config(
        region=region if isinstance(region, str) else None,
        default_tags=_tags(values.get("defaultTags"), failures),
        ignore_tags=_ignored(values.get("ignoreTags")),
        endpoints=_endpoints(values.get("endpoints")),
        account_ids=frozenset(str(item) for item in _list(values.get("allowedAccountIds"))),
        forbidden_account_ids=frozenset(str(item) for item in _list(values.get("forbiddenAccountIds"))),
    )
    return config, failures


def _plain(key: str, value: Value, failures: list[CheckFailure]) -> Value:
    if key not in NESTED or not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError as error:
        failures.append(CheckFailure(key, f"expected an object or its JSON text: {error}"))
        return None


def _tags(source: Value, failures: list[CheckFailure]) -> Value:
    tags: Any = cast("dict[str, Any]", source).get("tags") if isinstance(source, dict) else source
    if tags is None or tags is UNKNOWN:
        return tags or {} if tags is None else UNKNOWN
    if not isinstance(tags, dict):
        failures.append(CheckFailure("defaultTags.tags", f"expected a map of texts, got {type(tags).__name__}"))
        return {}
    return {key: item if item is UNKNOWN else str(item) for key, item in cast("dict[str, Any]", tags).items()}


def _ignored(source: Value) -> IgnoreTags:
    if not isinstance(source, dict):
        return IgnoreTags()
    mapping = cast("dict[str, Any]", source)
    prefixes = tuple(str(item) for item in _list(mapping.get("keyPrefixes")))
    return IgnoreTags(frozenset(str(item) for item in _list(mapping.get("keys"))), prefixes)


def _endpoints(source: Value) -> dict[str, str]:
    merged: dict[str, str] = {}
    for entry in _list(source):
        if isinstance(entry, dict):
            items = cast("dict[str, Any]", entry).items()
            merged.update({key: url for key, url in items if isinstance(url, str) and url})
    return merged


def _list(source: Value) -> list[Any]:
    return cast("list[Any]", source) if isinstance(source, list) else []
