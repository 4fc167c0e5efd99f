"""How packs are served: the SDK still has what the kit rests on, and packs answer as Pulumi starts them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Generator, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf import empty_pb2
from pulumi.runtime.proto import analyzer_pb2 as wire
from pulumi.runtime.proto.analyzer_pb2_grpc import AnalyzerStub

from policies.kit import Resource, Stack, requests
from policies.kit.serving import SDK, Served
from policies.kit.session import Session
from tests.policies.kit_packs import UNKNOWN, Serve, pack_of, request, resource

POLICIES = Path(__file__).parents[2] / "policies"


def fine(thing: Resource) -> Iterator[str]:
    yield from ()


def test_the_locked_sdk_has_the_shape_that_the_kit_rests_on(serve_ours: Serve) -> None:
    assert serve_ours(pack_of(fine)), "read pulumi_policy/policy.py, then adapt policies/kit/serving.py and servicer.py"


def test_an_sdk_of_another_shape_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    class Other:
        """A servicer that lacks what ours overrides."""

    monkeypatch.setattr(SDK, "_PolicyAnalyzerServicer", Other)
    assert not Served(Session(pack_of(fine))).install()
    assert SDK._PolicyAnalyzerServicer is Other
    monkeypatch.delattr(SDK, "_PolicyAnalyzerServicer")
    assert not Served(Session(pack_of(fine))).install()


def test_only_the_policies_that_concern_a_type_are_run_and_a_resource_is_read_once(
    serve_ours: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads: list[Any] = []
    read = requests.plain

    def counted(struct: Any) -> dict[str, Any]:
        reads.append(struct)
        return read(struct)

    monkeypatch.setattr(requests, "plain", counted)
    judged: list[str] = []

    def one(thing: Resource) -> Iterator[str]:
        judged.append("one")
        yield from ()

    def two(thing: Resource) -> Iterator[str]:
        judged.append("two")
        yield from ()

    serving = serve_ours(pack_of(one, two))
    serving.analyze({"size": 1}, token="shop:other")
    assert (judged, reads) == ([], [])
    serving.analyze({"size": 1})
    assert judged == ["one", "two"] and len(reads) == 1


class Part:
    """What a thing may have."""

    @classmethod
    def found_in(cls, thing: Resource) -> Iterable[Part]:
        return [cls() for _ in thing.properties.get("parts").items()]


def light(part: Part) -> Iterator[str]:
    yield from ()


def test_a_rule_is_not_asked_where_there_is_nothing_for_it_unless_something_is_mended(serve_ours: Serve) -> None:
    policies = serve_ours(pack_of(light, fine)).served.policies

    def asked(properties: dict[str, Any], method: str = "Analyze") -> list[str]:
        with requests.serving(request(properties, "it", "shop:thing"), method):
            return [policy.name for policy in policies]

    assert asked({}) == ["fine"]
    assert asked({"parts": [1]}) == ["light", "fine"]
    assert asked({"parts": UNKNOWN}) == ["light", "fine"]
    assert asked({}, "Remediate") == ["light", "fine"]
    assert [policy.name for policy in policies] == ["light", "fine", "exceptions", "policy-settings"]


def test_a_stack_is_read_once_for_all_rules_and_never_by_the_sdk(
    serve_ours: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unexpected(*_: object) -> None:
        raise AssertionError("the SDK reads a resource")

    monkeypatch.setattr(SDK, "deserialize_properties", unexpected)
    stacks: list[Stack] = []

    def one(stack: Stack) -> Iterator[str]:
        stacks.append(stack)
        yield from ()

    def two(stack: Stack) -> Iterator[str]:
        yield from one(stack)

    assert serve_ours(pack_of(one, two)).analyze_stack([resource({"size": 1})]) == []
    assert len(stacks) == 2 and stacks[0] is stacks[1]


def test_a_stack_without_resources_is_judged(serve: Serve) -> None:
    assert serve(pack_of(fine)).analyze_stack([]) == []


@contextmanager
def started(pack: str, environment: Mapping[str, str]) -> Generator[Any]:
    """A pack's process as Pulumi's Python language host starts it, and a stub to ask it."""
    folder = POLICIES / pack
    inherited = {key: value for key, value in os.environ.items() if not key.startswith("PULUMI_")}
    process = subprocess.Popen(
        [sys.executable, "-u", "-m", "pulumi.policy", "127.0.0.1:1", str(folder)],
        cwd=folder, env={**inherited, **environment}, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        with grpc.insecure_channel(f"127.0.0.1:{process.stdout.readline().strip()}") as channel:
            yield AnalyzerStub(channel)
    finally:
        process.kill()
        process.communicate()


GROUP = request({"retentionInDays": 1}, "api", "aws:cloudwatch/logGroup:LogGroup")


def test_a_pack_runs_as_pulumi_starts_it_with_the_configuration_that_pulumi_gives() -> None:
    settings = {"rules": {"log-retention": {"level": "advisory", "parameters": {"days": 7}}}}
    config = {"PULUMI_CONFIG": json.dumps({"bedplate:policy": json.dumps(settings)}), "PULUMI_STACK": "dev"}
    with started("governance", config) as pack:
        info: Any = pack.GetAnalyzerInfo(empty_pb2.Empty())
        levels = {policy.name: policy.enforcementLevel for policy in info.policies}
        found = [one for one in pack.Analyze(GROUP).diagnostics if one.policyName == "log-retention"]
    assert info.name == "governance" and levels["log-retention"] == wire.ADVISORY
    assert [one.enforcementLevel for one in found] == [wire.ADVISORY]
    assert "less than 7" in found[0].message


@pytest.mark.parametrize(
    ("settings", "level"),
    [
        (None, wire.MANDATORY),
        ({"level": "advisory"}, wire.ADVISORY),
        ({"rules": {"mended": {"level": "disabled"}}}, wire.DISABLED),
        ({"rules": {"mended": {"remediation": "apply"}}}, wire.REMEDIATE),
    ],
)
def test_a_rule_with_parameters_is_configured_with_its_level(serve: Serve, settings: Any, level: int) -> None:
    def mended(thing: Resource, parameters: Mapping[str, Any]) -> Iterator[str]:
        yield str(parameters)

    def mend(properties: dict[str, Any]) -> dict[str, Any]:
        return properties

    pack = pack_of(mended, parameters={"days": {"type": "integer", "default": 7}}, mend=mend)
    info: Any = serve(pack, settings).info()
    assert dict(info.initialConfig["mended"].properties) == {"days": 7}
    assert info.initialConfig["mended"].enforcementLevel == info.policies[0].enforcementLevel == level


@pytest.mark.parametrize("pack", ["security", "budget", "governance"])
def test_no_module_of_a_pack_hides_a_library(pack: str) -> None:
    """Pulumi runs packs from their own folder, where a ``secrets.py`` would be imported for Python's."""
    own = {path.stem for path in (POLICIES / pack).iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()}
    known = set(sys.stdlib_module_names) | {path.stem for path in _libraries()}
    assert not (own - {"__init__", "__main__"}) & known


