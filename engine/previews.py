"""A stack that is looked at: what its verbs would do, by running its program and asking its providers.

Nothing is locked and nothing changed. Raises StateError (state, passphrase), ProjectError and ProviderError.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cached_property, partial
from typing import TYPE_CHECKING, Self, TypeVar

from engine import forewarnings, prior_state
from engine.analyzer.environment import StackFacts
from engine.analyzer.packs import Packs
from engine.backend import STATE_FOLDER, shown
from engine.events import Consumer
from engine.kept_plans import KeptPlans
from engine.kept_stack import KeptStack
from engine.plan import Step
from engine.project import Project, StackConfig
from engine.provider_registry import ProviderFactory, ProviderRegistry
from engine.providers.remote.plugins import Plugins
from engine.refresh import Refresh
from engine.run import Judging, Options, Outcome, Result, Run, Stack
from engine.state.model import Snapshot
from engine.values import has_secret

if TYPE_CHECKING:  # imported where something is imported
    from engine.importing.run import Importing

R = TypeVar("R", Run, Refresh, "Importing")


@dataclass(kw_only=True)
class Previews(KeptStack):
    """A stack whose program can be run. Make one with ``open``; one verb at a time.

    ``packs`` judge what previews and applies declare; they and the ``plugins`` are ended when the verb is.
    """

    factories: Mapping[str, ProviderFactory]
    message: str = ""
    packs: Packs | None = None
    plugins: Plugins | None = None

    def __post_init__(self) -> None:
        self._run: Run | Refresh | Importing | None = None
        self._found: Refresh | None = None  # what the refresh before a run has found
        self._cancelled = False

    @classmethod
    def open(
        cls,
        project: Project,
        stack: str,
        factories: Mapping[str, ProviderFactory],
        *,
        environment: Mapping[str, str] | None = None,
        message: str = "",
    ) -> Self:
        """Open ``stack`` where its state lies, for work by the providers of ``factories``."""
        environment = os.environ if environment is None else environment
        plugins = Plugins(project.surroundings(environment))
        return cls.kept(project, stack, environment, factories=factories, message=message, plugins=plugins)

    @property
    def engine(self) -> str:
        return "embedded"

    @cached_property
    def configuration(self) -> StackConfig:
        """The stack's configuration, as a preview has it: what is sealed and cannot be opened is unknown."""
        return self._config(may_stay_sealed=True)

    async def preview(self, emit: Consumer, options: Options) -> Outcome:
        """What ``up`` would do. Needs no lock, no network and no credentials; changes nothing."""
        config = self.configuration
        base = prior_state.for_preview(self.source, self.store, self.sealing, STATE_FOLDER, emit)
        if self.out_of_reach and self.remote is None:
            forewarnings.of_reach(shown(self.out_of_reach), STATE_FOLDER, emit)
        forewarnings.of_sealed(config, has_salt=bool(self.keyring.salt), emit=emit)
        forewarnings.of_pending(base, emit)
        async with self._with_processes():
            return await self._preview(base, config, emit, options)

    async def preview_destroy(self, emit: Consumer, options: Options) -> Outcome:
        """What ``destroy`` would do."""
        async with self._with_processes():
            return await self._preview_destroy(self.snapshot(), emit, options)

    async def preview_refresh(self, emit: Consumer, options: Options) -> Outcome:
        """How what exists differs from the state."""
        async with self._with_processes():
            return await self._start(self._refresh(self.snapshot(), emit, options)).look()

    def plan_text(self, outcome: Outcome, options: Options) -> str:
        """The file of the plan that the last preview has made. Raises StateError where a secret can't be encrypted."""
        plan = outcome.plan
        seeds = self._run.deployment.seeds if isinstance(self._run, Run) else {}
        inputs = [step.new.inputs for step in plan.steps if step.new is not None]
        if has_secret([inputs, plan.outputs_after]):
            self.make_key()
        return self._plans.text(plan, seeds, options)

    def cancel(self) -> None:
        """Stop starting things; what is in flight is finished and saved. For the first Ctrl-C."""
        self._cancelled = True
        if self._run is not None:
            self._run.cancel()

    # Parts

    async def _preview(
        self, base: Snapshot, config: StackConfig, emit: Consumer, options: Options, seeds: dict[str, str] | None = None
    ) -> Outcome:
        program = self.project.program(self.stack, config)
        failed = await self._look(base, emit, options, program.shown_config)
        if failed is not None:
            return failed
        judging = self._judging(config, preview=True)
        stack = self._described(self._as_found(base), config)
        run = self._start(Run(stack, emit, options, seeds=seeds, judging=judging, drift=self._drift))
        return await run.up(program)

    async def _preview_destroy(self, base: Snapshot, emit: Consumer, options: Options) -> Outcome:
        failed = await self._look(base, emit, options, {})
        if failed is not None:
            return failed
        stack = self._described(self._as_found(base), StackConfig())
        return await self._start(Run(stack, emit, options, drift=self._drift)).destroy()

    async def _look(
        self, base: Snapshot, emit: Consumer, options: Options, config: Mapping[str, str]
    ) -> Outcome | None:
        """Refresh before a run where that is asked for; an outcome says why that failed."""
        self._found = None
        if not options.refresh:
            return None
        refresh = self._start(self._refresh(base, emit, options, config))
        outcome = await refresh.look()
        if outcome.result is not Result.SUCCEEDED:
            return outcome
        self._found = refresh
        return None

    def _refresh(
        self, base: Snapshot, emit: Consumer, options: Options, config: Mapping[str, str] | None = None
    ) -> Refresh:
        return Refresh(base, ProviderRegistry(self.factories, self.plugins), emit, options, config)

    @property
    def _drift(self) -> Sequence[Step] | None:
        return None if self._found is None else self._found.drift

    def _as_found(self, base: Snapshot) -> Snapshot:
        """``base`` as the refresh before the run has found it, not written down yet."""
        return base if self._found is None else self._found.refreshed()

    def _has_news(self) -> bool:
        """Whether the state has to be written for what the refresh before a run has found."""
        return self._found is not None and self._found.changes_state

    @property
    def _plans(self) -> KeptPlans:
        return KeptPlans(self.project, self.store, self.sealing)

    def _start(self, run: R) -> R:
        self._run = run
        if self._cancelled:  # between the preview and the apply
            run.cancel()
        return run

    def _config(self, *, may_stay_sealed: bool) -> StackConfig:
        return self.project.config(self.stack, self.keyring, may_stay_sealed=may_stay_sealed)

    def _described(self, base: Snapshot, config: StackConfig) -> Stack:
        return Stack(
            self.project.name, self.stack, base, self.factories, config.values, self.outputs_of, self.plugins
        )  # fmt: skip

    def _judging(self, config: StackConfig, *, preview: bool) -> Judging | None:
        if self.packs is None:
            return None
        facts = StackFacts(self.project.name, self.stack, preview, config.texts, config.secret_keys)
        return partial(self.packs.judging, facts)

    @asynccontextmanager
    async def _with_processes(self) -> AsyncGenerator[None]:
        """The policy packs and plugins that run within end with it."""
        try:
            yield
        finally:
            if self.packs is not None:
                await self.packs.close()
            if self.plugins is not None:
                await asyncio.to_thread(self.plugins.close)
