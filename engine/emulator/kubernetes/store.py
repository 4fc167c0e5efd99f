"""The objects, and the history of what happened to them.

One counter gives every write its resource version, as etcd's revision does. Objects are never changed once they are
stored: a write stores another one. Everything here runs in the API's own event loop, so that a write is one step.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from engine.emulator.kubernetes.refusals import Json, expired
from engine.emulator.kubernetes.resources import Storage

HISTORY = 5000  # events that a watch can still be given
Name = tuple[str, str]  # namespace ("" for none) and name
Change = Literal["ADDED", "MODIFIED", "DELETED"]


@dataclass(frozen=True)
class Event:
    """One change; ``former`` is the object before it."""

    revision: int
    change: Change
    storage: Storage
    object: Json
    former: Json | None


def name_of(body: Json) -> Name:
    metadata = body["metadata"]
    return metadata.get("namespace", ""), metadata["name"]


class Store:
    """Objects by storage and name. ``listeners`` are told of every event, after it has happened."""

    def __init__(self) -> None:
        self.revision = 1
        self.listeners: list[Callable[[Event], None]] = []
        self._objects: dict[Storage, dict[Name, Json]] = {}
        self._history: deque[Event] = deque(maxlen=HISTORY)

    def get(self, storage: Storage, namespace: str, name: str) -> Json | None:
        return self._objects.get(storage, {}).get((namespace, name))

    def list(self, storage: Storage, namespace: str = "") -> list[Json]:
        """All of one storage, or of one namespace, in the order of their names."""
        of = self._objects.get(storage, {})
        return [of[key] for key in sorted(of) if namespace in ("", key[0])]

    def count(self, storage: Storage, namespace: str) -> int:
        return sum(1 for key in self._objects.get(storage, {}) if key[0] == namespace)

    def everything(self) -> Iterator[tuple[Storage, Json]]:
        for storage, objects in list(self._objects.items()):
            for body in list(objects.values()):
                yield storage, body

    def put(self, storage: Storage, body: Json) -> Json:
        """Store ``body`` under a new resource version, and return it as stored."""
        key = name_of(body)
        former = self._objects.get(storage, {}).get(key)
        self.revision += 1
        stored = body | {"metadata": body["metadata"] | {"resourceVersion": str(self.revision)}}
        self._objects.setdefault(storage, {})[key] = stored
        self._happened(Event(self.revision, "MODIFIED" if former else "ADDED", storage, stored, former))
        return stored

    def remove(self, storage: Storage, namespace: str, name: str) -> Json:
        """Forget the object, and return it as watches see it for the last time."""
        former = self._objects[storage].pop((namespace, name))
        self.revision += 1
        last = former | {"metadata": former["metadata"] | {"resourceVersion": str(self.revision)}}
        self._happened(Event(self.revision, "DELETED", storage, last, former))
        return last

    def since(self, revision: int) -> Iterable[Event]:
        """What happened after ``revision``. Raises Expired (410) when the history doesn't reach back so far."""
        oldest = self._history[0].revision - 1 if len(self._history) == HISTORY else 0
        if revision < oldest:
            raise expired(revision, oldest)
        return [event for event in self._history if event.revision > revision]

    def _happened(self, event: Event) -> None:
        self._history.append(event)
        for listener in list(self.listeners):
            listener(event)
