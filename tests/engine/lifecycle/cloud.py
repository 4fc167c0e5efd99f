"""A cloud in memory and its provider, package ``test``: strict about order, and failing where a test says so.

Types: ``Thing`` is replaced when ``key`` changes, ``Named`` likewise but must be deleted before it is replaced,
``Other`` behaves as ``Thing``. Outputs echo the inputs and add ``arn`` (known once created) and ``version`` (how often
it was written). The provider's own configuration is replaced when ``region`` changes.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from engine import urn as urns
from engine.differ import property_changes
from engine.paths import join
from engine.providers.base import (
    Checked,
    CheckFailure,
    Created,
    Diff,
    DiffKind,
    Found,
    Invoked,
    OperationUncertain,
    PartialFailure,
    ProviderError,
    unchanged,
)
from engine.providers.notes import note, waits
from engine.values import UNKNOWN, Properties, Secret, Value, walk

TYPES: Final = ("test:index:Thing", "test:index:Named", "test:index:Other")


@dataclass
class Live:
    """Something that exists in the cloud."""

    urn: str
    type: str
    inputs: Properties
    token: str = ""
    version: int = 1

    @property
    def name(self) -> str:
        return urns.name_of(self.urn)


@dataclass(frozen=True)
class Call:
    """One change asked of the cloud: ``create``, ``update`` or ``delete`` of a resource by its name."""

    verb: str
    name: str
    id: str = ""
    region: str = ""

    def __str__(self) -> str:
        return f"{self.verb} {self.name}"


@dataclass
class Cloud:
    """What exists, what was asked, and which operations go wrong.

    ``faults`` maps ``"create a"`` to how it goes wrong: ``fail`` (nothing happened), ``partial`` (it exists and isn't
    ready), ``lost`` (it happened, the answer was lost), ``unsent`` (it may have happened, but did not), ``break`` (the
    provider itself breaks); ``fail fail ok``, say, is how the first, the second and all later attempts go. ``gates``
    hold an operation until its event is set. ``wrongs`` are what no real cloud would take: a reference to what does not
    exist, the deletion of what is still referred to (unless ``lenient``).
    """

    live: dict[str, Live] = field(default_factory=dict[str, Live])
    calls: list[Call] = field(default_factory=list[Call])
    faults: dict[str, str] = field(default_factory=dict[str, str])
    gates: dict[str, threading.Event] = field(default_factory=dict[str, threading.Event])
    wrongs: list[str] = field(default_factory=list[str])
    lenient: bool = False
    refuse_in_use: bool = True

    def __post_init__(self) -> None:
        self.lock = threading.RLock()
        self.begun: dict[str, threading.Event] = {}
        self.running = 0
        self.most_running = 0
        self._made = len(self.live)  # ids go on behind those that are there

    def hold(self, operation: str) -> threading.Event:
        """Let ``operation`` (``"create a"``) begin and not end before the event is set."""
        self.begun[operation] = threading.Event()
        self.gates[operation] = threading.Event()
        return self.gates[operation]

    def enter(self, call: Call) -> str:
        """Log ``call``, wait at its gate and give the fault that it has ("" for none)."""
        operation = str(call)
        with self.lock:
            self.calls.append(call)
            self.running += 1
            self.most_running = max(self.most_running, self.running)
        if operation in self.gates:
            self.begun[operation].set()
            if not self.gates[operation].wait(60):
                raise ProviderError(f"{operation}: nobody opened its gate")
        with self.lock:
            self.running -= 1
        with self.lock:
            fault, _, later = self.faults.get(operation, "").partition(" ")
            if later:
                self.faults[operation] = later
        return "" if fault == "ok" else fault

    def make(self, urn: str, type_: str, inputs: Properties, token: str) -> str:
        with self.lock:
            self._made += 1
            id_ = f"{urns.name_of(urn)}-{self._made}"
            self._require(f"create {id_}", inputs)
            self.live[id_] = Live(urn, type_, inputs, token)
            return id_

    def change(self, id_: str, inputs: Properties) -> Live:
        with self.lock:
            live = self.live.get(id_)
            if live is None:
                raise ProviderError(f"{id_} does not exist")
            self._require(f"update {id_}", inputs)
            live.inputs = inputs
            live.version += 1
            return live

    def remove(self, id_: str) -> None:
        with self.lock:
            users = [other for other, live in self.live.items() if other != id_ and id_ in _ids(live.inputs)]
            if users and not self.lenient:
                self.wrongs.append(f"delete {id_}, which {', '.join(users)} refers to")
            self.live.pop(id_, None)
            for other in [other for other, live in self.live.items() if live.inputs.get("lives_in") == f"arn:{id_}"]:
                self.remove(other)

    def _require(self, what: str, inputs: Properties) -> None:
        missing = sorted(_ids(inputs) - set(self.live))
        if missing and not self.lenient:
            self.wrongs.append(f"{what} with a reference to {', '.join(missing)}")

    def outputs(self, id_: str) -> Properties:
        live = self.live[id_]
        return {**live.inputs, "arn": f"arn:{id_}", "version": live.version}

    def names(self) -> list[str]:
        """The names of what exists, sorted."""
        return sorted(live.name for live in self.live.values())


def _ids(value: Value) -> set[str]:
    """The ids that a value refers to, by their arn."""
    return {item.removeprefix("arn:") for item in walk(value) if isinstance(item, str) and item.startswith("arn:")}


class CloudProvider:
    """The provider of package ``test`` over one cloud."""

    def __init__(self, cloud: Cloud, *, in_process: bool = True) -> None:
        self.in_process = in_process
        self._cloud = cloud
        self._region = ""

    def knows(self, type_: str) -> bool:
        return type_ in TYPES

    def knows_function(self, token: str) -> bool:
        return token == "test:index:lookup"

    def check_config(self, news: Properties) -> Checked:
        if news.get("region") == "nowhere":
            return Checked(news, [CheckFailure("region", "there is no such region")])
        return Checked(news)

    def diff_config(self, olds: Properties, news: Properties) -> Diff:
        return _diff(olds, news, "region")

    def configure(self, inputs: Properties) -> None:
        self._region = str(inputs.get("region", ""))

    def check(self, urn: str, type_: str, olds: Properties | None, news: Properties, *, seed: str) -> Checked:
        if "bad" in news:
            return Checked(news, [CheckFailure("bad", f"is not allowed: {news['bad']}")])
        if news.get("autoname") is not True:
            return Checked(news)
        kept = (olds or {}).get("name")
        return Checked({**news, "name": news.get("name") or kept or f"{urns.name_of(urn)}-{seed[:7]}"})

    def diff(
        self, urn: str, type_: str, id: str, old_inputs: Properties, old_outputs: Properties, new_inputs: Properties
    ) -> Diff:
        diff = _diff(old_inputs, new_inputs, "key")
        return replace(diff, delete_before_replace=type_ == "test:index:Named")

    def create(self, urn: str, type_: str, inputs: Properties, *, timeout: float, preview: bool, token: str) -> Created:
        name = urns.name_of(urn)
        self._tell(inputs)
        if preview:
            return Created("", {**inputs, "arn": UNKNOWN, "version": UNKNOWN, **self._secret_output(inputs)})
        assert UNKNOWN not in list(walk(inputs)), f"{urn} is created with something unknown"
        fault = self._cloud.enter(Call("create", name, region=self._region))
        _fail_before(fault, f"create {name}", inputs)
        id_ = self._cloud.make(urn, type_, inputs, token)
        outputs = {**self._cloud.outputs(id_), **self._secret_output(inputs)}
        _fail_after(fault, f"create {name}", id_, outputs)
        return Created(id_, outputs)

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
        name = urns.name_of(urn)
        self._tell(new_inputs)
        if preview:
            return {**new_inputs, "arn": old_outputs["arn"], "version": UNKNOWN}
        assert UNKNOWN not in list(walk(new_inputs)), f"{urn} is updated with something unknown"
        fault = self._cloud.enter(Call("update", name, id, self._region))
        _fail_before(fault, f"update {name}", new_inputs)
        self._cloud.change(id, new_inputs)
        outputs = {**self._cloud.outputs(id), **self._secret_output(new_inputs)}
        _fail_after(fault, f"update {name}", id, outputs)
        return outputs

    def delete(self, urn: str, type_: str, id: str, inputs: Properties, outputs: Properties, *, timeout: float) -> None:
        name = urns.name_of(urn)
        fault = self._cloud.enter(Call("delete", name, id, self._region))
        _fail_before(fault, f"delete {name}", inputs)
        self._cloud.remove(id)
        _fail_after(fault, f"delete {name}", id, outputs)

    def read(self, urn: str, type_: str, id: str, inputs: Properties, outputs: Properties) -> Found | None:
        self._cloud.enter(Call("read", urns.name_of(urn), id, self._region))
        live = self._cloud.live.get(id)
        return None if live is None else Found(id, dict(live.inputs), self._cloud.outputs(id))

    def find(self, urn: str, type_: str, inputs: Properties, *, token: str, known_ids: frozenset[str]) -> Found | None:
        for id_, live in self._cloud.live.items():
            if live.token == token and id_ not in known_ids:
                return Found(id_, dict(live.inputs), self._cloud.outputs(id_))
        return None

    def invoke(self, token: str, args: Properties, *, preview: bool) -> Invoked:
        if args.get("name") == "nobody":
            return Invoked({}, [CheckFailure("name", "nobody has that name")])
        return Invoked({"name": args.get("name"), "region": self._region, "answer": 42})

    def cancel(self) -> None:
        """Nothing here takes time."""

    @staticmethod
    def _tell(inputs: Properties) -> None:
        if "noted" in inputs:
            note(str(inputs["noted"]))
        if "waitsFor" in inputs:
            waits(str(inputs["waitsFor"]))

    @staticmethod
    def _secret_output(inputs: Properties) -> Mapping[str, Value]:
        """A provider may say itself that an output is secret."""
        return {"password": Secret(f"pw-{inputs['makesPassword']}")} if "makesPassword" in inputs else {}


def _diff(olds: Properties, news: Properties, immutable: str) -> Diff:
    detailed: dict[str, DiffKind] = {}
    for change in property_changes(olds, news):
        replaces = change.path[0] == immutable
        detailed[join(change.path)] = DiffKind(f"{change.kind}-replace") if replaces else change.kind
    replaces = [immutable] if not unchanged(olds.get(immutable), news.get(immutable)) else []
    return Diff(changes=bool(detailed), detailed=detailed, replaces=replaces)


def _fail_before(fault: str, operation: str, inputs: Properties) -> None:
    if fault == "fail":
        raise ProviderError(f"{operation}: refused, given {inputs}")
    if fault == "unsent":
        raise OperationUncertain(f"{operation}: the connection broke")
    if fault == "break":
        raise ZeroDivisionError(operation)


def _fail_after(fault: str, operation: str, id_: str, outputs: Properties) -> None:
    if fault == "partial":
        raise PartialFailure(id_, outputs, [f"{operation}: not ready", "still booting"])
    if fault == "lost":
        raise OperationUncertain(f"{operation}: no answer came")
