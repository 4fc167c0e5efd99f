"""Which properties force a replacement when they change, as users of ``pulumi_kubernetes`` know it.

Source: the behaviour of pulumi-kubernetes 4.30 (its provider's difference, by group, version and kind), written down
as paths in replacing.yaml.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, cast

import yaml

from engine.kubernetes import group_of

_FILE: Final = Path(__file__).parent / "replacing.yaml"
_Entry = str | dict[str, list[str]]
_EVERY_KIND: Final = ("metadata.name", "metadata.namespace")
_CONTENT: Final[Mapping[str, Sequence[str]]] = {
    "ConfigMap": ("data", "binaryData"),
    "Secret": ("data", "stringData", "type"),
}


def replaced_by(api_version: str, kind: str, *, mutable: bool = False) -> Sequence[str]:
    """Paths of the properties whose change replaces an object; ``[*]`` is every item of a list.

    A change anywhere below a path counts. The content of a ConfigMap or a Secret is among them unless it is
    ``mutable``: the provider's ``enableConfigMapMutable`` or ``enableSecretMutable`` is set and the object itself is
    not ``immutable``.
    """
    of_kind = _table().get(f"{group_of(api_version)}/{kind}", ())
    content = _CONTENT.get(kind, ()) if api_version == "v1" and not mutable else ()
    return [*_EVERY_KIND, *dict.fromkeys((*of_kind, *content))]


@functools.cache
def _table() -> Mapping[str, Sequence[str]]:
    written = cast("dict[str, dict[str, list[_Entry]]]", yaml.safe_load(_FILE.read_text(encoding="utf-8")))
    return {
        f"{'' if group == 'core' else group}/{kind}": [path for entry in entries for path in _paths(entry)]
        for group, kinds in written.items()
        for kind, entries in kinds.items()
    }


def _paths(entry: _Entry) -> Sequence[str]:
    if isinstance(entry, str):
        return [entry]
    return [f"{prefix}.{name}" for prefix, names in entry.items() for name in names]
