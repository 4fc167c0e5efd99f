"""Functions that the SDK invokes: YAML taken apart. Those that need another program say so."""

from __future__ import annotations

from typing import Any, Final, cast

import yaml

from engine.providers.base import CheckFailure, Invoked, ProviderError
from engine.providers.kubernetes.kinds import Kinds
from engine.providers.kubernetes.texts import TextualTimes
from engine.providers.kubernetes.tokens import of_manifest
from engine.values import Properties, has_unknown

DECODE: Final = "kubernetes:yaml:decode"
ELSEWHERE: Final = {
    "kubernetes:helm:template": (
        "the embedded engine does not answer it; use kubernetes.helm.v4.Chart, which takes the `helm` on PATH, or a "
        "Release (kubernetes:helm.sh/v3:Release), or run `helm template`"
    ),
    "kubernetes:kustomize:directory": (
        "the embedded engine does not answer it; use kubernetes.kustomize.v2.Directory, which takes the `kustomize` or "
        "`kubectl` on PATH, or run `kubectl kustomize`"
    ),
}
FUNCTIONS: Final = frozenset({DECODE, *ELSEWHERE})


def invoke(token: str, args: Properties, kinds: Kinds) -> Invoked:
    """Answer a function. Raises ProviderError for one that can't be answered here."""
    if token in ELSEWHERE:
        raise ProviderError(f"{token}: {ELSEWHERE[token]} and give its output to kubernetes.yaml.ConfigGroup")
    if has_unknown(args):
        return Invoked({}, unknown=True)
    return _decode(args, kinds)


def _decode(args: Properties, kinds: Kinds) -> Invoked:
    """Objects of a YAML text, each in the default namespace where it has none and lives in one."""
    text, namespace = args.get("text"), args.get("defaultNamespace")
    if not isinstance(text, str):
        return Invoked({}, (CheckFailure("text", f"expected a YAML text, got {type(text).__name__}"),))
    try:
        documents = list(yaml.load_all(text, TextualTimes))
    except yaml.YAMLError as error:
        return Invoked({}, (CheckFailure("text", f"is no YAML: {' '.join(str(error).split())}"),))
    objects = [_placed(item, namespace, kinds) for document in documents for item in _objects(document)]
    return Invoked({"result": cast("Any", objects)})


def _objects(document: Any) -> list[Properties]:
    """The objects of one document: itself, or the items of a list. What has no kind is left out, as Helm writes it."""
    if not isinstance(document, dict):
        return []
    found = cast("Properties", document)
    if not (found.get("apiVersion") and found.get("kind")):
        return []
    return [found]


def _placed(found: Properties, namespace: Any, kinds: Kinds) -> Properties:
    metadata = found.get("metadata") or {}
    kind = of_manifest(str(found["apiVersion"]), str(found["kind"]))
    if not namespace or metadata.get("namespace") or not kinds.namespaced(kind):
        return found
    return {**found, "metadata": {**metadata, "namespace": namespace}}