def _libraries() -> list[Path]:
    import pulumi

    return list(Path(pulumi.__file__).parents[1].iterdir())


def test_a_pack_says_which_types_its_rules_judge() -> None:
    def whole(_stack: Stack) -> Iterator[str]:
        yield from ()

    pack = pack_of(fine, types=("test:index:Thing", "aws:s3/*"))
    pack.rule("whole", number=1, title="The whole", severity="low", fix="Mend it.")(whole)
    assert Served(Session(pack)).policies.judged == "judges:aws:s3/*,test:index:Thing"
    with started("governance", {}) as running:
        (tag,) = running.GetAnalyzerInfo(empty_pb2.Empty()).tags
    assert "aws:sagemaker/model:Model" in tag.removeprefix("judges:").split(",")


def test_a_stack_without_outputs_is_judged_by_its_inputs(serve_ours: Serve) -> None:
    """The Pulumi CLI previews no outputs where the provider is not configured yet."""
    sizes: list[Any] = []

    def one(stack: Stack) -> Iterator[str]:
        sizes.extend(each.properties.get("size").plain() for each in stack.resources)
        yield from ()

    asked = serve_ours(pack_of(one, fine))
    asked.analyze({"size": 1})
    asked.analyze_stack([resource({})])
    asked.analyze({"size": 2})
    asked.analyze_stack([resource({"size": 3})])
    assert sizes == [1, 3]
