"""What one run knows of its stack, and how a registration enters and leaves it.

All of it lives on one event loop, so that what stands between two ``await`` needs no lock. The layers above, each of
which uses only those below it: ``provider_choice``, ``carrying_out``, ``lookups``, ``judging``, ``constructing``,
``deployment``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from engine import urn as urns
from engine.aliases import PriorStates
from engine.analyzer.findings import AnalyzedProvider
from engine.analyzer.judgement import Judgement
from engine.decide import (
    Decision,
)
from engine.events import Diagnostic, Severity, StepSkipped
from engine.execute import Executor
from engine.goals import Goal, ReadGoal
from engine.graph import fates
from engine.packages import Plugin
from engine.plan import Op, Step
from engine.provider_registry import ProviderRegistry, by_reference, split_reference
from engine.provider_resources import AwaitedProviderResources, ProviderResources
from engine.providers.base import ProviderError
from engine.providers.builtin import BuiltinProvider
from engine.state.model import ResourceState, Snapshot
from engine.targets import Selection, Targets
from engine.values import Properties, Value


@dataclass(frozen=True)
class Registered:
    """The answer to a registration. ``result`` is ``success``, ``fail`` or ``skip``; an unknown id is "".

    ``dependencies`` are the URNs that each output depends on, where that is more than the resource itself.
    """

    urn: str
    id: str = ""
    outputs: Properties = field(default_factory=dict[str, Value])
    result: str = "success"
    unknown: bool = False
    stables: Sequence[str] = ()
    dependencies: Mapping[str, Sequence[str]] = field(default_factory=dict[str, Sequence[str]])


def _needed(goal: Goal | ReadGoal) -> list[str]:
    """The URNs that must exist for what ``goal`` asks for."""
    needed = [*goal.dependencies, goal.parent]
    if goal.provider:
        needed.append(split_reference(goal.provider)[0])
    if isinstance(goal, Goal):
        needed += [goal.deleted_with, *goal.replace_with]
    return needed


class RegistrationRefused(Exception):
    """The program asked for something that cannot be; it is told so and fails."""


@dataclass
class RunState:
    """What one run knows; ``config`` holds the stack's configuration, ``seeds`` the plan's seeds of automatic names.

    With ``live_functions`` a preview asks the cloud for what functions answer, and falls back to what is known without.
    ``judgement`` is what the policy packs say, None where there are none.
    """

    stack: str
    project: str
    base: Snapshot
    registry: ProviderRegistry
    builtin: BuiltinProvider
    executor: Executor
    config: Mapping[str, Value]
    learn_secret: Callable[[Value], None]
    live_functions: bool = False
    targets: Targets = field(default_factory=Targets)
    seeds: dict[str, str] = field(default_factory=dict[str, str])
    news: dict[str, ResourceState] = field(default_factory=dict[str, ResourceState])
    notes: list[str] = field(default_factory=list[str])
    unknown_types: list[str] = field(default_factory=list[str])
    state_only_changes: bool = False
    judgement: Judgement | None = None

    def __post_init__(self) -> None:
        self.olds = {old.urn: old for old in self.base.resources if not old.delete}
        self.learn_secret([[old.inputs, old.outputs] for old in self.base.resources])
        self.selection = Selection(self.targets)
        self.prior = PriorStates(self.stack, self.project, self.olds)
        self.seen: set[str] = set()
        self.replaced: set[str] = set()
        self.unavailable: set[str] = set()  # failed or skipped: what depends on them is skipped
        self.not_created: set[str] = set()  # not among the targets, so not created
        self.deleted_early: dict[str, ResourceState] = {}  # deleted before their replacement, which is still to come
        self.forcing_keys: dict[str, Sequence[str]] = {}  # which of their properties have them replaced, by URN
        self.condemned_early: set[int] = set()
        self.going_early: dict[int, asyncio.Future[None]] = {}  # what is just being deleted so, by its identity
        self.taken_along: set[int] = set()  # states of the base that went with what was deleted so
        self.stuck: set[int] = set()  # what could not be deleted so
        self.to_manage: set[str] = set()  # URNs that the program registers, unlike those that it only reads
        self.kept: set[int] = set()  # states of the base that are not among the targets, with all that they need
        self.outlived: set[int] = set()  # states of the base whose replacement exists: they go at the end of the run
        self.going: set[int] = set()  # states of the base that are deleted in this run: deleted_with asks for them
        self.incomplete = False  # a component was not constructed: what it would have declared is not known
        self.apart = 0  # how many programs of providers are waited for
        self.root = ""
        self.stack_outputs: Properties | None = None
        self._old_providers = by_reference(self.base.resources)
        self._fates = fates(self.base.resources)
        self._positions: dict[str, str] = {}
        self._delete_first: dict[str, bool | None] = {}  # what the program said of delete_before_replace
        self._told_providers: dict[str, AnalyzedProvider] = {}  # by reference
        self._provider_resources = ProviderResources(self.registry)
        self._awaited_provider_resources = AwaitedProviderResources(self.registry)
        self._default_providers: dict[tuple[str, Plugin], asyncio.Task[str]] = {}

    @property
    def preview(self) -> bool:
        return self.executor.preview

    def declares(self, urn: str) -> bool:
        """Whether the program has registered ``urn`` in this run, under this name or one that it is an alias of."""
        return self.declared_as(urn) is not None

    def declared_as(self, urn: str) -> str | None:
        """The URN by which the program has come to what was ``urn``, None if it has not."""
        return urn if urn in self.seen else self.prior.claimed(urn)

    def _claim(self, parent: str, type_: str, name: str, position: str) -> str:
        if parent and parent not in self.seen:
            raise self._refused(parent, f"{type_} {name!r} names a parent that is not registered: {parent}")
        urn = urns.make(self.stack, self.project, parent, type_, name)
        if urn in self.seen:
            where = [place for place in (self._positions.get(urn), position) if place]
            places = f" (declared at {' and '.join(where)})" if where else ""
            raise self._refused(
                urn, f"Duplicate resource URN '{urn}'{places}; give each resource of a type its own name"
            )
        self.seen.add(urn)
        if position:
            self._positions[urn] = position
        return urn

    def _refused(self, urn: str, message: str) -> RegistrationRefused:
        self.executor.failures += 1
        self.executor.emit(Diagnostic(Severity.ERROR, message, urn))
        return RegistrationRefused(message)

    def _demand(self, urn: str, goal: Goal) -> None:
        """Tell of what ``urn`` needs and nobody has named, so that it is not created; each is told of once.

        A preview goes on as if it were there, to find everything; an apply counts ``urn`` among what failed.
        """
        if not self.not_created or not self.selection.means(urn, _needed(goal)):
            return
        for needed in sorted(self.not_created.intersection(_needed(goal))):
            message = f"needs {needed}, which is new and not among the targets; {self.targets.remedy}"
            self.executor.failures += 1
            self.executor.emit(Diagnostic(Severity.ERROR, message, urn))
            self.not_created.discard(needed)
            if not self.preview:
                self.unavailable.add(needed)

    def _blocker(self, goal: Goal | ReadGoal) -> str | None:
        """A dependency of ``goal`` that failed or was skipped, if any."""
        return next((urn for urn in _needed(goal) if urn in self.unavailable), None) if self.unavailable else None

    def _skip(self, urn: str, because: str) -> Registered:
        self.unavailable.add(urn)
        self.executor.emit(StepSkipped(urn, because))
        return Registered(urn, result="skip")

    def _answer(self, state: ResourceState) -> Registered:
        self.news[state.urn] = state
        self.learn_secret(state.outputs)
        return Registered(state.urn, state.id, state.outputs if state.custom else {})

    def _note_unsupported(self, state: ResourceState) -> None:
        """Note that no provider here knows what ``state`` is. Raises StepError where it would have to be made."""
        self._note_unknown(state.type)
        if self.preview:
            return
        with self.executor.diagnosed(state.urn):
            raise ProviderError(
                f"the embedded engine can preview but not create {state.type}; bring this stack up with the Pulumi "
                "CLI, or leave this resource out"
            )

    def _note_unknown(self, type_: str) -> None:
        if type_ not in self.unknown_types:
            self.unknown_types.append(type_)

    def _step(self, decision: Decision, new: ResourceState, old: ResourceState | None, op: Op | None = None) -> Step:
        return Step(op or decision.op, new.urn, new.type, decision.reason, old, new, decision.detailed,
                    tuple(decision.replace_keys))  # fmt: skip
