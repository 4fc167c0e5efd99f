"""What a provider in this process declares when it constructs a component: registered at the run's own monitor.

Each goal takes the way that a program's takes: what the component says of transforms, aliases and providers holds for
its children, too.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import CancelledError, Future
from dataclasses import dataclass
from functools import partial
from graphlib import TopologicalSorter
from queue import SimpleQueue
from typing import Any

from engine.goal_messages import registration
from engine.goals import Goal
from engine.protocol import engine_pb2, resource_pb2
from engine.providers.base import Ask, ProviderError
from engine.values import UNKNOWN, ResourceRef


@dataclass(frozen=True)
class Child:
    """A resource of a component; ``needs`` are the places, among its siblings, of those that must be there before."""

    goal: Goal
    needs: Sequence[int] = ()


@dataclass(frozen=True)
class Made:
    """A resource that was registered; it ``failed`` where it, or what it needs, could not be made.

    It is not ``there`` where it is new and not among the run's targets.
    """

    reference: ResourceRef
    failed: bool
    there: bool


class Declaring:
    """The registrations of one component."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask

    def component(self, goal: Goal) -> Made:
        """Register the component itself. Raises ProviderError."""
        (made,) = self.children([Child(goal)])
        return made

    def children(self, children: Sequence[Child]) -> list[Made]:
        """Register ``children``, each as soon as what it needs is there. Raises ProviderError where one is refused.

        What needs something that has failed is registered all the same: the engine tells that it is skipped.
        """
        answers: dict[int, Any] = {}
        refusals: list[str] = []
        ended: SimpleQueue[tuple[int, Future[Any]]] = SimpleQueue()
        order = TopologicalSorter({place: child.needs for place, child in enumerate(children)})
        order.prepare()
        under_way = 0
        while True:
            for place in sorted(order.get_ready()):
                self._start(children[place], answers, partial(_told, ended, place))
                under_way += 1
            if not under_way:
                break
            place, call = ended.get()
            under_way -= 1
            try:
                answers[place] = call.result()
            except (ProviderError, CancelledError) as error:
                refusals.append(str(error) or "the run is being stopped")
            else:
                order.done(place)
        if refusals:
            raise ProviderError("; ".join(dict.fromkeys(refusals)))
        return [_made(answers[place]) for place in range(len(children))]

    def _start(self, child: Child, answers: dict[int, Any], told: Callable[[Future[Any]], None]) -> None:
        request = registration(child.goal)
        request.dependencies.extend(sorted(answers[place].urn for place in child.needs))
        self._ask("RegisterResource", request).add_done_callback(told)

    def warn(self, message: str, urn: str) -> None:
        """Tell the user of something about ``urn`` that is no failure."""
        severity = engine_pb2.LogSeverity.Value("WARNING")
        self._ask("Log", engine_pb2.LogRequest(severity=severity, message=message, urn=urn)).result()


def _told(ended: SimpleQueue[tuple[int, Future[Any]]], place: int, call: Future[Any]) -> None:
    ended.put((place, call))


def _made(answer: Any) -> Made:
    reference = ResourceRef(answer.urn, (answer.id or UNKNOWN))
    return Made(reference, failed=answer.result != resource_pb2.Result.SUCCESS, there=not answer.unknown)
