"""Settings of recording rules and alerts that are not Bedplate's."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Annotated, Literal

from pydantic import Field

from stacks.settings.base import Contradiction, Section
from stacks.settings.measures import Waiting, duration

RuleLabel = Annotated[str, Field(pattern=r"^[a-zA-Z_][a-zA-Z0-9_]*$")]

_RECORD = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*(:[a-zA-Z0-9_]+)+")
# A template with something in it.
_ACTION = re.compile(r"\{\{-?\s*[^\s{}-].*?\}\}", re.DOTALL)
_ALERT = re.compile(r"[A-Z][A-Za-z0-9]*")


def _mistake(expression: str) -> Contradiction | None:
    # Here, since hardly any environment has rules of its own, and each command reads the settings.
    from components.observability.promql import parsed
    from components.observability.promql_grammar import PromqlError

    try:
        parsed(expression)
    except PromqlError as error:
        near = f"near '{error.near}'" if error.near else "at its end"
        return Contradiction("expr", f"is no PromQL: {error}", f"mend the expression {near}")
    return None


class RecordingSettings(Section):
    """A series that Prometheus computes again and again."""

    expr: str = Field(min_length=1)
    """What it is, in PromQL."""
    unit: str = Field(default="short", min_length=1)
    """Grafana's name of its unit, such as `s` or `percentunit`."""
    labels: dict[RuleLabel, str] = Field(default_factory=dict)
    """Labels that it gets besides those of the expression."""

    def contradictions(self) -> Iterable[Contradiction]:
        yield from filter(None, [_mistake(self.expr)])
        if "__name__" in self.labels:
            yield Contradiction("labels.__name__", "is the name of the series, which the rule has", "leave it out")


class AlertSettings(Section):
    """An alert for each series that an expression gives."""

    expr: str = Field(min_length=1)
    """When it fires, in PromQL."""
    for_: Waiting = Field(default=300.0, alias="for")
    """For how long that has to be so, such as 10m."""
    severity: Literal["page", "ticket", "info"] = "ticket"
    """How urgent it is: `page` wakes somebody."""
    team: str | None = None
    """Team that has to act; default: the one that the series' label `team` names, or else tags.team."""
    summary: str = Field(min_length=1)
    """What has happened, in one line; a template of Prometheus's."""
    description: str = ""
    """The same in full."""
    runbook: str | None = Field(default=None, pattern=r"^https?://\S+$")
    """Address of the page that says what to do."""

    def contradictions(self) -> Iterable[Contradiction]:
        yield from filter(None, [_mistake(self.expr)])
        if not self.for_.is_integer():
            yield Contradiction(
                "for", f"is {duration(self.for_)}, and rules count whole seconds", "use some, such as 1s"
            )
        for name in ("summary", "description"):
            text = _ACTION.sub("", getattr(self, name))
            if "{{" in text:
                why = f"has '{text[text.index('{{') :][:40]}', which is no whole template"
                yield Contradiction(name, f"{why}: with it, Prometheus loads no rule at all", "write {{ ... }} in full")


class OwnRuleSettings(Section):
    """Recording rules and alerts of your own, beside Bedplate's."""

    recordings: dict[str, RecordingSettings] = Field(default_factory=dict)
    """Recording rules by the name of the series, such as team:requests:rate5m."""
    alerts: dict[str, AlertSettings] = Field(default_factory=dict)
    """Alerts by name, such as CheckoutSlow."""

    def contradictions(self) -> Iterable[Contradiction]:
        yield from self._about_names()
        yield from self._about_ours() if self.recordings or self.alerts else ()

    def _about_ours(self) -> Iterable[Contradiction]:
        from components.observability.signals import ALL

        ours = {
            "alerts": {alert.name for signal in ALL for alert in signal.alerts},
            "recordings": {recording.record for signal in ALL for recording in signal.recordings},
        }
        for kind, names in (("recordings", self.recordings), ("alerts", self.alerts)):
            for name in names:
                if name in ours[kind]:
                    yield Contradiction(f"{kind}.{name}", "is the name of a rule of Bedplate's", "use another name")

    def _about_names(self) -> Iterable[Contradiction]:
        for name in self.recordings:
            if not _RECORD.fullmatch(name):
                why = f"'{name}' is no name for a recorded series: parts of letters, digits and _, with colons between"
                yield Contradiction(f"recordings.{name}", why, "rename it, such as team:requests:rate5m")
        for name in self.alerts:
            if not _ALERT.fullmatch(name):
                why = f"'{name}' is no name for an alert: a capital letter, then letters and digits"
                yield Contradiction(f"alerts.{name}", why, "rename it, such as CheckoutSlow")
