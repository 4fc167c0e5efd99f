"""One stack of one project in a backend of Pulumi's, worked on by its CLI.

Has what ``engine.session.Session`` has: the same verbs with the same events, plans and outcomes. Raises PulumiError
where the CLI can't begin, ProjectError, and StateError where its state can't be read.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import tempfile
import time
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from engine import saved_plan_file
from engine.analyzer.environment import StackFacts
from engine.analyzer.findings import PackInfo
from engine.analyzer.packs import Packs
from engine.backend import shown
from engine.events import Cancelled, Consumer, Diagnostic, Severity
from engine.kept_plans import as_planned
from engine.plan import Plan
from engine.project import Project, StackConfig
from engine.pulumi_cli.asked import DESTROY, GO, PLAN, REFRESH, Asked
from engine.pulumi_cli.command import Cli, Ended
from engine.pulumi_cli.errors import NoSuchStack, of_output
from engine.pulumi_cli.findings import Findings
from engine.pulumi_cli.reach import backend_url
from engine.pulumi_cli.states import BLINDED, Known, goals_in
from engine.pulumi_cli.translation import Translation, result_of
from engine.redaction import Redactor
from engine.run import Options, Outcome, Result
from engine.state.errors import SecretsUnsupported, WrongPassphrase
from engine.state.format import read_export
from engine.state.model import ResourceState, Snapshot
from engine.state.secrets import Keyring, SecretCodec, passphrase_from
from engine.values import Properties

if TYPE_CHECKING:  # imported where something is imported
    from engine.importing.code import Declared
    from engine.importing.wanted import Request
    from engine.provider_registry import ProviderFactory

Agree = Callable[[Outcome], bool]
_CANCELLED: Final = Outcome(Result.CANCELLED, Plan(()), 0.0)


@dataclass
class CliSession:
    """A stack that is open. One verb at a time.

    ``may_make`` is asked before a stack is made that the backend does not have. ``in_clear``: what is looked at shows
    its secrets, whoever keeps the key.
    """

    project: Project
    stack: str
    cli: Cli
    keyring: Keyring
    message: str = ""
    packs: Packs | None = None
    may_make: Callable[[str], bool] = field(default=lambda _stack: False)
    in_clear: bool = False

    def __post_init__(self) -> None:
        self._cancelled = False
        self._folder: Path | None = None
        self._emit: Consumer | None = None
        self._plan_text = ""
        self._translation: Translation | None = None
        self._infos: Sequence[PackInfo] | None = None

    @classmethod
    def open(cls, project: Project, stack: str, *, message: str = "", in_clear: bool = False) -> CliSession:
        """Open ``stack`` in the backend that the CLI is logged in to. Asks nobody yet."""
        keyring = Keyring(stack, passphrase_from(os.environ), project.salt(stack))
        return cls(project, stack, Cli(project.root, stack), keyring, message, in_clear=in_clear)

    @property
    def engine(self) -> str:
        return "pulumi"

    @property
    def where(self) -> str:
        """Which engine it is, and where the state lies, in a few words."""
        backend = shown(backend_url(self.project, os.environ)) or "its backend"
        return f"Pulumi CLI {self.cli.version}, state in {backend}"

    # Looking

    def snapshot(self) -> Snapshot:
        """The stack as the backend has it. Raises NoSuchStack where it was never made."""
        secrets = ("--show-secrets",) if self.in_clear else ()
        return read_export(self.cli.ask("stack", "export", *secrets), _Opening(self.keyring))

    def outputs(self) -> Properties:
        """The stack's outputs, secrets marked."""
        return self.snapshot().outputs

    @cached_property
    def configuration(self) -> StackConfig:
        """The stack's configuration; what only its secrets provider can open is unknown here, not to the CLI."""
        return self.project.config(self.stack, self.keyring, may_stay_sealed=True)

    async def preview(self, emit: Consumer, options: Options) -> Outcome:
        """What ``up`` would do."""
        async with self._with_packs():
            return await self._preview(await self._base(), emit, options)

    async def preview_destroy(self, emit: Consumer, options: Options) -> Outcome:
        """What ``destroy`` would do."""
        return await self._look(DESTROY, await self._base(), emit, options)

    async def preview_refresh(self, emit: Consumer, options: Options) -> Outcome:
        """How what exists differs from the state."""
        return await self._look(REFRESH, await self._base(), emit, options)

    def plan_text(self, outcome: Outcome, options: Options) -> str:
        """The file of the plan that the last preview has made, as the CLI wrote it: secrets encrypted."""
        return self._plan_text

    async def _preview(self, base: Snapshot, emit: Consumer, options: Options) -> Outcome:
        return await self._run(Asked(("preview",), judged=True, preview=True), base, emit, options)

    async def _look(self, asked: Asked, base: Snapshot, emit: Consumer, options: Options) -> Outcome:
        look = replace(asked, arguments=(*asked.arguments, "--preview-only"), preview=True)
        return await self._run(look, base, emit, options)

    # Changing

    async def up(self, emit: Consumer, options: Options, agree: Agree) -> Outcome:
        """Bring the stack to what the program declares; ``agree`` sees the preview and may say no."""
        async with self._with_packs():
            if not await self._made():
                return _CANCELLED
            base = await self._base()
            apply = Asked(("up", *GO), judged=True)
            if options.skip_preview:
                return await self._run(apply, base, emit, options)
            reviewed = saved_plan_file.read(options.plan, _Opening(self.keyring)) if options.plan else None
            options = as_planned(reviewed, options) if reviewed else options
            preview = await self._preview(base, emit, options)
            # Where nothing differs the CLI is run all the same: what of a secret or an option differs, no event shows.
            if preview.result is not Result.SUCCEEDED:
                return preview
            if not agree(preview):
                return replace(preview, result=Result.CANCELLED)
            # Held to a plan the CLI previews once more, with that one's automatic names, before it does anything.
            apply = Asked(("up", "--yes"), judged=True, twice=True) if reviewed else apply
            return await self._run(apply, base, emit, options)

    async def destroy(self, emit: Consumer, options: Options, agree: Agree) -> Outcome:
        """Delete everything that the stack has."""
        return await self._agreed(DESTROY, emit, options, agree)

    async def refresh(self, emit: Consumer, options: Options, agree: Agree) -> Outcome:
        """Bring the state to what exists; nothing that exists is changed."""
        return await self._agreed(REFRESH, emit, options, agree)

    async def _agreed(self, asked: Asked, emit: Consumer, options: Options, agree: Agree) -> Outcome:
        base = await self._base()
        preview = await self._look(asked, base, emit, options)
        if preview.result is not Result.SUCCEEDED or not preview.plan.has_changes:
            return preview
        if not agree(preview):
            return replace(preview, result=Result.CANCELLED)
        return await self._run(replace(asked, arguments=(*asked.arguments, *GO)), base, emit, options)

    async def import_resources(
        self, request: Request, emit: Consumer, options: Options, agree: Agree, *, only_preview: bool = False,
        file: Path | None = None, factories: Mapping[str, ProviderFactory] | None = None,
    ) -> tuple[Outcome, Sequence[Declared]]:  # fmt: skip
        """Take what exists over into the state; nothing that exists is changed. Gives also what to declare of it.

        ``file`` names it already in the CLI's own form. ``factories`` make the providers that tell what of it a program
        has to say.
        """
        from engine.pulumi_cli import importing

        with tempfile.TemporaryDirectory(prefix="bedplate-") as name:
            if file is None:
                file = Path(name) / "resources.json"
                file.write_text(importing.file_of(request), encoding="utf-8")
            protect = "true" if all(one.protect for one in request.resources) else "false"
            given = ("--file", str(file.resolve()), "--generate-code=false", f"--protect={protect}")
            outcome, states = await self._import(Asked(("import", *given)), emit, options, agree, only_preview)
        if outcome.result is not Result.SUCCEEDED:
            return outcome, ()
        return outcome, importing.Sayings(factories or {}, states).of(request)

    async def _import(
        self, asked: Asked, emit: Consumer, options: Options, agree: Agree, only_preview: bool
    ) -> tuple[Outcome, Sequence[ResourceState]]:
        """The outcome, and what the stack has then, as far as anybody sees it."""
        if not only_preview and not await self._made():
            return _CANCELLED, ()
        base = await self._base()
        outcome = _of_resources(await self._look(asked, base, emit, options))
        states = [*base.resources, *(step.new for step in outcome.plan.steps if step.new is not None)]
        if outcome.result is not Result.SUCCEEDED or not outcome.plan.has_changes or only_preview:
            return outcome, states
        if not agree(outcome):
            return replace(outcome, result=Result.CANCELLED), ()
        done = _of_resources(await self._run(replace(asked, arguments=(*asked.arguments, *GO)), base, emit, options))
        # In clear: what kind of value a secret is decides how the code asks for it.
        known = await asyncio.to_thread(replace(self, in_clear=True).snapshot)
        return done, known.resources

    def cancel(self) -> None:
        """Stop starting things; the CLI finishes and saves what is in flight. For the first Ctrl-C."""
        if not self._cancelled and self._emit is not None:
            self._emit(Cancelled())
        if self._translation is not None:
            self._translation.stopping = True
        self._cancelled = True
        self.cli.interrupt()

    def abandon(self) -> None:
        """Stop at once; what is in flight stays pending. For the second Ctrl-C."""
        self.cli.end_now()
        if self.packs is not None:
            self.packs.kill()
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)

    # Parts

    @asynccontextmanager
    async def _with_packs(self) -> AsyncGenerator[None]:
        try:
            yield
        finally:
            if self.packs is not None:
                await self.packs.close()

    async def _base(self) -> Snapshot:
        """The stack before the run. In a thread, so that a Ctrl-C is heard while a backend takes its time."""
        return await asyncio.to_thread(self.snapshot)

    async def _made(self) -> bool:
        """See to it that the backend has the stack; whether it does."""
        try:
            await self._base()
        except NoSuchStack:
            self.project.require(self.stack)
            if not self.may_make(self.stack):
                return False
            await asyncio.to_thread(self.cli.ask, "stack", "init", self.stack, "--no-select", of_stack=False)
            self.keyring = replace(self.keyring, salt=self.project.salt(self.stack))
        return True

    async def _run(self, asked: Asked, base: Snapshot, emit: Consumer, options: Options) -> Outcome:
        """Run the CLI once. Raises PulumiError where it ends before it has begun."""
        started = time.monotonic()
        redactor = Redactor(
            [*self.configuration.values.values(), *([one.inputs, one.outputs] for one in base.resources)]
        )
        emit = self._emit = redactor.wrap(emit)
        findings = Findings()
        described = asyncio.create_task(self._described(asked))  # beside the CLI, which starts them for itself
        translation = self._translation = Translation(
            emit, Known(base), findings, preview=asked.preview, debug=options.debug, destroying=asked.destroying,
            refreshing=asked.refreshing,
        )  # fmt: skip
        with tempfile.TemporaryDirectory(prefix="bedplate-") as name:
            folder = self._folder = Path(name)
            arguments = [*asked.arguments, *asked.flags(options, self.message, self.packs, folder)]
            take = _PastPreview(translation) if asked.twice else translation.take
            try:
                ended = _CUT_SHORT if self._cancelled else await self.cli.follow(arguments, take, folder)
                findings.packs = None if self._cancelled else await described
            finally:
                described.cancel()
            if isinstance(take, _PastPreview):
                take.end()
            goals = goals_in(folder / PLAN)
            self._plan_text = _text_of(folder / PLAN)
        result = self._result(ended, translation, findings, emit)
        seconds = time.monotonic() - started
        translation.end({Result.CANCELLED: "cancelled"}.get(result, result_of(translation.summary)), seconds)
        return Outcome(result, translation.plan(base.outputs, goals), seconds, translation.counts)

    async def _described(self, asked: Asked) -> Sequence[PackInfo] | None:
        if self.packs is None or not asked.judged:
            return None
        if self._infos is None:
            config = self.configuration
            facts = StackFacts(self.project.name, self.stack, asked.preview, config.texts, config.secret_keys)
            self._infos = await self.packs.described(facts)
        return self._infos

    def _result(self, ended: Ended, translation: Translation, findings: Findings, emit: Consumer) -> Result:
        if ended.code == 0:
            return Result.SUCCEEDED
        if self._cancelled or result_of(translation.summary) == "cancelled":
            return Result.CANCELLED
        if not translation.began:
            raise of_output(ended.said, self.stack)
        if translation.violates:
            return Result.PLAN_VIOLATED
        if findings.refuses:
            return Result.REFUSED
        if translation.failed:
            return Result.RESOURCE_FAILED
        if not translation.errors:
            emit(Diagnostic(Severity.ERROR, str(of_output(ended.said, self.stack))))
        return Result.PROGRAM_FAILED


