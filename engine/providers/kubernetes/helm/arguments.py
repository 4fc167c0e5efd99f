"""Check and diff of a release's arguments. Pure, but for the files of ``valueYamlFiles``."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from typing import Any, Final, cast

from engine import paths
from engine.differ import changes
from engine.providers.base import NO_DIFF, Checked, CheckFailure, Diff, DiffKind
from engine.providers.kubernetes.helm.values import BadValues, read_values
from engine.values import UNKNOWN, Asset, Properties, Value

DEFAULT_TIMEOUT: Final = 300  # seconds, as pulumi_kubernetes waits for a release

_TEXTS: Final = ("chart", "name", "namespace", "version", "description", "keyring", "postrender", "compat")
_FLAGS: Final = (
    "allowNullValues",
    "atomic",
    "cleanupOnFail",
    "createNamespace",
    "dependencyUpdate",
    "devel",
    "disableCRDHooks",
    "disableOpenapiValidation",
    "disableWebhooks",
    "forceUpdate",
    "lint",
    "recreatePods",
    "renderSubchartNotes",
    "replace",
    "resetValues",
    "reuseValues",
    "skipAwait",
    "skipCrds",
    "takeOwnership",
    "verify",
    "waitForJobs",
)
_EXPECTED: Final[Mapping[str, tuple[type, str]]] = {
    **dict.fromkeys(_TEXTS, (str, "a text")),
    **dict.fromkeys(_FLAGS, (bool, "true or false")),
    **dict.fromkeys(("timeout", "maxHistory"), (int, "a whole number")),
    **dict.fromkeys(("values", "repositoryOpts"), (dict, "an object")),
    "valueYamlFiles": (list, "a list of assets"),
}
_REPOSITORY: Final = ("repo", "caFile", "certFile", "keyFile", "password", "username")
_COMPUTED: Final = ("resourceNames", "manifest", "status", "checksum")  # inputs of old, now outputs only
_REPLACING: Final = {
    DiffKind.ADD: DiffKind.ADD_REPLACE,
    DiffKind.DELETE: DiffKind.DELETE_REPLACE,
    DiffKind.UPDATE: DiffKind.UPDATE_REPLACE,
}


def check(olds: Properties | None, news: Properties, automatic_name: str, default_namespace: str) -> Checked:
    """``news`` with a name, a namespace and a timeout; a release without a name keeps the one that it has."""
    inputs = {key: value for key, value in news.items() if value is not None and key not in _COMPUTED}
    failures = [*_wrong(inputs), *_repository(inputs), *_files(inputs)]
    if inputs.get("chart") in (None, ""):
        failures.append(CheckFailure("chart", "is required and missing: the chart's name, its path or its oci:// URL"))
    if inputs.get("name") in (None, ""):
        inputs["name"] = (olds or {}).get("name") or automatic_name
    if inputs.get("namespace") in (None, ""):
        inputs["namespace"] = default_namespace
    if inputs.get("skipAwait") is not True:
        inputs.setdefault("timeout", DEFAULT_TIMEOUT)
    return Checked(inputs, tuple(failures))


def _wrong(inputs: Properties) -> Iterable[CheckFailure]:
    for key, value in inputs.items():
        if key.startswith("__") or value is UNKNOWN:
            continue
        expected = _EXPECTED.get(key)
        if expected is None:
            close = difflib.get_close_matches(key, _EXPECTED, n=1)
            hint = f"did you mean {close[0]!r}?" if close else f"expected one of {', '.join(sorted(_EXPECTED))}"
            yield CheckFailure(key, f"unknown property; {hint}")
        elif not isinstance(value, expected[0]) or (expected[0] is int and isinstance(value, bool)):
            yield CheckFailure(key, f"expected {expected[1]}, got {_seen(value)}")


def _seen(value: Value) -> str:
    if isinstance(value, dict | list):
        return "an object" if isinstance(value, dict) else "a list"
    return f"an {type(value).__name__.lower()}" if isinstance(value, Asset) else repr(value)


def _repository(inputs: Properties) -> Iterable[CheckFailure]:
    options = inputs.get("repositoryOpts")
    if not isinstance(options, dict):
        return
    for key, value in cast("dict[str, Any]", options).items():
        if key not in _REPOSITORY:
            yield CheckFailure(f"repositoryOpts.{key}", f"unknown property; expected one of {', '.join(_REPOSITORY)}")
        elif value is not UNKNOWN and value is not None and not isinstance(value, str):
            yield CheckFailure(f"repositoryOpts.{key}", f"expected a text, got {_seen(value)}")


def _files(inputs: Properties) -> Iterable[CheckFailure]:
    files = inputs.get("valueYamlFiles")
    for index, file in enumerate(cast("list[Value]", files) if isinstance(files, list) else []):
        if file is UNKNOWN:
            continue
        try:
            read_values(file)
        except BadValues as error:
            yield CheckFailure(f"valueYamlFiles[{index}]", str(error))


def diff(old_inputs: Properties, new_inputs: Properties) -> Diff:
    """What differs; another name or namespace is another release."""
    detailed: dict[str, DiffKind] = {}
    for change in changes(_comparable(old_inputs), _comparable(new_inputs)):
        replaces = change.path[0] in ("name", "namespace")
        detailed[paths.join(change.path)] = _REPLACING[change.kind] if replaces else change.kind
    if not detailed:
        return NO_DIFF
    replaces = tuple(key for key in ("name", "namespace") if key in detailed)
    return Diff(True, detailed, replaces, stables=() if replaces else ("id",))


def _comparable(inputs: Properties) -> Properties:
    return {
        key: value
        for key, value in inputs.items()
        if value is not None and key not in _COMPUTED and not key.startswith("__")
    }
