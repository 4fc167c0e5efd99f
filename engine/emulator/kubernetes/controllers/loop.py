"""Calls the reactions until nothing changes any more."""

from __future__ import annotations

import sys
import traceback
from collections import Counter, deque
from collections.abc import Callable

from engine.emulator.kubernetes.cluster import Cluster
from engine.emulator.kubernetes.controllers import (
    bootstrap,
    crds,
    garbage,
    jobs,
    namespaces,
    networking,
    pods,
    policies,
    storage,
    workloads,
)
from engine.emulator.kubernetes.refusals import Refused
from engine.emulator.kubernetes.resources import Storage
from engine.emulator.kubernetes.store import Event, Name, name_of

Reaction = Callable[[Cluster, Event], None]
MOST = 200  # events of one object that one change may cause; more means two reactions that undo each other

_MODULES = (crds, namespaces, pods, workloads, jobs, storage, networking, policies)
_ANY: tuple[Reaction, ...] = (garbage.react, crds.react_to_any, namespaces.react_to_any, policies.react_to_any)


class Controllers:
    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._events: deque[Event] = deque()
        self._reactions: dict[Storage, list[Reaction]] = {}
        for module in _MODULES:
            for key, reaction in module.REACTIONS.items():
                self._reactions.setdefault(key, []).append(reaction)
        cluster.store.listeners.append(self._events.append)

    def begin(self) -> None:
        """What every cluster has from its beginning."""
        bootstrap.create(self._cluster)
        self.settle()

    def settle(self) -> None:
        seen: Counter[tuple[Storage, Name]] = Counter()
        while self._events:
            event = self._events.popleft()
            key = event.storage, name_of(event.object)
            seen[key] += 1
            if seen[key] <= MOST:
                for reaction in (*self._reactions.get(event.storage, ()), *_ANY):
                    self._call(reaction, event)
            elif seen[key] == MOST + 1:
                print(f"controllers: {key} is still changing after {MOST} events; left as it is", file=sys.stderr)

    def _call(self, reaction: Reaction, event: Event) -> None:
        try:
            reaction(self._cluster, event)
        except Refused as refused:
            about = event.object["metadata"]
            where = f"{event.storage[1]} {about.get('namespace', '')}/{about['name']}"
            print(f"controllers: {reaction.__module__}: {where}: {refused.message}", file=sys.stderr)
        except Exception:  # noqa: BLE001  # as a real controller: it says so, and the others go on
            traceback.print_exc(file=sys.stderr)