def _of_resources(outcome: Outcome) -> Outcome:
    """Of a run without a program: what fails there fails at a resource."""
    return replace(outcome, result=Result.RESOURCE_FAILED) if outcome.result is Result.PROGRAM_FAILED else outcome


_CUT_SHORT: Final = Ended(-int(signal.SIGINT), "")  # cancelled before it was started


class _PastPreview:
    """Hands on the events that follow a preview which has succeeded, or, where it has not, the preview's own."""

    def __init__(self, translation: Translation) -> None:
        self._translation = translation
        self._held: list[Mapping[str, Any]] = []
        self._past = False

    def __call__(self, event: Mapping[str, Any]) -> None:
        if self._past:
            self._translation.take(event)
            return
        self._held.append(event)
        summary = event.get("summaryEvent")
        self._past = isinstance(summary, dict) and result_of(summary) == "succeeded"

    def end(self) -> None:
        """The CLI has ended."""
        if not self._past:
            self._translation.only_looks()
            for event in self._held:
                self._translation.take(event)


class _Opening(SecretCodec):
    """Opens what a passphrase at hand opens; what somebody else keeps the key of stays what it is: a secret."""

    def open(self, ciphertext: str) -> str:
        try:
            return super().open(ciphertext)
        except (SecretsUnsupported, WrongPassphrase):
            return BLINDED


def _text_of(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.is_file() else ""
