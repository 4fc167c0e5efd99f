"""One provider of another process behind the interface that the engine knows.

It is configured when it is first asked for something: what goes wrong with it then is told of the resource that needs
it, as Pulumi's engine does, and nobody waits for it before.
"""

from __future__ import annotations

import copy
import hashlib
import json
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Any, Final, Protocol, TypeVar

from engine import urn as urns
from engine.goals import Goal, Method
from engine.protocol import provider_pb2
from engine.provider_registry import Wanted
from engine.providers.base import (
    Caller,
    CannotTell,
    Checked,
    CheckFailure,
    Created,
    Diff,
    Found,
    Invoked,
    PartialFailure,
    Provider,
    ProviderError,
    ResourceOptions,
    Returned,
    RunsPrograms,
    TakesMarks,
)
from engine.providers.remote.components import call_request, construct_request, returned
from engine.providers.remote.connection import ASK_SECONDS, Abilities, Connection
from engine.providers.remote.failures import Asked, Unimplemented, nonsense
from engine.providers.remote.values import NOTHING, all_known, difference, got, sent
from engine.values import Properties, has_unknown, marked_like, reveal

GRACE_SECONDS: Final = 5.0  # for a provider to tell itself that a timeout is over
_SEED_BYTES: Final = 32  # as many as Pulumi's engine gives

T = TypeVar("T")


class Connections(Protocol):
    """Where a provider's processes come from."""

    def unconfigured(self, wanted: Wanted) -> AbstractContextManager[Connection]:
        """One to ask about a configuration. Raises ProviderError."""
        ...

    def configured(
        self, wanted: Wanted, inputs: Properties, configure: Callable[[Connection], None]
    ) -> Future[Connection]:
        """One that ``configure`` has configured with ``inputs``, later."""
        ...

    def once(self, question: str, wanted: Wanted, about: Properties, ask: Callable[[], T]) -> T:
        """The answer to a ``question`` about a configuration; asked again in this session, the first one's."""
        ...

    def warn(self, message: str, urn: str) -> None:
        """Tell the user ``message`` of a resource."""
        ...


