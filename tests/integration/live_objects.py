"""Objects of a running cluster, read with Kubernetes' official client and compared with what a state says of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from decimal import Decimal
from typing import Any, cast

import kubernetes.config
import kubernetes.dynamic
from kubernetes.dynamic.exceptions import NotFoundError
from kubernetes.utils.quantity import parse_quantity

# What a chart renders is the chart's: the state says nothing of it.
_RELEASE = "kubernetes:helm.sh/v3:Release"
# Where these lie, texts are quantities, which the API server writes in its own way (2048Gi is 2Ti).
_QUANTITIES = {"hard", "requests", "limits", "default", "defaultRequest", "sizeLimit", "nominalQuota", "borrowingLimit"}


class Live:
    """The cluster that a kubeconfig leads to."""

    def __init__(self, kubeconfig: str) -> None:
        client = kubernetes.config.new_client_from_config(kubeconfig)
        self._client = kubernetes.dynamic.DynamicClient(client)

    def read(self, manifest: Mapping[str, Any]) -> dict[str, Any] | None:
        """The object of that kind and name; None where there is none."""
        metadata = manifest["metadata"]
        kind = self._client.resources.get(api_version=manifest["apiVersion"], kind=manifest["kind"])
        with suppress(NotFoundError):
            return kind.get(name=metadata["name"], namespace=metadata.get("namespace")).to_dict()
        return None

    def objects(self, api_version: str, kind: str) -> list[dict[str, Any]]:
        """All of a kind, in all namespaces."""
        found = self._client.resources.get(api_version=api_version, kind=kind).get()
        return [each.to_dict() for each in found.items]

    def allows(self, user: str, groups: Sequence[str], what: Mapping[str, str]) -> bool:
        """Whether the API server would let ``user`` do it: the attributes of a SubjectAccessReview, of either kind."""
        part = "nonResourceAttributes" if "path" in what else "resourceAttributes"
        asked = {"user": user, "groups": list(groups), part: dict(what)}
        kind = self._client.resources.get(api_version="authorization.k8s.io/v1", kind="SubjectAccessReview")
        answer = kind.create(body={"apiVersion": kind.group_version, "kind": kind.kind, "spec": asked}).to_dict()
        return answer["status"]["allowed"]

    def names(self, api_version: str, kind: str) -> set[str]:
        return {each["metadata"]["name"] for each in self.objects(api_version, kind)}


def objects_in(resources: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The Kubernetes objects of a state, as declared, with the names that they got."""
    found: list[dict[str, Any]] = []
    for resource in resources:
        if resource["type"].startswith("kubernetes:") and resource["type"] != _RELEASE:
            named = {**resource["inputs"]["metadata"], "name": resource["outputs"]["metadata"]["name"]}
            found.append({**resource["inputs"], "metadata": named})
    return found


def differences(declared: Any, live: Any, path: str = "") -> Iterator[str]:
    """What of ``declared`` is not so in ``live``; what ``live`` has besides is the API server's and others'."""
    if isinstance(declared, dict):
        for key, value in cast("dict[str, Any]", declared).items():
            if not key.startswith("__"):  # Pulumi's own
                below = cast("dict[str, Any]", live).get(key) if isinstance(live, dict) else None
                yield from differences(value, below, f"{path}.{key}")
    elif isinstance(declared, list):
        wanted, there = cast("list[Any]", declared), cast("list[Any]", live) if isinstance(live, list) else []
        if len(wanted) != len(there):
            yield f"{path}: {len(wanted)} items declared, {len(there)} there"
        for index, (one, other) in enumerate(zip(wanted, there, strict=False)):
            yield from differences(one, other, f"{path}[{index}]")
    elif not _same(declared, live, path):
        yield f"{path}: {declared!r} declared, {live!r} there"


def _same(declared: Any, live: Any, path: str) -> bool:
    if declared == live:
        return True
    # An empty text, False and 0 are what a field has that is not there.
    if live is None:
        return declared in ("", False, 0)
    if set(path.replace("[", ".").split(".")) & _QUANTITIES:
        with suppress(ValueError):
            return _amount(declared) == _amount(live)
    return False


def _amount(quantity: Any) -> Decimal:
    return parse_quantity(str(quantity))
