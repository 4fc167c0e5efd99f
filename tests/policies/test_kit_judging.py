"""Judging: what a rule meets is its own affair; the other rules, subjects and resources are still judged."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from policies.kit import Finding, Resource, Stack, Value
from tests.policies.kit_packs import UNKNOWN, Said, Serve, pack_of, resource, secret, urn


def small(thing: Resource) -> Iterator[str]:
    """Things are small."""
    size = thing.properties.get("size")
    if size.number(0) > 3:
        yield f"{size.path} is {size.shown()}"


def named(thing: Resource) -> Iterator[Finding]:
    if thing.properties.get("name").missing:
        yield Finding("has no name", path="name")


def failing(thing: Resource) -> Iterator[str]:
    yield "something first"
    raise ValueError(f"seen {thing.properties.get('token').text()}")


@dataclass(frozen=True)
class Part:
    """An element of ``parts``."""

    value: Value

    @classmethod
    def found_in(cls, thing: Resource) -> Iterable[Part]:
        for part in thing.properties.get("parts").items():
            if part.get("broken").boolean():
                raise KeyError("a part that is broken")
            yield cls(part)


def light(part: Part) -> Iterator[str]:
    if part.value.get("weight").number(0) > 1:
        yield f"{part.value.path} is heavy"


def test_a_violation_is_reported_with_all_that_the_engine_needs(serve: Serve) -> None:
    assert serve(pack_of(small)).analyze({"size": 5}, "big") == [Said("small", "mandatory", "big", "size is 5")]


def test_what_fits_is_not_reported(serve: Serve) -> None:
    assert serve(pack_of(small)).analyze({"size": 3}) == []


def test_a_path_is_put_before_the_message(serve: Serve) -> None:
    assert [one.message for one in serve(pack_of(named)).analyze({})] == ["name: has no name"]


def test_other_types_are_not_judged(serve: Serve) -> None:
    assert serve_types(serve, "shop:thing", "shop:thingy") == []
    assert len(serve_types(serve, "shop:th*", "shop:thingy")) == 1


def serve_types(serve: Serve, pattern: str, token: str) -> list[Said]:
    return serve(pack_of(small, types=(pattern,))).analyze({"size": 5}, token=token)


def test_an_unknown_fails_its_rule_at_its_level_and_says_what_settles_it(serve: Serve) -> None:
    [one] = serve(pack_of(small)).analyze({"size": UNKNOWN})
    assert (one.policy, one.level, one.name) == ("small", "mandatory", "it")
    assert one.message.startswith("size is not known before the change is applied, so this can't be judged: ")
    assert "plain value" in one.message and "exception" in one.message


def test_an_unknown_that_a_rule_does_not_need_hinders_nobody(serve: Serve) -> None:
    found = serve(pack_of(small, named)).analyze({"size": 5, "other": UNKNOWN})
    assert [one.policy for one in found] == ["small", "named"]


def test_a_rule_that_raises_is_a_finding_and_the_others_go_on(serve: Serve) -> None:
    first, fault, other = serve(pack_of(failing, named)).analyze({"token": "t"})
    assert (first.message, other.policy) == ("something first", "named")
    assert (fault.policy, fault.level, fault.name) == ("failing", "mandatory", "it")
    expected = "the rule failing failed, nothing was judged: ValueError: seen t (test_kit_judging.py:"
    assert fault.message.startswith(expected)


def test_what_a_failing_rule_says_shows_no_secret(serve_ours: Serve) -> None:
    _, fault = serve_ours(pack_of(failing)).analyze({"token": secret("hushhush")})
    assert "hushhush" not in fault.message and "seen [secret]" in fault.message


def test_each_part_of_a_resource_is_judged_by_itself(serve: Serve) -> None:
    parts = [{"weight": 2}, {"weight": UNKNOWN}, {"weight": "2"}, {"weight": 3}]
    messages = [one.message for one in serve(pack_of(light)).analyze({"parts": parts})]
    assert messages[0] == "parts[0] is heavy" and messages[3] == "parts[3] is heavy"
    assert messages[1].startswith("parts[1].weight is not known")
    assert messages[2] == 'parts[2].weight: expected a number, seen the text "2"'


def test_what_was_found_before_the_search_failed_is_judged(serve: Serve) -> None:
    heavy, fault = serve(pack_of(light)).analyze({"parts": [{"weight": 2}, {"broken": True}, {"weight": 2}]})
    assert heavy.message == "parts[0] is heavy"
    assert fault.message.startswith("the rule light failed, nothing was judged: KeyError: 'a part that is broken'")


def test_an_unknown_that_hides_all_parts_fails_closed(serve: Serve) -> None:
    [one] = serve(pack_of(light)).analyze({"parts": UNKNOWN})
    assert one.message.startswith("parts is not known")


def test_parts_are_looked_for_once_for_all_rules(serve_ours: Serve) -> None:
    searched: list[str] = []

    class Counted:
        @classmethod
        def found_in(cls, thing: Resource) -> Iterable[Counted]:
            searched.append(thing.name)
            return [cls()]

    def one(counted: Counted) -> Iterator[str]:
        yield "one"

    def two(counted: Counted) -> Iterator[str]:
        yield "two"

    for judge in (one, two):  # a class within a function can't be found by its annotation
        judge.__annotations__["counted"] = Counted
    assert [said.message for said in serve_ours(pack_of(one, two)).analyze({})] == ["one", "two"]
    assert searched == ["it"]


def crowded(stack: Stack, parameters: Mapping[str, Any]) -> Iterator[Finding | str]:
    if len(list(stack.of("shop:*"))) > parameters["most"]:
        yield "too many"
    for thing in stack.of("shop:thing"):
        if thing.properties.get("size").number(0) > 3:
            yield Finding("is big", resource=thing)


def lonely(thing: Resource, stack: Stack) -> Iterator[str]:
    """Each thing has a box."""
    if not any(stack.referring(thing, "shop:box", "thing")):
        yield f"{thing.name} has no box"
    thing.properties.get("size").number()


MOST = {"most": {"type": "integer", "default": 2}}


def test_a_rule_over_the_stack_sees_all_resources(serve: Serve) -> None:
    serving = serve(pack_of(crowded, parameters=MOST))
    things = [resource({"size": size}, f"t{size}") for size in (1, 2, 4)]
    assert serving.analyze({"size": 9}) == []
    assert serving.analyze_stack(things) == [
        Said("crowded", "mandatory", "", "too many"),
        Said("crowded", "mandatory", "t4", "is big"),
    ]
    assert serving.analyze_stack(things[:1]) == []


def test_a_rule_over_the_stack_that_meets_an_unknown_blames_the_resource(serve: Serve) -> None:
    [one] = serve(pack_of(crowded, parameters=MOST)).analyze_stack([resource({"size": UNKNOWN}, "mist")])
    assert one.name == "mist" and one.message.startswith("size is not known")


def test_an_unknown_in_a_stack_is_said_to_come_from_what_makes_it(serve: Serve) -> None:
    cloud = resource({}, "cloud", "shop:sky$shop:cloud")
    thing = resource({"size": UNKNOWN}, "mist", depends_on={"size": [cloud.urn]})
    for rule in (crowded, lonely):
        found = serve(pack_of(rule, parameters=MOST)).analyze_stack([cloud, thing])
        assert "so this can't be judged: it comes from cloud (shop:cloud); give it as" in found[-1].message


def test_what_is_secret_in_any_resource_of_a_stack_is_not_shown(serve_ours: Serve) -> None:
    def telling(thing: Resource, stack: Stack) -> Iterator[str]:
        yield from (str(other.properties.get("key").text()) for other in stack.of("shop:box"))

    box = resource({"key": secret("hushhush")}, "box", "shop:box")
    assert [one.message for one in serve_ours(pack_of(telling)).analyze_stack([resource({}), box])] == ["[secret]"]


def test_a_rule_over_each_resource_of_the_stack_goes_on_after_one_that_it_can_not_judge(serve: Serve) -> None:
    things = [resource({"size": UNKNOWN, "name": "a"}, "a"), resource({"name": "b"}, "b"), resource({}, "c")]
    box = resource({"thing": "b"}, "box", "shop:box")
    found = serve(pack_of(lonely)).analyze_stack([*things, box])
    assert [(one.name, one.message.split(",")[0]) for one in found] == [
        ("a", "a has no box"),
        ("a", "size is not known before the change is applied"),
        ("c", "c has no box"),
    ]


def test_a_reference_is_a_dependency_or_an_equal_name(serve: Serve) -> None:
    things = [resource({}, "a"), resource({"arn": "arn:b"}, "b"), resource({"metadata": {"name": "c-1"}}, "c")]
    boxes = [
        resource({"thing": UNKNOWN}, "box-a", "shop:box", {"thing": [urn("a")]}),
        resource({"thing": "arn:b"}, "box-b", "shop:box"),
        resource({"thing": "c-1"}, "box-c", "shop:box"),
    ]
    assert serve(pack_of(lonely)).analyze_stack([*things, *boxes]) == []
    assert [one.name for one in serve(pack_of(lonely)).analyze_stack([*things, *boxes[1:]])] == ["a"]


def test_what_can_not_be_known_is_no_reference(serve: Serve) -> None:
    box = resource({"thing": UNKNOWN}, "box", "shop:box")
    assert len(serve(pack_of(lonely)).analyze_stack([resource({}, "a"), box])) == 1


def test_an_unknown_of_another_resource_is_that_resources_and_an_exception_for_either_covers_it(serve: Serve) -> None:
    def told(thing: Resource, stack: Stack) -> Iterator[str]:
        yield from (f"{box.name} is there" for box in stack.of("shop:box") if box.properties.get("lid").text())

    stack = [resource({}, "a"), resource({"lid": UNKNOWN}, "box", "shop:box")]
    [one] = serve(pack_of(told)).analyze_stack(stack)
    assert one.name == "box" and one.message.startswith("lid is not known")
    for name in ("a", "box"):
        covered = {"rule": "told", "resource": name, "reason": "r", "owner": "o", "expires": "2027-01-01"}
        found = serve(pack_of(told), {"exceptions": [covered]}).analyze_stack(stack)
        assert [said.policy for said in found] == ["exceptions"]


def test_what_a_resource_is_called_and_where_it_is(serve: Serve) -> None:
    def told(thing: Resource) -> Iterator[str]:
        yield f"{thing.name} {thing.type} {thing.stack} {thing.project} {thing.is_a('shop:*')}"

    assert [one.message for one in serve(pack_of(told)).analyze({})] == ["it shop:thing dev shop True"]


@pytest.mark.parametrize("number", [2_000])
def test_thousands_of_unknowns_are_thousands_of_findings_and_nothing_else(number: int, serve_ours: Serve) -> None:
    parts = [{"weight": UNKNOWN}] * number
    found = serve_ours(pack_of(light, named)).analyze({"parts": parts})
    assert len(found) == number + 1


def told_of_inputs(stack: Stack) -> Iterator[str]:
    for thing in stack.of("shop:thing"):
        yield thing.inputs.get("size").shown()


def test_a_rule_over_the_stack_sees_what_was_declared_where_a_resource_was_judged_before(serve_ours: Serve) -> None:
    serving = serve_ours(pack_of(told_of_inputs))
    filled_in = [resource({"size": UNKNOWN})]  # as a preview has the outputs
    serving.analyze({"size": 1})
    assert [said.message for said in serving.analyze_stack(filled_in)] == ["1"]
    assert [said.message for said in serving.analyze_stack(filled_in)] == ["(not known yet)"], "inputs of that run only"