class RemoteProvider(TakesMarks, RunsPrograms):
    """The provider that ``wanted`` means, of ``connections``."""

    in_process = False

    def __init__(self, wanted: Wanted, connections: Connections) -> None:
        self._wanted = wanted
        self._connections = connections
        self._served = wanted.parameters.name if wanted.parameters else wanted.package
        self._type = urns.PROVIDER_TYPE_PREFIX + self._served
        self._configured: Future[Connection] | None = None  # None: its configuration is not all known yet
        self._ignored: Sequence[str] = ()
        self._read_seconds = 0.0

    def about(self, options: ResourceOptions) -> Provider:
        mine = copy.copy(self)
        mine._ignored = options.ignore_changes
        mine._read_seconds = options.custom_timeouts.read
        return mine

    def knows(self, type_: str) -> bool:
        return True  # only the process itself knows its types; it says so when it is asked

    def knows_function(self, token: str) -> bool:
        return True

    # The configuration

    def check_config(self, news: Properties) -> Checked:
        return self._connections.once("CheckConfig", self._wanted, news, lambda: self._check_config(news))

    def _check_config(self, news: Properties) -> Checked:
        request = provider_pb2.CheckRequest(
            urn=self._wanted.urn, name=_name(self._wanted.urn), type=self._type, news=sent(news, NOTHING)
        )
        with self._connections.unconfigured(self._wanted) as connection:
            try:
                answer = connection.ask("CheckConfig", request, seconds=ASK_SECONDS)
            except Unimplemented:
                return Checked(news)
            checked = _read(connection, "CheckConfig", lambda: got(answer.inputs, news, NOTHING))
        self._refuse_another_version(news, checked)
        inputs = {key: marked_like(value, news.get(key)) for key, value in checked.items()}
        return Checked(inputs, _failures(answer))

    def _refuse_another_version(self, news: Properties, checked: Properties) -> None:
        before, after = news.get("version"), checked.get("version")
        if before is not None and after not in (None, before):
            raise ProviderError(f"the provider {self._wanted.package} made version {after!r} of version {before!r}")

    def diff_config(self, olds: Properties, news: Properties) -> Diff:
        both = {"olds": olds, "news": news}
        return self._connections.once("DiffConfig", self._wanted, both, lambda: self._diff_config(olds, news))

    def _diff_config(self, olds: Properties, news: Properties) -> Diff:
        told = sent(olds, NOTHING)
        request = provider_pb2.DiffRequest(
            id=self._wanted.id, urn=self._wanted.urn, name=_name(self._wanted.urn), type=self._type, olds=told,
            old_inputs=told, news=sent(news, NOTHING),
        )  # fmt: skip
        with self._connections.unconfigured(self._wanted) as connection:
            try:
                answer = connection.ask("DiffConfig", request, seconds=ASK_SECONDS)
            except Unimplemented:
                answer = provider_pb2.DiffResponse()
            return _read(connection, "DiffConfig", lambda: difference(answer, olds, news))

    def configure(self, inputs: Properties) -> None:
        if all_known(inputs):
            self._configured = self._connections.configured(
                self._wanted, inputs, lambda connection: self._configure(connection, inputs)
            )

    def _configure(self, connection: Connection, inputs: Properties) -> None:
        request = provider_pb2.ConfigureRequest(
            args=sent(inputs, Abilities(secrets=True, resources=True)), variables=_variables(self._served, inputs),
            acceptSecrets=True, acceptResources=True, sends_old_inputs=True, sends_old_inputs_to_delete=True,
            id=self._wanted.id, urn=self._wanted.urn, name=_name(self._wanted.urn), type=self._type,
        )  # fmt: skip
        answer = connection.ask("Configure", request, seconds=ASK_SECONDS)
        if connection.abilities is None:
            connection.abilities = Abilities(
                answer.acceptSecrets, answer.acceptResources, answer.supportsPreview, answer.acceptOutputs
            )

    def _ready(self) -> Connection | None:
        """The configured process; None while its configuration is not all known. Raises ProviderError."""
        return None if self._configured is None else self._configured.result()

    # Resources

    def check(self, urn: str, type_: str, olds: Properties | None, news: Properties, *, seed: str) -> Checked:
        connection = self._ready()
        if connection is None:
            return Checked(news)
        able = _abilities(connection)
        request = provider_pb2.CheckRequest(
            urn=urn, name=_name(urn), type=type_, olds=sent(olds or {}, able), news=sent(news, able),
            randomSeed=_seed(seed),
        )  # fmt: skip
        answer = connection.ask("Check", request, seconds=ASK_SECONDS)
        return Checked(_read(connection, "Check", lambda: got(answer.inputs, news, able)), _failures(answer))

    def diff(
        self, urn: str, type_: str, id: str, old_inputs: Properties, old_outputs: Properties, new_inputs: Properties
    ) -> Diff:
        connection = self._ready()
        if connection is None:
            self._connections.warn(
                "its provider's configuration is not all known yet: this preview may not be what an apply does", urn
            )
            return Diff(changes=True)
        able = _abilities(connection)
        request = provider_pb2.DiffRequest(
            id=id, urn=urn, name=_name(urn), type=type_, old_inputs=sent(old_inputs, able),
            olds=sent(old_outputs, able), news=sent(new_inputs, able), ignoreChanges=self._ignored,
        )  # fmt: skip
        answer = connection.ask("Diff", request, seconds=ASK_SECONDS)
        return _read(connection, "Diff", lambda: difference(answer, old_inputs, new_inputs))

    def create(self, urn: str, type_: str, inputs: Properties, *, timeout: float, preview: bool, token: str) -> Created:
        connection = self._ready()
        if connection is None:
            return Created("", {})
        able = _abilities(connection)
        if preview and not able.previews:
            return Created("", inputs)
        request = provider_pb2.CreateRequest(
            urn=urn, name=_name(urn), type=type_, properties=sent(inputs, able), timeout=timeout, preview=preview
        )
        try:
            answer = _change(connection, "Create", request, timeout, preview=preview)
        except PartialFailure as failure:
            raise _marked(failure, inputs, able) from failure
        outputs = _read(connection, "Create", lambda: got(answer.properties, inputs, able), changes=not preview)
        if preview:
            return Created("", outputs)
        if not answer.id:
            raise nonsense(Asked(connection.who, "Create", changes=True), "it gave no id")
        _refuse_unknowns(connection, answer.id, outputs)
        return Created(answer.id, outputs)

    def update(
        self,
        urn: str,
        type_: str,
        id: str,
        old_inputs: Properties,
        old_outputs: Properties,
        new_inputs: Properties,
        *,
        timeout: float,
        preview: bool,
    ) -> Properties:
        connection = self._ready()
        if connection is None:
            return {}
        able = _abilities(connection)
        if preview and not able.previews:
            return new_inputs
        request = provider_pb2.UpdateRequest(
            id=id, urn=urn, name=_name(urn), type=type_, old_inputs=sent(old_inputs, able),
            olds=sent(old_outputs, able), news=sent(new_inputs, able), timeout=timeout, preview=preview,
            ignoreChanges=self._ignored,
        )  # fmt: skip
        try:
            answer = _change(connection, "Update", request, timeout, preview=preview)
        except PartialFailure as failure:
            failure.id = id
            raise _marked(failure, new_inputs, able) from failure
        outputs = _read(connection, "Update", lambda: got(answer.properties, new_inputs, able), changes=not preview)
        if not preview:
            _refuse_unknowns(connection, id, outputs)
        return outputs

    def delete(self, urn: str, type_: str, id: str, inputs: Properties, outputs: Properties, *, timeout: float) -> None:
        connection = self._required()
        able = _abilities(connection)
        request = provider_pb2.DeleteRequest(
            id=id, urn=urn, name=_name(urn), type=type_, old_inputs=sent(inputs, able),
            properties=sent(outputs, able), timeout=timeout,
        )  # fmt: skip
        _change(connection, "Delete", request, timeout, preview=False)

    def read(self, urn: str, type_: str, id: str, inputs: Properties, outputs: Properties) -> Found | None:
        connection = self._ready()
        if connection is None:
            return Found(id, inputs, {})
        able = _abilities(connection)
        request = provider_pb2.ReadRequest(
            id=id, urn=urn, name=_name(urn), type=type_, properties=sent(outputs, able),
            inputs=sent(inputs, able) if inputs else None, timeout=self._read_seconds,
        )  # fmt: skip
        try:
            answer = connection.ask("Read", request, seconds=_limit(self._read_seconds))
        except PartialFailure as failure:
            failure.id = failure.id or id
            raise _marked(failure, {**inputs, **outputs}, able) from failure
        if not answer.HasField("properties"):
            return None
        found = _read(connection, "Read", lambda: got(answer.properties, {**inputs, **outputs}, able))
        known = _read(connection, "Read", lambda: got(answer.inputs, inputs, able))
        return Found(answer.id or id, known if answer.HasField("inputs") else inputs, found)

    def find(self, urn: str, type_: str, inputs: Properties, *, token: str, known_ids: frozenset[str]) -> Found | None:
        raise CannotTell(
            f"whether {type_} {_name(urn)!r} was created before that run ended, no provider of Pulumi's can say: look "
            "for it; if it exists, take it over with `import_`, else it is created anew"
        )

    def invoke(self, token: str, args: Properties, *, preview: bool) -> Invoked:
        if has_unknown(args):
            return Invoked({}, unknown=True)
        connection = self._ready()
        if connection is None:
            return Invoked({}, unknown=True)
        able = _abilities(connection)
        request = provider_pb2.InvokeRequest(tok=token, args=sent(args, able), preview=preview)
        answer = connection.ask("Invoke", request)
        result = _read(connection, "Invoke", lambda: got(getattr(answer, "return"), {}, able))
        return Invoked(result, _failures(answer))

    # Programs of its own

    def construct(self, goal: Goal, caller: Caller) -> Returned | None:
        connection = self._ready()
        if connection is None:
            return None
        able = _abilities(connection)
        if not able.secrets:
            raise ProviderError(
                f"{connection.who} takes no secrets, and so may construct no components: take a newer version of it"
            )
        answer = connection.ask("Construct", construct_request(goal, caller, able))
        made = _read(connection, "Construct", lambda: returned(answer.state, answer.stateDependencies))
        if not answer.urn:
            raise nonsense(Asked(connection.who, "Construct"), "it gave no URN")
        return replace(made, urn=answer.urn)

    def call(self, method: Method, caller: Caller) -> Returned | None:
        connection = self._ready()
        if connection is None:
            return None
        answer = connection.ask("Call", call_request(method, caller, _abilities(connection)))
        said = _read(connection, "Call", lambda: returned(getattr(answer, "return"), answer.returnDependencies))
        return replace(said, failures=_failures(answer))

    def cancel(self) -> None:
        """Whoever has its process tells that, configured or not."""

    def _required(self) -> Connection:
        connection = self._ready()
        if connection is None:
            raise ProviderError(
                f"the provider {self._wanted.package} cannot change anything before its configuration is all known"
            )
        return connection


