"""Packs that tests write, served in this process by the SDK's servicer: with our readings, or by the SDK's own code."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import pytest
from google.protobuf import empty_pb2, json_format, struct_pb2
from pulumi.runtime.proto import analyzer_pb2 as wire
from pulumi_policy import EnforcementLevel

from policies.kit import Pack
from policies.kit.packs import Judge
from policies.kit.serving import SDK, Served
from policies.kit.session import Session
from policies.kit.settings import parse

TODAY = date(2026, 11, 26)
UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"


def secret(value: Any) -> dict[str, Any]:
    """A secret on the wire."""
    return {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", "value": value}


def pack_of(*judges: Judge, name: str = "shop", keeps_settings: bool = False, **declared: Any) -> Pack:
    """A pack with these rules over resources of type ``shop:thing``, each called as its function, with hyphens."""
    pack = Pack(name, title="Shop", description="What the shop wants.", keeps_settings=keeps_settings)
    for judge in judges:
        known: dict[str, Any] = {
            "number": 1,
            "title": "Things are fine",
            "severity": "high",
            "fix": "Mend it.",
            "types": ("shop:thing",),
        }
        pack.rule(judge.__name__.replace("_", "-"), **{**known, **declared})(judge)
    return pack


@dataclass(frozen=True)
class Said:
    """A finding, as the engine hears of it; ``name`` is the resource's, "" for the stack."""

    policy: str
    level: str
    name: str
    message: str


@dataclass(frozen=True)
class Serving:
    """A pack that is served, and asked as the engine asks it."""

    served: Served
    servicer: Any

    def analyze(self, properties: Mapping[str, Any], name: str = "it", token: str = "shop:thing") -> list[Said]:
        return _said(self.servicer.Analyze(request(properties, name, token), None))

    def analyze_stack(self, resources: Sequence[wire.AnalyzerResource] = ()) -> list[Said]:
        return _said(self.servicer.AnalyzeStack(wire.AnalyzeStackRequest(resources=resources), None))

    def remediate(self, properties: Mapping[str, Any], name: str = "it") -> dict[str, Any] | None:
        """The properties as they come back, None where nothing was mended."""
        answer = self.servicer.Remediate(request(properties, name, "shop:thing"), None)
        assert all(not one.diagnostic for one in answer.remediations)
        return json_format.MessageToDict(answer.remediations[-1].properties) if answer.remediations else None

    def info(self) -> wire.AnalyzerInfo:
        return self.servicer.GetAnalyzerInfo(empty_pb2.Empty(), None)

    def configure(self, policy: str, level: str, **properties: Any) -> None:
        config = wire.PolicyConfig(enforcementLevel=wire.EnforcementLevel.Value(level), properties=_struct(properties))
        self.servicer.Configure(wire.ConfigureAnalyzerRequest(policyConfig={policy: config}), None)


Serve = Callable[..., Serving]


def serving_with(monkeypatch: pytest.MonkeyPatch, *, ours: bool) -> Serve:
    """Serves packs until the test ends; ``ours`` with the kit's readings, else by the SDK's own code."""
    original = SDK._PolicyAnalyzerServicer

    def serve(pack: Pack, settings: Any = None, today: date = TODAY) -> Serving:
        served = Served(Session(pack, parse(settings), today))
        served.resettle()
        # Put back after the test, and before the next pack.
        monkeypatch.setattr(SDK, "_PolicyAnalyzerServicer", original)
        if ours:
            assert served.install()
        servicer = SDK._PolicyAnalyzerServicer(
            pack.name, "1.0", served.policies, EnforcementLevel.MANDATORY, served.config
        )
        return Serving(served, servicer)

    return serve


def request(properties: Mapping[str, Any], name: str, token: str) -> wire.AnalyzeRequest:
    return wire.AnalyzeRequest(type=token, urn=urn(name, token), name=name, properties=_struct(properties))


def resource(
    properties: Mapping[str, Any],
    name: str = "it",
    token: str = "shop:thing",
    depends_on: Mapping[str, Sequence[str]] | None = None,
) -> wire.AnalyzerResource:
    """A resource of a stack; ``depends_on`` holds the URNs that its properties come from."""
    dependencies = {key: wire.AnalyzerPropertyDependencies(urns=urns) for key, urns in (depends_on or {}).items()}
    return wire.AnalyzerResource(
        type=token, urn=urn(name, token), name=name, properties=_struct(properties), propertyDependencies=dependencies
    )


def urn(name: str, token: str = "shop:thing") -> str:
    return f"urn:pulumi:dev::shop::{token}::{name}"


def _said(answer: Any) -> list[Said]:
    return list(_findings(answer.diagnostics))


def _findings(diagnostics: Any) -> Iterator[Said]:
    for one in diagnostics:
        level = wire.EnforcementLevel.Name(one.enforcementLevel).lower()
        message = one.message.removeprefix(one.description).strip()
        yield Said(one.policyName, level, one.urn.rpartition("::")[2], message)


def _struct(content: Mapping[str, Any]) -> struct_pb2.Struct:
    struct = struct_pb2.Struct()
    struct.update(dict(content))
    return struct
