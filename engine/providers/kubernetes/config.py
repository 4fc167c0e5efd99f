"""The provider's own configuration, as ``pulumi_kubernetes.Provider`` takes it: checked, compared, taken into use."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, cast

from engine.providers.base import NO_DIFF, CheckFailure, Diff, DiffKind, ProviderError
from engine.providers.kubernetes import kubeconfig as kubeconfigs
from engine.values import UNKNOWN, Properties, Value

# What a setting is called, and the variable that stands in where it is not given (source: pulumi_kubernetes 4.34).
FLAGS: Final[Mapping[str, str | None]] = {
    "deleteUnreachable": "PULUMI_K8S_DELETE_UNREACHABLE",
    "enableConfigMapMutable": "PULUMI_K8S_ENABLE_CONFIGMAP_MUTABLE",
    "enablePatchForce": "PULUMI_K8S_ENABLE_PATCH_FORCE",
    "enableSecretMutable": "PULUMI_K8S_ENABLE_SECRET_MUTABLE",
    "enableServerSideApply": "PULUMI_K8S_ENABLE_SERVER_SIDE_APPLY",
    "skipUpdateUnreachable": "PULUMI_K8S_SKIP_UPDATE_UNREACHABLE",
    "suppressDeprecationWarnings": "PULUMI_K8S_SUPPRESS_DEPRECATION_WARNINGS",
    "suppressHelmHookWarnings": "PULUMI_K8S_SUPPRESS_HELM_HOOK_WARNINGS",
    "upsertExistingObjects": None,
}
TEXTS: Final = ("kubeconfig", "context", "cluster", "namespace", "clusterIdentifier")
WITHOUT_EFFECT: Final = ("helmReleaseSettings", "kubeClientSettings", "strictMode", "alwaysRender")
IDENTITY: Final = ("kubeconfig", "context", "cluster")


@dataclass(frozen=True)
class Config:
    """The configuration in use. A client-side apply is emulated: server-side, taking over what is in conflict."""

    kubeconfig: str | None = None
    context: str | None = None
    cluster: str | None = None
    namespace: str | None = None
    cluster_identifier: str | None = None
    delete_unreachable: bool = False
    skip_update_unreachable: bool = False
    config_map_mutable: bool = False
    secret_mutable: bool = False
    force: bool = False
    upsert: bool = False
    suppress_deprecation_warnings: bool = False
    suppress_helm_hook_warnings: bool = False


def parse_config(inputs: Properties, *, files: bool = False) -> tuple[Config, list[CheckFailure]]:
    """The configuration that ``inputs`` write; what is UNKNOWN counts as not given.

    With ``files`` a kubeconfig that is given by its path is looked at, too: a program that declares one is told at once
    what is wrong with it. What only deletes what there was before may never need it.
    """
    failures: list[CheckFailure] = []
    known = {key: value for key, value in inputs.items() if value is not UNKNOWN and value is not None}
    texts = {key: _text(key, known.get(key), failures) for key in TEXTS}
    flags = {key: _flag(key, known.get(key), failures) for key in FLAGS}
    failures += _unsupported(known)
    if texts["kubeconfig"] and (files or not kubeconfigs.is_path(texts["kubeconfig"])):
        chosen = not any(inputs.get(key) is UNKNOWN for key in IDENTITY)
        failures += _kubeconfig(texts["kubeconfig"], texts, chosen=chosen)
    config = Config(
        kubeconfig=texts["kubeconfig"] or None,
        context=texts["context"] or None,
        cluster=texts["cluster"] or None,
        namespace=texts["namespace"] or None,
        cluster_identifier=texts["clusterIdentifier"] or None,
        delete_unreachable=flags["deleteUnreachable"] is True,
        skip_update_unreachable=flags["skipUpdateUnreachable"] is True,
        config_map_mutable=flags["enableConfigMapMutable"] is True,
        secret_mutable=flags["enableSecretMutable"] is True,
        force=flags["enablePatchForce"] is True or flags["enableServerSideApply"] is False,
        upsert=flags["upsertExistingObjects"] is True,
        suppress_deprecation_warnings=flags["suppressDeprecationWarnings"] is True,
        suppress_helm_hook_warnings=flags["suppressHelmHookWarnings"] is True,
    )
    return config, failures


def _text(key: str, value: Value, failures: list[CheckFailure]) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if key == "kubeconfig" and isinstance(value, dict):
        return json.dumps(value)
    failures.append(CheckFailure(key, f"expected a text, got {type(value).__name__}"))
    return None


def _flag(key: str, value: Value, failures: list[CheckFailure]) -> bool | None:
    """A setting that is true or false: a provider resource writes it as JSON text. None: not given."""
    if value is None:
        variable = FLAGS[key]
        value = os.environ.get(variable) if variable else None
    if value is None or isinstance(value, bool):
        return value
    if str(value).lower() in ("true", "1"):
        return True
    if str(value).lower() in ("false", "0", ""):
        return False
    failures.append(CheckFailure(key, f"expected true or false, got {value!r}"))
    return None


def _unsupported(known: Mapping[str, Value]) -> list[CheckFailure]:
    failures: list[CheckFailure] = []
    if known.get("renderYamlToDirectory"):
        reason = "the embedded engine renders no YAML files; use the Pulumi CLI for that"
        failures.append(CheckFailure("renderYamlToDirectory", reason))
    settings = {*TEXTS, *FLAGS, *WITHOUT_EFFECT, "renderYamlToDirectory"}
    reason = f"unknown provider setting; those in use are {', '.join(sorted(settings))}"
    return failures + [CheckFailure(key, reason) for key in known if key not in settings and not key.startswith("__")]


def _kubeconfig(text_or_path: str, texts: Mapping[str, str | None], *, chosen: bool) -> list[CheckFailure]:
    """What is wrong with a kubeconfig, and with the context in it, if that is ``chosen`` already.

    A file that is not there may be made later, by the program or before the apply: a preview needs no cluster.
    """
    if kubeconfigs.is_absent(text_or_path):
        return []
    try:
        document = kubeconfigs.load(text_or_path)
        if chosen:
            kubeconfigs.target(document, texts["context"], texts["cluster"])
    except ProviderError as error:
        return [CheckFailure("kubeconfig", str(error).removeprefix("kubeconfig: "))]
    return []


def diff_config(olds: Properties, news: Properties) -> Diff:
    """Another cluster is another place: all that is in the old one is replaced. All else is an update.

    Which cluster is meant is the active context's cluster entry; ``clusterIdentifier``, where it stays or changes,
    decides alone. An unknown kubeconfig may be another cluster's.
    """
    changed = [key for key in sorted(olds.keys() | news.keys()) if _differ(olds.get(key), news.get(key))]
    if not changed:
        return NO_DIFF
    replaces = [key for key in changed if key in _replacing(olds, news)]
    detailed = {key: DiffKind.UPDATE_REPLACE if key in replaces else DiffKind.UPDATE for key in changed}
    return Diff(True, detailed, tuple(replaces))


def _differ(old: Value, new: Value) -> bool:
    return old is UNKNOWN or new is UNKNOWN or old != new


def _replacing(olds: Properties, news: Properties) -> list[str]:
    before, after = olds.get("clusterIdentifier"), news.get("clusterIdentifier")
    if before is not None and after is not None:
        return [] if before is not UNKNOWN and before == after else ["clusterIdentifier"]
    if "kubeconfig" in olds and "kubeconfig" not in news:  # the engine leaves out what a preview does not know
        return ["kubeconfig"]
    if any(news.get(key) is UNKNOWN for key in IDENTITY):
        return [key for key in IDENTITY if news.get(key) is UNKNOWN]
    old, new = _cluster(olds), _cluster(news)
    return list(IDENTITY) if old is not None and new is not None and old != new else []


def _cluster(inputs: Properties) -> Mapping[str, Any] | None:
    """The cluster that a configuration means, if it can be told without a look at anything else."""
    text = inputs.get("kubeconfig")
    if isinstance(text, dict):
        document = cast("dict[str, Any]", text)
    elif isinstance(text, str) and text:
        try:
            document = kubeconfigs.load(text)
        except ProviderError:
            return None
    else:
        return None
    return kubeconfigs.cluster_entry(document, inputs.get("context"), inputs.get("cluster"))
