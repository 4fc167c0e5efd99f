"""Settings of the policy packs: how strict they are here, what a rule is told, and what is excepted until when.

Whether a rule of a name exists, and which parameters it takes, the packs themselves know and say.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date
from typing import Annotated, Any, Final, Literal

from pydantic import BeforeValidator, Field
from pydantic_core import PydanticCustomError

from stacks.settings.base import Contradiction, Section

Level = Literal["mandatory", "advisory", "disabled"]
_PACK_LEVELS: Final = ("mandatory", "advisory", "remediate", "disabled")
Remediation = Literal["off", "suggest", "apply"]
RuleName = Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=100)]
PackRuleName = Annotated[str, Field(min_length=1, max_length=100)]
Text = Annotated[str, Field(min_length=1, max_length=500, pattern=r"\S")]


# A YAML parser makes a date of what is written without quotes, and engines give that to a program with a time.
_DAY: Final = re.compile(r"(\d{4}-\d{2}-\d{2})([T ]00:00:00.*)?")


def _day(value: Any) -> Any:
    match = _DAY.fullmatch(value) if isinstance(value, str) else None
    if isinstance(value, date):
        return value
    try:
        return date.fromisoformat(match[1] if match else "")
    except ValueError:
        raise PydanticCustomError("no_day", "is no day such as '2027-03-31'") from None


def _policy_config(value: Any) -> Any:
    if isinstance(value, dict) or value in _PACK_LEVELS:
        return value
    text = f"is neither a level ({', '.join(_PACK_LEVELS)}) nor parameters"
    raise PydanticCustomError("no_policy_config", "{text}", {"text": text})


def _listed(value: Any) -> Any:
    return (value,) if isinstance(value, str) else value


RuleNames = Annotated[
    tuple[RuleName, ...], BeforeValidator(_listed, json_schema_input_type=RuleName | tuple[RuleName, ...])
]
PolicyConfig = Annotated[Any, BeforeValidator(_policy_config)]
Day = Annotated[date, BeforeValidator(_day, json_schema_input_type=date)]


class RuleSettings(Section):
    """What differs for one rule."""

    level: Level | None = None
    """What a violation does: `mandatory` refuses the preview, `advisory` is shown; default: the rule's own."""
    remediation: Remediation | None = None
    """Whether the rule mends what violates it: `apply`, `suggest` how, or `off`; default: as for all rules."""
    parameters: dict[str, Any] = Field(default_factory=dict)
    """Values of the rule's parameters, by name (`bedplate policy explain` lists them)."""


class ExceptionSettings(Section):
    """A violation that is accepted for a time. It stays visible; when it has expired, the violation is back."""

    rule: RuleNames = Field(min_length=1)
    """The rule that is excepted, or several for the same reason."""
    resource: Text
    """Where: a glob that a resource's name, its type::name or its URN matches."""
    reason: Text
    """Why it is accepted."""
    owner: Text
    """Who answers for it, such as an e-mail address."""
    expires: Day
    """The last day on which it holds."""


class PackSettings(Section):
    """A policy pack of your own, beside those that come with the platform."""

    path: Text
    """Its folder, which holds PulumiPolicy.yaml; relative to the folder of this file."""
    config: dict[PackRuleName, PolicyConfig] = Field(default_factory=dict)
    """Configuration in Pulumi's form: by policy (or `all`) a level, or its parameters with `enforcementLevel`."""


class PolicySettings(Section):
    """How strict the policy packs are here, and what they except."""

    enabled: bool = True
    """Run the packs in each preview and up; where this is false, nothing is judged, and each report says so."""
    level: Level = "mandatory"
    """The most that a rule may do here: with `advisory` no rule refuses anything, unless it is named below."""
    remediation: Remediation = "suggest"
    """Whether rules mend what violates them: `apply`, `suggest` how, or `off`."""
    rules: dict[RuleName, RuleSettings] = Field(default_factory=dict)
    """What differs for single rules, by name."""
    exceptions: tuple[ExceptionSettings, ...] = ()
    """Violations that are accepted for a time."""
    packs: tuple[PackSettings, ...] = ()
    """Policy packs of your own."""

    def contradictions(self) -> Iterable[Contradiction]:
        seen: set[tuple[str, str]] = set()
        for index, each in enumerate(self.exceptions):
            for rule in dict.fromkeys(each.rule):
                if (rule, each.resource) in seen:
                    why = f"excepts '{rule}' for '{each.resource}' a second time"
                    yield Contradiction(f"exceptions[{index}]", why, "keep the one whose reason and expiry hold")
                seen.add((rule, each.resource))
        paths = [each.path for each in self.packs]
        for twice in sorted({path for path in paths if paths.count(path) > 1}):
            yield Contradiction("packs", f"name '{twice}' more than once", "keep one of them")
