"""How a run's progress is recorded: the interface, and the record of a preview, which keeps nothing.

The durable record is ``engine.state.recorder.Recorder``.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future
from typing import Protocol

from engine.state.model import OperationKind, ResourceState
from engine.state.recorder import Begun


class Record(Protocol):
    """Where a run writes down what it is about to do and what it has done; see ``Recorder`` for each method.

    ``old`` is always an object of the snapshot that the run started with, or one that was handed over before.
    """

    def begin(self, kind: OperationKind, state: ResourceState) -> Begun: ...

    def finish(
        self,
        operation: int,
        *,
        new: ResourceState | None = None,
        old: ResourceState | None = None,
        amended: Sequence[tuple[ResourceState, ResourceState]] = (),
    ) -> Future[None]: ...

    def put(self, new: ResourceState, old: ResourceState | None = None) -> Future[None]: ...

    def amend(self, old: ResourceState, new: ResourceState) -> Future[None]: ...

    def drop(self, old: ResourceState, *, refresh: bool = False) -> Future[None]: ...


class NoRecord:
    """Keeps nothing: for a run that changes nothing."""

    def __init__(self) -> None:
        self._done: Future[None] = Future()
        self._done.set_result(None)

    def begin(self, kind: OperationKind, state: ResourceState) -> Begun:
        return Begun(0, self._done)

    def finish(
        self,
        operation: int,
        *,
        new: ResourceState | None = None,
        old: ResourceState | None = None,
        amended: Sequence[tuple[ResourceState, ResourceState]] = (),
    ) -> Future[None]:
        return self._done

    def put(self, new: ResourceState, old: ResourceState | None = None) -> Future[None]:
        return self._done

    def amend(self, old: ResourceState, new: ResourceState) -> Future[None]:
        return self._done

    def drop(self, old: ResourceState, *, refresh: bool = False) -> Future[None]:
        return self._done
