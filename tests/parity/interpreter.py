"""Runs programs that are data against a resource monitor, one registration after the other, as the SDK makes them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, Protocol

from engine import urn as urns
from engine import wire
from engine.lookups import WHOLLY
from engine.protocol import alias_pb2, resource_pb2
from engine.values import UNKNOWN, Archive, Asset, Properties, ResourceRef, Secret, Value, has_unknown, secret
from tests.parity.callbacks import server
from tests.parity.programs import RESERVED, ROOT_NAME, Declaration, Run

_REFERENCE: Final = re.compile(r"\$\{([^.}]+)\.([^}]+)\}")


class Refused(Exception):
    """The monitor refused a call; ``stopping`` where it does not answer any more."""

    def __init__(self, message: str, *, stopping: bool) -> None:
        super().__init__(message)
        self.stopping = stopping


class ProgramRaised(Exception):
    """The program itself raises an error."""


class MonitorCalls(Protocol):
    """A resource monitor, wherever it is. Raises Refused."""

    async def call(self, method: str, request: Any) -> Any: ...


@dataclass(frozen=True)
class Answer:
    """What a declaration came to, as the program sees it."""

    urn: str = ""
    id: str = ""
    outputs: Properties = field(default_factory=dict[str, Value])
    unknown: bool = False
    custom: bool = True
    failed: bool = False


@dataclass
class Interpreter:
    """One pass over a program. ``answers`` has what each declaration was told."""

    monitor: MonitorCalls
    preview: bool
    answers: dict[str, Answer] = field(default_factory=dict[str, Answer])
    told: list[str] = field(default_factory=list[str])

    async def run(self, run: Run) -> None:
        self._children: dict[str, list[str]] = {}
        if run.transforms or run.hooks:
            self.told = server().begin(run, self)
        root = resource_pb2.RegisterResourceRequest(type=urns.STACK_TYPE, name=ROOT_NAME)
        self.answers[""] = _answer(await self.monitor.call("RegisterResource", root), custom=False)
        for name in run.stack_transforms:
            await self.monitor.call("RegisterStackTransform", server().named(name))
        for name in run.invoke_transforms:
            await self.monitor.call("RegisterStackInvokeTransform", server().named(name))
        for name, hook in run.hooks.items():
            await self.monitor.call(*server().hook(name, hook))
        for label, declaration in run.program.items():
            await self._declare(label, declaration)
        if run.raises:
            raise ProgramRaised("the program raises an error")
        outputs, _ = self._properties(run.outputs)
        await self._complete("", outputs)

    async def _declare(self, label: str, declaration: Declaration) -> None:
        kind = declaration.get("is", "Thing")
        if kind == "call":
            self.answers[label] = await self._invoke(declaration)
        elif kind == "outputs":
            given = {key: value for key, value in declaration.items() if key not in ("is", "of")}
            outputs, component = self._properties(given)[0], declaration["of"]
            await self._complete(component, outputs)
            self.answers[component] = replace(self.answers[component], outputs=outputs)
        elif "read" in declaration:
            self.answers[label] = await self._read(label, declaration)
        else:
            self.answers[label] = await self._register(label, declaration)

    async def _complete(self, label: str, outputs: Properties) -> None:
        urn = self.answers[label].urn
        request = resource_pb2.RegisterResourceOutputsRequest(urn=urn, outputs=wire.encode(outputs))
        await self.monitor.call("RegisterResourceOutputs", request)

    async def _invoke(self, declaration: Declaration) -> Answer:
        given = {key: value for key, value in declaration.items() if key not in ("is", "function", "options")}
        args, _ = self._properties(given)
        if has_unknown(args):  # as the SDK has it: what is unknown is not asked
            return Answer(unknown=True)
        options = declaration.get("options", {})
        request = resource_pb2.ResourceInvokeRequest(
            tok=f"test:index:{declaration['function']}", args=wire.encode(args), acceptResources=True,
            provider=self.provider_of(options.get("provider", "")), version=options.get("version", ""),
            pluginDownloadURL=options.get("plugin_download_url", ""), parent=self._parent(options),
            dependsOn=[self.urn_of(label) for label in options.get("depends_on", ())],
        )  # fmt: skip
        response = await self.monitor.call("Invoke", request)
        if response.unknown:
            return Answer(unknown=True)
        if response.failures:
            raise ProgramRaised("; ".join(failure.reason for failure in response.failures))
        outputs = wire.decode(getattr(response, "return"))
        outputs.pop(WHOLLY, None)  # as our program host has it: all members are unknown, as those that are missing are
        return Answer(outputs=outputs)

    def _parent(self, options: Mapping[str, Any]) -> str:
        return self.urn_of(options["parent"]) if "parent" in options else ""

    async def _read(self, label: str, declaration: Declaration) -> Answer:
        options = declaration.get("options", {})
        inputs, taken = self._properties(_inputs(declaration))
        taken_all = set[str]().union(*taken.values())
        id_ = self._value(declaration["read"], taken_all)
        request = resource_pb2.ReadResourceRequest(
            id=wire.UNKNOWN_STRING if id_ is UNKNOWN else str(id_), type=type_of(declaration),
            name=_name(label, declaration), parent=self.urn_of(options.get("parent", "")),
            properties=wire.encode(inputs), dependencies=sorted(taken_all | self._depended_on(options)),
            provider=self.provider_of(options.get("provider", "")),
            version=options.get("version", ""), additionalSecretOutputs=options.get("additional_secret_outputs", ()),
            acceptSecrets=True, acceptResources=True,
        )  # fmt: skip
        response = await self.monitor.call("ReadResource", request)
        # That it failed is not asked: an answer to a read has nothing of Pulumi's that could say so.
        known = "" if id_ is UNKNOWN else str(id_)  # as the SDK has it: the id is what was asked for
        return Answer(response.urn, known, wire.decode(response.properties), response.unknown)

    async def _register(self, label: str, declaration: Declaration) -> Answer:
        options = declaration.get("options", {})
        inputs, taken = self._properties(_inputs(declaration))
        type_ = type_of(declaration)
        custom = not type_.startswith("shop:")
        request = resource_pb2.RegisterResourceRequest(
            type=type_, name=_name(label, declaration), custom=custom, object=wire.encode(inputs),
            parent=self.urn_of(options.get("parent", "")),
            dependencies=sorted(self._depended_on(options).union(*taken.values())),
            propertyDependencies={
                key: resource_pb2.RegisterResourceRequest.PropertyDependencies(urns=sorted(urns_))
                for key, urns_ in taken.items()
            },
            acceptSecrets=True, acceptResources=True, supportsPartialValues=True, supportsResultReporting=True,
            aliasSpecs=True,
        )  # fmt: skip
        self._give_options(request, options)
        for transform in _listed(declaration.get("transform")):
            request.transforms.append(server().named(transform))
        answer = _answer(await self.monitor.call("RegisterResource", request), custom=custom)
        self._children.setdefault(options.get("parent", ""), []).append(label)
        return answer

    def _give_options(self, request: Any, options: Mapping[str, Any]) -> None:
        for option, value in options.items():
            match option:
                case "parent" | "depends_on":
                    continue
                case "provider":
                    request.provider = self.provider_of(value)
                case "providers":
                    request.providers.update({"test": self.provider_of(value)})
                case "aliases":
                    request.aliases.extend(self._alias(alias) for alias in value)
                case "deleted_with":
                    request.deletedWith = self.urn_of(value)
                case "replace_with":
                    request.replace_with.extend(self.urn_of(label) for label in value)
                case "replacement_trigger":
                    request.replacement_trigger.CopyFrom(wire.encode_value(self._value(value, set())))
                case "delete_before_replace":
                    request.deleteBeforeReplace, request.deleteBeforeReplaceDefined = value, True
                case "custom_timeouts":
                    request.customTimeouts.CopyFrom(resource_pb2.RegisterResourceRequest.CustomTimeouts(**value))
                case "hooks":
                    request.hooks.CopyFrom(resource_pb2.RegisterResourceRequest.ResourceHooksBinding(**value))
                case "import_":
                    request.importId = value
                case _:
                    _set(request, _FIELDS[option], value)

    def _alias(self, alias: Any) -> Any:
        """A URN, or the parts that differ; ``parent: null`` says that it had none but the stack."""
        if isinstance(alias, str):
            return alias_pb2.Alias(urn=alias)
        spec = alias_pb2.Alias.Spec(**{key: value for key, value in alias.items() if key != "parent"})
        if "parent" in alias:
            if alias["parent"] is None:
                spec.parentUrn = self.answers[""].urn
            elif str(alias["parent"]).startswith(urns.PREFIX):
                spec.parentUrn = alias["parent"]
            else:
                spec.parentUrn = self.urn_of(alias["parent"])
        return alias_pb2.Alias(spec=spec)

    def given(self, value: Any) -> tuple[Value, set[str]]:
        """What a value of the program stands for, and what it depends on."""
        taken: set[str] = set()
        return self._value(value, taken), taken

    def urn_of(self, label: str) -> str:
        return self.answers[label].urn

    def provider_of(self, label: str) -> str:
        if not label:
            return ""
        answer = self.answers[label]
        return f"{answer.urn}::{answer.id or wire.UNKNOWN_STRING}"

    def _depended_on(self, options: Mapping[str, Any]) -> set[str]:
        """What ``depends_on`` names; of a component all that is below it, as the SDK has it."""
        return {urn for label in options.get("depends_on", ()) for urn in self._expanded(label)}

    def _expanded(self, label: str) -> set[str]:
        below = set[str]().union(*(self._expanded(child) for child in self._children.get(label, ())))
        return below if not self.answers[label].custom else {self.answers[label].urn}

    def _properties(self, given: Mapping[str, Any]) -> tuple[Properties, dict[str, set[str]]]:
        taken: dict[str, set[str]] = {key: set() for key in given}
        return {key: self._value(value, taken[key]) for key, value in given.items()}, taken

    def _value(self, value: Any, taken: set[str]) -> Value:
        if isinstance(value, str):
            return self._text(value, taken)
        if isinstance(value, list):
            return [self._value(item, taken) for item in value]
        if isinstance(value, dict):
            return self._mapping(value, taken)
        return value

    def _text(self, text: str, taken: set[str]) -> Value:
        whole = _REFERENCE.fullmatch(text)
        if whole:
            return self._taken(whole, taken)
        parts = [self._taken(match, taken) for match in _REFERENCE.finditer(text)]
        plain = [part.value if isinstance(part, Secret) else part for part in parts]
        rest = iter(plain)
        joined = UNKNOWN if any(part is UNKNOWN for part in plain) else _REFERENCE.sub(lambda _: str(next(rest)), text)
        return secret(joined) if any(isinstance(part, Secret) for part in parts) else joined

    def _taken(self, match: re.Match[str], taken: set[str]) -> Value:
        answer = self.answers[match[1]]
        if answer.urn:
            taken.update(self._expanded(match[1]) if not answer.custom else {answer.urn})
        if match[2] == "urn":
            return answer.urn
        if match[2] == "id":
            return answer.id or UNKNOWN
        missing = UNKNOWN if self.preview or answer.failed or answer.unknown else None
        value: Value = answer.outputs
        for step in match[2].split("."):
            value = value.get(step, missing) if isinstance(value, dict) else missing
        return value

    def _mapping(self, value: dict[str, Any], taken: set[str]) -> Value:
        match value:
            case {"secret": inner}:
                return secret(self._value(inner, taken))
            case {"asset": str(text)}:
                return Asset(text=text)
            case {"file": str(path)}:
                return Asset(path=path)
            case {"archive": str(path)}:
                return Archive(path=path)
            case {"assets": dict(members)}:
                return Archive(assets={key: self._value(item, taken) for key, item in members.items()})
            case {"ref": str(label)}:
                answer = self.answers[label]
                taken.add(answer.urn)
                return ResourceRef(answer.urn, (answer.id or UNKNOWN) if answer.custom else None)
            case _:
                return {key: self._value(item, taken) for key, item in value.items()}


_FIELDS: Final = {
    "protect": "protect", "ignore_changes": "ignoreChanges", "replace_on_changes": "replaceOnChanges",
    "additional_secret_outputs": "additionalSecretOutputs", "retain_on_delete": "retainOnDelete", "version": "version",
    "hide_diffs": "hideDiffs", "plugin_download_url": "pluginDownloadURL", "env_var_mappings": "envVarMappings",
}  # fmt: skip


def type_of(declaration: Declaration) -> str:
    """A declaration's type token."""
    kind, _, detail = str(declaration.get("is", "Thing")).partition(":")
    if kind == "component":
        return f"shop:index:{detail or 'Part'}"
    return "pulumi:providers:test" if kind == "provider" else f"test:index:{kind}"


def _inputs(declaration: Declaration) -> Mapping[str, Any]:
    return {key: value for key, value in declaration.items() if key not in RESERVED}


def _name(label: str, declaration: Declaration) -> str:
    return str(declaration.get("named", label))


def _set(request: Any, name: str, value: Any) -> None:
    if isinstance(value, dict):
        getattr(request, name).update(value)
    elif isinstance(value, list):
        getattr(request, name).extend(value)
    else:
        setattr(request, name, value)


def _listed(value: Any) -> Sequence[Any]:
    return [] if value is None else value if isinstance(value, list) else [value]


def _answer(response: Any, *, custom: bool) -> Answer:
    if response.result != resource_pb2.Result.SUCCESS:  # failed or skipped: to a program that is the same
        return Answer(response.urn, custom=custom, failed=True)
    return Answer(response.urn, response.id, wire.decode(response.object), response.unknown, custom)
