"""The usage file by which a command's costs are estimated: the report and the rules of budgets are to use the same.

A pack runs in its own folder and knows no options, so the rules that estimate are told the file as a parameter.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from engine.analyzer.findings import PolicyConfig
from engine.project import Project

# The rules of ``policies.budget`` that work with an estimate.
RULES: Final = ("cost-ceiling", "cost-increase", "cost-known", "pool-cost", "team-ceiling")
PARAMETER: Final = "usage_file"


def usage_file(project: Project, stack: str) -> Path:
    """Where an environment's usage is looked for when no other file is named: beside its settings."""
    return project.config_folder / f"usage.{stack}.yaml"


def file_of(project: Project, stack: str, given: Path | None = None) -> Path | None:
    """The file that was named, else the environment's own; None where there is none."""
    own = usage_file(project, stack)
    return given or (own if stack and own.is_file() else None)


def config_for(pack: Path, file: Path | None) -> Mapping[str, PolicyConfig]:
    """What the rules of a pack are told of it; empty for packs that don't have them."""
    said = {PARAMETER: str(file.resolve()) if file else ""}
    return {rule: PolicyConfig(None, said) for rule in RULES if (pack / "cases" / f"{rule}.yaml").is_file()}


def merged(*configs: Mapping[str, PolicyConfig]) -> dict[str, PolicyConfig]:
    """Configurations of one pack as one; what is said later wins, property by property."""
    found: dict[str, PolicyConfig] = {}
    for config in configs:
        for rule, said in config.items():
            before = found.get(rule, PolicyConfig())
            level = before.level if said.level is None else said.level
            found[rule] = PolicyConfig(level, {**before.properties, **said.properties})
    return found
