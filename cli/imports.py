"""Importing from the command line: what was asked for, the run, and the code to paste."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from cli import sandboxes, whole_files
from cli.exits import UsageError
from cli.requests.importing import Importing
from cli.requests.manner import Output
from cli.runs import Agree, Command, prepared
from cli.views.lines import Line, Style
from engine import urn as urns
from engine.events import Consumer
from engine.importing.arguments import of_arguments
from engine.importing.code import Declared, Program, program_of
from engine.importing.files import of_file
from engine.importing.wanted import Request
from engine.pulumi_cli.session import CliSession
from engine.pulumi_cli.state import Untouched
from engine.run import Options, Outcome, Result
from engine.sandbox.providers import PACKAGES, factories
from engine.session import Session
from engine.stack_session import StackSession


def run(request: Importing) -> int:
    """Do what ``request`` asks for; returns the exit code."""
    request = _settled(request)
    command = prepared(_Import, "import", request)
    session = command.session
    command.wanted = wanted = _wanted(request, session)
    ours = isinstance(session, Session)
    if ours and command.sandbox is None and any(urns.package_of(one.type) in PACKAGES for one in wanted.resources):
        raise sandboxes.missing(session.project.root, request.sandbox)
    return command.run(command.go)


@dataclass
class _Import(Command):
    """The command while it runs. ``declared`` is what came of it."""

    wanted: Request = field(default_factory=lambda: Request((), {}))
    declared: Sequence[Declared] = ()

    @property
    def asked(self) -> Importing:
        assert isinstance(self.request, Importing), "made with one"
        return self.request

    async def go(self, session: StackSession, emit: Consumer, options: Options, agree: Agree) -> Outcome:
        only_preview = self.asked.preview_only
        if isinstance(session, Session):
            done = session.import_resources(self.wanted, emit, options, agree, only_preview=only_preview)
        else:
            assert isinstance(session, CliSession), "there is no third engine"
            done = session.import_resources(
                self.wanted, emit, options, agree, only_preview=only_preview, file=self.asked.file,
                factories=factories(None, lambda: sandboxes.declared_kubernetes(session.project, session.stack)),
            )  # fmt: skip
        outcome, self.declared = await done
        return outcome

    @cached_property
    def program(self) -> Program:
        return program_of(self.wanted, self.declared, self._hints())

    def _hints(self) -> dict[str, str]:
        """In the platform's own project: which of its components would declare what was imported."""
        from cli import component_hints
        from stacks.settings.files import PROJECT

        if self.session.project.name != PROJECT:
            return {}
        return component_hints.notes({one.state.urn: one.state.type for one in self.declared})

    def _further(self, outcome: Outcome) -> dict[str, Any]:
        code = self._has_code(outcome)
        return {
            "code": self.program.text if code else None,
            "secrets": {key: one.urn for key, one in self.program.secrets.items()} if code else {},
            "withoutCode": self.program.left_out if code else [],
        }

    def _report(self, outcome: Outcome) -> int:
        code = super()._report(outcome)
        if self._has_code(outcome):
            self._give_code()
        elif self.asked.generate_code and self.declared and not self._in_python():
            runtime = self.session.project.runtime
            self.screen.tell(f"no code: the program is in {runtime}, and what is written here is Python")
        return code

    def _in_python(self) -> bool:
        return self.session.project.runtime == "python"

    def _has_code(self, outcome: Outcome) -> bool:
        wanted = self.asked.generate_code and self._in_python()
        return wanted and outcome.result is Result.SUCCEEDED and bool(self.declared)

    def _give_code(self) -> None:
        program, out = self.program, self.asked.out
        if out is not None:
            whole_files.write({out: program.text})
            self.screen.tell(f"the code is in {out}; put it into the program, or the next `up` takes it for deleted")
        elif self.request.output is Output.TEXT and program.text:
            self.screen.tell("\nput this into the program, or the next `up` takes it for deleted:\n", Style.STRONG)
            self.screen.show(Line().add(line) for line in program.text.splitlines())
        for urn in program.left_out:
            self.screen.tell(f"no code for {urns.name_of(urn)}: the SDK of {urns.type_of(urn)} is not installed here")
        self._tell_of_secrets(program)

    def _tell_of_secrets(self, program: Program) -> None:
        if not program.secrets:
            return
        stack = self.session.stack
        self.screen.tell("\nthe code reads secrets from the configuration; set each of them:")
        for key, needed in program.secrets.items():
            self.screen.tell(f"  bedplate config set {stack} --secret {key} VALUE")
            self.screen.tell(f"    its value: bedplate state show {stack} '{needed.urn}' --show-secrets", Style.DIM)


def _settled(request: Importing) -> Importing:
    """The request with what stands in another's place put right. Raises UsageError."""
    if request.stack and request.environment and request.environment != request.stack and request.id is None:
        # With --stack the first argument is the type.
        request = replace(
            request, environment=None, type=request.environment, name=request.type, id=request.name
        )  # fmt: skip
    if request.target or request.exclude:
        raise UsageError("`import` takes what it is told by name or in a file; --target and --exclude say nothing here")
    if request.file is not None:
        extra = [
            flag for flag, given in (
                ("TYPE", request.type), ("--parent", request.parent), ("--provider", request.provider),
                ("--properties", request.properties),
            ) if given
        ]  # fmt: skip
        if extra:
            raise UsageError(f"with --file the file says everything; leave out {', '.join(extra)}")
    elif not (request.type and request.name and request.id):
        missing = [
            word for word, given in (("TYPE", request.type), ("NAME", request.name), ("ID", request.id)) if not given
        ]  # fmt: skip
        raise UsageError(
            f"what to import is not said: {' and '.join(missing)} missing, and no --file\n"
            "  such as `bedplate import dev aws:s3/bucket:Bucket media acme-media`"
        )
    return request


def _wanted(request: Importing, session: StackSession) -> Request:
    codec = session.store.codec if isinstance(session, Session) else Untouched()
    stack, project = session.stack, session.project.name
    if request.file is not None:
        return of_file(request.file, stack=stack, project=project, protect=request.protect, codec=codec)
    names = tuple(name for given in request.properties for name in given.split(",") if name)
    return of_arguments(
        request.type or "", request.name or "", request.id or "", stack=stack, project=project,
        parent=request.parent, provider=request.provider, protect=request.protect, properties=names,
    )  # fmt: skip
