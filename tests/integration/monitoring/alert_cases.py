"""Cases of alerts, ``tests/cases/monitoring/alerts/<alert>.yaml``, and the promtool tests that they come to.

    fires:            # a story in which it fires
      every: 1m       # time between samples, and between evaluations of rules; 1m where it is left out
      series:         # as promtool has them: first sample, +step x times, and _ for one that is missing
        up{job="model/fraud",model="fraud"}: 1x10 0x20
      before: 5m      # it does not fire yet; left out where it fires at once
      at: 15m         # it fires
      resolved: 30m   # it fires no more; left out where it never ends
    quiet:            # another story, near to it, in which it does not fire, at any of these times
      series: {}
      at: [15m, 30m]
    alerts:           # what is told at `at`; with ACCEPT=1 this is written from what was seen
      - {labels: {team: vision}, summary: ..., description: ...}

The severity and the runbook are asked of the registry.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from components.observability.promql import uses
from components.observability.rules import Group, rule_files, runbook
from components.observability.signals import ALL
from components.observability.values import SEVERITY, Alert, Signal
from tests.components.observability.watched import WATCHED
from tests.conftest import REPOSITORY

CASES: Final = REPOSITORY / "tests" / "cases" / "monitoring" / "alerts"
REGISTRY: Final[Mapping[str, tuple[Signal, Alert]]] = {
    alert.name: (signal, alert) for signal in ALL for alert in signal.alerts
}
# It fires as long as everything works.
NEVER_QUIET: Final = frozenset({"Watchdog"})
_LOADER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_DUMPER: Final = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
_USUALLY: Final = "1m"
_REPEATED: Final = re.compile(r"(?<!\S)(0|NaN|[+-]?Inf)x([0-9]+)(?!\S)")
_PAIR: Final = re.compile(r'(\w+)="((?:\\.|[^"\\])*)"')


@dataclass(frozen=True)
class Case:
    """An alert's two stories, and what it tells."""

    name: str
    fires: Mapping[str, Any]
    quiet: Mapping[str, Any] | None
    alerts: Sequence[Mapping[str, Any]]

    def tests(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """promtool's tests of it, each with the time between evaluations."""
        moments = [(self.fires[key], key == "at") for key in ("before", "at", "resolved") if key in self.fires]
        yield self._test(self.fires, moments)
        if self.quiet is None:
            return
        at = self.quiet["at"]
        yield self._test(self.quiet, [(each, False) for each in (at if isinstance(at, list) else [at])])

    def _test(self, story: Mapping[str, Any], moments: Sequence[tuple[str, bool]]) -> tuple[str, dict[str, Any]]:
        every = story.get("every", _USUALLY)
        return every, {
            "interval": every,
            "input_series": [
                {"series": name, "values": _as_promtool_reads(str(values))} for name, values in story["series"].items()
            ],
            "alert_rule_test": [
                {"alertname": self.name, "eval_time": moment, "exp_alerts": self._expected() if fires else []}
                for moment, fires in moments
            ],
        }

    def _expected(self) -> list[dict[str, Any]]:
        signal, alert = REGISTRY[self.name]
        address = runbook(WATCHED, signal.area, alert.name)
        return [
            {
                "exp_labels": {SEVERITY: str(alert.severity), **each["labels"]},
                "exp_annotations": {
                    "summary": each["summary"],
                    "description": each["description"],
                    "runbook_url": address,
                },
            }
            for each in self.alerts
        ]


def _as_promtool_reads(values: str) -> str:
    """promtool takes ``0x20`` for a hexadecimal number, and knows no repetition of what is no number: written out."""
    return _REPEATED.sub(lambda found: " ".join([found[1]] * (int(found[2]) + 1)), values)


def read(name: str) -> Case:
    """The case of an alert. Raises KeyError where a kind of story or a moment is missing."""
    document = yaml.load((CASES / f"{name}.yaml").read_text(encoding="utf-8"), yaml.BaseLoader)
    fires, quiet = document["fires"], None if name in NEVER_QUIET else document["quiet"]
    for moment in ("at", *([] if name in NEVER_QUIET else ["resolved"])):
        fires[moment]
    return Case(name, fires, quiet, document.get("alerts") or [])


def written(case: Case, folder: Path) -> list[Path]:
    """promtool's files for ``case`` in ``folder``, one for each time between evaluations, with its rules beside."""
    groups = list(_needed(case.name))
    rules = folder / f"{case.name}.rules.yaml"
    rules.write_text(yaml.dump({"groups": groups}, Dumper=_DUMPER, sort_keys=False), encoding="utf-8")
    by_interval: dict[str, list[dict[str, Any]]] = {}
    for every, test in case.tests():
        by_interval.setdefault(every, []).append(test)
    paths: list[Path] = []
    for every, tests in by_interval.items():
        paths.append(folder / f"{case.name}.{every}.yml")
        document = {
            "rule_files": [rules.name],
            "evaluation_interval": every,
            # promtool would take the groups in any order, and each time in another.
            "group_eval_order": [group["name"] for group in groups],
            "tests": tests,
        }
        paths[-1].write_text(yaml.dump(document, Dumper=_DUMPER, sort_keys=False, width=1000), encoding="utf-8")
    return paths


def _needed(name: str) -> Iterator[Group]:
    """The groups of rules, with those rules only that the alert ``name`` depends on.

    Rules know each other by the names of series, so all others make no difference but to the time that this takes:
    promtool evaluates all of them at each step of a story.
    """
    groups = all_groups()
    by_series: dict[str, list[str]] = {}
    for rule in (rule for group in groups for rule in group["rules"]):
        by_series.setdefault(rule.get("record", ""), []).append(rule["expr"])
    wanted: set[str] = set()
    alert = REGISTRY[name][1]
    # Its templates ask for series, too, within texts.
    todo = [alert.expr, *(each for each in by_series if each and each in alert.description)]
    while todo:
        new = {each for each in uses(todo.pop()).metrics if each in by_series} - wanted
        wanted |= new
        todo += [expr for each in new for expr in by_series[each]]
    for group in groups:
        rules = [rule for rule in group["rules"] if rule.get("record") in wanted or rule.get("alert") == name]
        if rules:
            yield {**group, "rules": rules}


@functools.cache
def all_groups() -> Sequence[Group]:
    """All rules, in the order in which they depend on each other."""
    return [group for text in rule_files(WATCHED).values() for group in yaml.load(text, _LOADER)["groups"]]


def accept(name: str, output: str) -> None:
    """Write into the case of ``name`` what promtool saw."""
    path = CASES / f"{name}.yaml"
    kept = re.split(r"^alerts:", path.read_text(encoding="utf-8"), flags=re.MULTILINE)[0].rstrip()
    path.write_text(f"{kept}\nalerts:\n{''.join(_seen(output))}", encoding="utf-8")


def _seen(output: str) -> Iterator[str]:
    got = output.split("got:[", 1)[1].split("\n            ]", 1)[0]
    for labels, told_with in re.findall(r"Labels:\{(.*)\}\n\s+Annotations:\{(.*)\}", got):
        named = {key: _plain(value) for key, value in _PAIR.findall(labels) if key not in ("alertname", SEVERITY)}
        told = {key: _plain(value) for key, value in _PAIR.findall(told_with)}
        shown = yaml.safe_dump(named, default_flow_style=True, width=1000).strip()
        yield f"  - labels: {shown}\n"
        for key in ("summary", "description"):
            text = yaml.safe_dump(told[key], width=1000, allow_unicode=True)
            yield f"    {key}: {text.removesuffix('...' + chr(10))}"


def _plain(value: str) -> str:
    return value.replace('\\"', '"').replace("\\\\", "\\").replace("\\n", "\n")
