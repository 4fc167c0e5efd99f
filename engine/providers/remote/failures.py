"""What a provider's answer that is none comes to: the errors of ``engine.providers.base``, in words for the user."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, cast

import grpc
from google.protobuf.message import DecodeError

from engine import wire
from engine.protocol import errors_pb2, provider_pb2, status_pb2
from engine.providers.base import OperationUncertain, PartialFailure, ProviderError

_DETAILS: Final = "grpc-status-details-bin"
# Of gRPC's own, when it could not make a message of what came.
_NONSENSE: Final = ("Exception deserializing", "Exception iterating", "Failed to parse")
_PENDING: Final = "whether it happened is not known; it stays pending, and the next run looks for it"


class Unimplemented(ProviderError):
    """The provider does not have the method."""


@dataclass(frozen=True)
class Asked:
    """What was asked of a provider. ``who`` is what messages call it; ``changes`` says that it changes something.

    ``seconds`` is how long the user gave it for an answer, None for ever.
    """

    who: str
    method: str
    changes: bool = False
    seconds: float | None = None

    @property
    def what(self) -> str:
        return self.method[0].lower() + self.method[1:]


def failure(error: Any, asked: Asked, ending: str) -> ProviderError:
    """The error that a failed call comes to. ``ending`` says what became of the provider's process."""
    code: grpc.StatusCode = error.code()
    details: str = error.details() or ""
    if code is grpc.StatusCode.DEADLINE_EXCEEDED:
        return _late(asked)
    if code in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED):
        return _lost(asked, ending or details)
    if code is grpc.StatusCode.UNIMPLEMENTED or (code is grpc.StatusCode.UNKNOWN and "Unimplemented" in details):
        return Unimplemented(f"{asked.who} has no method {asked.method}: take a newer version of it")
    if code is grpc.StatusCode.INTERNAL and details.startswith(_NONSENSE):
        return nonsense(asked, details)
    partial = _partial(error)
    return partial or ProviderError(_with_particulars(error, details) or f"{asked.who} failed without saying why")


def nonsense(asked: Asked, why: str) -> ProviderError:
    """The error for an answer that is no answer."""
    text = f"{asked.who} answered {asked.what} with what is no answer: {why}"
    return OperationUncertain(f"{text}; {_PENDING}") if asked.changes else ProviderError(text)


def _late(asked: Asked) -> ProviderError:
    text = f"{asked.who} did not answer {asked.what} within {asked.seconds or 0:g} s"
    if not asked.changes:
        return ProviderError(f"{text}: does it hang?")
    return OperationUncertain(f"{text}, which is what custom_timeouts gives it; {_PENDING}")


def _lost(asked: Asked, ending: str) -> ProviderError:
    text = f"{asked.who} was gone before it had answered {asked.what}"
    if not asked.changes:
        return ProviderError(f"{text}: {ending}")
    return OperationUncertain(f"{text}: {_PENDING}\n  {ending}")


def _messages(error: Any) -> Iterator[Any]:
    """The messages that the provider has packed into its status."""
    for key, value in error.trailing_metadata() or ():
        if key == _DETAILS:
            try:
                yield from status_pb2.Status.FromString(cast("bytes", value)).details
            except DecodeError:
                return


def _partial(error: Any) -> PartialFailure | None:
    for detail in _messages(error):
        made = provider_pb2.ErrorResourceInitFailed()
        if detail.Is(made.DESCRIPTOR) and detail.Unpack(made):
            reasons = list(made.reasons) or [error.details() or "it is not ready"]
            inputs = wire.decode(made.inputs) if made.HasField("inputs") else None
            return PartialFailure(made.id, wire.decode(made.properties), reasons, inputs)
    return None


def _with_particulars(error: Any, details: str) -> str:
    """``details``, with the inputs that are refused; or what the provider says that its configuration lacks."""
    for detail in _messages(error):
        refused = errors_pb2.InputPropertiesError()
        if detail.Is(refused.DESCRIPTOR) and detail.Unpack(refused):
            lines = [f"  {each.property_path}: {each.reason}" for each in refused.errors]
            return "\n".join([details, *lines]) if details else "\n".join(lines).strip()
        lacking = provider_pb2.ConfigureErrorMissingKeys()
        if detail.Is(lacking.DESCRIPTOR) and detail.Unpack(lacking):
            return "\n".join(
                f"the configuration lacks {key.name!r}: {key.description}\n"
                f"  set it in the stack's configuration, as `bedplate config set ENV {key.name} VALUE` does"
                for key in lacking.missingKeys
            )
    return details
