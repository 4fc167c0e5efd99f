"""Physical names: ``<project>-<stack>-<part>``, within the limits of the service that takes them.

A name that is too long is cut and gets a hash of the whole, so that two long names that begin alike stay different, and
the same input gives the same name for ever. Names of account scope are written out (policies and people can rely on
them); bucket names are global, so the logical name is chosen here and Pulumi's autonaming adds a random suffix, which
also keeps them from being guessed and taken by a stranger beforehand.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

_HASH_LENGTH = 6
# Pulumi's autonaming appends a dash and seven hexadecimal digits.
_AUTONAME_SUFFIX = 8


def digest(text: str) -> str:
    """A short stable stand-in for ``text``."""
    return hashlib.sha256(text.encode()).hexdigest()[:_HASH_LENGTH]


@dataclass(frozen=True)
class NameRule:
    """What a service takes as a name: at most ``limit`` characters, each in the character class ``allowed``."""

    limit: int
    allowed: str

    @property
    def lower(self) -> bool:
        return "A-Z" not in self.allowed

    def fit(self, name: str) -> str:
        """``name`` in the characters and the length that this rule allows; the same name if it already fits."""
        clean = name.lower() if self.lower else name
        clean = re.sub(rf"(?!{self.allowed}).", "-", clean)
        if clean == name and len(clean) <= self.limit:
            return clean
        return f"{clean[: self.limit - _HASH_LENGTH - 1].rstrip('-._/')}-{digest(name)}"


# Source: the services' API references, 2026-11. Autonaming needs room in a bucket's name.
BUCKET = NameRule(63 - _AUTONAME_SUFFIX, r"[a-z0-9-]")
ROLE = NameRule(64, r"[A-Za-z0-9_+=,.@-]")
POLICY = NameRule(128, r"[A-Za-z0-9_+=,.@-]")
TOPIC = NameRule(256, r"[A-Za-z0-9_-]")
SECURITY_GROUP = NameRule(255, r"[A-Za-z0-9_-]")
BUDGET = NameRule(100, r"[A-Za-z0-9_ -]")
COST_CATEGORY = NameRule(50, r"[A-Za-z0-9_ -]")
ANOMALY = NameRule(1024, r"[A-Za-z0-9_ -]")
REPOSITORY = NameRule(256, r"[a-z0-9._/-]")
REPOSITORY_PREFIX = NameRule(30, r"[a-z0-9._/-]")
CLUSTER = NameRule(100, r"[A-Za-z0-9_-]")
LAUNCH_TEMPLATE = NameRule(128, r"[A-Za-z0-9()./_-]")
PLACEMENT_GROUP = NameRule(255, r"[A-Za-z0-9_ -]")
QUEUE = NameRule(80, r"[A-Za-z0-9_-]")
EVENT_RULE = NameRule(64, r"[A-Za-z0-9._-]")
INSTANCE_PROFILE = NameRule(128, r"[A-Za-z0-9_+=,.@-]")
ALARM = NameRule(255, r"[A-Za-z0-9_./-]")
DASHBOARD = NameRule(255, r"[A-Za-z0-9_-]")
WORKSPACE = NameRule(100, r"[A-Za-z0-9_-]")
LOG_GROUP = NameRule(512, r"[A-Za-z0-9_/.-]")
KEY_ALIAS = NameRule(256, r"[A-Za-z0-9_/-]")
SECRET = NameRule(512, r"[A-Za-z0-9_/.-]")
NAME_TAG = NameRule(256, r"[A-Za-z0-9_ .:/=+@-]")


@dataclass(frozen=True)
class Naming:
    """Makes the names of one deployment: ``project`` is Pulumi's project, ``stack`` the environment."""

    project: str
    stack: str

    def dashed(self, rule: NameRule, *parts: str) -> str:
        """``project-stack-part...``, for services whose names are flat."""
        return rule.fit("-".join((self.project, self.stack, *parts)))

    def path(self, rule: NameRule, *parts: str) -> str:
        """``project/stack/part...``, for services whose names may hold slashes."""
        return rule.fit("/".join((self.project, self.stack, *parts)))
