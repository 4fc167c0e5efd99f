"""The files of the monitoring servers as the program deploys them, taken from the objects that it registers."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import yaml

from tests.components.kubernetes_objects import Pod, of_kind, pods
from tests.components.platform_recording import Run
from tests.conftest import REPOSITORY

PLATFORM: Final = REPOSITORY / "tests" / "cases" / "monitoring" / "platform.yaml"


@dataclass(frozen=True)
class Deployed:
    """``rules`` and ``dashboards`` by the name of their file; ``pods`` are those of every object that has any."""

    prometheus: dict[str, Any]
    alertmanager: dict[str, Any]
    templates: Mapping[str, str]
    rules: Mapping[str, dict[str, Any]]
    dashboards: Mapping[str, dict[str, Any]]
    pods: tuple[Pod, ...]

    @classmethod
    def of(cls, run: Run) -> Deployed:
        """What ``run`` has registered."""
        files = dict(_files(run))
        rules = {name: yaml.safe_load(text) for name, text in files.items() if _is_rules(text)}
        boards = {name: json.loads(text) for name, text in files.items() if _is_dashboard(name, text)}
        return cls(
            prometheus=yaml.safe_load(files["prometheus.yml"]),
            alertmanager=yaml.safe_load(files["alertmanager.yml"]),
            templates={name: text for name, text in files.items() if name.endswith(".tmpl")},
            rules=rules,
            dashboards=boards,
            pods=tuple(pods(run)),
        )


def _files(run: Run) -> Iterator[tuple[str, str]]:
    """Every file of every ConfigMap and Secret."""
    for kind in ("ConfigMap", "Secret"):
        for each in of_kind(run, kind):
            yield from each.get("stringData", {}).items()
            for name, text in each.get("data", {}).items():
                yield name, base64.b64decode(text).decode() if kind == "Secret" else text


def _is_rules(text: str) -> bool:
    return text.startswith("groups:")


def _is_dashboard(name: str, text: str) -> bool:
    return name.endswith(".json") and '"panels"' in text
