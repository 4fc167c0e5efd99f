"""The one interface between the engine and what manages resources.

The engine calls a provider from worker threads, several calls at a time. It hands over plain values (secrets revealed,
see ``engine.values.reveal``) in which ``UNKNOWN`` may stand during a preview, and never during an apply. A provider may
return ``Secret`` values; whatever the engine knows to be secret (an input that was, ``additional_secret_outputs``) it
marks again itself.

Errors:

    ProviderError            the operation did not happen; the message is for the user
    ├─ PartialFailure        the resource exists but is not ready; its id and outputs are kept, the next run goes on
    ├─ EndpointRefused       the provider may not change anything at this endpoint
    ├─ CredentialsMissing    the endpoint needs credentials that are not there
    ├─ NotHere               a component can't be constructed on this machine
    ├─ CannotTell            nobody but the user can find out what a died run has made
    └─ OperationUncertain    the connection broke after the request was sent: it may or may not have happened
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

from engine.values import Properties, Value

if TYPE_CHECKING:
    from engine.goals import Goal, Method


class ProviderError(Exception):
    """An operation failed; the message says what was expected, what was seen and what to do."""


class PartialFailure(ProviderError):
    """A create or an update went through in part: the resource exists with ``id`` and ``outputs``.

    Or it was read and is not ready; then with ``inputs`` as they were found, where that is known.
    """

    def __init__(self, id: str, outputs: Properties, reasons: Sequence[str], inputs: Properties | None = None) -> None:
        super().__init__("; ".join(reasons))
        self.id = id
        self.outputs = outputs
        self.inputs = inputs
        self.reasons = tuple(reasons)


class EndpointRefused(ProviderError):
    """The endpoint is neither on loopback nor named in the sandbox's settings."""


class CredentialsMissing(ProviderError):
    """The endpoint asks for credentials that are not configured."""


class NotHere(ProviderError):
    """What constructs a component is missing on this machine; the message says what to use instead."""


class CannotTell(ProviderError):
    """What a create may have made before its run died, this provider has no way to look for."""


class OperationUncertain(ProviderError):
    """The request was sent and no answer came: the resource may exist. It stays pending until a run has looked."""


class DiffKind(enum.StrEnum):
    """What happened to one property; the ``_replace`` forms force a replacement. Values are Pulumi's wire form."""

    ADD = "add"
    ADD_REPLACE = "add-replace"
    DELETE = "delete"
    DELETE_REPLACE = "delete-replace"
    UPDATE = "update"
    UPDATE_REPLACE = "update-replace"

    @property
    def replaces(self) -> bool:
        return self.value.endswith("-replace")


@dataclass(frozen=True)
class CheckFailure:
    """An input that the provider refuses. ``property`` is a path such as ``rules[0].days``, or "" for the whole."""

    property: str
    reason: str


@dataclass(frozen=True)
class Checked:
    """Inputs as they will be stored: defaults and an automatic name filled in. Nothing goes on when failures exist."""

    inputs: Properties
    failures: Sequence[CheckFailure] = ()


@dataclass(frozen=True)
class Diff:
    """How new inputs differ from a resource as it stands.

    ``detailed`` maps a property path (``tags.Team``, ``rules[0].days``) to its kind; a replacement is due when any
    kind replaces or ``replaces`` is not empty. ``changes`` is True when anything differs.
    """

    changes: bool
    detailed: Mapping[str, DiffKind] = field(default_factory=dict[str, DiffKind])
    replaces: Sequence[str] = ()
    stables: Sequence[str] = ()
    delete_before_replace: bool = False


NO_DIFF = Diff(changes=False)


@dataclass(frozen=True)
class Created:
    """A resource that now exists (in a preview: would exist; ``id`` is then "" and what is not known is UNKNOWN)."""

    id: str
    outputs: Properties


@dataclass(frozen=True)
class Found:
    """A resource as the provider finds it: ``inputs`` in the form that ``check`` returns, for drift and import."""

    id: str
    inputs: Properties
    outputs: Properties


@dataclass(frozen=True)
class Invoked:
    """A function's result, or the reasons why its arguments are refused.

    Members of ``result`` that hold text may be UNKNOWN in a preview; ``unknown`` says that nothing of it is known.
    """

    result: Properties
    failures: Sequence[CheckFailure] = ()
    unknown: bool = False


