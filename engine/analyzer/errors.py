"""What goes wrong with policy packs.

PolicyError
├── BadPack       what was named cannot be run here: no pack, another runtime, no virtual environment
├── BadConfig     a pack's configuration is not what its policies accept
└── PackFailed    a pack was started and broke: it raised, hung, ended, or answered what is no answer
    └── PackGone  and it cannot be asked anything more
"""

from __future__ import annotations


class PolicyError(Exception):
    """Something is wrong with a policy pack; the message is for the user."""


class BadPack(PolicyError):
    """What was named as a pack cannot be run here."""


class BadConfig(PolicyError):
    """A pack's configuration is not what its policies accept."""


class PackFailed(PolicyError):
    """A pack that was started broke."""


class PackGone(PackFailed):
    """A pack ended, or was ended for its silence: it cannot be asked anything more.

    Each later question raises the same one; ``told`` says that the user knows of it.
    """

    told = False
