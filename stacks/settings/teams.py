"""Teams that other settings name: whoever is to act or to pay has to exist."""

from __future__ import annotations

from collections.abc import Sequence

from stacks.settings.base import Contradiction
from stacks.settings.environment import TagSettings
from stacks.settings.problems import did_you_mean
from stacks.settings.scheduling import SchedulingSettings


def teams_of(tags: TagSettings, scheduling: SchedulingSettings) -> list[str]:
    """The teams that there are: those of the cluster, and the one that runs the platform."""
    return sorted({tags.team, *scheduling.teams})


def no_team(place: str, team: str, known: Sequence[str]) -> Contradiction:
    """What is wrong where ``team`` is none of those ``known``."""
    advice = did_you_mean(team, known) or f"one of {', '.join(known)}"
    return Contradiction(place, f"there is no team '{team}'", advice)
