"""What a stack is estimated at before a change: handed over to the budget rule that limits what a change may add.

Only whoever has the state knows. Where nothing limits a change, nobody is kept waiting for the figure.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from engine.analyzer.findings import PolicyConfig
from engine.pulumi_cli.errors import NoSuchStack
from engine.stack_session import StackSession

RULE: Final = "cost-increase"
_LIMITS: Final = ("max_increase_usd", "max_increase_percent")


def config_for(pack: Path, session: StackSession, usage_file: Path | None = None) -> Mapping[str, PolicyConfig]:
    """The configuration of a pack that has the rule; empty for others, and where there is no figure to give."""
    if not (pack / "cases" / f"{RULE}.yaml").is_file() or not _limited(session):
        return {}
    from cli import costs  # prices take a moment to load, and most commands have no use for them
    from policies.pricing import BadUsage, MalformedPrices

    try:
        states = session.snapshot().resources
    except NoSuchStack:  # it is about to be made
        states = ()
    try:
        usage = costs.read_usage(session.project, session.stack, usage_file)
        standing = costs.standing(states, session.stack, usage, costs.read_agreed(session))
        usd = standing.before.monthly.desired
    except (BadUsage, MalformedPrices):
        return {}  # the rule doesn't apply then; what is wrong, the report's line of costs says
    return {RULE: PolicyConfig(None, {"prior_monthly_usd": usd})}


def _limited(session: StackSession) -> bool:
    text = session.configuration.texts.get("bedplate:cost")
    try:
        section: Any = json.loads(text or "{}")
    except ValueError:
        return False  # the program's settings say what is wrong with it
    return isinstance(section, dict) and any(section.get(name) is not None for name in _LIMITS)
