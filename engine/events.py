"""What happens during a run, as typed values; the command line gives each its form on the event log.

A consumer is a callable that takes one event. It is called from the engine's event loop and must return quickly.
"""

from __future__ import annotations

import contextlib
import enum
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from engine.analyzer.findings import PolicyFinding, Remediated
from engine.plan import Op, Step


class Severity(enum.StrEnum):
    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class RunStarted:
    """First event of a run. ``config`` shows secret values as ``[secret]``."""

    config: Mapping[str, str]
    preview: bool


@dataclass(frozen=True, slots=True)
class StepStarted:
    """A step was decided (preview) or begins (apply)."""

    step: Step


@dataclass(frozen=True, slots=True)
class StepDone:
    """A step has ended well; ``step.new`` holds the outputs. ``seconds`` is what its operation took."""

    step: Step
    seconds: float


@dataclass(frozen=True, slots=True)
class StepFailed:
    """A step has failed; a diagnostic with the reason follows."""

    step: Step
    message: str
    seconds: float


@dataclass(frozen=True, slots=True)
class StepSkipped:
    """A resource was left alone because of what happened to ``because``: another's URN.

    It depends on that, or, with ``still_needed``, is not deleted because that depends on it and is still there.
    """

    urn: str
    because: str
    still_needed: bool = False


@dataclass(frozen=True, slots=True)
class OutputsRegistered:
    """A component, or the stack itself, has said what its outputs are."""

    step: Step


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """A message for the user. An ephemeral one may be forgotten when the next arrives."""

    severity: Severity
    message: str
    urn: str = ""
    ephemeral: bool = False


@dataclass(frozen=True, slots=True)
class ProgramOutput:
    """A line that the program printed."""

    text: str
    stderr: bool = False


@dataclass(frozen=True, slots=True)
class PoliciesLoading:
    """A policy pack is being started."""


@dataclass(frozen=True, slots=True)
class PolicyViolated:
    """A policy pack objects to a resource, or to the stack."""

    finding: PolicyFinding


@dataclass(frozen=True, slots=True)
class PolicyRemediated:
    """A policy pack has changed what a resource is made from."""

    remediated: Remediated


Summed: TypeAlias = Literal["analyze", "remediate", "stack"]


@dataclass(frozen=True, slots=True)
class PoliciesSummed:
    """A policy pack has been asked: which of its policies passed, and which did not. ``urn`` is "" for the stack."""

    kind: Summed
    urn: str
    pack: str
    pack_version: str
    passed: Sequence[str]
    failed: Sequence[str]


@dataclass(frozen=True, slots=True)
class RunEnded:
    """Last event of a run: ``result`` is ``succeeded``, ``failed`` or ``cancelled``.

    ``packs`` has the version of each policy pack that was asked, by its name and folder as Pulumi puts them together.
    """

    preview: bool
    seconds: float
    counts: Mapping[Op, int]
    result: str
    packs: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True)
class Cancelled:
    """The user asked to stop; what is in flight is being finished."""


@dataclass(frozen=True, slots=True)
class Passed:
    """What an engine other than ours has said and ours has no event for: ``payload`` by its name, as it came."""

    payload: Mapping[str, Any]


Event: TypeAlias = (
    RunStarted
    | StepStarted
    | StepDone
    | StepFailed
    | StepSkipped
    | OutputsRegistered
    | Diagnostic
    | ProgramOutput
    | PoliciesLoading
    | PolicyViolated
    | PolicyRemediated
    | PoliciesSummed
    | RunEnded
    | Cancelled
    | Passed
)
Consumer: TypeAlias = Callable[[Event], None]


def from_any_thread(emit: Consumer) -> Consumer:
    """``emit`` for other threads than that of the running event loop; once that is closed, events are dropped."""
    import asyncio

    loop = asyncio.get_running_loop()

    def tell(event: Event) -> None:
        with contextlib.suppress(RuntimeError):  # the loop was closed: the run is over
            loop.call_soon_threadsafe(emit, event)

    return tell
