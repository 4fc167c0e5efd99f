"""Examples of a rule's page: a case that breaks the rule and one that keeps it, from the files that the tests ask."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from policies.kit.rules import Rule

PACKS = Path(__file__).parents[1]
_LOADER: Final[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # ten times as fast, where it was built
# What an example had better not be about: values of another type, values that nobody knows yet.
_ODD = (": expected ", "not known", "is no JSON", "is not JSON")


@dataclass(frozen=True)
class Example:
    """A case: what it shows, settings and resources as YAML, what the rule says of them."""

    name: str
    settings: str
    resources: str
    says: tuple[str, ...]


def examples(pack: str, rule: Rule, folder: Path = PACKS) -> tuple[Example | None, Example | None]:
    """A case that breaks the rule and one that keeps it: the shortest ones, known values before unknown ones."""
    path = folder / pack / "cases" / f"{rule.id}.yaml"
    if not path.is_file():
        return None, None
    cases: list[dict[str, Any]] = yaml.load(path.read_text(encoding="utf-8"), _LOADER)["cases"]  # noqa: S506
    breaking = (case for case in cases if case["findings"])
    keeping = (case for case in cases if not case["findings"] and _concerns(rule, case))
    return _shortest(breaking), _shortest(keeping)


def _concerns(rule: Rule, case: Mapping[str, Any]) -> bool:
    """Whether the case has something that the rule judges: that it says nothing of others shows nothing."""
    resources = case.get("resources") or ()
    return any(rule.concerns(resource["type"]) for resource in resources) or not rule.types


def _shortest(cases: Iterable[Mapping[str, Any]]) -> Example | None:
    written = [_example(case) for case in cases if case.get("resources")]
    return min(written, key=_order, default=None)


def _order(example: Example) -> tuple[bool, bool, bool, int]:
    odd = any(mark in said for said in example.says for mark in _ODD)
    size = len(example.resources) + len(example.settings) + sum(map(len, example.says))
    return odd or "${secret" in example.resources, bool(example.settings), "${unknown}" in example.resources, size


def _example(case: Mapping[str, Any]) -> Example:
    says = tuple(
        f"{finding['resource']}: {finding['contains']}" if finding.get("resource") else finding["contains"]
        for finding in case["findings"]
    )
    return Example(case["name"], _yaml(case.get("settings")), _yaml(case["resources"]), says)


def _yaml(content: Any) -> str:
    if not content:
        return ""
    return yaml.dump(content, Dumper=_Plain, sort_keys=False, allow_unicode=True, width=100).rstrip()


class _Plain(yaml.SafeDumper):
    """Writes everything out each time: an anchor isn't worth the reader's search for it."""

    def ignore_aliases(self, data: Any) -> bool:
        return True