class Provider(Protocol):
    """Manages the resources of one package with one configuration (region, endpoint, default tags ...).

    ``urn`` is the resource's URN, ``type_`` its type token. Times are seconds; a timeout of 0 means the default.

    ``in_process`` says that everything that a preview needs is answered at once, without waiting for anything; the
    engine then calls it where it stands instead of in a worker thread.
    """

    in_process: bool

    def knows(self, type_: str) -> bool:
        """Whether this provider can create resources of ``type_``."""
        ...

    def knows_function(self, token: str) -> bool:
        """Whether this provider answers the function ``token``."""
        ...

    def check_config(self, news: Properties) -> Checked:
        """Validate the provider's own configuration (the inputs of a ``pulumi:providers:NAME`` resource)."""
        ...

    def diff_config(self, olds: Properties, news: Properties) -> Diff:
        """Whether a changed configuration forces the provider, and so all that it manages, to be replaced."""
        ...

    def configure(self, inputs: Properties) -> None:
        """Take the configuration into use. Called once, before anything below. Must not touch the network."""
        ...

    def check(self, urn: str, type_: str, olds: Properties | None, news: Properties, *, seed: str) -> Checked:
        """Validate inputs and fill in defaults. An automatic name is kept from ``olds`` or derived from ``seed``."""
        ...

    def diff(
        self,
        urn: str,
        type_: str,
        id: str,
        old_inputs: Properties,
        old_outputs: Properties,
        new_inputs: Properties,
    ) -> Diff:
        """Compare; pure. Must not touch the network. UNKNOWN in ``new_inputs`` counts as a change of that property."""
        ...

    def create(self, urn: str, type_: str, inputs: Properties, *, timeout: float, preview: bool, token: str) -> Created:
        """Create, and wait until usable. In a preview answer from the specification alone.

        ``token`` names this attempt (stable over a crash): it serves as idempotency token and as the mark by which
        ``find`` recognises what a died run left behind.
        """
        ...

    def update(
        self,
        urn: str,
        type_: str,
        id: str,
        old_inputs: Properties,
        old_outputs: Properties,
        new_inputs: Properties,
        *,
        timeout: float,
        preview: bool,
    ) -> Properties:
        """Change in place; returns the new outputs. In a preview answer from the specification alone."""
        ...

    def delete(self, urn: str, type_: str, id: str, inputs: Properties, outputs: Properties, *, timeout: float) -> None:
        """Delete, and wait until gone. A resource that is gone already is a success."""
        ...

    def read(self, urn: str, type_: str, id: str, inputs: Properties, outputs: Properties) -> Found | None:
        """The resource as it is now, or None when there is none. ``inputs`` and ``outputs`` are empty on import.

        Raises PartialFailure, with all that was found, for one that exists and is not ready.
        """
        ...

    def find(self, urn: str, type_: str, inputs: Properties, *, token: str, known_ids: frozenset[str]) -> Found | None:
        """Look for what a create with these inputs and ``token`` may have made before its run died.

        ``known_ids`` are ids of this type that the state already has; they are never the answer.
        """
        ...

    def invoke(self, token: str, args: Properties, *, preview: bool) -> Invoked:
        """Answer a function. In a preview answer without network, with UNKNOWN for what only the cloud knows."""
        ...

    def cancel(self) -> None:
        """The run stops: send what is being sent, but wait for nothing to become ready. Called from another thread."""
        ...


class TakesMarks:
    """Mixed into a provider that is handed values as they are: secrets marked, references to resources not resolved.

    It marks itself what of its answers is secret. ``about`` gives it as it answers for one resource, whose options
    (ignored changes, timeouts) it may have to know.
    """

    def about(self, options: ResourceOptions) -> Provider:
        raise NotImplementedError


# Asks the run's monitor or log, from any thread: a method's name and its message. The answer may be a ProviderError.
Ask: TypeAlias = Callable[[str, Any], "Future[Any]"]


@dataclass(frozen=True)
class Caller:
    """The run that a provider takes part in by what it declares: what the stack's program knows, and its monitor.

    ``monitor`` is the address where a program of any language registers what it declares; a provider in this process
    may ``ask``. Configuration is in clear. ``folder`` is where relative paths of the stack's program start.
    """

    project: str
    stack: str
    config: Mapping[str, str]
    secret_keys: Sequence[str]
    preview: bool
    parallel: int
    monitor: str
    ask: Ask
    folder: Path = Path()


@dataclass(frozen=True)
class Returned:
    """What a component outputs, or a method returns. ``dependencies`` are the URNs that each of them depends on.

    A component that is not ``whole`` may have more in it than this preview knows.
    """

    outputs: Properties
    dependencies: Mapping[str, Sequence[str]] = field(default_factory=dict[str, Sequence[str]])
    urn: str = ""
    failures: Sequence[CheckFailure] = ()
    whole: bool = True


class Constructs:
    """Mixed into a provider that constructs components.

    What these are made of it registers itself, while one waits for its answer. None says that the provider's
    configuration is not all known yet. Arguments say with ``OutputValue`` what they depend on.
    """

    def constructs(self, type_: str) -> bool:
        """Whether this provider can construct components of ``type_``."""
        raise NotImplementedError

    def construct(self, goal: Goal, caller: Caller) -> Returned | None:
        """Construct the component ``goal``. Raises ProviderError."""
        raise NotImplementedError


class RunsPrograms(Constructs):
    """Mixed into a provider with programs of its own, which construct its components and answer methods."""

    def constructs(self, type_: str) -> bool:
        return True  # it says itself which it does not know

    def call(self, method: Method, caller: Caller) -> Returned | None:
        """Answer a ``method``. Raises ProviderError."""
        raise NotImplementedError


class BlindToReadiness:
    """Mixed into a provider that reads a resource without asking whether it is ready: what is known of that stays."""


class ResourceOptions(Protocol):
    """What a provider may have to know of a resource beside its inputs."""

    @property
    def ignore_changes(self) -> Sequence[str]: ...

    @property
    def custom_timeouts(self) -> ResourceTimeouts: ...


class ResourceTimeouts(Protocol):
    @property
    def read(self) -> float: ...


def timeout_or(default: float, timeout: float) -> float:
    return timeout if timeout > 0 else default


def unchanged(value: Value, other: Value) -> bool:
    """Equality as a provider sees it: 1 equals 1.0, but True is not 1."""
    if isinstance(value, bool) or isinstance(other, bool):
        return value is other
    return bool(value == other)
