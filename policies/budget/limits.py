"""The limits that the budget rules hold a stack against: ``bedplate:cost`` of its settings, under a rule's parameters.

Like the packs' own settings they come from the configuration that the engine hands over, or from the stack's file. What
is wrong in them, the settings' own check says before any program runs; here, a limit that can't be read raises
``UnreadableLimit``, so that no rule passes for want of a limit that somebody wrote.
"""

from __future__ import annotations

import functools
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, cast

import yaml

from policies.pricing import agreed_prices

STACK_FILES: Final = Path(__file__).parents[2] / "stacks"


class UnreadableLimit(ValueError):
    """A limit of the settings is not what it should be; the text says which and what was expected."""


class Limits:
    """The settings of one stack, read where a rule asks for them."""

    def __init__(self, stack: str, environment: Mapping[str, str] = os.environ) -> None:
        self._config = _config(stack, environment)
        self._stack = stack

    @property
    def stage(self) -> str:
        """What the stack is for, such as ``dev`` or ``prod``; its name where the settings are silent."""
        return str(self.section("environment").get("stage") or self._stack.rpartition("/")[2])

    def usd(self, *names: str) -> float | None:
        """The first of these amounts of ``bedplate:cost`` that is given."""
        for name in names:
            value = self.section("cost").get(name)
            if value is not None:
                return amount(value, f"bedplate:cost.{name}")
        return None

    def by_team(self) -> Mapping[str, float]:
        """What each team may cost (USD/month)."""
        given = self.section("cost").get("team_ceilings_usd") or {}
        if not isinstance(given, dict):
            raise UnreadableLimit(f"bedplate:cost.team_ceilings_usd: expected USD by team, seen {given!r}")
        found = cast("dict[str, object]", given)
        return {team: amount(usd, f"bedplate:cost.team_ceilings_usd.{team}") for team, usd in found.items()}

    def gpus(self) -> list[str] | None:
        """The GPUs that are allowed; None where all are."""
        given = self.section("cost").get("allowed_gpus")
        if given is None:
            return None
        if not isinstance(given, list):
            raise UnreadableLimit(f"bedplate:cost.allowed_gpus: expected a list of names, seen {given!r}")
        return [str(name) for name in cast("list[object]", given)]

    def prices(self) -> Mapping[str, float]:
        """USD an hour of instance types as agreed with AWS. Raises MalformedPrices."""
        return agreed_prices(self.section("cost"))

    def section(self, name: str) -> Mapping[str, Any]:
        """A section of the settings, empty where there is none."""
        key = f"bedplate:{name}"
        value = self._config.get(key)
        try:
            content = json.loads(value) if isinstance(value, str) else value
        except ValueError as error:
            raise UnreadableLimit(f"{key} is not JSON: {error}") from None
        if content is None:
            return {}
        if not isinstance(content, dict):
            raise UnreadableLimit(f"{key}: expected a group of settings, seen {content!r}")
        return cast("dict[str, Any]", content)


def amount(value: object, place: str) -> float:
    """An amount above 0. Raises UnreadableLimit."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value < float("inf"):
        raise UnreadableLimit(f"{place}: expected an amount above 0, seen {value!r}")
    return float(value)


def _config(stack: str, environment: Mapping[str, str]) -> Mapping[str, Any]:
    """A stack's configuration by key: what the engine leaves in the environment, else the stack's file."""
    if "PULUMI_CONFIG" in environment:
        try:
            found = json.loads(environment["PULUMI_CONFIG"])
        except ValueError as error:
            raise UnreadableLimit(f"PULUMI_CONFIG is not JSON: {error}") from None
        return cast("dict[str, Any]", found) if isinstance(found, dict) else {}
    return _of_file(STACK_FILES / f"Pulumi.{stack.rpartition('/')[2]}.yaml")


@functools.lru_cache(maxsize=4)
def _of_file(path: Path) -> Mapping[str, Any]:
    """Read once: rules ask for limits once for each resource."""
    if not path.is_file():
        return {}
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
        return cast("dict[str, Any]", content.get("config") or {})
    except (yaml.YAMLError, AttributeError) as error:
        raise UnreadableLimit(f"{path} can't be read: {error}") from None


def stack_of(urn: str) -> str:
    """The stack's name in a URN."""
    return urn.split("::", 1)[0].removeprefix("urn:pulumi:")
