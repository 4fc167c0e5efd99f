"""Which Kubernetes versions a cluster may have, and what is pinned for each; the facts are in ``eks_versions.yaml``."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final

import yaml

TABLE: Final = Path(__file__).parent / "data" / "eks_versions.yaml"
DEFAULT: Final = "1.35"


@dataclass(frozen=True)
class KubernetesVersion:
    """A minor version. ``al2023`` and ``addons`` are pins; ``standard_support_until`` is None where it isn't known."""

    name: str
    standard_support_until: date | None
    al2023: str
    addons: Mapping[str, str]

    @property
    def is_taken(self) -> bool:
        """False for a version whose standard support has ended or is about to."""
        return bool(self.al2023)


@functools.cache
def kubernetes_versions() -> Mapping[str, KubernetesVersion]:
    """The versions that we know, by name, oldest first."""
    table: dict[str, dict[str, Any]] = yaml.safe_load(TABLE.read_text(encoding="utf-8"))
    return {
        name: KubernetesVersion(name, facts["standard_support_until"], facts.get("al2023", ""), facts.get("addons", {}))
        for name, facts in table.items()
    }


def taken() -> list[str]:
    """The versions that a cluster may have."""
    return [name for name, version in kubernetes_versions().items() if version.is_taken]
