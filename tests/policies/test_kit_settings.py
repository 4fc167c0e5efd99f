"""Levels, parameters and exceptions of the settings, and what is wrong with them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from google.protobuf.json_format import MessageToDict
from pulumi.runtime.proto import analyzer_pb2 as wire

from policies.kit import Resource, Stack
from policies.kit.rules import Level
from policies.kit.schemas import unknown_name
from policies.kit.settings import from_environment, from_stack_file
from tests.policies.kit_packs import Said, Serve, Serving, pack_of, resource

SIZE = {"most": {"type": "integer", "minimum": 1, "default": 3, "description": "The largest size."}}


def small(thing: Resource, parameters: Mapping[str, Any]) -> Iterator[str]:
    if thing.properties.get("size").number(0) > parameters["most"]:
        yield f"larger than {parameters['most']}"


def counted(stack: Stack) -> Iterator[str]:
    yield "one too many"


def big(serve: Serve, settings: Any, **declared: Any) -> list[Said]:
    """What the rule ``small`` says of something of size 5."""
    return serve(pack_of(small, parameters=SIZE, **declared), settings).analyze({"size": 5})


@pytest.mark.parametrize(
    ("environment", "own", "declared", "expected"),
    [
        (None, None, "mandatory", "mandatory"),
        (None, None, "advisory", "advisory"),
        ("mandatory", None, "advisory", "advisory"),  # a bound, which raises nothing
        ("advisory", None, "mandatory", "advisory"),
        (None, "advisory", "mandatory", "advisory"),
        (None, "mandatory", "advisory", "mandatory"),
        ("advisory", "mandatory", "mandatory", "mandatory"),  # written for this rule: meant
        ("disabled", "advisory", "mandatory", "advisory"),
    ],
)
def test_the_level_of_a_rule(
    environment: str | None, own: str | None, declared: Level, expected: str, serve: Serve
) -> None:
    settings = {"level": environment, "rules": {"small": {"level": own}}}
    assert [one.level for one in big(serve, settings, level=declared)] == [expected]


@pytest.mark.parametrize("settings", [{"level": "disabled"}, {"rules": {"small": {"level": "disabled"}}}])
def test_a_disabled_rule_says_nothing(settings: dict[str, Any], serve: Serve) -> None:
    assert big(serve, settings) == []


def test_the_engine_is_told_the_levels_and_parameters_that_hold(serve: Serve) -> None:
    settings = {"rules": {"small": {"level": "advisory", "parameters": {"most": 4}}}}
    info = serve(pack_of(small, parameters=SIZE), settings).info()
    assert info.policies[0].enforcementLevel == wire.ADVISORY
    assert MessageToDict(info.policies[0].configSchema.properties)["most"]["default"] == 3
    assert MessageToDict(info.initialConfig["small"].properties) == {"most": 4}


def test_parameters_come_from_the_settings(serve: Serve) -> None:
    assert [one.message for one in big(serve, None)] == ["larger than 3"]
    assert [one.message for one in big(serve, {"rules": {"small": {"parameters": {"most": 4}}}})] == ["larger than 4"]
    assert big(serve, {"rules": {"small": {"parameters": {"most": 5}}}}) == []


def test_what_the_engine_configures_wins(serve: Serve) -> None:
    settings = {"rules": {"small": {"level": "disabled", "parameters": {"most": 9}}}}
    serving = serve(pack_of(small, parameters=SIZE), settings)
    serving.configure("small", "ADVISORY", most=4)
    assert serving.analyze({"size": 5}) == [Said("small", "advisory", "it", "larger than 4")]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ("strict", "bedplate:policy expected enabled, level, remediation, rules, exceptions, packs, seen 'strict'"),
        ({"levels": "advisory"}, "bedplate:policy.levels is not known; did you mean 'level'?"),
        ({"level": "strict"}, "bedplate:policy.level expected one of mandatory, advisory, disabled, seen 'strict'"),
        ({"remediation": "always"}, "bedplate:policy.remediation expected one of off, suggest, apply, seen 'always'"),
        ({"rules": []}, "bedplate:policy.rules expected rules by their ids, seen []"),
        ({"rules": {"smal": {}}}, "bedplate:policy.rules.smal is not known"),
        ({"rules": {"small": "advisory"}}, "bedplate:policy.rules.small expected level, remediation, parameters"),
        ({"rules": {"small": {"lvl": 1}}}, "bedplate:policy.rules.small.lvl is not known; did you mean 'level'?"),
        ({"rules": {"small": {"level": 3}}}, "bedplate:policy.rules.small.level expected one of mandatory"),
        ({"rules": {"small": {"parameters": 3}}}, "bedplate:policy.rules.small.parameters expected values by name"),
        (
            {"rules": {"small": {"parameters": {"mots": 3}}}},
            "bedplate:policy.rules.small.parameters.mots is not known; did you mean 'most'?",
        ),
        (
            {"rules": {"small": {"parameters": {"most": "4"}}}},
            "bedplate:policy.rules.small.parameters.most expected an integer, seen '4'",
        ),
        (
            {"rules": {"small": {"parameters": {"most": 0}}}},
            "bedplate:policy.rules.small.parameters.most expected at least 1, seen 0",
        ),
        (
            {"rules": {"small": {"parameters": {"most": float("inf")}}}},
            "bedplate:policy.rules.small.parameters.most expected an integer, seen inf",
        ),
        ({"exceptions": {}}, "bedplate:policy.exceptions expected a list, seen {}"),
        ({"enabled": "no"}, "bedplate:policy.enabled expected true or false, seen 'no'"),
    ],
)
def test_a_malformed_setting_is_a_mandatory_finding_and_the_default_holds(
    settings: Any, message: str, serve: Serve
) -> None:
    serving = serve(pack_of(small, parameters=SIZE, keeps_settings=True), settings)
    [one] = serving.analyze_stack()
    assert (one.policy, one.level) == ("policy-settings", "mandatory")
    assert one.message.startswith(message)
    assert [said.message for said in serving.analyze({"size": 5})] == ["larger than 3"]


def exception(**changed: Any) -> dict[str, Any]:
    given = {"rule": "small", "resource": "it", "reason": "old", "owner": "ada@example.com", "expires": "2026-11-26"}
    return {"exceptions": [{key: value for key, value in {**given, **changed}.items() if value is not None}]}


@pytest.mark.parametrize(
    "pattern", ["it", "i*", "shop:thing::it", "*::it", "urn:pulumi:dev::shop::shop:thing::it", "*"]
)
def test_an_exception_silences_its_rule_for_its_resource(pattern: str, serve: Serve) -> None:
    assert big(serve, exception(resource=pattern)) == []


@pytest.mark.parametrize("changed", [{"resource": "other"}, {"rule": "other"}, {"resource": "IT"}])
def test_an_exception_silences_nothing_else(changed: dict[str, Any], serve: Serve) -> None:
    assert len(big(serve, exception(**changed))) == 1


def test_an_exception_from_several_rules_is_told_of_each(serve: Serve) -> None:
    serving = serve(pack_of(small, counted, parameters=SIZE), exception(rule=["small", "counted"]))
    assert serving.analyze({"size": 5}) == []
    told = "for 'it' until 2026-11-26 by ada@example.com: old"
    assert [line.partition(": nothing")[0] for line in exceptions(serving)] == [
        f"small {told} (exceptions[0].rule[0]) is in use",
        f"counted {told} (exceptions[0].rule[1]) is not used",
    ]


def test_an_exception_also_covers_what_is_not_known(serve: Serve) -> None:
    unknown = {"size": "04da6b54-80e4-46f7-96ec-b56ff0331ba9"}
    assert serve(pack_of(small, parameters=SIZE), exception()).analyze(unknown) == []


def test_an_exception_for_the_stack(serve: Serve) -> None:
    pack = pack_of(counted)
    for name in ("stack", "dev", "*"):
        found = serve(pack, exception(rule="counted", resource=name)).analyze_stack([resource({})])
        assert [one.policy for one in found] == ["exceptions"]


def test_an_exception_holds_until_the_end_of_its_day_and_then_says_whose_it_was(serve: Serve) -> None:
    pack = pack_of(small, parameters=SIZE)
    assert serve(pack, exception(), date(2026, 11, 26)).analyze({"size": 5}) == []
    [late] = serve(pack, exception(), date(2026, 11, 27)).analyze({"size": 5})
    assert (late.policy, late.level) == ("small", "mandatory")
    assert late.message.endswith("the exception of ada@example.com for 'it' expired on 2026-11-26")


def exceptions(serving: Serving) -> list[str]:
    found = [one for one in serving.analyze_stack() if one.policy == "exceptions"]
    assert {one.level for one in found} <= {"advisory"}
    return [one.message for one in found]


def test_exceptions_stay_visible(serve: Serve) -> None:
    serving = serve(pack_of(small, parameters=SIZE), exception())
    serving.analyze({"size": 5})
    told = "small for 'it' until 2026-11-26 by ada@example.com: old (exceptions[0])"
    assert exceptions(serving) == [f"{told} is in use"]
    unused = serve(pack_of(small, parameters=SIZE), exception())
    unused.analyze({"size": 1})
    assert exceptions(unused)[0].startswith(f"{told} is not used: ")
    expired = serve(pack_of(small, parameters=SIZE), exception(), date(2027, 1, 1))
    assert exceptions(expired) == [f"{told} has expired, and holds no more"]


def test_exceptions_of_other_packs_are_theirs_to_report(serve: Serve) -> None:
    assert exceptions(serve(pack_of(small, parameters=SIZE), exception(rule="other"))) == []


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"reason": None}, "exceptions[0].reason is missing: an exception has a rule, a resource, a reason, an owner"),
        ({"owner": " "}, "exceptions[0].owner is missing"),
        ({"expires": None}, "exceptions[0].expires is missing"),
        ({"expires": "soon"}, "exceptions[0].expires expected a date such as 2027-03-31, seen 'soon'"),
        ({"expires": "2026-06-31"}, "exceptions[0].expires expected a date such as 2027-03-31, seen '2026-06-31'"),
        ({"resource": ["it"]}, "exceptions[0].resource expected text, seen ['it']"),
        ({"until": "2027"}, "exceptions[0].until is not known; expected rule, resource, reason, owner, expires"),
    ],
)
def test_a_malformed_exception_excuses_nothing_and_is_a_finding(
    changed: dict[str, Any], message: str, serve: Serve
) -> None:
    serving = serve(pack_of(small, parameters=SIZE), exception(**changed))
    assert len(serving.analyze({"size": 5})) == 1
    [one] = [said for said in serving.analyze_stack() if said.policy == "policy-settings"]
    assert one.message.startswith(f"bedplate:policy.{message}")


def test_an_exception_that_is_no_mapping_is_reported_by_the_pack_that_keeps_the_settings(serve: Serve) -> None:
    serving = serve(pack_of(small, parameters=SIZE, keeps_settings=True), {"exceptions": ["small"]})
    assert "bedplate:policy.exceptions[0] expected rule, resource" in serving.analyze_stack()[-1].message


@pytest.mark.parametrize(
    "written", [date(2027, 3, 31), "2027-03-31", "2027-03-31T00:00:00Z", "2027-03-31 00:00:00 +0000 UTC"]
)
def test_a_date_may_have_come_through_yaml_or_through_pulumis_json(written: Any, serve: Serve) -> None:
    assert big(serve, exception(expires=written)) == []


def test_settings_come_from_the_environment_of_the_engine() -> None:
    settings = {"PULUMI_CONFIG": json.dumps({"bedplate:policy": json.dumps({"level": "advisory"})})}
    found = from_environment(settings)
    assert found is not None and found.level == "advisory"


@pytest.mark.parametrize("config", ["{", json.dumps({"bedplate:policy": "{"})])
def test_configuration_that_is_not_json_is_a_problem_and_no_crash(config: str) -> None:
    found = from_environment({"PULUMI_CONFIG": config})
    assert found is not None and "is not JSON" in str(found.problems[0])


def test_settings_come_from_the_stacks_file_where_the_engine_gives_none(tmp_path: Path) -> None:
    (tmp_path / "Pulumi.dev.yaml").write_text("config:\n  bedplate:policy:\n    level: advisory\n", encoding="utf-8")
    found = from_stack_file("acme/shop/dev", tmp_path)
    assert found is not None and found.level == "advisory"
    assert from_stack_file("prod", tmp_path) is None


@pytest.mark.parametrize("text", ["config: [", "config: 3", "- 1"])
def test_a_stack_file_that_is_malformed_is_a_problem_and_no_crash(text: str, tmp_path: Path) -> None:
    (tmp_path / "Pulumi.dev.yaml").write_text(text, encoding="utf-8")
    found = from_stack_file("dev", tmp_path)
    assert found is not None and "malformed" in str(found.problems[0])


def test_which_exceptions_were_used_is_asked_anew_for_each_configuration(serve_ours: Serve) -> None:
    serving = serve_ours(pack_of(small, parameters=SIZE), exception())
    serving.analyze({"size": 5})
    config = {"bedplate:policy": json.dumps(exception())}
    serving.servicer.ConfigureStack(wire.AnalyzerStackConfigureRequest(stack="dev", config=config), None)
    assert "is not used" in exceptions(serving)[0]


def test_a_stack_that_is_configured_later_begins_anew(serve_ours: Serve) -> None:
    serving = serve_ours(pack_of(small, parameters=SIZE), exception())
    assert serving.analyze({"size": 5}) == []
    config = {"bedplate:policy": json.dumps({"level": "advisory", "rules": {"small": {"parameters": {"most": 4}}}})}
    serving.servicer.ConfigureStack(wire.AnalyzerStackConfigureRequest(stack="dev", config=config), None)
    assert serving.analyze({"size": 5}) == [Said("small", "advisory", "it", "larger than 4")]
    assert serving.info().policies[0].enforcementLevel == wire.ADVISORY
    assert MessageToDict(serving.info().initialConfig["small"].properties) == {"most": 4}
    assert exceptions(serving) == []


def test_names_are_listed_where_they_are_few() -> None:
    assert unknown_name("zzz", dict.fromkeys(["b", "a"])) == "is not known; expected one of a, b"
    assert unknown_name("zzz", {f"rule-{n}": 0 for n in range(30)}) == "is not known; `bedplate policy list` shows all"
