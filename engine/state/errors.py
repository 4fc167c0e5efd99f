"""What can go wrong with a stack's state.

StateError               the message says what was expected, what was seen and what to do
├─ StateCorrupt          a state file or journal can't be read; it is left as it is
├─ StateTooNew           written in a form that this version does not know; left as it is
├─ StateInvalid          a snapshot breaks an invariant; it is not saved or used; the last good file stays
├─ WrongPassphrase       the passphrase does not open the stack's secrets, or there is none
├─ SecretsUnsupported    the secrets are encrypted by a service that the embedded engine can't ask
├─ BadName               a stack's or project's name that could not be a file name
├─ EditRefused           an edit of the state that would harm it
├─ BadUrl                a backend's URL that is not understood
├─ BucketDenied          a bucket that these credentials may not read
│  └─ NoCredentials      there are none at all
└─ LockedBy              another run holds the stack
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path


class StateError(Exception):
    """A stack's state can't be read, written or taken."""


class StateCorrupt(StateError):
    """The file at ``path`` can't be read at ``where``; ``remedy`` says what to do about it."""

    def __init__(self, path: Path | str, where: str, remedy: str) -> None:
        super().__init__(f"{path}: {where}\n  {remedy}")
        self.path = Path(path)
        self.where = where
        self.remedy = remedy


class StateTooNew(StateError):
    """The state's version, or a feature that it uses, is not known here."""


class StateInvalid(StateError):
    """A snapshot that breaks the invariants listed in ``problems`` (see ``invariants``), and so is refused."""

    def __init__(self, problems: Sequence[str], refusal: str, remedy: str = "") -> None:
        shown = "\n".join(f"  {problem}" for problem in problems[:10])
        more = f"\n  and {len(problems) - 10} more" if len(problems) > 10 else ""
        super().__init__(f"{refusal}:\n{shown}{more}" + (f"\n  {remedy}" if remedy else ""))
        self.problems = tuple(problems)


class WrongPassphrase(StateError):
    """No passphrase, or one that does not open the stack's secrets."""


class SecretsUnsupported(StateError):
    """Secrets encrypted by a cloud key or by Pulumi Cloud."""


class BadName(StateError):
    """A name with characters that Pulumi does not allow in stacks and projects."""


class EditRefused(StateError):
    """An edit that would leave the state worse than it is."""


class BadUrl(StateError):
    """A backend's URL that is not understood."""


class BucketDenied(StateError):
    """A backend's bucket can't be read with the credentials that there are."""


class NoCredentials(BucketDenied):
    """A backend's bucket can't be read for want of credentials."""


class LockedBy(StateError):
    """The stack is held by another run. ``since`` is RFC 3339; ``command`` is "" where the lock does not say."""

    def __init__(self, stack: str, path: Path, *, pid: int, user: str, host: str, since: str, command: str) -> None:
        by = f" running `{command}`" if command else ""
        super().__init__(
            f"stack {stack} is locked by {user}@{host}, process {pid}{by}, since {since}\n"
            f"  wait for it to end; if that process is gone, `bedplate cancel` removes {path}"
        )
        self.path = path
        self.pid = pid
        self.user = user
        self.host = host
        self.since = since
        self.command = command


class FormatError(StateError):
    """JSON that is not what a checkpoint holds: at ``place`` (``resources[3].urn``), ``problem``."""

    def __init__(self, place: str, problem: str) -> None:
        super().__init__(f"{place}: {problem}" if place else problem)
        self.place = place
        self.problem = problem
