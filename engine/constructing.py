"""Components and methods that a provider has programs of its own for: it runs them, and they register at our monitor.

What a component is made of is known to its provider alone. Where it was not constructed, nothing that the stack has and
this run has not declared may be taken for something that nobody wants any more.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import ParamSpec, TypeVar, cast

from engine import urn as urns
from engine import wire
from engine.events import Diagnostic, Severity
from engine.execute import RunCancelled, StepError
from engine.goals import Goal, Method
from engine.judging import Judging
from engine.providers.base import Caller, Constructs, NotHere, Provider, ProviderError, Returned, RunsPrograms
from engine.run_state import Registered
from engine.values import UNKNOWN, Properties, ResourceRef, has_unknown
from engine.wire import UNKNOWN_STRING

P = ParamSpec("P")
T = TypeVar("T")
SELF = "__self__"  # the argument by which a method is told of which resource it is one


class Constructing(Judging):
    """A run whose providers may declare resources, too."""

    async def construct(self, goal: Goal, caller: Caller) -> Registered:
        """Have the remote component ``goal`` constructed. Raises RunCancelled."""
        urn = urns.make(self.stack, self.project, goal.parent, goal.type, goal.name)
        self.learn_secret(wire.flatten_outputs(goal.inputs, set()))
        blocker = self._blocker(goal)
        if blocker:
            self.incomplete = True
            return self._skip(urn, blocker)
        try:
            provider = await self._answering(urns.package_of(goal.type), goal)
            if not (isinstance(provider, Constructs) and provider.constructs(goal.type)):
                message = f"no provider of {urns.package_of(goal.type)} is here that could construct it"
                return await self._unconstructed(urn, goal, message)
            with self.executor.diagnosed(urn):
                try:
                    made = await self._apart(provider.construct, goal, caller)
                except NotHere as error:
                    return await self._unconstructed(urn, goal, str(error), told=True)
        except StepError:
            return self._not_made(urn)
        if made is None:  # what it would be configured with is not known yet
            return await self.register(_bare(goal))
        if has_unknown(made.outputs) and not self.preview:  # something of it failed, as has been told
            return self._not_made(made.urn)
        self.incomplete = self.incomplete or not made.whole
        self.learn_secret(made.outputs)
        return Registered(made.urn, outputs=made.outputs, dependencies=made.dependencies)

    async def _unconstructed(self, urn: str, goal: Goal, message: str, *, told: bool = False) -> Registered:
        """Nothing here constructs it: a preview tells of the component all the same, and says that there is more.

        ``told``: with the ``message`` as a warning.
        """
        self.incomplete = True
        self._note_unknown(goal.type)
        if self.preview:
            if told:
                self.executor.emit(Diagnostic(Severity.WARNING, message, urn))
            return await self.register(_bare(goal))
        self.executor.failures += 1
        self.executor.emit(Diagnostic(Severity.ERROR, message, urn))
        return self._not_made(urn)

    def _not_made(self, urn: str) -> Registered:
        self.incomplete = True
        self.unavailable.add(urn)
        return Registered(urn, result="fail")

    async def call(self, method: Method, caller: Caller) -> Returned:
        """Answer a ``method``. Raises ProviderError, RunCancelled.

        Where it depends on what failed, its answer is not known, and an apply goes on without it.
        """
        needed = {urn for each in method.dependencies.values() for urn in each}
        args = cast("Properties", wire.flatten_outputs(method.args, needed))
        self.learn_secret(args)
        self_ = args.get(SELF)
        if isinstance(self_, ResourceRef):
            needed.add(self_.urn)
            method = replace(method, provider=self._provider_for_method(method, self_))
        if not needed.isdisjoint(self.unavailable) or (has_unknown(args) and not self.preview):
            return Returned({"result": UNKNOWN})
        try:
            provider = await self._answering(method.package, method)
            if not isinstance(provider, RunsPrograms):
                raise ProviderError(f"no provider of {method.package} is here that could answer it")
            returned = await self._apart(provider.call, method, caller)
        except (StepError, ProviderError) as error:
            raise ProviderError(f"{method.token}: {error}") from error
        if returned is None:
            return Returned({})
        self.learn_secret(returned.outputs)
        return returned

    def _provider_for_method(self, method: Method, of: ResourceRef) -> str:
        """The reference of the provider that answers a method ``of`` a resource; "" for the default one."""
        if urns.is_provider_type(method.token):
            return f"{of.urn}::{UNKNOWN_STRING if of.id is UNKNOWN else of.id}"
        if method.provider:
            return method.provider
        state = self.news.get(of.urn)
        return "" if state is None else state.provider

    async def _answering(self, package: str, asked: Goal | Method) -> Provider:
        reference = asked.provider or await self.default_provider(package, asked.plugin)
        return self._lookup(reference, package)

    async def _apart(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Wait for a provider's program. Raises RunCancelled where the run stops meanwhile."""
        if self.executor.cancelled:
            raise RunCancelled
        self.apart += 1
        try:
            return await self.executor.apart(function, *args, **kwargs)
        except ProviderError as error:
            if self.executor.cancelled:
                raise RunCancelled from error
            raise
        finally:
            self.apart -= 1


def _bare(goal: Goal) -> Goal:
    """A component of which no more is known than that there is one."""
    return Goal(goal.type, goal.name, custom=False, inputs={}, parent=goal.parent)
