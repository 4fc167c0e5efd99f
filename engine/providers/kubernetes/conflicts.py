"""Refusals of the API server that a user can do something about, in words that say what."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, cast

from engine.providers.base import ProviderError
from engine.providers.kubernetes import manifests
from engine.providers.kubernetes.statuses import ApiError, Cause
from engine.values import Properties

_MANAGER = re.compile(r'conflict with "([^"]*)"')


def managers_of(error: ApiError) -> frozenset[str]:
    """The field managers that an apply is in conflict with."""
    return frozenset(_manager(cause) for cause in error.causes)


def _manager(cause: Cause) -> str:
    match = _MANAGER.search(cause.message)
    return match[1] if match else cause.message


def of_managers(error: ApiError) -> ProviderError:
    """A conflict of field managers: who owns which of the declared fields, and how to end it."""
    fields: dict[str, list[str]] = {}
    for cause in error.causes:
        fields.setdefault(_manager(cause), []).append(cause.field)
    owned = "; ".join(f"{manager} owns {', '.join(sorted(paths))}" for manager, paths in sorted(fields.items()))
    return ProviderError(
        f"other field managers set what is declared here: {owned}. Take these fields out of the program"
        " (or name them in `ignore_changes`), or take them over with the annotation"
        f' {manifests.PATCH_FORCE}: "true"'
    )


def exists(live: Properties) -> ProviderError:
    """A create would take over an object that somebody else has made."""
    owners = sorted({str(entry.get("manager")) for entry in manifests.metadata(live).get("managedFields") or []})
    born = manifests.metadata(live).get("creationTimestamp")
    return ProviderError(
        f"it exists already, made {born} by {', '.join(owners) or 'nobody'}, not by this resource."
        " Import it (`import_` in the resource's options), give this one another name, manage some of its fields with"
        " a Patch resource, or set `upsertExistingObjects` on the provider"
    )


def invalid(error: ApiError) -> ProviderError:
    """What the API server's validation says, field by field."""
    if len(error.causes) < 2:
        return ProviderError(f"the API server refuses it: {error}")
    listed = "; ".join(f"{cause.field}: {cause.message}" if cause.field else cause.message for cause in error.causes)
    return ProviderError(f"the API server refuses it: {listed}")


def held(live: Properties) -> list[str]:
    """Why an object that is being deleted is still there: its finalizers, and what its conditions say."""
    metadata = manifests.metadata(live)
    finalizers = [*(metadata.get("finalizers") or []), *((live.get("spec") or {}).get("finalizers") or [])]
    reasons = [f"it waits for its finalizers: {', '.join(map(str, finalizers))}"] if finalizers else []
    conditions = cast("list[dict[str, Any]]", (live.get("status") or {}).get("conditions") or [])
    reasons += [
        f"{condition.get('type')}: {condition.get('message')}"
        for condition in conditions if condition.get("status") == "True" and _tells_of_deletion(condition)
    ]  # fmt: skip
    return reasons


def _tells_of_deletion(condition: dict[str, Any]) -> bool:
    return str(condition.get("type")).startswith(("Namespace", "Terminating")) and bool(condition.get("message"))


def stuck(kind: str, live: Properties, seconds: float) -> ProviderError:
    """An object is not gone in time: what holds it, and what to do."""
    reasons: Sequence[str] = held(live) or ["the cluster does not say why"]
    return ProviderError(
        f"it is being deleted and still there after {seconds:g} seconds: {'; '.join(reasons)}. Let what owns the"
        f" finalizers run, or remove them (kubectl edit {kind.lower()} {manifests.name_of(live)}), and run this again"
    )


def terminating(namespace: Properties | None, name: str) -> ProviderError:
    """Nothing can be created in a namespace that is being deleted."""
    reasons = held(namespace or {}) or ["it does not say what it waits for"]
    return ProviderError(
        f"namespace {name!r} is being deleted, so nothing can be created in it: {'; '.join(reasons)}."
        " Let what owns the finalizers run or remove them, wait until the namespace is gone, and run this again"
    )
