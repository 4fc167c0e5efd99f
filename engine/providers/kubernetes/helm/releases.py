"""The life of a release: installed, upgraded, read, found again after a crash, uninstalled; or only recorded."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Sequence
from typing import Any, Final, cast

import yaml

from engine.kubernetes import group_of
from engine.providers.base import Created, Found, PartialFailure, ProviderError
from engine.providers.kubernetes.connection import Connection
from engine.providers.kubernetes.helm import commands
from engine.providers.kubernetes.helm.executable import Helm, HelmFailed, find_helm
from engine.providers.kubernetes.helm.reach import OutOfReach, fetch
from engine.providers.kubernetes.helm.release import Release, is_installed, not_installed, outputs, release_of
from engine.providers.kubernetes.helm.stand_in import StandIns
from engine.providers.kubernetes.helm.values import BadValues, merged_values
from engine.providers.kubernetes.helm.workspace import Workspace, workspace
from engine.providers.kubernetes.kinds import Kinds
from engine.providers.notes import note
from engine.values import Properties, Value

SLACK: Final = 30.0  # seconds beyond helm's own limit of time
_NO_HELM: Final = "`helm` is not on PATH"
_NO_OPENAPI: Final = (
    "this API server publishes no OpenAPI, without which helm installs nothing (the native sandbox does)"
)


class Releases:
    """Manages releases in one cluster, whose kubeconfig is the text ``kubeconfig``."""

    def __init__(self, connection: Connection, kinds: Kinds, kubeconfig: str) -> None:
        self._kubeconfig = kubeconfig
        self._connection = connection
        self._stand_ins = StandIns(connection, kinds)

    def stop_waiting(self) -> None:
        """End every wait that is going on, helm's too, and begin none."""
        self._connection.stopping.set()

    def create(self, inputs: Properties, *, token: str, timeout: float) -> Created:
        """Install a release, or record why not. Raises PartialFailure for one that exists but failed."""
        release = release_of(inputs, timeout)
        return Created(release.id, self._brought(release, token))

    def update(self, old_outputs: Properties, inputs: Properties, *, token: str, timeout: float) -> Properties:
        """Upgrade a release; one that is only recorded gets another try."""
        release = release_of(inputs, timeout)
        if not is_installed(old_outputs):
            return self._brought(release, token)
        helm = _needed(release, self._connection.stopping)
        with workspace(self._kubeconfig) as work:
            chart = fetch(helm, release, work)
            line = commands.upgrade(release, chart, work.write_values(_values(release)))
            try:
                helm.run(line, work, seconds=release.seconds + SLACK)
            except HelmFailed as error:
                raise PartialFailure(release.id, self._told(helm, release, work), [str(error)]) from error
            return self._told(helm, release, work)

    def _brought(self, release: Release, token: str) -> Properties:
        helm = find_helm(self._connection.stopping)
        if helm is None:
            return self._recorded(release, _NO_HELM)
        if self._connection.get("/openapi/v3") is None:  # an emulation
            return self._recorded(release, _NO_OPENAPI)
        with workspace(self._kubeconfig) as work:
            try:
                chart = fetch(helm, release, work)
            except OutOfReach as error:
                return self._recorded(release, str(error))
            return self._installed(helm, release, chart, work, token)

    def _installed(self, helm: Helm, release: Release, chart: str, work: Workspace, token: str) -> Properties:
        line = commands.install(release, chart, work.write_values(_values(release)), token)
        try:
            helm.run(line, work, seconds=release.seconds + SLACK)
        except HelmFailed as error:
            mine = commands.find(release.name, release.namespace, f"{commands.ATTEMPT}={commands.mark_of(token)}")
            if not _listed(helm.ask(mine, work)):
                raise
            raise PartialFailure(release.id, self._told(helm, release, work), [str(error)]) from error
        return self._told(helm, release, work)

    def _recorded(self, release: Release, why: str) -> Properties:
        """Go on without the release: say so, and let what depends on its definitions be applied."""
        names = self._stand_ins.put(release)
        groups = sorted({name.partition(".")[2] for name in names})
        instead = f"; permissive definitions stand in for its own ({', '.join(groups)})" if groups else ""
        note(f"chart {release.chart_name} is not installed in this sandbox: {why}{instead}")
        return outputs(release, not_installed(release), {})

    def delete(self, inputs: Properties, old_outputs: Properties, *, timeout: float) -> None:
        """Uninstall a release, or take away what stands for it. Gone already is fine."""
        release = release_of(inputs, timeout)
        if is_installed(old_outputs):
            helm = _needed(release, self._connection.stopping)
            with workspace(self._kubeconfig) as work:
                try:
                    helm.run(commands.uninstall(release), work, seconds=release.seconds + SLACK)
                except HelmFailed as error:
                    if "not found" not in str(error):
                        raise
        self._stand_ins.remove(release)

    def read(self, id_: str, inputs: Properties, old_outputs: Properties) -> Found | None:
        """A release as helm knows it, or as it was recorded; None when it is gone. Without inputs, for an import."""
        namespace, _, name = id_.rpartition("/")
        given = inputs or {"name": name, "namespace": namespace or "default", "chart": ""}
        release = release_of(given, 0)
        if old_outputs and not is_installed(old_outputs):
            return Found(id_, inputs, old_outputs) if self._stand_ins.is_there(release) else None
        helm = find_helm(self._connection.stopping)
        if helm is None:
            if not inputs:
                raise ProviderError(f"release {id_} can't be imported: {_NO_HELM}")
            note(f"release {id_} is taken to be as it was recorded: {_NO_HELM}")
            return Found(id_, inputs, old_outputs)
        with workspace(self._kubeconfig) as work:
            return self._read(helm, release, bool(inputs), work)

    def _read(self, helm: Helm, release: Release, known: bool, work: Workspace) -> Found | None:
        listed = _listed(helm.ask(commands.find(release.name, release.namespace), work))
        if not listed:
            return None
        if not known:
            chart, version = _chart_and_version(str(listed[0].get("chart", "")))
            told = json.loads(helm.ask(commands.values(release.name, release.namespace), work) or "null")
            values = {"values": told} if told else {}
            release = release_of({**release.inputs, "chart": chart, "version": version, **values}, 0)
        return Found(release.id, dict(release.inputs), self._told(helm, release, work))

    def find(self, inputs: Properties, *, token: str, known_ids: frozenset[str]) -> Found | None:
        """What a create that died may have installed: the release that carries its token's mark."""
        release = release_of(inputs, 0)
        helm = find_helm(self._connection.stopping)
        if helm is None or release.id in known_ids:
            return None  # what stands in is put there again: that makes nothing twice
        mine = commands.find(release.name, release.namespace, f"{commands.ATTEMPT}={commands.mark_of(token)}")
        with workspace(self._kubeconfig) as work:
            if not _listed(helm.ask(mine, work)):
                return None
            return Found(release.id, inputs, self._told(helm, release, work))

    def _told(self, helm: Helm, release: Release, work: Workspace) -> Properties:
        """Outputs by what helm tells of a release now."""
        listed = _listed(helm.ask(commands.find(release.name, release.namespace), work))
        entry = listed[0] if listed else {}
        chart, version = _chart_and_version(str(entry.get("chart", "")))
        status = {
            "name": release.name,
            "namespace": release.namespace,
            "chart": chart,
            "version": version,
            "appVersion": str(entry.get("app_version", "")),
            "revision": int(entry.get("revision") or 0),
            "status": str(entry.get("status", "unknown")),
        }
        manifest = helm.ask(commands.manifest(release.name, release.namespace), work) if listed else ""
        return outputs(release, status, _resource_names(manifest))