def _name(urn: str) -> str:
    return urns.name_of(urn) if urn else ""


def _variables(package: str, inputs: Properties) -> dict[str, str]:
    """The configuration as providers of the first days read it: texts by their full keys."""
    plain = {key: value for key, value in reveal(inputs).items() if key != "version"}
    return {
        f"{package}:config:{key}": value if isinstance(value, str) else json.dumps(value, default=str)
        for key, value in plain.items()
    }


def _abilities(connection: Connection) -> Abilities:
    return connection.abilities or NOTHING


def _limit(seconds: float) -> float | None:
    return seconds + GRACE_SECONDS if seconds else None


def _change(connection: Connection, method: str, request: Any, timeout: float, *, preview: bool) -> Any:
    """Have something changed, or in a preview be told what would come of it."""
    if preview:
        return connection.ask(method, request, seconds=ASK_SECONDS)
    return connection.ask(method, request, seconds=_limit(timeout), changes=True)


def _read(connection: Connection, method: str, reading: Callable[[], T], *, changes: bool = False) -> T:
    """What ``reading`` makes of an answer."""
    try:
        return reading()
    except (ValueError, TypeError, KeyError) as error:
        raise nonsense(Asked(connection.who, method, changes), str(error)) from error


def _refuse_unknowns(connection: Connection, id: str, outputs: Properties) -> None:
    """What exists has no unknown properties: it is kept without them, as something that is not ready."""
    if has_unknown(outputs):
        known = {key: value for key, value in outputs.items() if not has_unknown(value)}
        missing = ", ".join(sorted(set(outputs) - set(known)))
        raise PartialFailure(id, known, [f"{connection.who} answered with values that are not known: {missing}"])


def _marked(failure: PartialFailure, inputs: Properties, able: Abilities) -> PartialFailure:
    if not able.secrets:
        failure.outputs = {key: marked_like(value, inputs.get(key)) for key, value in failure.outputs.items()}
    return failure


def _failures(answer: Any) -> list[CheckFailure]:
    return [CheckFailure(each.property, each.reason) for each in answer.failures]


def _seed(text: str) -> bytes:
    """As many bytes as providers are used to, the first of which ``text`` has in hex."""
    seed = bytes.fromhex(text)
    return (seed + hashlib.sha256(seed).digest())[: max(_SEED_BYTES, len(seed))]
