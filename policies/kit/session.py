"""What holds while a pack serves one stack: its settings, and which exceptions were used."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Final

from policies.kit import settings as sources
from policies.kit.exemptions import Exemption, names_of
from policies.kit.findings import Verdict
from policies.kit.packs import Pack
from policies.kit.rules import Level, Rule
from policies.kit.schemas import unknown_name, whole
from policies.kit.settings import PolicySettings, Problem, RuleSettings

PACKS: Final = Path(__file__).parents[1]


class Session:
    """A pack with the settings of a stack. Requests are served by several threads: what changes here are sets."""

    def __init__(self, pack: Pack, settings: PolicySettings | None = None, today: date | None = None) -> None:
        self.pack = pack
        found = settings or sources.from_environment()
        self.settings = found or PolicySettings()
        self.settled = found is not None
        self.stack = ""
        self._today = today
        self.inputs: dict[str, Any] = {}  # of the resources that were judged, by URN, for the rules over the stack
        self._used: set[str] = set()

    @property
    def today(self) -> date:
        """Exceptions end with a day, which is UTC's."""
        return self._today or datetime.now(UTC).date()

    def configure(self, config: Mapping[str, str]) -> None:
        """Begin anew with a stack's configuration."""
        self.settings, self.settled = sources.from_config(config), True
        self._used.clear()

    def see(self, urn: str) -> bool:
        """Take the stack's own file for settings where none were given; whether that changed them."""
        self.stack = self.stack or urn.split("::", 1)[0].removeprefix("urn:pulumi:")
        if self.settled:
            return False
        self.settled = True
        self.settings = sources.from_stack_file(self.stack) or self.settings
        return True

    def level(self, rule: Rule) -> Level:
        """The level of a rule for this stack."""
        return self.settings.level_of(rule)

    def parameters(self, rule: Rule, configured: Mapping[str, Any]) -> Mapping[str, Any]:
        """The parameters of a rule; what the engine configured (``--policy-pack-config``) wins."""
        if not rule.parameters:
            return {}
        given = self.settings.parameters_of(rule)
        if not configured:
            return given
        configured = {name: whole(value) for name, value in configured.items()}
        return given | PolicySettings(rules={rule.id: RuleSettings(parameters=configured)}).parameters_of(rule)

    def initial_config(self) -> dict[str, Any]:
        """The parameters that the settings give, as the engine shows and overrides them."""
        return {rule.id: given for rule in self.pack.rules.values() if (given := self.settings.parameters_of(rule))}

    def excused(self, rule: Rule, verdict: Verdict) -> bool:
        """Whether an exception that still holds covers the verdict; it is noted as used."""
        covering = [one for one in self._covering(rule.id, verdict) if one.holds(self.today)]
        self._used.update(one.place for one in covering)
        return bool(covering)

    def expired(self, rule: Rule, verdict: Verdict) -> str:
        """What to say of exceptions that would have covered the verdict, "" where there are none."""
        late = [one for one in self._covering(rule.id, verdict) if not one.holds(self.today)]
        self._used.update(one.place for one in late)
        return "".join(f"\nthe exception of {one.owner} for {one.resource!r} expired on {one.expires}" for one in late)

    def exemptions(self) -> Iterator[tuple[Exemption, bool]]:
        """The exceptions from rules of this pack, each with whether it was used."""
        return ((one, one.place in self._used) for one in self.settings.exemptions if one.rule in self.pack.rules)

    def problems(self) -> Iterator[Problem]:
        """What is wrong with the settings, as far as this pack is to report it."""
        for rule in self.pack.rules.values():
            yield from self.settings.problems_of(rule)
        if not self.pack.keeps_settings:
            return
        known = known_rules() | self.pack.rules.keys()
        yield from (problem for problem in self.settings.problems if problem.rule not in known)
        for rule in self.settings.rules:
            if rule not in known:
                yield Problem(f"rules.{rule}", unknown_name(rule, dict.fromkeys(known)), rule)
        for one in self.settings.exemptions:
            if one.rule not in known:
                yield Problem(
                    f"{one.place}.rule", f"{one.rule!r} {unknown_name(one.rule, dict.fromkeys(known))}", one.rule
                )

    def _covering(self, rule: str, verdict: Verdict) -> Iterator[Exemption]:
        if not self.settings.exemptions:
            return iter(())
        names = names_of(verdict.urn, self.stack)
        if verdict.judged not in ("", verdict.urn):
            names += names_of(verdict.judged, self.stack)
        return (one for one in self.settings.exemptions if one.covers(rule, names))


def known_rules(folder: Path = PACKS) -> frozenset[str]:
    """The ids of the rules of all packs, each of which has a file of cases: a pack's process knows only its own."""
    return frozenset(path.stem for path in folder.glob("*/cases/*.yaml"))