def _needed(release: Release, stopping: threading.Event) -> Helm:
    helm = find_helm(stopping)
    if helm is None:
        raise ProviderError(
            f"release {release.id} was installed with helm, and {_NO_HELM} now: expected the helm of that time;"
            " install it, or put it first in PATH"
        )
    return helm


def _values(release: Release) -> Properties:
    files = cast("list[Value]", release.inputs.get("valueYamlFiles") or [])
    try:
        return merged_values(files, cast("Properties", release.inputs.get("values") or {}))
    except BadValues as error:
        raise ProviderError(f"valueYamlFiles: {error}") from error


def _listed(text: str) -> Sequence[Properties]:
    found: Any = json.loads(text or "[]")
    return [cast("Properties", entry) for entry in cast("list[Any]", found or []) if isinstance(entry, dict)]


def _chart_and_version(text: str) -> tuple[str, str]:
    """``karpenter`` and ``1.14.0`` of ``karpenter-1.14.0``: the version begins at the first number behind a dash."""
    match = re.fullmatch(r"(.+?)-(v?\d+\.\d+\.\d+.*)", text)
    return (match[1], match[2]) if match else (text, "")


def _resource_names(manifest: str) -> dict[str, list[str]]:
    """What a release consists of: ``Deployment.apps/apps/v1: [karpenter/karpenter]``, ``ConfigMap/v1: [settings]``."""
    found: dict[str, set[str]] = {}
    for document in yaml.safe_load_all(manifest):
        if not isinstance(document, dict) or "kind" not in document:
            continue
        entry = cast("Properties", document)
        metadata, api_version = cast("Properties", entry.get("metadata") or {}), str(entry.get("apiVersion", ""))
        kind = ".".join(filter(None, (str(entry["kind"]), group_of(api_version))))
        name = "/".join(filter(None, (metadata.get("namespace"), metadata.get("name"))))
        found.setdefault(f"{kind}/{api_version}", set()).add(name)
    return {key: sorted(names) for key, names in sorted(found.items())}
