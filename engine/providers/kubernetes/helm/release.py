"""A release as its arguments describe it, and the outputs that tell what became of it. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, cast

from engine.providers.base import timeout_or
from engine.providers.kubernetes.helm.arguments import DEFAULT_TIMEOUT
from engine.values import UNKNOWN, Properties, Value

RELEASE: Final = "kubernetes:helm.sh/v3:Release"
NOT_INSTALLED: Final = "not installed"


@dataclass(frozen=True)
class Release:
    """What to install, with the seconds that it may take. The inputs are not shown: values may be secrets."""

    name: str
    namespace: str
    chart: str
    seconds: int
    inputs: Mapping[str, Value] = field(repr=False)

    @property
    def id(self) -> str:
        return f"{self.namespace}/{self.name}"

    @property
    def awaited(self) -> bool:
        return not self.wants("skipAwait")

    @property
    def repository(self) -> Mapping[str, str]:
        """``repo``, ``username``, ``password``, ``caFile``, ``certFile`` and ``keyFile``, where given."""
        options = cast("Mapping[str, Any]", self.inputs.get("repositoryOpts") or {})
        return {key: str(value) for key, value in options.items() if value not in (None, "")}

    @property
    def chart_name(self) -> str:
        """``karpenter`` of ``oci://public.ecr.aws/karpenter/karpenter`` and of ``./karpenter-1.0.tgz``."""
        last = self.chart.rstrip("/").rsplit("/", 1)[-1]
        if last.endswith(".tgz"):
            return last.removesuffix(".tgz").rsplit("-", 1)[0]
        return last

    @property
    def local_chart(self) -> Path | None:
        """Where the chart lies, if it is a file or a folder of this machine."""
        if self.chart.startswith("oci://") or "repo" in self.repository:
            return None
        path = Path(self.chart).expanduser()
        return path if path.exists() else None

    def wants(self, flag: str) -> bool:
        return self.inputs.get(flag) is True

    def text(self, key: str) -> str:
        value = self.inputs.get(key)
        return value if isinstance(value, str) else ""


def release_of(inputs: Properties, timeout: float) -> Release:
    """The release of checked inputs; a ``timeout`` above 0 (the resource's option) goes before that of the inputs."""
    given = inputs.get("timeout")
    own = given if isinstance(given, int | float) and given > 0 else DEFAULT_TIMEOUT
    seconds = math.ceil(timeout_or(own, timeout))
    return Release(str(inputs["name"]), str(inputs["namespace"]), str(inputs["chart"]), seconds, inputs)


def outputs(release: Release, status: Properties, resource_names: Mapping[str, Sequence[str]]) -> Properties:
    """The release as the state keeps it. The inputs lie beside it where Pulumi's own provider looks for them."""
    kept = {key: value for key, value in release.inputs.items() if not key.startswith("__")}
    return {
        **kept,
        "status": status,
        "resourceNames": {kind: list(names) for kind, names in resource_names.items()},
        "__inputs": kept,
    }


def not_installed(release: Release) -> Properties:
    """The status of a release that is only recorded."""
    return {
        "name": release.name,
        "namespace": release.namespace,
        "chart": release.chart_name,
        "version": release.text("version"),
        "appVersion": "",
        "revision": 0,
        "status": NOT_INSTALLED,
    }


def is_installed(recorded: Properties) -> bool:
    """Whether outputs of the state tell of a release that helm has made."""
    status = recorded.get("status")
    return not (isinstance(status, dict) and cast("Properties", status).get("status") == NOT_INSTALLED)


def preview(inputs: Properties) -> Properties:
    """Outputs of a release that is only previewed: its status is unknown, so that what is read by it waits for it."""
    kept = {key: value for key, value in inputs.items() if not key.startswith("__")}
    return {**kept, "status": UNKNOWN, "resourceNames": UNKNOWN}
