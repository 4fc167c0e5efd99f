"""Asking one policy pack: a client of Pulumi's Analyzer protocol over the process that serves it.

Every call has a time limit. A pack that exceeds it is ended, because whoever asks next would wait behind it.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import grpc
from google.protobuf import empty_pb2

from engine.analyzer import messages
from engine.analyzer.config import reconciled
from engine.analyzer.environment import StackFacts, pack_environment
from engine.analyzer.errors import PackFailed, PackGone
from engine.analyzer.findings import Analysis, AnalyzedResource, PackInfo, PolicyConfig, Remediation
from engine.analyzer.line import CallFailed, Connection
from engine.analyzer.pack import PackFolder
from engine.analyzer.processes import OnLine, PackProcess, Processes
from engine.protocol import analyzer_pb2

_CANCEL_SECONDS: Final = 0.5
_UNIMPLEMENTED: Final = grpc.StatusCode.UNIMPLEMENTED


@dataclass(frozen=True)
class Limits:
    """How long a pack may take, in seconds: to start, for one resource, for the whole stack."""

    start: float = 60.0
    call: float = 60.0
    stack: float = 120.0


class Analyzer:
    """One pack that runs and can be asked. Its methods raise PackFailed; make one with ``started``."""

    def __init__(self, pack: PackFolder, process: PackProcess, connection: Connection, limits: Limits) -> None:
        self.pack = pack
        self.info = PackInfo(pack.label, pack.version, ())
        self.gone: PackGone | None = None  # why it cannot be asked any more
        self._process = process
        self._limits = limits
        self._connection = connection
        self._turn = asyncio.Lock()  # Pulumi asks a pack one thing at a time, and packs are written for that

    @property
    def name(self) -> str:
        return self.info.name

    async def prepare(
        self, stack: StackFacts, config: Mapping[str, PolicyConfig] | None = None, *, address: str = ""
    ) -> None:
        """Tell the pack who asks and about which stack, learn its policies, configure them. Raises BadConfig, too."""
        folder = str(self.pack.folder)
        handshake = analyzer_pb2.AnalyzerHandshakeRequest(
            engine_address=address, root_directory=folder, program_directory=folder
        )
        await self._call("Handshake", handshake, self._limits.start, optional=True)
        configure = analyzer_pb2.AnalyzerStackConfigureRequest(
            stack=stack.stack, project=stack.project, organization=stack.organization, dry_run=stack.preview,
            config_secret_keys=stack.secret_keys, config=stack.config, tags=stack.tags,
        )  # fmt: skip
        await self._call("ConfigureStack", configure, self._limits.call, optional=True)
        info = await self._call("GetAnalyzerInfo", empty_pb2.Empty(), self._limits.call)
        self.info = messages.info_of(info, self.pack)
        await self.configure(config or {})

    async def configure(self, config: Mapping[str, PolicyConfig]) -> None:
        """Configure the policies: what ``config`` says over what the pack brings along. Raises BadConfig."""
        complete = reconciled(self.info, config)
        if not complete:
            return
        await self._call("Configure", messages.configure_request(complete), self._limits.call)
        policies = [replace(policy, level=complete[policy.name].level or policy.level) for policy in self.info.policies]
        self.info = replace(self.info, policies=tuple(policies))

    async def analyze(self, resource: AnalyzedResource, request: analyzer_pb2.AnalyzeRequest | None = None) -> Analysis:
        """Judge one resource by its inputs; ``request`` is what says so, where there is one for several packs."""
        request = request or messages.analyze_request(resource)
        answer = await self._call("Analyze", request, self._limits.call, about=resource.urn)
        return messages.analysis_of(answer, self.info, resource.urn)

    async def remediate(self, resource: AnalyzedResource) -> Remediation:
        """Let the pack rewrite the inputs of one resource."""
        request = messages.analyze_request(resource, internal=True)
        answer = await self._call("Remediate", request, self._limits.call, about=resource.urn, optional=True)
        if answer is None:
            return Remediation()
        return messages.remediation_of(answer, self.info, resource.urn, resource.properties)

    async def analyze_stack(
        self, resources: Sequence[AnalyzedResource], request: analyzer_pb2.AnalyzeStackRequest | None = None
    ) -> Analysis:
        """Judge all resources of the stack by their outputs; ``request`` as for one."""
        request = request or messages.stack_request(resources)
        answer = await self._call("AnalyzeStack", request, self._limits.stack, about="the stack", optional=True)
        return Analysis() if answer is None else messages.analysis_of(answer, self.info, "")

    async def close(self) -> None:
        """Say goodbye, and end the pack; what it has started may go on until its processes are ended together."""
        if self.gone is None and not self._process.exited.done():
            with contextlib.suppress(CallFailed):
                await self._connection.call("Cancel", empty_pb2.Empty(), _CANCEL_SECONDS)
        self._process.kill()
        await self._connection.close()

    async def _call(self, method: str, request: Any, seconds: float, *, about: str = "", optional: bool = False) -> Any:
        """One call; None where the pack does not know an ``optional`` one."""
        doing = f"{method} of {about}" if about else method
        async with self._turn:
            if self.gone is not None:
                raise self.gone
            try:
                return await self._connection.call(method, request, seconds)
            except CallFailed as error:
                if optional and error.code is _UNIMPLEMENTED:
                    return None
                raise await self._failure(error, doing, seconds) from error

    async def _failure(self, error: CallFailed, doing: str, seconds: float) -> PackFailed:
        code, details = error.code, error.details.strip()
        if code is grpc.StatusCode.DEADLINE_EXCEEDED:
            self.gone = PackGone(
                f"did not answer {doing} within {seconds:g} s and was ended: nothing else is judged by it"
                f"{self._process.printed()}"
            )
            self._process.kill()
            return self.gone
        if code is grpc.StatusCode.UNAVAILABLE:
            self.gone = PackGone(f"broke off in {doing}: {await self._process.end_told()}")
            return self.gone
        if code is _UNIMPLEMENTED:
            return PackFailed(f"does not know {doing}: is it a policy pack?")
        said = details.removeprefix("Exception calling application: ") or code.name
        return PackFailed(f"raised in {doing}: {said}")


@asynccontextmanager
async def started(
    folder: Path,
    stack: StackFacts,
    config: Mapping[str, PolicyConfig] | None = None,
    *,
    processes: Processes | None = None,
    environment: Mapping[str, str] | None = None,
    limits: Limits | None = None,
    on_line: OnLine = lambda _line: None,
) -> AsyncGenerator[Analyzer]:
    """The pack in ``folder``, started and ready to be asked; ended when the context is left. Raises PolicyError.

    ``processes`` is for those who start several packs: they share its host, and end them together.
    """
    own = Processes() if processes is None else None
    try:
        analyzer = await start(
            PackFolder.load(folder), stack, config, processes or own or Processes(), environment, limits, on_line
        )
        try:
            yield analyzer
        finally:
            await analyzer.close()
    finally:
        if own is not None:
            await own.close()


async def start(
    pack: PackFolder,
    stack: StackFacts,
    config: Mapping[str, PolicyConfig] | None,
    processes: Processes,
    environment: Mapping[str, str] | None = None,
    limits: Limits | None = None,
    on_line: OnLine = lambda _line: None,
    address: str = "127.0.0.1:0",
) -> Analyzer:
    """Start a pack and prepare it; ``address`` is where an engine listens, which packs in Python do not ask."""
    limits = limits or Limits()
    process = await processes.start(pack, pack_environment(stack, environment), address, on_line)
    analyzer = Analyzer(pack, process, await process.connected(limits.start), limits)
    try:
        await analyzer.prepare(stack, config, address=address)
    except BaseException:
        process.kill()
        await analyzer.close()
        raise
    return analyzer
