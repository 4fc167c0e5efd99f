"""Prometheus's rule files, from what is watched: constants of the settings, the signals' rules, and the users' own.

The same settings give the same text, byte for byte: a rule that moved would look like a change in every preview.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from components.observability.models import OwnRules, Watched
from components.observability.signals import signals
from components.observability.signals.constants import constants
from components.observability.values import SEVERITY, TEAM, Alert, Recording, Signal

Group = Mapping[str, Any]

# Constants are looked up where they are needed, at most five minutes back.
_CONSTANTS_SECONDS: Final = 60
# So many of them are some 200 KiB.
_CONSTANTS_IN_A_GROUP: Final = 1000
_OWN_SECONDS: Final = 60
# Names that YAML 1.1 takes for something else than a text.
_WORDS: Final = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null"})
# An object of Kubernetes has at most a mebibyte, with all that belongs to it.
PARCEL_BYTES: Final = 900 * 1024


def rule_files(watched: Watched) -> dict[str, str]:
    """Each file's text by its name: constants, an area each, and ``own.yaml`` for what users wrote."""
    files: dict[str, list[Group]] = {}
    for index, group in enumerate(_constant_groups(watched)):
        files[f"constants-{index + 1}.yaml"] = [group]
    for signal in signals(watched):
        if signal.recordings or signal.alerts:
            files.setdefault(f"{signal.area}.yaml", []).append(signal_group(signal, watched))
    if watched.own.recordings or watched.own.alerts:
        files["own.yaml"] = [_own_group(watched.own, watched)]
    return {name: _text(groups) for name, groups in files.items()}


def parcels(files: Mapping[str, str], limit: int = PARCEL_BYTES) -> list[dict[str, str]]:
    """``files`` in as few ConfigMaps as their order allows, each of ``limit`` bytes at most."""
    found: list[dict[str, str]] = [{}]
    left = limit
    for name, text in files.items():
        size = len(name.encode()) + len(text.encode())
        if size > left and found[-1]:
            found.append({})
            left = limit
        found[-1][name] = text
        left -= size
    return found


def signal_group(signal: Signal, watched: Watched) -> Group:
    """The rules of a signal, as Prometheus has them."""
    rules = [_recording(each) for each in signal.recordings]
    rules += [_alert(each, watched, runbook(watched, signal.area, each.name)) for each in signal.alerts]
    return {"name": signal.name, "interval": f"{signal.interval_seconds}s", "rules": rules}


def runbook(watched: Watched, area: str, alert: str) -> str:
    """The address of the section that says what to do about an alert."""
    return f"{watched.runbooks}{area}.md#{alert.lower()}"


def _constant_groups(watched: Watched) -> Iterator[Group]:
    rules = [_recording(each) for each in constants(watched)]
    for start in range(0, len(rules), _CONSTANTS_IN_A_GROUP):
        name = f"constants-{start // _CONSTANTS_IN_A_GROUP + 1}"
        yield {
            "name": name,
            "interval": f"{_CONSTANTS_SECONDS}s",
            "rules": rules[start : start + _CONSTANTS_IN_A_GROUP],
        }


def _own_group(own: OwnRules, watched: Watched) -> Group:
    rules = [_recording(each) for each in own.recordings]
    rules += [_alert(each, watched, own.runbooks.get(each.name, "")) for each in own.alerts]
    return {"name": "own", "interval": f"{_OWN_SECONDS}s", "rules": rules}


def _recording(recording: Recording) -> dict[str, Any]:
    rule: dict[str, Any] = {"record": recording.record, "expr": recording.expr}
    return {**rule, "labels": dict(sorted(recording.labels.items()))} if recording.labels else rule


def _alert(alert: Alert, watched: Watched, address: str) -> dict[str, Any]:
    team = watched.team
    owner = team if alert.platform else f"{{{{ or $labels.{TEAM} `{team}` }}}}"
    rule: dict[str, Any] = {"alert": alert.name, "expr": alert.expr}
    if alert.for_seconds:
        rule["for"] = _duration(alert.for_seconds)
    if alert.keep_firing_seconds:
        rule["keep_firing_for"] = _duration(alert.keep_firing_seconds)
    rule["labels"] = {TEAM: owner, SEVERITY: str(alert.severity), **dict(sorted(alert.labels.items()))}
    rule["annotations"] = {"summary": alert.summary, "description": alert.description}
    if address:
        rule["annotations"]["runbook_url"] = address
    return rule


def _duration(seconds: int) -> str:
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60)):
        if seconds % size == 0:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"


def _text(groups: Sequence[Group]) -> str:
    """YAML, written by hand: a writer of YAML takes ten times as long, in every preview."""
    return "groups:\n" + "".join(line for group in groups for line in _group_lines(group))


def _group_lines(group: Group) -> Iterator[str]:
    yield f"- name: {json.dumps(group['name'])}\n  interval: {group['interval']}\n  rules:\n"
    for rule in group["rules"]:
        for index, (key, value) in enumerate(rule.items()):
            yield f"  {'  ' if index else '- '}{key}:"
            if isinstance(value, str):
                yield f" {_scalar(value, ' ' * 6)}\n"
                continue
            yield "\n"
            for name, text in value.items():
                label = json.dumps(name) if name.lower() in _WORDS else name
                yield f"      {label}: {_scalar(text, ' ' * 8)}\n"


def _scalar(text: str, indent: str) -> str:
    """A text of YAML: expressions of several lines as such, since people read them, all else in quotes."""
    lines = text.strip().split("\n")
    if len(lines) == 1 or not text.replace("\n", "").replace("\t", "").isprintable():
        return json.dumps(text.strip(), ensure_ascii=False)
    return "|-\n" + "\n".join(f"{indent}{line}" for line in lines)
