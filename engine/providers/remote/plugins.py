"""All provider processes of one session: found, started, configured, kept between its runs, ended with it.

A process is configured once and then answers for one provider resource. What a preview has configured serves the apply
that follows it, where it is configured the same.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Container, Generator, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeAlias, TypeVar

from engine.events import Consumer, Diagnostic, Severity, from_any_thread
from engine.packages import Parameters
from engine.provider_registry import Wanted
from engine.providers.remote import versions
from engine.providers.remote.attached import VARIABLE, attached
from engine.providers.remote.finding import Surroundings, executable, how_to_get
from engine.values import Properties
from engine.wire import encode

if TYPE_CHECKING:  # most sessions have no such provider, and what talks to one takes its time to import
    from engine.providers.base import Provider
    from engine.providers.remote.connection import Connection
    from engine.providers.remote.engine_service import EngineService
    from engine.providers.remote.process import PluginProcess

DYNAMIC: Final = "pulumi-python"  # the package of resources whose provider is part of the program
# Whoever wants to change AWS through other plugins than our own provider has to attach them: this engine never does it
# by itself.
CHANGING_AWS: Final = frozenset({"aws", "aws-native", "aws-classic", "awsx", "eks"})
START_SECONDS: Final = 60.0
T = TypeVar("T")
# A package, its version, mapped variables, and what else it is made to serve.
_Kind: TypeAlias = tuple[str, str, tuple[tuple[str, str], ...], "Parameters | None"]
_Key: TypeAlias = tuple[str, _Kind, bytes]  # a provider resource, its plugin, its inputs


@dataclass
class _Pool:
    """The processes of one session."""

    idle: dict[_Kind, list[Connection]] = field(default_factory=dict[_Kind, "list[Connection]"])
    configured: dict[_Key, Future[Connection]] = field(default_factory=dict[_Key, "Future[Connection]"])
    answers: dict[tuple[str, _Key], Any] = field(default_factory=dict[tuple[str, _Key], Any])
    all: list[Connection] = field(default_factory=list["Connection"])


class Plugins:
    """The providers of one session that are other processes. Nothing is started before somebody asks for it."""

    def __init__(self, surroundings: Surroundings, start_seconds: float = START_SECONDS) -> None:
        self._surroundings = surroundings
        self._start_seconds = start_seconds
        self._pool = _Pool()
        self._lock = threading.Lock()
        self._starting: set[PluginProcess] = set()
        self._service: EngineService | None = None
        self._tell: Callable[[Diagnostic], None] = lambda _diagnostic: None
        self._found: dict[tuple[str, str], Path | None] = {}

    def listen(self, emit: Consumer) -> None:
        """From now on ``emit`` gets what plugins say, on the running event loop."""
        self._tell = from_any_thread(emit)

    def warn(self, message: str, urn: str) -> None:
        self._tell(Diagnostic(Severity.WARNING, message, urn))

    # What there is

    @property
    def ports(self) -> Mapping[str, int]:
        """Attached providers. Raises ProviderError where their variable is malformed."""
        return attached(self._surroundings.environment)

    def attached(self, package: str) -> bool:
        return package in self.ports

    def provides(self, wanted: Wanted) -> bool:
        """Whether there is a provider. Raises ProviderError where there is one that can't be run."""
        if self.attached(wanted.package) or wanted.package == DYNAMIC:
            return True
        return wanted.package not in CHANGING_AWS and self._executable(wanted) is not None

    def unheld(self, ours: Container[str]) -> list[str]:
        """Attached providers of what only a sandbox may change otherwise; ``ours`` are the packages that we provide."""
        return [package for package in self.ports if package in ours or package in CHANGING_AWS]

    def how_to_get(self, package: str, version: str = "") -> str:
        """What to do so that there is a provider of ``package``."""
        if package in CHANGING_AWS:
            return f"plugins that change AWS are used when you attach them: {VARIABLE}={package}:PORT"
        return how_to_get(package, version, self._surroundings.environment)

    def provider(self, wanted: Wanted) -> Provider:
        from engine.providers.remote.provider import RemoteProvider

        return RemoteProvider(wanted, self)

    def _executable(self, wanted: Wanted) -> Path | None:
        key = (wanted.package, wanted.version)
        if key not in self._found:
            self._found[key] = executable(wanted, self._surroundings.environment, self._surroundings.named)
        return self._found[key]

    # Processes

    @contextlib.contextmanager
    def unconfigured(self, wanted: Wanted) -> Generator[Connection]:
        """A process that nobody has configured, for as long as the block takes."""
        connection = self._take(wanted)
        try:
            yield connection
        finally:
            with self._lock:
                self._pool.idle.setdefault(_kind(wanted), []).append(connection)

    def configured(
        self, wanted: Wanted, inputs: Properties, configure: Callable[[Connection], None]
    ) -> Future[Connection]:
        """A process that is configured with ``inputs``; it is started and configured in a thread of its own."""
        key = _key(wanted, inputs)
        with self._lock:
            known = self._pool.configured.get(key)
            if known is not None and _usable(known):
                return known
            future: Future[Connection] = Future()
            self._pool.configured[key] = future
        thread = threading.Thread(target=self._configure, args=(wanted, configure, future), daemon=True)
        thread.start()
        return future

    def once(self, question: str, wanted: Wanted, about: Properties, ask: Callable[[], T]) -> T:
        """What is asked about a configuration is asked once: who answered in the preview has been configured since."""
        key = (question, _key(wanted, about))
        if key not in self._pool.answers:
            self._pool.answers[key] = ask()
        return self._pool.answers[key]

    def _configure(self, wanted: Wanted, configure: Callable[[Connection], None], future: Future[Connection]) -> None:
        try:
            connection = self._take(wanted)
            configure(connection)
        except BaseException as error:  # noqa: BLE001 - whoever waits for it gets it
            future.set_exception(error)
        else:
            future.set_result(connection)

    def _take(self, wanted: Wanted) -> Connection:
        with self._lock:
            idle = self._pool.idle.get(_kind(wanted), [])
            while idle:
                connection = idle.pop()
                if connection.alive:
                    return connection
        connection = self._opened(wanted)
        with self._lock:
            self._pool.all.append(connection)
        if wanted.parameters is not None:
            connection.serve(wanted.parameters)
        return connection

    def _opened(self, wanted: Wanted) -> Connection:
        from engine.providers.remote.connection import Connection, Greeting
        from engine.providers.remote.process import PluginProcess

        address = self._serving().address
        port = self.ports.get(wanted.package)
        if port is not None:
            who = f"the provider {wanted.package}, attached at port {port} by {VARIABLE},"
            return Connection(who, port, Greeting(address))
        path = None if wanted.package == DYNAMIC else self._executable(wanted)
        who = f"the plugin {path}" if path else "the provider of the program's dynamic resources"
        python = [str(self._surroundings.python), "-u", "-m", "pulumi.dynamic"]
        command = [str(path)] if path else python
        process = PluginProcess(
            who,
            [*command, address],
            self._surroundings.folder,
            self._environment(wanted),
            partial(self._heard, path is None),
        )
        with self._lock:
            self._starting.add(process)
        try:
            port = process.port(self._start_seconds)
            connection = Connection(who, port, Greeting(address, path.parent if path else None), process)
        except BaseException:
            process.close()
            raise
        finally:
            with self._lock:
                self._starting.discard(process)
        self._compare(wanted, connection)
        return connection

    def _compare(self, wanted: Wanted, connection: Connection) -> None:
        asked, there = versions.key(wanted.version), versions.key(connection.version)
        if asked is not None and there is not None and there < asked:
            text = f"{connection.who} is version {connection.version}, and the program asks for {wanted.version}"
            self.warn(f"{text}: what it cannot do yet will fail", wanted.urn)

    def _environment(self, wanted: Wanted) -> Mapping[str, str]:
        environment = {**self._surroundings.environment, "PULUMI_PROJECT": self._surroundings.name}
        for name in ("PULUMI_CONFIG_PASSPHRASE", "PULUMI_CONFIG_PASSPHRASE_FILE"):
            environment.pop(name, None)  # a plugin is given its configuration decrypted
        ours = self._surroundings.environment
        return environment | {theirs: ours[name] for name, theirs in wanted.mapped if name in ours}

    def _heard(self, dynamic: bool, line: str) -> None:
        """A program's own provider is heard as the program is; what others print is for debugging, or for their end."""
        self._tell(Diagnostic(Severity.INFO if dynamic else Severity.DEBUG, line))

    def _serving(self) -> EngineService:
        from engine.providers.remote.engine_service import EngineService

        with self._lock:
            if self._service is None:
                self._service = EngineService(lambda severity, text, urn: self._tell(Diagnostic(severity, text, urn)))
            return self._service

    # The end

    def cancel(self) -> None:
        """Tell every process that the run stops; those that are being started are ended."""
        with self._lock:
            starting, connections = list(self._starting), list(self._pool.all)
        for process in starting:
            process.ask_to_end()
        for connection in connections:
            connection.cancel()

    def close(self) -> None:
        """End every process and wait for that; attached ones are left alone."""
        with self._lock:
            connections, self._pool = self._pool.all, _Pool()
            service, self._service = self._service, None
        for connection in connections:
            connection.ask_to_end()
        for connection in connections:
            connection.close()
        if service is not None:
            service.close()


def _kind(wanted: Wanted) -> _Kind:
    """What one process has to be like to serve as another would."""
    return wanted.package, wanted.version, wanted.mapped, wanted.parameters


def _key(wanted: Wanted, inputs: Properties) -> _Key:
    return wanted.urn, _kind(wanted), encode(dict(sorted(inputs.items()))).SerializeToString(deterministic=True)


def _usable(known: Future[Connection]) -> bool:
    """Whether what is being configured, or is, can go on being used."""
    return not known.done() or (known.exception() is None and known.result().alive)
